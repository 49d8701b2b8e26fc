"""The errors of the stand-in's SQL engine in Exasol's wording."""

from __future__ import annotations

import duckdb

from .model import SqlError

TOO_LONG = "data exception - string data, right truncation."
COLLISION = "GlobalTransactionRollback msg: Transaction collision: automatic transaction rollback."


def syntax_error(what: str, line: int, column: int) -> SqlError:
    """A syntax error at a position (both count from 1)."""
    return SqlError(f"syntax error, unexpected {what} [line {line}, column {column}]", "42000")


def not_found(kind: str, name: str, line: int = 1, column: int = 1) -> SqlError:
    """`kind` is `object`, `schema`, `user` ...; `name` as Exasol writes it, without quotes."""
    return SqlError(f"{kind} {name} not found [line {line}, column {column}]", "42000")


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
    if isinstance(error, duckdb.InvalidInputException) and "[exasol]" in text:
        return SqlError(text.partition("[exasol]")[2].strip().splitlines()[0], "22001")
    if "same target row more than once" in text:
        return unstable_merge()
    return SqlError(first, "42000")
