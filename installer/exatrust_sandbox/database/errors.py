"""The errors of the stand-in's SQL engine in Exasol's wording."""

from __future__ import annotations

import re

import duckdb

from .model import SqlError

TOO_LONG = "data exception - string data, right truncation."
COLLISION = "GlobalTransactionRollback msg: Transaction collision: automatic transaction rollback."


# An error that the stand-in makes DuckDB raise: the code, and the text up to the line's end.
_OWN = re.compile(r"\[exasol:(\w+)\](.*)")
_NOT_GROUPED = re.compile(r'column "([^"]+)" must appear in the GROUP BY clause')
_NO_FUNCTION = ("No function matches", "Could not choose a best candidate")
_NO_PATTERN = ("invalid perl operator", "invalid escape sequence", "no argument for repetition")


def syntax_error(what: str, line: int, column: int) -> SqlError:
    """A syntax error at a position (both count from 1)."""
    return SqlError(f"syntax error, unexpected {what} [line {line}, column {column}]", "42000")


def not_found(kind: str, name: str, line: int = 1, column: int = 1) -> SqlError:
    """`kind` is `object`, `schema`, `user` ...; `name` as Exasol writes it, without quotes."""
    return SqlError(f"{kind} {name} not found [line {line}, column {column}]", "42000")


def not_grouped(name: str) -> SqlError:
    """A column beside aggregates that is neither a group's key nor in an aggregate."""
    return SqlError(f"{name} is not a GROUP BY expression")


def unsupported(what: str) -> SqlError:
    """Refuses instead of guessing."""
    return SqlError(f"the stand-in does not support {what}", "0A000")


def insufficient(what: str) -> SqlError:
    return SqlError(f"insufficient privileges: {what}", "42500")


def collision() -> SqlError:
    return SqlError(COLLISION, "40001")


def unstable_merge() -> SqlError:
    return SqlError("Unable to get a stable set of rows in the source tables", "42000")


def from_duckdb(error: duckdb.Error) -> SqlError:
    """The nearest Exasol error of an error of DuckDB; the rest keep DuckDB's first line."""
    text = str(error)
    first = text.strip().splitlines()[0] if text.strip() else type(error).__name__
    if isinstance(error, duckdb.InterruptException):
        return SqlError("Query terminated because it was aborted by the client.", "R0001")
    if isinstance(error, duckdb.TransactionException) or "conflict" in first.lower():
        return collision()
    if isinstance(error, duckdb.OutOfRangeException) or "Could not cast value" in first:
        return SqlError("data exception - numeric value out of range", "22003")
    if isinstance(error, duckdb.ConversionException):
        return SqlError(f"data exception - invalid value for cast ({first})", "22018")
    if isinstance(error, duckdb.ConstraintException):
        return SqlError(f"constraint violation ({first})", "27002")
    if (own := _OWN.search(text)) is not None:
        return SqlError(own[2].strip(), own[1])
    if "same target row more than once" in text:
        return unstable_merge()
    return _refused(first)


def _refused(text: str) -> SqlError:
    """DuckDB's refusals, which say nothing of what Exasol would do."""
    if (column := _NOT_GROUPED.search(text)) is not None:
        return not_grouped(column[1])
    if any(words in text for words in _NO_FUNCTION):
        return unsupported(f"this expression ({text})")
    if any(words in text for words in _NO_PATTERN):
        return unsupported(f"this regular expression: it has RE2 instead of PCRE ({text})")
    if "Could not parse string" in text:
        return SqlError(f"data exception - invalid date or timestamp value ({text})", "22007")
    return SqlError(text, "42000")
