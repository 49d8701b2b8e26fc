"""What all statements that change the catalog share: the one namespace of a schema."""

from __future__ import annotations

from .catalog import CatalogObject
from .compile import Compiled, compile_query
from .model import ResultColumn, SqlError
from .names import dotted, table_path
from .resolve import parse
from .scripts import Machines
from .statements import (
    ColumnDef,
)
from .temporary import UNKNOWN
from .transactions import Transaction
from .types import from_duckdb_type
from .udf_calls import evaluate
from .world import World

LONGEST_COMMENT = 2000


class Definer:
    """For one statement."""

    def __init__(self, world: World, machines: Machines, work: Transaction) -> None:
        self._world = world
        self._machines = machines
        self._work = work
        self._catalog = world.catalog

    def _place_for(
        self, kind: str, schema: str | None, name: str, replacing: bool, quiet: bool = False
    ) -> tuple[str, CatalogObject | None] | None:
        """The schema, and the object to be replaced; None when there is nothing to do."""
        inside = self._world.need_schema(schema)
        if self._world.schemas[inside].virtual:
            raise SqlError(f"schema {inside} is a virtual schema: nothing can be created in it")
        self._world.rights.need_create(kind, inside)
        self._work.lock("OBJECT", inside, name)
        old = self._world.objects.get((inside, name))
        if old is None:
            return inside, None
        if quiet and old.kind == kind:
            return None
        if not replacing or old.kind != kind:
            raise SqlError(f"object {dotted(inside, name)} already exists")
        self._world.rights.need_owner(old.owner, f"{kind.lower()} {name}")
        return inside, old

    def _put(
        self, kind: str, schema: str, name: str, text: str, columns: tuple[ColumnDef, ...],
        comment: str | None = None, **detail: object,
    ) -> None:  # fmt: skip
        item = CatalogObject(
            schema, name, kind, self._world.who.user, checked_comment(comment),
            self._catalog.next_id(), text, columns, detail,
        )  # fmt: skip
        self._catalog.put(item)

    def _drop_item(self, item: CatalogObject) -> None:
        self._work.lock("OBJECT", item.schema, item.name)
        if item.kind == "TABLE":
            self._work.execute(f"DROP TABLE {table_path(item.schema, item.name)}")
        self._catalog.drop(item)

    def _compiled(self, query: str) -> Compiled:
        world = self._world
        tree = parse(query, world, world.who.schema, world.who.user)
        return compile_query(evaluate(tree, world, self._machines), world)

    def _kinds(self, compiled: Compiled) -> list[ResultColumn]:
        """The columns with the types DuckDB finds where the query does not tell."""
        found = self._work.execute(f"SELECT * FROM ({compiled.sql}) LIMIT 0").description or ()
        return [
            column if column.type != UNKNOWN
            else ResultColumn(column.name, from_duckdb_type(str(kind[1])))
            for column, kind in zip(compiled.columns, found, strict=True)
        ]  # fmt: skip


def checked_comment(text: str | None) -> str | None:
    if text is not None and len(text) > LONGEST_COMMENT:
        raise SqlError(f"comment is longer than {LONGEST_COMMENT} characters", "22001")
    return text or None


def check_names(columns: tuple[ColumnDef, ...]) -> None:
    names = [column.name for column in columns]
    for name in names:
        if names.count(name) > 1:
            raise SqlError(f"column name {name} is not unique")
