"""Who may do what.

Enforced: SELECT and DML on tables and views, EXECUTE on scripts, CREATE of schemas and objects,
DROP and COMMENT by owners, CREATE, ALTER and DROP of virtual schemas, the EXA_DBA_ tables,
connections' secrets in scripts. A view works with its owner's rights. Not enforced: everything
else.
"""

from __future__ import annotations

from .catalog import SYS, Catalog, CatalogObject, GrantRow, Schema
from .errors import insufficient

_ANY = {
    "SELECT": "SELECT ANY TABLE", "INSERT": "INSERT ANY TABLE", "UPDATE": "UPDATE ANY TABLE",
    "DELETE": "DELETE ANY TABLE", "EXECUTE": "EXECUTE ANY SCRIPT",
}  # fmt: skip


class Rights:
    """The rights of one user, roles included, at one moment."""

    def __init__(self, catalog: Catalog, user: str) -> None:
        self.user = user
        self._catalog = catalog
        self._grants = catalog.grants()
        self._names = self._closure({user, "PUBLIC"})
        self.is_dba = user == SYS or "DBA" in self._names

    def _closure(self, names: set[str]) -> set[str]:
        """The names with all roles granted to them, directly or through roles."""
        while True:
            more = {
                grant.privilege
                for grant in self._grants
                if grant.kind == "ROLE" and grant.grantee in names
            } - names
            if not more:
                return names
            names = names | more

    def _granted(self, kind: str) -> list[GrantRow]:
        return [g for g in self._grants if g.kind == kind and g.grantee in self._names]

    def granted(self) -> list[GrantRow]:
        """All grants to the user, directly or through roles."""
        return [grant for grant in self._grants if grant.grantee in self._names]

    def has_system(self, privilege: str) -> bool:
        return self.is_dba or any(
            grant.privilege in (privilege, "ALL") for grant in self._granted("SYSTEM")
        )

    def owns(self, owner: str) -> bool:
        return self.is_dba or owner in self._names

    def may(self, privilege: str, item: CatalogObject) -> bool:
        """Whether the user has an object privilege, on the object or on its schema."""
        if self.owns(item.owner) or self.owns(self._schema_owner(item.schema)):
            return True
        if self.has_system(_ANY.get(privilege, privilege)):
            return True
        wanted = (privilege, "ALL")
        return any(
            grant.privilege in wanted
            and grant.schema == item.schema
            and grant.name in (None, item.name)
            for kind in ("OBJECT", "SCHEMA")
            for grant in self._granted(kind)
        )

    def _schema_owner(self, schema: str) -> str:
        found = self._catalog.schemas().get(schema)
        return found.owner if found else SYS

    def need(self, privilege: str, item: CatalogObject) -> None:
        """Raises SqlError 42500."""
        if not self.may(privilege, item):
            raise insufficient(f"{privilege} on {item.kind.lower()} {item.name}")

    def need_system(self, privilege: str, what: str) -> None:
        """Raises SqlError 42500."""
        if not self.has_system(privilege):
            raise insufficient(what)

    def need_create(self, kind: str, schema: str) -> None:
        """Creating objects takes the schema's ownership or CREATE ANY. Raises SqlError 42500."""
        owned = self.owns(self._schema_owner(schema)) and self.has_system(f"CREATE {kind}")
        if not (owned or self.has_system(f"CREATE ANY {kind}")):
            raise insufficient(f"for creating {kind.lower()} in schema {schema}")

    def need_owner(self, owner: str, what: str) -> None:
        """Raises SqlError 42500."""
        if not self.owns(owner):
            raise insufficient(f"for altering or dropping {what}")

    def need_alter_virtual(self, schema: Schema, refreshing: bool) -> None:
        """Raises SqlError 42500. REFRESH takes less than SET."""
        system, objects = ["ALTER ANY VIRTUAL SCHEMA"], ["ALL", "ALTER"]
        if refreshing:
            system.append("ALTER ANY VIRTUAL SCHEMA REFRESH")
            objects.append("REFRESH")
        granted = any(
            grant.schema == schema.name and grant.privilege in objects
            for grant in self._granted("SCHEMA")
        )
        if not (granted or self.owns(schema.owner) or any(map(self.has_system, system))):
            raise insufficient(f"for altering virtual schema {schema.name}")

    def may_see_secret(self, connection: str, schema: str, script: str) -> bool:
        """Whether scripts the user runs may read a connection's password."""
        return self.is_dba or any(
            grant.name == connection
            and grant.for_schema in (None, schema)
            and grant.for_script in (None, script)
            for grant in self._granted("ACCESS")
        )

    def sees(self, item: CatalogObject) -> bool:
        """Whether EXA_ALL_ tables list the object for this user."""
        privileges = ("EXECUTE",) if item.kind == "SCRIPT" else ("SELECT", "INSERT", "DELETE")
        return any(self.may(privilege, item) for privilege in privileges)
