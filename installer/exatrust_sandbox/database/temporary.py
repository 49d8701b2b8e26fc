"""Temporary tables of one statement: rows computed in Python, given to DuckDB."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence

from .executor import Executor
from .model import DataType, ResultColumn, Row, SqlError
from .names import physical, quote
from .types import cut_moment, duckdb_type, from_duckdb_type, to_python

SCHEMA = "$TEMP"
UNKNOWN = DataType("?")
BATCH = 20_000


class Temporaries:
    """Makes temporary tables, knows their columns, and drops them when the statement is over."""

    def __init__(self, cursor: Executor) -> None:
        self._cursor = cursor
        self._numbers = itertools.count(1)
        self.columns: dict[str, tuple[ResultColumn, ...]] = {}

    def make(self, columns: Sequence[ResultColumn], rows: Sequence[Row]) -> str:
        """A new table with these rows; its name. Raises SqlError for a text that is too long."""
        name = f"$T{next(self._numbers)}"
        definitions = ", ".join(
            f"{quote(physical(column.name))} {duckdb_type(column.type)}" for column in columns
        )
        self._cursor.execute(f"CREATE TEMP TABLE {quote(name)} ({definitions})")
        self.columns[name] = tuple(columns)
        for start in range(0, len(rows), BATCH):
            self._fill(name, columns, rows[start : start + BATCH])
        return name

    def _fill(self, name: str, columns: Sequence[ResultColumn], rows: Sequence[Row]) -> None:
        by_column = list(zip(*rows, strict=True))
        for number, column in enumerate(columns):
            check_lengths(column.name, column.type, by_column[number])
            if column.type.name.startswith("TIMESTAMP"):
                by_column[number] = tuple(
                    cut_moment(v, column.type) if isinstance(v, dt.datetime) else v
                    for v in by_column[number]
                )
        parameters = ", ".join(
            f"unnest(CAST(? AS {duckdb_type(column.type)}[]))" for column in columns
        )
        self._cursor.execute(
            f"INSERT INTO {quote(name)} SELECT {parameters}", [list(v) for v in by_column]
        )

    def keep(self, sql: str, columns: Sequence[ResultColumn]) -> str:
        """A new table with the rows of a query; its columns get the given names."""
        name = f"$T{next(self._numbers)}"
        names = ", ".join(quote(physical(column.name)) for column in columns)
        self._cursor.execute(f"CREATE TEMP TABLE {quote(name)} AS SELECT * FROM ({sql}) q({names})")
        kinds = self._cursor.execute(f"SELECT * FROM temp.{quote(name)} LIMIT 0").description or ()
        self.columns[name] = tuple(
            ResultColumn(column.name, column.type if column.type.name != "?"
                         else from_duckdb_type(str(kind[1])))
            for column, kind in zip(columns, kinds, strict=True)
        )  # fmt: skip
        return name

    def rows(self, name: str, order: str) -> list[Row]:
        """The rows of a table in an order given as SQL, as Python values."""
        columns = self.columns[name]
        found = self._cursor.execute(f"SELECT * FROM temp.{quote(name)} {order}").fetchall()
        return [
            tuple(to_python(value, c.type) for value, c in zip(row, columns, strict=True))
            for row in found
        ]

    def drop(self) -> None:
        for name in self.columns:
            self._cursor.execute(f"DROP TABLE IF EXISTS temp.{quote(name)}")
        self.columns.clear()


def check_lengths(column: str, kind: DataType, values: Sequence[object]) -> None:
    """Raises SqlError 22001 when a text is longer than the column's type allows."""
    if kind.size is None:
        return
    if any(isinstance(value, str) and len(value) > kind.size for value in values):
        raise SqlError(
            f"data exception - string data, right truncation (column {column}"
            f" of type {kind.display()})", "22001"
        )  # fmt: skip
