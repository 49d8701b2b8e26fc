"""Values for prepared statements: from column-major JSON to rows of the parameters' types."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from exatrust_sandbox.database.model import DataType, ResultColumn, Row, SqlError

INVALID_VALUE = "22018"


def decode_rows(parameters: Sequence[ResultColumn], data: Sequence[Sequence[Any]]) -> list[Row]:
    """Rows of Python values for `Prepared.execute`; the empty string becomes None, Exasol's NULL.

    `data` holds one sequence for each parameter. Raises SqlError when the shape is wrong or a
    value does not fit its type.
    """
    if len(data) != len(parameters):
        expected, found = len(parameters), len(data)
        raise SqlError(f"the statement has {expected} parameters, but {found} columns were sent")
    if len({len(column) for column in data}) > 1:
        raise SqlError("the columns sent differ in their number of rows")
    columns = [
        [_decode(parameter.type, value) for value in values]
        for parameter, values in zip(parameters, data, strict=True)
    ]
    return list(zip(*columns, strict=True))


def _decode(data_type: DataType, value: Any) -> Any:
    if value is None or value == "":
        return None
    if not isinstance(value, (str, int, float)):
        raise SqlError("a parameter is neither text nor a number nor a truth value")
    decode = DECODERS.get(data_type.name.split(" ")[0], _text)
    try:
        return decode(value)
    except (ValueError, KeyError, ArithmeticError):
        raise SqlError(
            f"data exception - invalid value for {data_type.display()}; Value: '{value}'",
            INVALID_VALUE,
        ) from None


def _decimal(value: str | int | float) -> int | Decimal:
    if isinstance(value, int):
        return int(value)
    number = Decimal(str(value).strip())
    if not number.is_finite():
        raise ValueError(value)
    return int(number) if number == number.to_integral_value() else number


def _boolean(value: str | int | float) -> bool:
    if isinstance(value, bool):
        return value
    return BOOLEANS[str(value).strip().upper()]


def _date(value: str | int | float) -> dt.date:
    return dt.date.fromisoformat(str(value).strip())


def _timestamp(value: str | int | float) -> dt.datetime:
    moment = dt.datetime.fromisoformat(str(value).strip())
    if moment.tzinfo is not None:
        raise ValueError(value)
    return moment


def _text(value: str | int | float) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    return str(value)


# Exasol's spellings of truth values.
BOOLEANS = {
    **dict.fromkeys(("TRUE", "T", "YES", "Y", "ON", "1"), True),
    **dict.fromkeys(("FALSE", "F", "NO", "N", "OFF", "0"), False),
}
DECODERS: dict[str, Callable[[str | int | float], Any]] = {
    "DECIMAL": _decimal,
    "DOUBLE": float,
    "BOOLEAN": _boolean,
    "DATE": _date,
    "TIMESTAMP": _timestamp,
}
