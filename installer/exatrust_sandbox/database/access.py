"""Carries out statements about users, roles, grants, connections and parameters."""

from __future__ import annotations

from .access_ddl import OBJECT_PRIVILEGES
from .catalog import GrantRow
from .errors import not_found
from .model import RowCount, SqlError
from .statements import CreateConnection, CreateRole, CreateUser, Drop, Grant
from .transactions import Transaction
from .world import World


class Access:
    """The statements about who may do what, for one statement."""

    def __init__(self, world: World, work: Transaction) -> None:
        self._world = world
        self._work = work
        self._catalog = world.catalog

    def _grantees(self) -> set[str]:
        return {*self._catalog.users(), *self._catalog.roles(), "PUBLIC", "DBA"}

    def create_user(self, statement: CreateUser) -> RowCount:
        self._world.rights.need_system("CREATE USER", "for creating or altering a user")
        self._work.lock("USER", statement.name)
        exists = statement.name in self._grantees()
        if exists != statement.alter:
            state = "already exists" if exists else "not found"
            raise SqlError(f"user {statement.name} {state}")
        if statement.alter:
            self._catalog.drop_user(statement.name)
        self._catalog.add_user(statement.name, statement.password or "")
        return RowCount()

    def create_role(self, statement: CreateRole) -> RowCount:
        self._world.rights.need_system("CREATE ROLE", "for creating a role")
        self._work.lock("USER", statement.name)
        if statement.name in self._grantees():
            raise SqlError(f"role {statement.name} already exists")
        self._catalog.add_role(statement.name)
        return RowCount()

    def create_connection(self, statement: CreateConnection) -> RowCount:
        self._world.rights.need_system("CREATE CONNECTION", "for creating a connection")
        self._work.lock("CONNECTION", statement.name)
        exists = statement.name in self._catalog.connections()
        if exists and statement.if_not_exists:
            return RowCount()
        if exists and not (statement.replace or statement.alter):
            raise SqlError(f"connection {statement.name} already exists")
        if not exists and statement.alter:
            raise not_found("connection", statement.name, *self._world.place(statement.name))
        self._catalog.put_connection(
            statement.name, statement.address, statement.user, statement.password
        )
        return RowCount()

    def drop(self, statement: Drop) -> RowCount:
        self._world.rights.need_system(f"DROP {statement.kind}", f"for DROP {statement.kind}")
        known, remove = {
            "USER": (self._catalog.users, self._catalog.drop_user),
            "ROLE": (self._catalog.roles, self._catalog.drop_role),
            "CONNECTION": (self._catalog.connections, self._catalog.drop_connection),
        }[statement.kind]
        if statement.name not in known():
            if statement.if_exists:
                return RowCount()
            kind = statement.kind.lower()
            raise not_found(kind, statement.name, *self._world.place(statement.name))
        self._work.lock(statement.kind, statement.name)
        remove(statement.name)
        return RowCount()

    def grant(self, statement: Grant) -> RowCount:
        for grantee in statement.grantees:
            if grantee not in self._grantees():
                raise SqlError(f"user or role {grantee} does not exist", "42500")
            for privilege in statement.privileges:
                row = self._row(statement, grantee, privilege)
                self._work.lock("GRANTS", grantee)
                if statement.revoke:
                    self._catalog.revoke(row)
                else:
                    self._catalog.grant(row)
        return RowCount()

    def _row(self, statement: Grant, grantee: str, privilege: str) -> GrantRow:
        if statement.kind in ("ACCESS", "CONNECTION"):
            return self._connection_row(statement, grantee, privilege)
        if statement.target is not None:
            return self._object_row(statement, grantee, privilege)
        self._world.rights.need_system("GRANT ANY PRIVILEGE", "for granting privileges")
        is_role = privilege in {*self._catalog.roles(), "DBA"}
        return GrantRow(grantee, privilege, "ROLE" if is_role else "SYSTEM", None, None)

    def _connection_row(self, statement: Grant, grantee: str, privilege: str) -> GrantRow:
        self._world.rights.need_system("GRANT ANY CONNECTION", "for granting a connection")
        name = statement.target[1] if statement.target else ""
        if name not in self._catalog.connections():
            raise not_found("connection", name, *self._world.place(name))
        kind = statement.kind or ""
        return GrantRow(grantee, privilege, kind, None, name, *statement.restriction)

    def _object_row(self, statement: Grant, grantee: str, privilege: str) -> GrantRow:
        assert statement.target is not None
        schema, name = statement.target
        if privilege not in OBJECT_PRIVILEGES:
            raise SqlError(f"{privilege} is not an object privilege")
        # GRANT SELECT ON s: an unqualified name may be a schema.
        if statement.kind == "SCHEMA" or (
            schema is None and self._world.find(None, name) is None and name in self._world.schemas
        ):
            if name not in self._world.schemas:
                raise not_found("schema", name, *self._world.place(name))
            self._world.rights.need_owner(self._world.schemas[name].owner, f"schema {name}")
            return GrantRow(grantee, privilege, "SCHEMA", name, None)
        item = self._world.need(schema, name)
        self._world.rights.need_owner(item.owner, f"{item.kind.lower()} {item.name}")
        return GrantRow(grantee, privilege, "OBJECT", item.schema, item.name)
