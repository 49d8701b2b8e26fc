"""What one statement sees: the catalog at its start, who runs it, and where."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from .catalog import Catalog, CatalogObject, Schema
from .errors import not_found, unsupported
from .lexer import position, tokenize
from .model import SqlError
from .moments import DATABASE_ZONE, local_time
from .names import dotted, literal
from .placement import Policy
from .privileges import Rights
from .temporary import Temporaries

DEFAULT_PARAMETERS = {
    "SCRIPT_LANGUAGES": (
        "JAVA=builtin_java PYTHON3=builtin_python3 PYTHON312=builtin_python312 R=builtin_r"
    ),
    "QUERY_TIMEOUT": "0",
    "TIME_ZONE": DATABASE_ZONE,
    "NLS_DATE_FORMAT": "YYYY-MM-DD",
    "NLS_TIMESTAMP_FORMAT": "YYYY-MM-DD HH24:MI:SS.FF6",
    "NLS_NUMERIC_CHARACTERS": ".,",
    "SQL_PREPROCESSOR_SCRIPT": "",
    "HASHTYPE_FORMAT": "HEX",
}


@dataclass(frozen=True)
class Cluster:
    """What is the same for all sessions.

    `host_stores` gives each node's own truststore, with which IMPORT fetches files; without it all
    files come through the client's connection. `loads` counts the files that nodes fetched.
    """

    nodes: int
    version: str
    isolation: str
    placement: Policy
    host_stores: Callable[[int], Path] | None = None
    loads: Iterator[int] = field(default_factory=itertools.count)


@dataclass(frozen=True)
class Who:
    """The session's side: `parameters` are its own values, by name."""

    session: int
    statement: int
    user: str
    schema: str
    client: str
    parameters: Mapping[str, str]


@dataclass
class World:
    """Built anew for every statement; the catalog is read once."""

    catalog: Catalog
    temporaries: Temporaries
    cluster: Cluster
    who: Who
    sessions: Mapping[int, tuple[str, str]]
    text: str = ""
    now: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.timezone.utc))
    _rights: dict[str, Rights] = field(default_factory=dict)

    @cached_property
    def schemas(self) -> dict[str, Schema]:
        return self.catalog.schemas()

    @cached_property
    def objects(self) -> dict[tuple[str, str], CatalogObject]:
        return self.catalog.objects()

    @property
    def rights(self) -> Rights:
        return self.rights_of(self.who.user)

    def rights_of(self, user: str) -> Rights:
        if user not in self._rights:
            self._rights[user] = Rights(self.catalog, user)
        return self._rights[user]

    @cached_property
    def words(self) -> dict[str, str]:
        """Keywords that are values for the length of a statement, as literals."""
        zone = self.parameter("TIME_ZONE")
        here = local_time(self.now, zone).isoformat(" ", "milliseconds")
        there = self.database_time(self.now).isoformat(" ", "milliseconds")
        current = f"CAST('{here}' AS TIMESTAMP WITH LOCAL TIME ZONE)"
        return {
            "NPROC": str(self.cluster.nodes),
            "NOW": current,
            "CURRENT_TIMESTAMP": current,
            "SYSTIMESTAMP": f"CAST('{there}' AS TIMESTAMP)",
            "LOCALTIMESTAMP": f"CAST('{here}' AS TIMESTAMP)",
            "SYSDATE": f"CAST('{there[:10]}' AS DATE)",
            "CURRENT_DATE": f"CAST('{here[:10]}' AS DATE)",
            "SESSIONTIMEZONE": literal(zone),
            "DBTIMEZONE": literal(DATABASE_ZONE),
            "CURRENT_USER": literal(self.who.user),
            "USER": literal(self.who.user),
            "CURRENT_SCHEMA": literal(self.who.schema or None),
            "CURRENT_SESSION": str(self.who.session),
            "CURRENT_STATEMENT": str(self.who.statement),
        }

    @staticmethod
    def database_time(moment: dt.datetime) -> dt.datetime:
        """A moment in the time zone of the database's servers, in which it keeps its records."""
        return local_time(moment, DATABASE_ZONE)

    def parameter(self, name: str) -> str:
        """A parameter's value in the session, else in the system, else its default."""
        return self.who.parameters.get(name, self.system_parameter(name))

    def system_parameter(self, name: str) -> str:
        return (DEFAULT_PARAMETERS | self.catalog.parameters()).get(name, "")

    def need_schema(self, schema: str | None) -> str:
        """The named schema or the open one; raises SqlError when there is none."""
        name = schema or self.who.schema
        if not name:
            raise SqlError("no schema specified or opened or current schema has been dropped")
        if name not in self.schemas:
            raise not_found("schema", name, *self.place(name))
        return name

    def find(
        self, schema: str | None, name: str, inside: str | None = None
    ) -> CatalogObject | None:
        """An object by its name; `inside` is the schema of names without one."""
        return self.objects.get((schema or inside or self.who.schema, name))

    def need(self, schema: str | None, name: str, *kinds: str) -> CatalogObject:
        """Raises SqlError `object X.Y not found`."""
        found = self.find(schema, name)
        if found is not None and found.kind == "VIRTUAL" and "TABLE" in kinds:
            raise unsupported("this statement on virtual tables")
        if found is None or (kinds and found.kind not in kinds):
            written = dotted(schema, name) if schema else name
            kind = kinds[0].lower() if kinds == ("SCRIPT",) else "object"
            raise not_found(kind, written, *self.place(schema or name))
        return found

    def place(self, name: str) -> tuple[int, int]:
        """Where a name first stands in the statement."""
        for token in tokenize(self.text):
            if token.kind in ("word", "quoted") and token.value == name:
                return position(self.text, token.start)
        return 1, 1
