"""HTTPS_REQUEST: one request of any method for each row, with its answer as a row."""

from __future__ import annotations

from collections.abc import Mapping

from exatrust_udf import https_arguments, https_rows, rows


def run(ctx: rows.Context, exa: https_rows.Exa, pin: Mapping[str, str]) -> None:
    """Take `method`, `url`, `headers`, `body`, `connection_name`, optionally `id`, `options`."""
    https_rows.run(ctx, exa, pin, https_arguments.REQUEST, https_rows.with_body)
