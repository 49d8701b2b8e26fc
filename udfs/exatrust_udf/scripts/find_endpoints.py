"""FIND_ENDPOINTS: one row per endpoint that a connection, script, view or parameter names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exatrust_udf import outbound, rows


@dataclass(frozen=True)
class Row:
    """Columns of FIND_ENDPOINTS that are not of every script."""

    found_in: str
    object_name: str
    line: int
    scheme: str | None
    host: str
    port: int | None
    options: str | None
    is_encrypted: bool | None
    can_be_tls: bool
    is_pinned: bool


def run(ctx: rows.Context, exa: rows.Exa, pin: Mapping[str, str]) -> None:
    """Read each text as what it is: kind, object name, text."""
    now = rows.utc_now()
    for kind, name, text in rows.inputs(ctx, exa):
        for item in outbound.find(kind, text or ""):
            rows.emit(ctx, exa, row(kind, name, item), pin, checked_at=now)


def row(kind: str, name: str, item: outbound.Found) -> Row:
    return Row(
        kind, name, item.line, item.scheme, item.host, item.port, item.options, item.encrypted,
        item.can_be_tls, item.pinned,
    )  # fmt: skip
