"""EXA_ tables: columns as Exasol documents them, rows from the stand-in's catalog."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .errors import insufficient, unsupported
from .model import DataType, ResultColumn
from .names import RESERVED
from .system_rows import (
    Rows,
    columns_rows,
    connections_rows,
    grants_of,
    load_rows,
    metadata_rows,
    object_rows,
    parameters_rows,
    property_rows,
    roles_rows,
    schema_rows,
    scripts_rows,
    sessions_rows,
    tables_rows,
    target_kind,
    target_owner,
    users_rows,
    views_rows,
    virtual_schema_rows,
)
from .types import BIGINT, BOOLEAN, DOUBLE, TEXT, TIMESTAMP
from .world import World

LOAD_COLUMN = "IPROC"
NAME = DataType("VARCHAR", size=128, character_set="UTF8")


@dataclass(frozen=True)
class SystemTable:
    columns: tuple[ResultColumn, ...]
    rows: Rows


def _table(names: str, rows: Rows, **types: DataType) -> SystemTable:
    """Columns named in one string; those not given a type are names of at most 128 characters."""
    return SystemTable(
        tuple(ResultColumn(name, types.get(name, NAME)) for name in names.split()), rows
    )


_LEFT_OUT = ("EXA_SESSION_CONNECTIONS", "EXA_SYSTEM_EVENTS", "EXA_CLUSTERS")


def system_table(name: str, world: World) -> str | None:
    """A temporary table with the rows of a system table now, or None when there is none of this
    name. Raises SqlError for a table Exasol has and the stand-in has not."""
    table = TABLES.get(name)
    if table is None:
        if name.startswith(("EXA_DBA_", "EXA_ALL_", "EXA_USER_")) or name in _LEFT_OUT:
            raise unsupported(f"the system table {name}")
        return None
    if name.startswith("EXA_DBA_") and not world.rights.has_system("SELECT ANY DICTIONARY"):
        raise insufficient(f"SELECT ANY DICTIONARY is needed for {name}")
    rows = [tuple(None if v == "" else v for v in row) for row in table.rows(world)]
    return world.temporaries.make(table.columns, rows)


TABLES: dict[str, SystemTable] = {
    "DUAL": _table("DUMMY", lambda world: [(None,)]),
    "EXA_METADATA": _table("PARAM_NAME PARAM_VALUE IS_STATIC", metadata_rows, IS_STATIC=BOOLEAN),
    "EXA_PARAMETERS": _table(
        "PARAMETER_NAME SESSION_VALUE SYSTEM_VALUE", parameters_rows, SESSION_VALUE=TEXT,
        SYSTEM_VALUE=TEXT,
    ),
    "EXA_LOADAVG": _table(
        "IPROC LAST_1MIN LAST_5MIN LAST_15MIN RUNNING", load_rows, IPROC=BIGINT, LAST_1MIN=DOUBLE,
        LAST_5MIN=DOUBLE, LAST_15MIN=DOUBLE,
    ),
    "EXA_SQL_KEYWORDS": _table(
        "KEYWORD RESERVED", lambda world: [(word, True) for word in sorted(RESERVED)],
        RESERVED=BOOLEAN,
    ),
    "EXA_DBA_CONNECTIONS": _table(
        "CONNECTION_NAME CONNECTION_STRING USER_NAME CREATED CONNECTION_COMMENT",
        connections_rows(True), CONNECTION_STRING=TEXT, CREATED=TIMESTAMP, CONNECTION_COMMENT=TEXT,
    ),
    "EXA_ALL_CONNECTIONS": _table(
        "CONNECTION_NAME CREATED CONNECTION_COMMENT", connections_rows(False), CREATED=TIMESTAMP,
        CONNECTION_COMMENT=TEXT,
    ),
    "EXA_DBA_USERS": _table(
        "USER_NAME CREATED USER_CONSUMER_GROUP USER_COMMENT", users_rows, CREATED=TIMESTAMP,
        USER_COMMENT=TEXT,
    ),
    "EXA_DBA_ROLES": _table(
        "ROLE_NAME CREATED ROLE_COMMENT", roles_rows, CREATED=TIMESTAMP, ROLE_COMMENT=TEXT,
    ),
    "EXA_DBA_SYS_PRIVS": _table(
        "GRANTEE PRIVILEGE ADMIN_OPTION",
        lambda w: [(g.grantee, g.privilege, False) for g in grants_of("SYSTEM")(w)],
        ADMIN_OPTION=BOOLEAN,
    ),
    "EXA_DBA_ROLE_PRIVS": _table(
        "GRANTEE GRANTED_ROLE ADMIN_OPTION",
        lambda w: [(g.grantee, g.privilege, False) for g in grants_of("ROLE")(w)],
        ADMIN_OPTION=BOOLEAN,
    ),
    "EXA_DBA_OBJ_PRIVS": _table(
        "OBJECT_SCHEMA OBJECT_NAME OBJECT_TYPE PRIVILEGE GRANTEE GRANTOR OWNER",
        lambda w: [
            (g.schema, g.name or g.schema, target_kind(w, g), g.privilege, g.grantee, "SYS",
             target_owner(w, g))
            for g in grants_of("OBJECT", "SCHEMA")(w)
        ],
    ),
    "EXA_DBA_CONNECTION_PRIVS": _table(
        "GRANTEE GRANTED_CONNECTION ADMIN_OPTION",
        lambda w: [(g.grantee, g.name, False) for g in grants_of("CONNECTION")(w)],
        ADMIN_OPTION=BOOLEAN,
    ),
    "EXA_DBA_RESTRICTED_OBJ_PRIVS": _table(
        "OBJECT_NAME OBJECT_TYPE FOR_OBJECT_SCHEMA FOR_OBJECT_NAME PRIVILEGE GRANTEE",
        lambda w: [
            (g.name, "CONNECTION", g.for_schema, g.for_script, "ACCESS", g.grantee)
            for g in grants_of("ACCESS")(w)
        ],
    ),
    "EXA_DBA_SESSIONS": _table(
        "SESSION_ID USER_NAME STATUS CLIENT ENCRYPTED", sessions_rows,
        SESSION_ID=DataType("DECIMAL", 20, 0), ENCRYPTED=BOOLEAN, CLIENT=TEXT,
    ),
}  # fmt: skip
TABLES["EXA_ALL_SESSIONS"] = TABLES["EXA_DBA_SESSIONS"]


def _scoped(columns: str, rows: Callable[[str], Rows], suffix: str, **types: DataType) -> None:
    for scope in ("DBA", "ALL", "USER"):
        TABLES[f"EXA_{scope}_{suffix}"] = _table(columns, rows(scope), **types)


def _declare() -> Sequence[str]:
    _scoped(
        "SCRIPT_SCHEMA SCRIPT_NAME SCRIPT_OWNER SCRIPT_OBJECT_ID SCRIPT_TYPE SCRIPT_LANGUAGE"
        " SCRIPT_INPUT_TYPE SCRIPT_RESULT_TYPE SCRIPT_TEXT SCRIPT_COMMENT",
        scripts_rows, "SCRIPTS", SCRIPT_OBJECT_ID=BIGINT, SCRIPT_TEXT=TEXT, SCRIPT_COMMENT=TEXT,
    )  # fmt: skip
    _scoped(
        "TABLE_SCHEMA TABLE_NAME TABLE_OWNER TABLE_OBJECT_ID TABLE_IS_VIRTUAL"
        " TABLE_HAS_DISTRIBUTION_KEY TABLE_HAS_PARTITION_KEY TABLE_ROW_COUNT TABLE_COMMENT",
        tables_rows, "TABLES", TABLE_OBJECT_ID=BIGINT, TABLE_IS_VIRTUAL=BOOLEAN,
        TABLE_HAS_DISTRIBUTION_KEY=BOOLEAN, TABLE_HAS_PARTITION_KEY=BOOLEAN,
        TABLE_ROW_COUNT=BIGINT, TABLE_COMMENT=TEXT,
    )  # fmt: skip
    _scoped(
        "VIEW_SCHEMA VIEW_NAME SCOPE_SCHEMA VIEW_OWNER VIEW_OBJECT_ID VIEW_TEXT VIEW_COMMENT",
        views_rows, "VIEWS", VIEW_OBJECT_ID=BIGINT, VIEW_TEXT=TEXT, VIEW_COMMENT=TEXT,
    )  # fmt: skip
    _scoped(
        "COLUMN_SCHEMA COLUMN_TABLE COLUMN_OBJECT_TYPE COLUMN_NAME COLUMN_TYPE"
        " COLUMN_ORDINAL_POSITION COLUMN_MAXSIZE COLUMN_NUM_PREC COLUMN_NUM_SCALE"
        " COLUMN_IS_NULLABLE COLUMN_IS_DISTRIBUTION_KEY COLUMN_DEFAULT COLUMN_KEY_POSITION"
        " COLUMN_OWNER COLUMN_OBJECT_ID COLUMN_COMMENT",
        columns_rows, "COLUMNS", COLUMN_ORDINAL_POSITION=BIGINT, COLUMN_MAXSIZE=BIGINT,
        COLUMN_NUM_PREC=BIGINT, COLUMN_NUM_SCALE=BIGINT, COLUMN_IS_NULLABLE=BOOLEAN,
        COLUMN_IS_DISTRIBUTION_KEY=BOOLEAN, COLUMN_KEY_POSITION=BIGINT, COLUMN_OBJECT_ID=BIGINT,
        COLUMN_DEFAULT=TEXT, COLUMN_COMMENT=TEXT,
    )  # fmt: skip
    _scoped(
        "OBJECT_NAME OBJECT_TYPE ROOT_NAME OWNER OBJECT_ID SCHEMA_NAME OBJECT_COMMENT",
        object_rows, "OBJECTS", OBJECT_ID=BIGINT, OBJECT_COMMENT=TEXT,
    )  # fmt: skip
    _scoped(
        "SCHEMA_NAME SCHEMA_OWNER SCHEMA_OBJECT_ID SCHEMA_IS_VIRTUAL SCHEMA_COMMENT",
        schema_rows, "SCHEMAS", SCHEMA_OBJECT_ID=BIGINT, SCHEMA_IS_VIRTUAL=BOOLEAN,
        SCHEMA_COMMENT=TEXT,
    )  # fmt: skip
    _scoped(
        "SCHEMA_NAME SCHEMA_OWNER SCHEMA_OBJECT_ID ADAPTER_SCRIPT_SCHEMA ADAPTER_SCRIPT_NAME"
        " LAST_REFRESH LAST_REFRESH_BY ADAPTER_NOTES",
        virtual_schema_rows, "VIRTUAL_SCHEMAS", SCHEMA_OBJECT_ID=BIGINT, LAST_REFRESH=TIMESTAMP,
        ADAPTER_NOTES=TEXT,
    )  # fmt: skip
    _scoped(
        "SCHEMA_NAME SCHEMA_OBJECT_ID PROPERTY_NAME PROPERTY_VALUE", property_rows,
        "VIRTUAL_SCHEMA_PROPERTIES", SCHEMA_OBJECT_ID=BIGINT, PROPERTY_VALUE=TEXT,
    )  # fmt: skip
    TABLES["EXA_VIRTUAL_SCHEMAS"] = TABLES["EXA_ALL_VIRTUAL_SCHEMAS"]
    TABLES["EXA_SCHEMAS"] = TABLES["EXA_ALL_SCHEMAS"]
    TABLES["EXA_ALL_USERS"] = TABLES["EXA_DBA_USERS"]
    TABLES["EXA_ALL_ROLES"] = TABLES["EXA_DBA_ROLES"]
    return tuple(TABLES)


NAMES = _declare()
