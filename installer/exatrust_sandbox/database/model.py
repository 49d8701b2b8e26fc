"""What the SQL engine and the server say to each other: types, results, errors.

Values in result rows are plain Python values in the column's type: int for DECIMAL(p,0),
decimal.Decimal for DECIMAL(p,s>0), float, str, bool, datetime.date, naive datetime.datetime
(microseconds), None for NULL. INTERVAL and HASHTYPE travel as str. The empty string never
occurs: in Exasol it is NULL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Row = tuple[Any, ...]


@dataclass(frozen=True)
class DataType:
    """A SQL type; `name` is one of DECIMAL, DOUBLE, VARCHAR, CHAR, BOOLEAN, DATE, TIMESTAMP,
    "TIMESTAMP WITH LOCAL TIME ZONE", HASHTYPE. `size` is the length in characters of VARCHAR and
    CHAR and the number of hexadecimal digits of HASHTYPE; `precision` of a TIMESTAMP is its
    number of fractional digits."""

    name: str
    precision: int | None = None
    scale: int | None = None
    size: int | None = None
    character_set: str | None = None
    with_local_tz: bool = False

    def display(self) -> str:
        """The type as Exasol's system tables write it, such as `VARCHAR(2000) UTF8`."""
        if self.name == "DECIMAL":
            return f"DECIMAL({self.precision},{self.scale})"
        if self.name in ("VARCHAR", "CHAR"):
            return f"{self.name}({self.size}) {self.character_set or 'UTF8'}"
        if self.name == "HASHTYPE":
            return f"HASHTYPE({(self.size or 32) // 2} BYTE)"
        if self.name == "TIMESTAMP" and self.precision not in (None, 3):
            return f"TIMESTAMP({self.precision})"
        return self.name


@dataclass(frozen=True)
class ResultColumn:
    """One column of a result, or one parameter of a prepared statement."""

    name: str
    type: DataType


@dataclass(frozen=True)
class ResultSet:
    """The rows of a query, row-major."""

    columns: tuple[ResultColumn, ...]
    rows: list[Row]


@dataclass(frozen=True)
class RowCount:
    """The number of rows a statement changed; 0 for DDL."""

    count: int = 0


Result = ResultSet | RowCount


class SqlError(Exception):
    """A refused statement: the text a user sees, and Exasol's five-character code.

    42000 syntax or semantics, 42500 missing privilege, 22xxx data, 40001 transaction collision,
    0A000 not supported by the stand-in, R0001/R0003/R0004 ended from outside.
    """

    def __init__(self, text: str, sql_code: str = "42000") -> None:
        super().__init__(text)
        self.text = text
        self.sql_code = sql_code


class Transport(Protocol):
    """The HTTP side of IMPORT and EXPORT; `address` is the `host:port` of the AT clause.

    `public_key` is the text of the PUBLIC KEY clause (`sha256//<base64>`) or None; `secure`
    says whether the URL was https. Both raise SqlError when the client cannot be reached.
    """

    def fetch(self, address: str, file: str, public_key: str | None, *, secure: bool) -> bytes:
        """GET the file; gzip content (name ends in .gz) comes back unpacked."""
        ...

    def send(
        self, address: str, file: str, data: bytes, public_key: str | None, *, secure: bool
    ) -> None:
        """PUT the bytes, packed when the file name ends in .gz."""
        ...


class Prepared(Protocol):
    """A prepared statement. `parameters` describes each `?`; `execute` takes rows of values."""

    @property
    def parameters(self) -> tuple[ResultColumn, ...]: ...

    @property
    def columns(self) -> tuple[ResultColumn, ...] | None:
        """Columns of the result set the statement will give, None when it gives a row count."""
        ...

    def execute(self, rows: Sequence[Row]) -> Result: ...
