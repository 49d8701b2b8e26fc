"""HTTPS_JSON: one value out of the JSON document behind the URL of each row."""

from __future__ import annotations

from collections.abc import Mapping

from exatrust_udf import https_arguments, https_rows, rows


def run(ctx: rows.Context, exa: https_rows.Exa, pin: Mapping[str, str]) -> None:
    """Take `url`, `pointer`, optionally `connection_name`, `id` and `options`."""
    https_rows.run(ctx, exa, pin, https_arguments.JSON, https_rows.with_value)
