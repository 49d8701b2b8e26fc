"""Exasol's data types: reading them, and their counterparts in DuckDB."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import duckdb

from .errors import unsupported
from .lexer import TokenStream
from .model import DataType, SqlError

LONGEST = 2_000_000
BOOLEAN, DOUBLE, DATE = DataType("BOOLEAN"), DataType("DOUBLE"), DataType("DATE")
TIMESTAMP = DataType("TIMESTAMP", precision=3)
BIGINT = DataType("DECIMAL", precision=18, scale=0)
TEXT = DataType("VARCHAR", size=LONGEST, character_set="UTF8")

_FIXED = {
    "BOOLEAN": BOOLEAN, "BOOL": BOOLEAN, "DATE": DATE, "FLOAT": DOUBLE, "REAL": DOUBLE,
    "INT": BIGINT, "INTEGER": BIGINT, "BIGINT": DataType("DECIMAL", 36, 0),
    "SMALLINT": DataType("DECIMAL", 9, 0), "SHORTINT": DataType("DECIMAL", 9, 0),
    "TINYINT": DataType("DECIMAL", 3, 0), "CLOB": TEXT,
}  # fmt: skip


def read_type(stream: TokenStream) -> DataType:
    """A type of CREATE TABLE, of a script's signature, or of EMITS."""
    word = stream.next().value
    if word in _FIXED:
        return _FIXED[word]
    if word == "DOUBLE":
        stream.accept("PRECISION")
        return DOUBLE
    if word in ("DECIMAL", "DEC", "NUMERIC", "NUMBER"):
        return _decimal(stream)
    if word in ("VARCHAR", "VARCHAR2", "NVARCHAR", "CHAR", "NCHAR", "CHARACTER", "LONG"):
        return _text(stream, word)
    if word == "TIMESTAMP":
        return _timestamp(stream)
    if word == "HASHTYPE":
        return _hashtype(stream)
    raise unsupported(f"the data type {word}")


def _decimal(stream: TokenStream) -> DataType:
    numbers = _numbers(stream)
    precision = numbers[0] if numbers else 18
    scale = numbers[1] if len(numbers) > 1 else 0
    if not 1 <= precision <= 36 or not 0 <= scale <= precision:
        raise SqlError(f"illegal precision or scale: DECIMAL({precision},{scale})")
    return DataType("DECIMAL", precision, scale)


def _text(stream: TokenStream, word: str) -> DataType:
    if word == "LONG":
        stream.expect("VARCHAR")
    varying = stream.accept("VARYING") or "VARCHAR" in word or word == "LONG"
    numbers = _numbers(stream)
    if not numbers and varying and word != "LONG":
        raise stream.error("expecting ( and the length of the VARCHAR")
    size = numbers[0] if numbers else (LONGEST if varying else 1)
    if not 1 <= size <= (LONGEST if varying else 2000):
        raise SqlError(f"length {size} out of range for {word}")
    character_set = "UTF8"
    stream.accept("CHARACTER", "SET")
    if stream.accept("ASCII"):
        character_set = "ASCII"
    else:
        stream.accept("UTF8")
    return DataType("VARCHAR" if varying else "CHAR", size=size, character_set=character_set)


def _timestamp(stream: TokenStream) -> DataType:
    numbers = _numbers(stream)
    local = stream.accept("WITH", "LOCAL", "TIME", "ZONE")
    name = "TIMESTAMP WITH LOCAL TIME ZONE" if local else "TIMESTAMP"
    return DataType(name, precision=numbers[0] if numbers else 3, with_local_tz=local)


def _hashtype(stream: TokenStream) -> DataType:
    size = 32
    if stream.accept("("):
        number = stream.integer()
        size = number * 2 if stream.one_of("BYTE", "BIT") == "BYTE" else number // 4
        stream.expect(")")
    return DataType("HASHTYPE", size=size)


def _numbers(stream: TokenStream) -> list[int]:
    if not stream.accept("("):
        return []
    numbers = [stream.integer()]
    stream.accept("CHAR")
    while stream.accept(","):
        numbers.append(stream.integer())
    stream.expect(")")
    return numbers


def parse_type(text: str) -> DataType:
    return read_type(TokenStream(text))


def duckdb_type(kind: DataType) -> str:
    if kind.name == "DECIMAL":
        return f"DECIMAL({kind.precision},{kind.scale})"
    if kind.name in ("VARCHAR", "CHAR", "HASHTYPE"):
        return "VARCHAR"
    return "TIMESTAMP" if kind.name.startswith("TIMESTAMP") else kind.name


def resolution(kind: DataType) -> str:
    """The unit to which a TIMESTAMP is cut, as DuckDB calls it: milliseconds by default."""
    digits = 3 if kind.precision is None else kind.precision
    return "second" if digits == 0 else "millisecond" if digits <= 3 else "microsecond"


def cut_moment(value: dt.datetime, kind: DataType) -> dt.datetime:
    """A moment with as many digits as the TIMESTAMP keeps."""
    step = {"second": 1_000_000, "millisecond": 1000, "microsecond": 1}[resolution(kind)]
    return value.replace(microsecond=value.microsecond // step * step)


def from_duckdb_type(text: str) -> DataType:
    """The Exasol type of a DuckDB result column."""
    if text.startswith("DECIMAL("):
        precision, scale = (int(part) for part in text[8:-1].split(","))
        return DataType("DECIMAL", min(precision, 36), min(scale, 36))
    if text in ("TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT"):
        return DataType("DECIMAL", 10, 0)
    if text in ("BIGINT", "UINTEGER"):
        return DataType("DECIMAL", 19, 0)
    if text in ("HUGEINT", "UBIGINT", "UHUGEINT", "BIGNUM"):
        return DataType("DECIMAL", 36, 0)
    if text in ("DOUBLE", "FLOAT"):
        return DOUBLE
    if text in ("BOOLEAN", "DATE"):
        return DataType(text)
    if text.startswith("TIMESTAMP"):
        return TIMESTAMP
    if text == '"NULL"' or text == "NULL":
        return BOOLEAN
    return TEXT


def to_python(value: Any, kind: DataType) -> Any:
    """A DuckDB value as the Python value of the type; the empty string is NULL."""
    if value is None or value == "":
        return None
    if kind.name == "DECIMAL":
        return int(value) if not kind.scale else decimal.Decimal(value)
    if kind.name == "DOUBLE":
        return float(value)
    if kind.name.startswith("TIMESTAMP") and isinstance(value, dt.datetime):
        return value.replace(tzinfo=None)
    if kind.name == "CHAR" and kind.size and isinstance(value, str):
        return value.ljust(kind.size)
    if kind.name in ("VARCHAR", "CHAR", "HASHTYPE") and not isinstance(value, str):
        return str(value)
    return value


def described(cursor: duckdb.DuckDBPyConnection) -> list[str]:
    """The DuckDB types of the last result, as text."""
    return [str(column[1]) for column in cursor.description or ()]
