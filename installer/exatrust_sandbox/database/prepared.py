"""Prepared statements: rows of values for `?`.

INSERT ... VALUES (?, ...) takes all rows at once; other statements run once for each row, with
the values written into the text as literals.
"""

from __future__ import annotations

import datetime as dt
import decimal
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .catalog import CatalogObject
from .ddl import parse_statement
from .dml import chosen_columns, insert_rows
from .import_export import convert
from .lexer import TokenStream, tokenize
from .model import ResultColumn, Row, RowCount, SqlError
from .names import literal
from .perform import Performer, Result
from .statements import ColumnDef, Dml, Query
from .types import TEXT

if TYPE_CHECKING:
    from .session import Session


class PreparedStatement:
    """Made by Session.prepare."""

    def __init__(self, session: Session, sql: str) -> None:
        self._session = session
        self._sql = sql
        self._marks = [t for t in tokenize(sql) if t.kind == "op" and t.text == "?"]
        self._statement = parse_statement(self._filled(["NULL"] * len(self._marks)))
        self._insert = _simple_insert(sql, len(self._marks))
        self._parameters, self._columns = session.run(sql, self._described)

    @property
    def parameters(self) -> tuple[ResultColumn, ...]:
        return self._parameters

    @property
    def columns(self) -> tuple[ResultColumn, ...] | None:
        return self._columns

    def execute(self, rows: Sequence[Row]) -> Result:
        """Raises SqlError; without parameters one run, whatever the rows."""
        for row in rows:
            if len(row) != len(self._marks):
                raise SqlError(f"{len(self._marks)} parameters expected, got {len(row)}")
        if self._insert is not None:
            return self._session.run(self._sql, lambda performer: self._fill(performer, rows))
        result: Result = RowCount(0)
        total = 0
        for row in rows if self._marks else [()]:
            result = self._session.execute(self._filled([_literal(value) for value in row]))
            total += result.count if isinstance(result, RowCount) else 0
        return RowCount(total) if isinstance(result, RowCount) else result

    def _filled(self, values: Sequence[str]) -> str:
        pieces, at = [], 0
        for mark, value in zip(self._marks, values, strict=True):
            pieces += [self._sql[at : mark.start], value]
            at = mark.end
        return "".join([*pieces, self._sql[at:]])

    def _described(
        self, performer: Performer
    ) -> tuple[tuple[ResultColumn, ...], tuple[ResultColumn, ...] | None]:
        columns = None
        if isinstance(self._statement, Query):
            columns = performer.columns(self._statement.text)
        elif not isinstance(self._statement, Dml) and self._marks:
            raise SqlError("parameters are only allowed in queries and DML")
        if self._insert is not None:
            _, chosen = self._target(performer)
            return tuple(ResultColumn(column.name, column.type) for column in chosen), columns
        return tuple(ResultColumn(f"P{n}", TEXT) for n in range(1, len(self._marks) + 1)), columns

    def _target(self, performer: Performer) -> tuple[CatalogObject, tuple[ColumnDef, ...]]:
        assert self._insert is not None
        schema, table, names = self._insert
        target = performer.world.need(schema, table, "TABLE")
        performer.world.rights.need("INSERT", target)
        columns = chosen_columns(target, names, performer.world)
        if len(columns) != len(self._marks):
            raise SqlError(f"{len(columns)} columns for {len(self._marks)} values")
        return target, columns

    def _fill(self, performer: Performer, rows: Sequence[Row]) -> RowCount:
        target, columns = self._target(performer)
        try:
            converted = [
                tuple(convert(value, c.type) for value, c in zip(row, columns, strict=True))
                for row in rows
            ]
        except (ValueError, ArithmeticError) as error:
            raise SqlError(f"data exception - invalid value ({error})", "22018") from error
        return insert_rows(target, columns, converted, performer.world, performer.work)


def _simple_insert(sql: str, marks: int) -> tuple[str | None, str, tuple[str, ...]] | None:
    """Schema, table and columns of INSERT INTO t [(columns)] VALUES (?, ?, ...)."""
    stream = TokenStream(sql)
    if not marks or not stream.accept("INSERT", "INTO"):
        return None
    schema, table = stream.qualified()
    names: list[str] = []
    if stream.accept("("):
        names.append(stream.identifier())
        while stream.accept(","):
            names.append(stream.identifier())
        stream.expect(")")
    if not stream.accept("VALUES", "("):
        return None
    for number in range(marks):
        if (number and not stream.accept(",")) or not stream.accept("?"):
            return None
    stream.accept(")")
    stream.accept(";")
    return (schema, table, tuple(names)) if stream.peek().kind == "end" else None


def _literal(value: Any) -> str:
    if value is None or value == "":
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, decimal.Decimal)):
        return f"{value:f}" if isinstance(value, decimal.Decimal) else str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise SqlError("data exception - numeric value out of range", "22003")
        return repr(value) if "e" in repr(value) else f"{value!r}e0"
    if isinstance(value, dt.datetime):
        return f"CAST('{value.isoformat(' ')}' AS TIMESTAMP)"
    if isinstance(value, dt.date):
        return f"CAST('{value.isoformat()}' AS DATE)"
    return literal(str(value))
