"""Results as Exasol's WebSocket protocol writes them: column descriptions and column-major values.

Rules: Exasol WebSocket API v3, "Data Types", and what pyexasol reads. DECIMAL with scale 0 is a
JSON number, with a greater scale a string without trailing zeros; TIMESTAMP is a string with six
fractional digits.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from exatrust_sandbox.database.model import DataType, ResultColumn, Row, SqlError

Json = Any
Encoder = Callable[[Any], Json]

# The sizes that Exasol reports for these types.
DATE_SIZE = 4
TIMESTAMP_SIZE = 8
NUMBER_SIZE = 12


def describe_columns(columns: Sequence[ResultColumn]) -> list[dict[str, Json]]:
    """The `columns` array of a result set or of a prepared statement's parameters."""
    return [{"name": column.name, "dataType": describe_type(column.type)} for column in columns]


def describe_type(data_type: DataType) -> dict[str, Json]:
    """The `dataType` object of a column."""
    name = data_type.name
    if name == "DECIMAL":
        return {"type": name, "precision": data_type.precision, "scale": data_type.scale or 0}
    if name in ("VARCHAR", "CHAR"):
        character_set = data_type.character_set or "UTF8"
        return {"type": name, "size": data_type.size, "characterSet": character_set}
    if name == "DATE":
        return {"type": name, "size": DATE_SIZE}
    if name.startswith("TIMESTAMP"):
        local = data_type.with_local_tz or name != "TIMESTAMP"
        return {"type": name, "withLocalTimeZone": local, "size": TIMESTAMP_SIZE}
    if name == "HASHTYPE":
        return {"type": name, "size": data_type.size}
    return {"type": name}


def encode_rows(columns: Sequence[ResultColumn], rows: Sequence[Row]) -> list[list[Json]]:
    """Rows as column-major JSON values.

    Raises TypeError for a value that is not of its column's type: an error of the engine, which
    must not reach a client disguised as data.
    """
    encoders = [encoder(column.type) for column in columns]
    if not rows:
        return [[] for _ in columns]
    return [
        [None if value is None else encode(value) for value in values]
        for encode, values in zip(encoders, zip(*rows, strict=True), strict=True)
    ]


def encoder(data_type: DataType) -> Encoder:
    """The function that writes values of this type."""
    if data_type.name == "DECIMAL":
        return _integer if not data_type.scale else _decimal
    if data_type.name.startswith("TIMESTAMP"):
        return _timestamp
    return ENCODERS.get(data_type.name, _text)


def estimated_size(row: Row) -> int:
    """About how many bytes a row takes in a message."""
    return sum(len(value) + 3 if type(value) is str else NUMBER_SIZE for value in row)


def _integer(value: Any) -> int:
    if type(value) is int:
        return value
    if type(value) is Decimal and value == value.to_integral_value():
        return int(value)
    raise _misfit(value, "DECIMAL with scale 0")


def _decimal(value: Any) -> str:
    if type(value) not in (int, Decimal):
        raise _misfit(value, "DECIMAL")
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _double(value: Any) -> float:
    if type(value) not in (int, float):
        raise _misfit(value, "DOUBLE")
    if not math.isfinite(value):
        raise SqlError("data exception - numeric value out of range", "22003")
    return float(value)


def _boolean(value: Any) -> bool:
    if type(value) is bool:
        return value
    raise _misfit(value, "BOOLEAN")


def _date(value: Any) -> str:
    if type(value) is dt.date:
        return value.isoformat()
    raise _misfit(value, "DATE")


def _timestamp(value: Any) -> str:
    if type(value) is dt.datetime and value.tzinfo is None:
        return value.isoformat(" ", "microseconds")
    raise _misfit(value, "TIMESTAMP")


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    raise _misfit(value, "text")


def _misfit(value: object, expected: str) -> TypeError:
    return TypeError(f"a {type(value).__name__} was found in a column of {expected}")


ENCODERS: dict[str, Encoder] = {"DOUBLE": _double, "BOOLEAN": _boolean, "DATE": _date}
