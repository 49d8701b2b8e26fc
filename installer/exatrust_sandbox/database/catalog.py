"""The stand-in's catalog: schemas, objects, connections, users, roles, grants, parameters.

It is kept in tables of the database file, read and written through the session's own connection,
so that it is as transactional as the data: a ROLLBACK takes a CREATE SCRIPT back.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from .executor import Executor
from .macros import DEFINITIONS
from .model import DataType
from .statements import ColumnDef
from .types import parse_type

SYS = "SYS"
_HASH_ROUNDS = 20_000
_TABLES = """
CREATE SCHEMA IF NOT EXISTS exa_catalog;
CREATE SEQUENCE IF NOT EXISTS exa_catalog.ids START 1000;
CREATE TABLE IF NOT EXISTS exa_catalog.schemas
    (name VARCHAR, owner VARCHAR, comment VARCHAR, id BIGINT);
CREATE TABLE IF NOT EXISTS exa_catalog.objects
    (schema_name VARCHAR, name VARCHAR, kind VARCHAR, owner VARCHAR, comment VARCHAR, id BIGINT,
     text VARCHAR, columns VARCHAR, detail VARCHAR);
CREATE TABLE IF NOT EXISTS exa_catalog.connections
    (name VARCHAR, address VARCHAR, user_name VARCHAR, password VARCHAR, comment VARCHAR,
     created TIMESTAMP);
CREATE TABLE IF NOT EXISTS exa_catalog.users (name VARCHAR, salt VARCHAR, hash VARCHAR);
CREATE TABLE IF NOT EXISTS exa_catalog.roles (name VARCHAR);
CREATE TABLE IF NOT EXISTS exa_catalog.grants
    (grantee VARCHAR, privilege VARCHAR, kind VARCHAR, schema_name VARCHAR, name VARCHAR,
     for_schema VARCHAR, for_script VARCHAR);
CREATE TABLE IF NOT EXISTS exa_catalog.parameters (name VARCHAR, value VARCHAR);
CREATE TABLE IF NOT EXISTS exa_catalog.virtual_schemas
    (name VARCHAR, adapter_schema VARCHAR, adapter_name VARCHAR, properties VARCHAR,
     notes VARCHAR, refreshed TIMESTAMP, refreshed_by VARCHAR);
