"""LIST_TRUSTSTORES: one row per truststore of this node's language container."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from exatrust_udf import reports, rows


def run(ctx: rows.Context, exa: rows.Exa, pin: Mapping[str, str]) -> None:
    """Emit every store that is found, and every one of the paths given, readable or not.

    A node that gets several groups answers once.
    """
    for sample, paths in rows.inputs(ctx, exa):
        if not rows.first_of_its_node(exa, paths, sample):
            continue
        found = rows.once(exa, paths, partial(reports.survey, pin, paths))
        for store in found.stores:
            record = reports.store_row(store, found.checked_at)
            rows.emit(ctx, exa, record, pin, checked_at=found.checked_at, sample=sample)
