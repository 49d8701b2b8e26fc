"""What runs statements of DuckDB: a cursor, or a transaction that remembers what it wrote."""

from __future__ import annotations

from typing import Any, Protocol

import duckdb


class Executor(Protocol):
    def execute(self, sql: str, values: Any = None, /) -> duckdb.DuckDBPyConnection: ...