"""


@dataclass(frozen=True)
class Schema:
    name: str
    owner: str
    comment: str | None
    id: int
    virtual: bool = False


@dataclass(frozen=True)
class VirtualSchema:
    """What a virtual schema has besides: its adapter, what the adapter was told and noted, and
    when its tables were asked for last (UTC)."""

    name: str
    adapter_schema: str
    adapter_name: str
    properties: dict[str, str]
    notes: str | None = None
    refreshed: Any = None
    refreshed_by: str | None = None


@dataclass(frozen=True)
class CatalogObject:
    """A table, view, script, or virtual table (`kind` VIRTUAL). `text` is the statement that made
    it, as sent; `detail` holds what a script or view needs besides its columns."""

    schema: str
    name: str
    kind: str
    owner: str
    comment: str | None
    id: int
    text: str
    columns: tuple[ColumnDef, ...]
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Connection:
    name: str
    address: str
    user: str | None
    password: str | None = field(repr=False)
    comment: str | None
    created: Any


@dataclass(frozen=True)
class GrantRow:
    """`kind`: SYSTEM, ROLE, SCHEMA, OBJECT, CONNECTION, ACCESS."""

    grantee: str
    privilege: str
    kind: str
    schema: str | None
    name: str | None
    for_schema: str | None = None
    for_script: str | None = None


def columns_to_json(columns: Iterable[ColumnDef]) -> str:
    return json.dumps([asdict(column) | {"type": column.type.display()} for column in columns])


@functools.lru_cache(maxsize=4096)  # every statement looks at all objects
def columns_from_json(text: str) -> tuple[ColumnDef, ...]:
    return tuple(
        ColumnDef(**(fields | {"type": parse_type(fields["type"])})) for fields in json.loads(text)
    )


class Catalog:
    """The catalog as one session sees it inside its transaction."""

    def __init__(self, cursor: Executor) -> None:
        self._cursor = cursor

    @staticmethod
    def create(cursor: Executor, sys_password: str) -> None:
        """Make the catalog's tables and the user SYS where they are not there yet."""
        cursor.execute(_TABLES + DEFINITIONS)
        catalog = Catalog(cursor)
        if SYS in catalog.users():
            catalog.drop_user(SYS)
        catalog.add_user(SYS, sys_password)

    def _rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._cursor.execute(sql, list(values)).fetchall()

    def next_id(self) -> int:
        return int(self._rows("SELECT nextval('exa_catalog.ids')")[0][0])

    # schemas

    def schemas(self) -> dict[str, Schema]:
        rows = self._rows(
            "SELECT name, owner, comment, id,"
            " name IN (SELECT name FROM exa_catalog.virtual_schemas)"
            " FROM exa_catalog.schemas ORDER BY name"
        )
        return {row[0]: Schema(*row) for row in rows}

    def add_schema(self, name: str, owner: str) -> None:
        self._rows(
            "INSERT INTO exa_catalog.schemas VALUES (?, ?, NULL, ?)", name, owner, self.next_id()
        )

    def drop_schema(self, name: str) -> None:
        self._rows("DELETE FROM exa_catalog.schemas WHERE name = ?", name)
        self._rows("DELETE FROM exa_catalog.virtual_schemas WHERE name = ?", name)
        self._rows("DELETE FROM exa_catalog.grants WHERE schema_name = ?", name)

    def virtual_schemas(self) -> dict[str, VirtualSchema]:
        rows = self._rows(
            "SELECT name, adapter_schema, adapter_name, properties, notes, refreshed, refreshed_by"
            " FROM exa_catalog.virtual_schemas ORDER BY name"
        )
        return {
            name: VirtualSchema(name, schema, script, json.loads(properties), notes, moment, user)
            for name, schema, script, properties, notes, moment, user in rows
        }

    def put_virtual_schema(self, schema: VirtualSchema) -> None:
        self._rows("DELETE FROM exa_catalog.virtual_schemas WHERE name = ?", schema.name)
        self._rows(
            "INSERT INTO exa_catalog.virtual_schemas VALUES (?, ?, ?, ?, ?, ?, ?)",
            schema.name, schema.adapter_schema, schema.adapter_name, json.dumps(schema.properties),
            schema.notes, schema.refreshed, schema.refreshed_by,
        )  # fmt: skip

    # objects

    def objects(self) -> dict[tuple[str, str], CatalogObject]:
        rows = self._rows(
            "SELECT schema_name, name, kind, owner, comment, id, text, columns, detail"
            " FROM exa_catalog.objects ORDER BY schema_name, name"
        )
        return {
            (schema, name): CatalogObject(
                schema,
                name,
                kind,
                owner,
                comment,
                number,
                text,
                columns_from_json(columns),
                json.loads(detail),
            )
            for schema, name, kind, owner, comment, number, text, columns, detail in rows
        }

    def put(self, item: CatalogObject) -> None:
        """Store an object in place of the one with its name. Grants stay only where it stays."""
        self._delete(item.schema, item.name)
        self._rows(
            "INSERT INTO exa_catalog.objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            item.schema, item.name, item.kind, item.owner, item.comment, item.id, item.text,
            columns_to_json(item.columns), json.dumps(item.detail),
        )  # fmt: skip

    def _delete(self, schema: str, name: str) -> None:
        self._rows(
            "DELETE FROM exa_catalog.objects WHERE schema_name = ? AND name = ?", schema, name
        )

    def drop(self, item: CatalogObject) -> None:
        self._delete(item.schema, item.name)
        self._rows(
            "DELETE FROM exa_catalog.grants WHERE kind = 'OBJECT' AND schema_name = ? AND name = ?",
            item.schema, item.name,
        )  # fmt: skip
        self.forget_script_access(item)

    def forget_script_access(self, item: CatalogObject) -> None:
        """A grant of ACCESS for one script is lost when the script is replaced."""
        self._rows(
            "DELETE FROM exa_catalog.grants WHERE for_schema = ? AND for_script = ?",
            item.schema, item.name,
        )  # fmt: skip

    def comment(self, item: CatalogObject, text: str | None) -> None:
        self.put(replace(item, comment=text))

    def comment_schema(self, name: str, text: str | None) -> None:
        self._rows("UPDATE exa_catalog.schemas SET comment = ? WHERE name = ?", text, name)

    # connections

    def connections(self) -> dict[str, Connection]:
        rows = self._rows(
            "SELECT name, address, user_name, password, comment, created"
            " FROM exa_catalog.connections ORDER BY name"
        )
        return {row[0]: Connection(*row) for row in rows}

    def put_connection(
        self, name: str, address: str, user: str | None, password: str | None
    ) -> None:
        self._rows("DELETE FROM exa_catalog.connections WHERE name = ?", name)
        self._rows(
            "INSERT INTO exa_catalog.connections VALUES (?, ?, ?, ?, NULL, now()::TIMESTAMP)",
            name, address, user, password,
        )  # fmt: skip

    def drop_connection(self, name: str) -> None:
        self._rows("DELETE FROM exa_catalog.connections WHERE name = ?", name)
        self._rows(
            "DELETE FROM exa_catalog.grants"
            " WHERE kind IN ('CONNECTION', 'ACCESS') AND name = ?", name
        )  # fmt: skip

    # users, roles, grants

    def users(self) -> list[str]:
        return [row[0] for row in self._rows("SELECT name FROM exa_catalog.users ORDER BY name")]

    def roles(self) -> list[str]:
        return [row[0] for row in self._rows("SELECT name FROM exa_catalog.roles ORDER BY name")]

    def add_user(self, name: str, password: str) -> None:
        salt = secrets.token_hex(16)
        self._rows(
            "INSERT INTO exa_catalog.users VALUES (?, ?, ?)", name, salt, _hashed(salt, password)
        )

    def drop_user(self, name: str) -> None:
        self._rows("DELETE FROM exa_catalog.users WHERE name = ?", name)

    def add_role(self, name: str) -> None:
        self._rows("INSERT INTO exa_catalog.roles VALUES (?)", name)

    def drop_role(self, name: str) -> None:
        self._rows("DELETE FROM exa_catalog.roles WHERE name = ?", name)
        self._rows(
            "DELETE FROM exa_catalog.grants"
            " WHERE grantee = ? OR (kind = 'ROLE' AND privilege = ?)", name, name
        )  # fmt: skip

    def password_fits(self, name: str, password: str) -> bool:
        rows = self._rows("SELECT salt, hash FROM exa_catalog.users WHERE name = ?", name)
        return bool(rows) and hmac.compare_digest(_hashed(rows[0][0], password), rows[0][1])

    def grants(self) -> list[GrantRow]:
        rows = self._rows(
            "SELECT grantee, privilege, kind, schema_name, name, for_schema, for_script"
            " FROM exa_catalog.grants ORDER BY ALL"
        )
        return [GrantRow(*row) for row in rows]

    def grant(self, row: GrantRow) -> None:
        self.revoke(row)
        self._rows(
            "INSERT INTO exa_catalog.grants VALUES (?, ?, ?, ?, ?, ?, ?)",
            row.grantee, row.privilege, row.kind, row.schema, row.name, row.for_schema,
            row.for_script,
        )  # fmt: skip

    def revoke(self, row: GrantRow) -> None:
        self._rows(
            "DELETE FROM exa_catalog.grants WHERE grantee = ? AND privilege = ? AND kind = ?"
            " AND schema_name IS NOT DISTINCT FROM ? AND name IS NOT DISTINCT FROM ?"
            " AND for_schema IS NOT DISTINCT FROM ? AND for_script IS NOT DISTINCT FROM ?",
            row.grantee, row.privilege, row.kind, row.schema, row.name, row.for_schema,
            row.for_script,
        )  # fmt: skip

    # parameters

    def parameters(self) -> dict[str, str]:
        return dict(self._rows("SELECT name, value FROM exa_catalog.parameters"))

    def set_parameter(self, name: str, value: str) -> None:
        self._rows("DELETE FROM exa_catalog.parameters WHERE name = ?", name)
        self._rows("INSERT INTO exa_catalog.parameters VALUES (?, ?)", name, value)


def _hashed(salt: str, password: str) -> str:
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), _HASH_ROUNDS)
    return digest.hex()


def view_column(name: str, kind: DataType, comment: str | None) -> ColumnDef:
    return ColumnDef(name, kind, comment=comment)
