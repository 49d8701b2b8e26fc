"""EXA_ tables: columns as Exasol documents them, rows from the stand-in's catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .catalog import CatalogObject
from .errors import insufficient, unsupported
from .model import DataType, ResultColumn, Row
from .names import RESERVED
from .types import BIGINT, BOOLEAN, DOUBLE, TEXT, TIMESTAMP
from .world import DEFAULT_PARAMETERS, World

LOAD_COLUMN = "IPROC"
NAME = DataType("VARCHAR", size=128, character_set="UTF8")
Rows = Callable[[World], Iterable[Row]]


@dataclass(frozen=True)
class SystemTable:
    columns: tuple[ResultColumn, ...]
    rows: Rows


def _table(names: str, rows: Rows, **types: DataType) -> SystemTable:
    """Columns named in one string; those not given a type are names of at most 128 characters."""
    return SystemTable(
        tuple(ResultColumn(name, types.get(name, NAME)) for name in names.split()), rows
    )


def system_table(name: str, world: World) -> str | None:
    """A temporary table with the rows of a system table now, or None when there is none of this
    name. Raises SqlError for a table Exasol has and the stand-in has not."""
    table = TABLES.get(name)
    if table is None:
        if name.startswith(("EXA_DBA_", "EXA_ALL_", "EXA_USER_")):
            raise unsupported(f"the system table {name}")
        return None
    if name.startswith("EXA_DBA_") and not world.rights.has_system("SELECT ANY DICTIONARY"):
        raise insufficient(f"SELECT ANY DICTIONARY is needed for {name}")
    rows = [tuple(None if v == "" else v for v in row) for row in table.rows(world)]
    return world.temporaries.make(table.columns, rows)


def _seen(world: World, scope: str, *kinds: str) -> list[CatalogObject]:
    """The objects that EXA_DBA_, EXA_ALL_ or EXA_USER_ tables list."""
    keep: dict[str, Callable[[CatalogObject], bool]] = {
        "DBA": lambda item: True,
        "ALL": world.rights.sees,
        "USER": lambda item: item.owner == world.who.user,
    }
    return [i for i in world.objects.values() if i.kind in kinds and keep[scope](i)]


def _scripts(scope: str) -> Rows:
    def rows(world: World) -> list[Row]:
        return [
            (i.schema, i.name, i.owner, i.id, "UDF", i.detail["alias"], i.detail["input_type"],
             i.detail["output_type"], i.text, i.comment)
            for i in _seen(world, scope, "SCRIPT")
        ]  # fmt: skip

    return rows


def _tables(scope: str) -> Rows:
    def rows(world: World) -> list[Row]:
        return [
            (i.schema, i.name, i.owner, i.id, False, any(c.distributed for c in i.columns),
             False, 0, i.comment)
            for i in _seen(world, scope, "TABLE")
        ]  # fmt: skip

    return rows


def _views(scope: str) -> Rows:
    def rows(world: World) -> list[Row]:
        return [
            (i.schema, i.name, i.detail["scope"], i.owner, i.id, i.text, i.comment)
            for i in _seen(world, scope, "VIEW")
        ]

    return rows


def _columns(scope: str) -> Rows:
    def rows(world: World) -> list[Row]:
        return [
            (i.schema, i.name, i.kind, c.name, c.type.display(), number, _size(c.type),
             c.type.precision if c.type.name == "DECIMAL" else None, c.type.scale, c.nullable,
             c.distributed, c.default, c.key_position, i.owner, i.id, c.comment)
            for i in _seen(world, scope, "TABLE", "VIEW")
            for number, c in enumerate(i.columns, 1)
        ]  # fmt: skip

    return rows


def _size(kind: DataType) -> int:
    fixed = {"BOOLEAN": 1, "DOUBLE": 64, "DATE": 10}
    return kind.size or kind.precision or fixed.get(kind.name, 29)


def _all_objects(scope: str) -> Rows:
    def rows(world: World) -> list[Row]:
        schemas = [
            (s.name, "SCHEMA", None, s.owner, s.id, None, s.comment) for s in _schemas(world, scope)
        ]
        return schemas + [
            (i.name, i.kind, i.schema, i.owner, i.id, i.schema, i.comment)
            for i in _seen(world, scope, "TABLE", "VIEW", "SCRIPT")
        ]

    return rows


def _schemas(world: World, scope: str) -> list[Any]:
    if scope == "USER":
        return [s for s in world.schemas.values() if s.owner == world.who.user]
    return list(world.schemas.values())


def _schema_rows(scope: str) -> Rows:
    return lambda world: [(s.name, s.owner, s.id, False, s.comment) for s in _schemas(world, scope)]


def _connections(with_secrets: bool) -> Rows:
    def rows(world: World) -> list[Row]:
        return [
            (c.name, c.address, c.user, c.created, c.comment)
            if with_secrets
            else (c.name, c.created, c.comment)
            for c in world.catalog.connections().values()
            if with_secrets or world.rights.is_dba or any(
                g.kind in ("CONNECTION", "ACCESS") and g.name == c.name
                for g in world.rights.granted())
        ]  # fmt: skip

    return rows


def _grants(*kinds: str) -> Callable[[World], list[Any]]:
    return lambda world: [g for g in world.catalog.grants() if g.kind in kinds]


def _metadata(world: World) -> list[Row]:
    values = {
        "databaseProductName": "EXASolution",
        "databaseProductVersion": world.cluster.version,
        "databaseMajorVersion": world.cluster.version.split(".")[0],
        "databaseName": "sandbox",
        "sandboxIsolation": world.cluster.isolation,
        "maxColumnNameLength": "128",
        "identifierQuoteString": '"',
        "nodeCount": str(world.cluster.nodes),
    }
    return [(name, value, True) for name, value in values.items()]


def _parameters(world: World) -> list[Row]:
    system = DEFAULT_PARAMETERS | world.catalog.parameters()
    names = sorted(system | dict(world.who.parameters))
    return [(n, world.who.parameters.get(n, system.get(n)), system.get(n)) for n in names]


def _sessions(world: World) -> list[Row]:
    return [
        (session, user, "EXECUTE SQL" if session == world.who.session else "IDLE", client, True)
        for session, (user, client) in world.sessions.items()
    ]


def _load(world: World) -> list[Row]:
    return [(node, 0.1, 0.1, 0.1, "1/100") for node in range(world.cluster.nodes)]


def _users(world: World) -> list[Row]:
    return [(name, None, None, None) for name in world.catalog.users()]


def _roles(world: World) -> list[Row]:
    return [(name, None, None) for name in sorted({"DBA", "PUBLIC", *world.catalog.roles()})]


TABLES: dict[str, SystemTable] = {
    "DUAL": _table("DUMMY", lambda world: [(None,)]),
    "EXA_METADATA": _table("PARAM_NAME PARAM_VALUE IS_STATIC", _metadata, IS_STATIC=BOOLEAN),
    "EXA_PARAMETERS": _table(
        "PARAMETER_NAME SESSION_VALUE SYSTEM_VALUE", _parameters, SESSION_VALUE=TEXT,
        SYSTEM_VALUE=TEXT,
    ),
    "EXA_LOADAVG": _table(
        "IPROC LAST_1MIN LAST_5MIN LAST_15MIN RUNNING", _load, IPROC=BIGINT, LAST_1MIN=DOUBLE,
        LAST_5MIN=DOUBLE, LAST_15MIN=DOUBLE,
    ),
    "EXA_SQL_KEYWORDS": _table(
        "KEYWORD RESERVED", lambda world: [(word, True) for word in sorted(RESERVED)],
        RESERVED=BOOLEAN,
    ),
    "EXA_DBA_CONNECTIONS": _table(
        "CONNECTION_NAME CONNECTION_STRING USER_NAME CREATED CONNECTION_COMMENT",
        _connections(True), CONNECTION_STRING=TEXT, CREATED=TIMESTAMP, CONNECTION_COMMENT=TEXT,
    ),
    "EXA_ALL_CONNECTIONS": _table(
        "CONNECTION_NAME CREATED CONNECTION_COMMENT", _connections(False), CREATED=TIMESTAMP,
        CONNECTION_COMMENT=TEXT,
    ),
    "EXA_DBA_VIRTUAL_SCHEMAS": _table(
        "SCHEMA_NAME SCHEMA_OWNER SCHEMA_OBJECT_ID ADAPTER_SCRIPT_SCHEMA ADAPTER_SCRIPT_NAME"
        " LAST_REFRESH LAST_REFRESH_BY ADAPTER_NOTES", lambda world: [],
        SCHEMA_OBJECT_ID=BIGINT, LAST_REFRESH=TIMESTAMP, ADAPTER_NOTES=TEXT,
    ),
    "EXA_DBA_VIRTUAL_SCHEMA_PROPERTIES": _table(
        "SCHEMA_NAME SCHEMA_OBJECT_ID PROPERTY_NAME PROPERTY_VALUE", lambda world: [],
        SCHEMA_OBJECT_ID=BIGINT, PROPERTY_VALUE=TEXT,
    ),
    "EXA_DBA_USERS": _table(
        "USER_NAME CREATED USER_CONSUMER_GROUP USER_COMMENT", _users, CREATED=TIMESTAMP,
        USER_COMMENT=TEXT,
    ),
    "EXA_DBA_ROLES": _table(
        "ROLE_NAME CREATED ROLE_COMMENT", _roles, CREATED=TIMESTAMP, ROLE_COMMENT=TEXT,
    ),
    "EXA_DBA_SYS_PRIVS": _table(
        "GRANTEE PRIVILEGE ADMIN_OPTION",
        lambda w: [(g.grantee, g.privilege, False) for g in _grants("SYSTEM")(w)],
        ADMIN_OPTION=BOOLEAN,
    ),
    "EXA_DBA_ROLE_PRIVS": _table(
        "GRANTEE GRANTED_ROLE ADMIN_OPTION",
        lambda w: [(g.grantee, g.privilege, False) for g in _grants("ROLE")(w)],
        ADMIN_OPTION=BOOLEAN,
    ),
    "EXA_DBA_OBJ_PRIVS": _table(
        "OBJECT_SCHEMA OBJECT_NAME OBJECT_TYPE PRIVILEGE GRANTEE GRANTOR OWNER",
        lambda w: [
            (g.schema, g.name or g.schema, _kind_of(w, g), g.privilege, g.grantee, "SYS", "SYS")
            for g in _grants("OBJECT", "SCHEMA")(w)
        ],
    ),
    "EXA_DBA_CONNECTION_PRIVS": _table(
        "GRANTEE GRANTED_CONNECTION ADMIN_OPTION",
        lambda w: [(g.grantee, g.name, False) for g in _grants("CONNECTION")(w)],
        ADMIN_OPTION=BOOLEAN,
    ),
    "EXA_DBA_RESTRICTED_OBJ_PRIVS": _table(
        "OBJECT_NAME OBJECT_TYPE FOR_OBJECT_SCHEMA FOR_OBJECT_NAME PRIVILEGE GRANTEE",
        lambda w: [
            (g.name, "CONNECTION", g.for_schema, g.for_script, "ACCESS", g.grantee)
            for g in _grants("ACCESS")(w)
        ],
    ),
    "EXA_DBA_SESSIONS": _table(
        "SESSION_ID USER_NAME STATUS CLIENT ENCRYPTED", _sessions,
        SESSION_ID=DataType("DECIMAL", 20, 0), ENCRYPTED=BOOLEAN, CLIENT=TEXT,
    ),
}  # fmt: skip
TABLES["EXA_ALL_SESSIONS"] = TABLES["EXA_DBA_SESSIONS"]


def _kind_of(world: World, grant: Any) -> str:
    found = world.objects.get((grant.schema, grant.name))
    return found.kind if found else "SCHEMA"


def _scoped(columns: str, rows: Callable[[str], Rows], suffix: str, **types: DataType) -> None:
    for scope in ("DBA", "ALL", "USER"):
        TABLES[f"EXA_{scope}_{suffix}"] = _table(columns, rows(scope), **types)


def _declare() -> Sequence[str]:
    _scoped(
        "SCRIPT_SCHEMA SCRIPT_NAME SCRIPT_OWNER SCRIPT_OBJECT_ID SCRIPT_TYPE SCRIPT_LANGUAGE"
        " SCRIPT_INPUT_TYPE SCRIPT_RESULT_TYPE SCRIPT_TEXT SCRIPT_COMMENT",
        _scripts, "SCRIPTS", SCRIPT_OBJECT_ID=BIGINT, SCRIPT_TEXT=TEXT, SCRIPT_COMMENT=TEXT,
    )  # fmt: skip
    _scoped(
        "TABLE_SCHEMA TABLE_NAME TABLE_OWNER TABLE_OBJECT_ID TABLE_IS_VIRTUAL"
        " TABLE_HAS_DISTRIBUTION_KEY TABLE_HAS_PARTITION_KEY TABLE_ROW_COUNT TABLE_COMMENT",
        _tables, "TABLES", TABLE_OBJECT_ID=BIGINT, TABLE_IS_VIRTUAL=BOOLEAN,
        TABLE_HAS_DISTRIBUTION_KEY=BOOLEAN, TABLE_HAS_PARTITION_KEY=BOOLEAN,
        TABLE_ROW_COUNT=BIGINT, TABLE_COMMENT=TEXT,
    )  # fmt: skip
    _scoped(
        "VIEW_SCHEMA VIEW_NAME SCOPE_SCHEMA VIEW_OWNER VIEW_OBJECT_ID VIEW_TEXT VIEW_COMMENT",
        _views, "VIEWS", VIEW_OBJECT_ID=BIGINT, VIEW_TEXT=TEXT, VIEW_COMMENT=TEXT,
    )  # fmt: skip
    _scoped(
        "COLUMN_SCHEMA COLUMN_TABLE COLUMN_OBJECT_TYPE COLUMN_NAME COLUMN_TYPE"
        " COLUMN_ORDINAL_POSITION COLUMN_MAXSIZE COLUMN_NUM_PREC COLUMN_NUM_SCALE"
        " COLUMN_IS_NULLABLE COLUMN_IS_DISTRIBUTION_KEY COLUMN_DEFAULT COLUMN_KEY_POSITION"
        " COLUMN_OWNER COLUMN_OBJECT_ID COLUMN_COMMENT",
        _columns, "COLUMNS", COLUMN_ORDINAL_POSITION=BIGINT, COLUMN_MAXSIZE=BIGINT,
        COLUMN_NUM_PREC=BIGINT, COLUMN_NUM_SCALE=BIGINT, COLUMN_IS_NULLABLE=BOOLEAN,
        COLUMN_IS_DISTRIBUTION_KEY=BOOLEAN, COLUMN_KEY_POSITION=BIGINT, COLUMN_OBJECT_ID=BIGINT,
        COLUMN_DEFAULT=TEXT, COLUMN_COMMENT=TEXT,
    )  # fmt: skip
    _scoped(
        "OBJECT_NAME OBJECT_TYPE ROOT_NAME OWNER OBJECT_ID SCHEMA_NAME OBJECT_COMMENT",
        _all_objects, "OBJECTS", OBJECT_ID=BIGINT, OBJECT_COMMENT=TEXT,
    )  # fmt: skip
    _scoped(
        "SCHEMA_NAME SCHEMA_OWNER SCHEMA_OBJECT_ID SCHEMA_IS_VIRTUAL SCHEMA_COMMENT",
        _schema_rows, "SCHEMAS", SCHEMA_OBJECT_ID=BIGINT, SCHEMA_IS_VIRTUAL=BOOLEAN,
        SCHEMA_COMMENT=TEXT,
    )  # fmt: skip
    TABLES["EXA_SCHEMAS"] = TABLES["EXA_ALL_SCHEMAS"]
    TABLES["EXA_ALL_USERS"] = TABLES["EXA_DBA_USERS"]
    TABLES["EXA_ALL_ROLES"] = TABLES["EXA_DBA_ROLES"]
    return tuple(TABLES)


NAMES = _declare()
