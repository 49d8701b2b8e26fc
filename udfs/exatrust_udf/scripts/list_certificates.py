"""LIST_CERTIFICATES: one row per certificate in the truststores of this node's container."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from exatrust_udf import reports, rows


def run(ctx: rows.Context, exa: rows.Exa, pin: Mapping[str, str]) -> None:
    """Emit every certificate of every store, in the order of the store, once for each node."""
    for sample, paths in rows.inputs(ctx, exa):
        if not rows.first_of_its_node(exa, paths, sample):
            continue
        found = rows.once(exa, paths, partial(reports.survey, pin, paths))
        for record in reports.certificate_rows(found, pin):
            rows.emit(ctx, exa, record, pin, checked_at=found.checked_at, sample=sample)
