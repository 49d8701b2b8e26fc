"""Metadata commands of the protocol, answered by queries on the system tables.

Only those that pyexasol's `meta` uses; Exasol WebSocket API v2, `getSchemas` and `getTables`.
A null pattern means all, an empty one none; patterns are SQL LIKE with backslash as escape.
"""

from __future__ import annotations

from typing import Any

from exatrust_sandbox.database.model import SqlError

CATALOG = "EXA_DB"
TABLE_QUERIES = {
    "TABLE": (
        "SELECT TABLE_SCHEMA AS TABLE_SCHEM, TABLE_NAME, 'TABLE' AS TABLE_TYPE,"
        " TABLE_COMMENT AS REMARKS FROM EXA_ALL_TABLES"
    ),
    "VIEW": (
        "SELECT VIEW_SCHEMA AS TABLE_SCHEM, VIEW_NAME AS TABLE_NAME, 'VIEW' AS TABLE_TYPE,"
        " VIEW_COMMENT AS REMARKS FROM EXA_ALL_VIEWS"
    ),
}


def schemas_query(request: dict[str, Any]) -> str:
    """The query behind `getSchemas`."""
    return (
        f"SELECT SCHEMA_NAME AS TABLE_SCHEM, '{CATALOG}' AS TABLE_CATALOG FROM EXA_SCHEMAS"
        f" WHERE {_like('SCHEMA_NAME', request.get('schema'))} ORDER BY SCHEMA_NAME"
    )


def tables_query(request: dict[str, Any]) -> str:
    """The query behind `getTables`; raises SqlError for an unknown table type."""
    union = " UNION ALL ".join(TABLE_QUERIES[name] for name in _types(request.get("tableTypes")))
    return (
        f"SELECT '{CATALOG}' AS TABLE_CAT, TABLE_SCHEM, TABLE_NAME, TABLE_TYPE, REMARKS"
        f" FROM ({union}) WHERE {_like('TABLE_SCHEM', request.get('schema'))}"
        f" AND {_like('TABLE_NAME', request.get('table'))}"
        " ORDER BY TABLE_TYPE, TABLE_SCHEM, TABLE_NAME"
    )


def _types(wanted: object) -> list[str]:
    if wanted is None:
        return list(TABLE_QUERIES)
    if not isinstance(wanted, list) or not wanted:
        raise SqlError("tableTypes must be a list of table types", "00000")
    for name in wanted:
        if not isinstance(name, str) or name not in TABLE_QUERIES:
            raise SqlError(f"table type {name} is not supported by this stand-in", "0A000")
    return wanted


def _like(column: str, pattern: object) -> str:
    if pattern is None:
        return "TRUE"
    if not isinstance(pattern, str):
        raise SqlError("a search pattern must be text", "00000")
    if pattern == "":
        return "FALSE"
    quoted = pattern.replace("'", "''")
    return f"{column} LIKE '{quoted}' ESCAPE '\\'"
