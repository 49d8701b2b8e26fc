"""Session attributes: what `getAttributes` tells and what `setAttributes` may change.

Exasol WebSocket API v3, "Attributes". The attributes of an answer are those that the request
changed, however it did so: OPEN SCHEMA changes currentSchema as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from exatrust_sandbox.database.model import SqlError
from exatrust_sandbox.database.ports import SessionPort

FIXED: Mapping[str, Any] = {
    "dateFormat": "YYYY-MM-DD",
    "dateLanguage": "ENG",
    "datetimeFormat": "YYYY-MM-DD HH24:MI:SS.FF6",
    "defaultLikeEscapeCharacter": "\\",
    "timeZoneBehavior": "INVALID SHIFT AMBIGUOUS ST",
    "timezone": "UTC",
}
NUMERIC_CHARACTERS = ".,"


@dataclass
class Settings:
    """The attributes that the server itself acts on; `feedback_interval` in seconds."""

    feedback_interval: float
    compression: bool = False
    result_set_max_rows: int = 0
    snapshot_transactions: bool = False


def read(session: SessionPort, settings: Settings) -> dict[str, Any]:
    """All attributes of a session."""
    return {
        **FIXED,
        "autocommit": session.autocommit,
        "compressionEnabled": settings.compression,
        "currentSchema": session.current_schema or "",
        "feedbackInterval": settings.feedback_interval,
        "numericCharacters": NUMERIC_CHARACTERS,
        "queryTimeout": session.query_timeout,
        "resultSetMaxRows": settings.result_set_max_rows,
        "snapshotTransactionsEnabled": settings.snapshot_transactions,
        "timestampUtcEnabled": False,
    }


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes whose values differ."""
    return {name: value for name, value in after.items() if before[name] != value}


def write(session: SessionPort, settings: Settings, values: object) -> None:
    """Sets attributes; raises SqlError for one that is unknown, read-only or not supported."""
    if not isinstance(values, dict):
        raise SqlError("attributes must be an object", "00000")
    for name, value in values.items():
        setter = SETTERS.get(name)
        if setter is None:
            raise SqlError(f"attribute {name} is unknown or cannot be set", "00000")
        setter(session, settings, value)


def _autocommit(session: SessionPort, _: Settings, value: object) -> None:
    wanted = _boolean("autocommit", value)
    # Setting what is set already must not touch an open transaction.
    if wanted is not session.autocommit:
        session.autocommit = wanted


def _current_schema(session: SessionPort, _: Settings, value: object) -> None:
    if not isinstance(value, str):
        raise _invalid("currentSchema", value)
    # Clients send the empty string at login when they want no schema.
    if value != (session.current_schema or ""):
        session.current_schema = value


def _query_timeout(session: SessionPort, _: Settings, value: object) -> None:
    session.query_timeout = _count("queryTimeout", value)


def _feedback_interval(_: SessionPort, settings: Settings, value: object) -> None:
    if isinstance(value, (int, float)) and value is not True and 0 < value < math.inf:
        settings.feedback_interval = value
    else:
        raise _invalid("feedbackInterval", value)


def _max_rows(_: SessionPort, settings: Settings, value: object) -> None:
    settings.result_set_max_rows = _count("resultSetMaxRows", value)


def _snapshot(_: SessionPort, settings: Settings, value: object) -> None:
    settings.snapshot_transactions = _boolean("snapshotTransactionsEnabled", value)


def _numeric_characters(_: SessionPort, __: Settings, value: object) -> None:
    if value != NUMERIC_CHARACTERS:
        raise _unsupported("numericCharacters", value)


def _timestamp_utc(_: SessionPort, __: Settings, value: object) -> None:
    if _boolean("timestampUtcEnabled", value):
        raise _unsupported("timestampUtcEnabled", value)


def _boolean(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise _invalid(name, value)


def _count(name: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise _invalid(name, value)


def _invalid(name: str, value: object) -> SqlError:
    return SqlError(f"invalid value for attribute {name}: {value!r}", "00000")


def _unsupported(name: str, value: object) -> SqlError:
    return SqlError(f"attribute {name} = {value!r} is not supported by this stand-in", "0A000")


SETTERS: Mapping[str, Callable[[SessionPort, Settings, object], None]] = {
    "autocommit": _autocommit,
    "currentSchema": _current_schema,
    "feedbackInterval": _feedback_interval,
    "numericCharacters": _numeric_characters,
    "queryTimeout": _query_timeout,
    "resultSetMaxRows": _max_rows,
    "snapshotTransactionsEnabled": _snapshot,
    "timestampUtcEnabled": _timestamp_utc,
}
