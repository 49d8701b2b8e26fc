"""Identifiers: folding, reserved words, quoting, and names inside DuckDB.

Exasol folds unquoted identifiers to upper case and compares exactly: "id" is not ID. DuckDB
compares without case. `physical` therefore marks every name that has lower-case letters, so that
two different Exasol names are always two different DuckDB names.
"""

from __future__ import annotations

from sqlglot.generators.exasol import ExasolGenerator

# sqlglot's list leaves out words which are also functions; Exasol reserves these as well
# (SYS.EXA_SQL_KEYWORDS).
RESERVED = frozenset(word.upper() for word in ExasolGenerator.RESERVED_KEYWORDS) | {
    "DATE", "LEFT", "LOCAL", "POSITION", "MINUS", "IMPORT", "INTERVAL", "JOIN", "IS", "KEEP",
}  # fmt: skip


def fold(text: str) -> str:
    """An unquoted identifier as the catalog keeps it."""
    return text.upper()


def quote(name: str) -> str:
    """A quoted identifier for DuckDB or Exasol."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str | None) -> str:
    """A SQL string literal; None becomes NULL."""
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


def physical(name: str) -> str:
    """The name an Exasol identifier has inside DuckDB; injective even when case is ignored."""
    upper = name.upper()
    if name == upper and "~" not in name:
        return name
    changed = sum(1 << i for i, letter in enumerate(name) if letter != letter.upper())
    return f"{name}~{changed:x}"


def schema_of(schema: str) -> str:
    """The DuckDB schema of an Exasol schema; the prefix keeps clear of DuckDB's own schemas."""
    return "x_" + physical(schema)


def table_path(schema: str, table: str) -> str:
    """The quoted DuckDB name of a table."""
    return f"{quote(schema_of(schema))}.{quote(physical(table))}"


def dotted(schema: str, name: str) -> str:
    return f"{schema}.{name}"
