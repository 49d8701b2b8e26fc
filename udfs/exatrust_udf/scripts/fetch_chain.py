"""FETCH_CHAIN: one row per certificate received, and per certificate of each verified path."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from exatrust_udf import endpoint_reports, rows


def run(ctx: rows.Context, exa: rows.Exa, pin: Mapping[str, str]) -> None:
    """Take the endpoints of a group together, so that the dead do not add up."""
    given = tuple(rows.inputs(ctx, exa))
    found = rows.once(exa, given, partial(endpoint_reports.survey, pin, given))
    for record in endpoint_reports.chain_rows(found):
        rows.emit(ctx, exa, record, pin, checked_at=found.checked_at)
