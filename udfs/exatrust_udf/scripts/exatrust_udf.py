"""EXATRUST_UDF: what UDFs import; called itself, it says what each client library would trust."""

from __future__ import annotations

from collections.abc import Mapping

import exatrust_udf
from exatrust_udf import rows


def run(ctx: rows.Context, exa: rows.Exa, pin: Mapping[str, str]) -> None:
    """Emit one row for each client, as of before or after activate()."""
    exatrust_udf.use_pin({"node": str(exa.meta.node_id)})
    if ctx[0]:
        exatrust_udf.activate()
    for trust in exatrust_udf.status():
        rows.emit(ctx, exa, trust, pin, checked_at=rows.utc_now())
