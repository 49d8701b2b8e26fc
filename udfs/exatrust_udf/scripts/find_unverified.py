"""FIND_UNVERIFIED: one row per line that switches certificate verification off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exatrust_udf import rows, unverified


@dataclass(frozen=True)
class Row:
    """Columns of FIND_UNVERIFIED that are not of every script."""

    found_in: str
    object_name: str
    line: int
    kind: str
    severity: str
    cause: str
    action: str


def run(ctx: rows.Context, exa: rows.Exa, pin: Mapping[str, str]) -> None:
    """Read each text as what it is: kind, object name, text."""
    now = rows.utc_now()
    for kind, name, text in rows.inputs(ctx, exa):
        for item in unverified.find(kind, text or ""):
            rows.emit(ctx, exa, row(kind, name, item), pin, checked_at=now)


def row(found_in: str, name: str, item: unverified.Unverified) -> Row:
    return Row(found_in, name, item.line, item.kind, item.severity, item.cause, item.action)
