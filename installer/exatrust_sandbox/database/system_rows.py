"""The rows of EXA_ tables, from the stand-in's catalog."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from .catalog import CatalogObject, Schema, VirtualSchema
from .model import DataType, Row
from .world import DEFAULT_PARAMETERS, World

Rows = Callable[[World], Iterable[Row]]


def _seen(world: World, scope: str, *kinds: str) -> list[CatalogObject]:
    """The objects that EXA_DBA_, EXA_ALL_ or EXA_USER_ tables list."""
    keep: dict[str, Callable[[CatalogObject], bool]] = {
        "DBA": lambda item: True,
        "ALL": world.rights.sees,
        "USER": lambda item: item.owner == world.who.user,
    }
    return [i for i in world.objects.values() if i.kind in kinds and keep[scope](i)]


def scripts_rows(scope: str) -> Rows:
    def rows(world: World) -> list[Row]:
        return [
            (i.schema, i.name, i.owner, i.id, i.detail.get("type", "UDF"), i.detail["alias"],
             i.detail["input_type"],
             i.detail["output_type"], i.text, i.comment)
            for i in _seen(world, scope, "SCRIPT")
        ]  # fmt: skip

    return rows


def tables_rows(scope: str) -> Rows:
    def rows(world: World) -> list[Row]:
        return [
            (i.schema, i.name, i.owner, i.id, i.kind == "VIRTUAL",
             any(c.distributed for c in i.columns), False, 0, i.comment)
            for i in _seen(world, scope, "TABLE", "VIRTUAL")
        ]  # fmt: skip

    return rows


def views_rows(scope: str) -> Rows:
    def rows(world: World) -> list[Row]:
        return [
            (i.schema, i.name, i.detail["scope"], i.owner, i.id, i.text, i.comment)
            for i in _seen(world, scope, "VIEW")
        ]

    return rows


def columns_rows(scope: str) -> Rows:
    def rows(world: World) -> list[Row]:
        return [
            (i.schema, i.name, _kind(i), c.name, c.type.display(), number, _size(c.type),
             c.type.precision if c.type.name == "DECIMAL" else None, c.type.scale, c.nullable,
             c.distributed, c.default, c.key_position, i.owner, i.id, c.comment)
            for i in _seen(world, scope, "TABLE", "VIEW", "VIRTUAL")
            for number, c in enumerate(i.columns, 1)
        ]  # fmt: skip

    return rows


def _kind(item: CatalogObject) -> str:
    return "TABLE" if item.kind == "VIRTUAL" else item.kind


def _size(kind: DataType) -> int:
    fixed = {"BOOLEAN": 1, "DOUBLE": 64, "DATE": 10}
    return kind.size or kind.precision or fixed.get(kind.name, 29)


def object_rows(scope: str) -> Rows:
    def rows(world: World) -> list[Row]:
        schemas = [
            (s.name, "SCHEMA", None, s.owner, s.id, None, s.comment) for s in _schemas(world, scope)
        ]
        return schemas + [
            (i.name, _kind(i), i.schema, i.owner, i.id, i.schema, i.comment)
            for i in _seen(world, scope, "TABLE", "VIEW", "SCRIPT", "VIRTUAL")
        ]

    return rows


def _schemas(world: World, scope: str) -> list[Any]:
    if scope == "USER":
        return [s for s in world.schemas.values() if s.owner == world.who.user]
    return list(world.schemas.values())


def schema_rows(scope: str) -> Rows:
    return lambda world: [
        (s.name, s.owner, s.id, s.virtual, s.comment) for s in _schemas(world, scope)
    ]


def _virtual(world: World, scope: str) -> list[tuple[Schema, VirtualSchema]]:
    """EXA_ALL_ has those the user owns or has a privilege on (*inferred* for the latter)."""
    found = world.catalog.virtual_schemas()
    pairs = [(s, found[s.name]) for s in _schemas(world, scope) if s.virtual]
    granted = {g.schema for g in world.rights.granted()}
    return [
        pair
        for pair in pairs
        if scope != "ALL" or world.rights.owns(pair[0].owner) or pair[0].name in granted
    ]


def virtual_schema_rows(scope: str) -> Rows:
    return lambda world: [
        (s.name, s.owner, s.id, v.adapter_schema, v.adapter_name, _recorded(world, v.refreshed),
         v.refreshed_by, v.notes)
        for s, v in _virtual(world, scope)
    ]  # fmt: skip


def property_rows(scope: str) -> Rows:
    return lambda world: [
        (s.name, s.id, name, value)
        for s, v in _virtual(world, scope)
        for name, value in sorted(v.properties.items())
    ]


def _recorded(world: World, moment: dt.datetime) -> dt.datetime:
    """A moment of the catalog, which keeps UTC, as the database tells it."""
    return world.database_time(moment.replace(tzinfo=dt.timezone.utc))


def connections_rows(with_secrets: bool) -> Rows:
    def rows(world: World) -> list[Row]:
        return [
            (c.name, c.address, c.user, _recorded(world, c.created), c.comment)
            if with_secrets
            else (c.name, _recorded(world, c.created), c.comment)
            for c in world.catalog.connections().values()
            if with_secrets or world.rights.is_dba or any(
                g.kind in ("CONNECTION", "ACCESS") and g.name == c.name
                for g in world.rights.granted())
        ]  # fmt: skip

    return rows


def grants_of(*kinds: str) -> Callable[[World], list[Any]]:
    return lambda world: [g for g in world.catalog.grants() if g.kind in kinds]


def metadata_rows(world: World) -> list[Row]:
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


def parameters_rows(world: World) -> list[Row]:
    system = DEFAULT_PARAMETERS | world.catalog.parameters()
    names = sorted(system | dict(world.who.parameters))
    return [(n, world.who.parameters.get(n, system.get(n)), system.get(n)) for n in names]


def sessions_rows(world: World) -> list[Row]:
    return [
        (session, user, "EXECUTE SQL" if session == world.who.session else "IDLE", client, True)
        for session, (user, client) in world.sessions.items()
    ]


def load_rows(world: World) -> list[Row]:
    return [(node, 0.1, 0.1, 0.1, "1/100") for node in range(world.cluster.nodes)]


def users_rows(world: World) -> list[Row]:
    return [(name, None, None, None) for name in world.catalog.users()]


def roles_rows(world: World) -> list[Row]:
    return [(name, None, None) for name in sorted({"DBA", "PUBLIC", *world.catalog.roles()})]


def target_kind(world: World, grant: Any) -> str:
    found = world.objects.get((grant.schema, grant.name))
    return _kind(found) if found else "SCHEMA"


def target_owner(world: World, grant: Any) -> str | None:
    found = world.objects.get((grant.schema, grant.name)) or world.schemas.get(grant.schema)
    return found.owner if found else None
