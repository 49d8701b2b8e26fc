"""Carries out DDL: schemas, tables, views, scripts, comments."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from .catalog import CatalogObject, columns_to_json, view_column
from .compile import Compiled, compile_query
from .errors import not_found, unsupported
from .model import ResultColumn, RowCount, SqlError
from .names import dotted, physical, quote, schema_of, table_path
from .resolve import parse
from .script_ddl import split_options
from .scripts import Machines
from .statements import (
    AlterColumn,
    ColumnDef,
    Comment,
    CreateSchema,
    CreateScript,
    CreateTable,
    CreateView,
    Drop,
)
from .temporary import UNKNOWN
from .transactions import Transaction
from .translate import to_duckdb
from .types import duckdb_type, from_duckdb_type
from .udf_calls import evaluate
from .world import World

LONGEST_COMMENT = 2000


class Definitions:
    """The statements that change the catalog, for one statement."""

    def __init__(self, world: World, machines: Machines, work: Transaction) -> None:
        self._world = world
        self._machines = machines
        self._work = work
        self._catalog = world.catalog

    def create_schema(self, statement: CreateSchema) -> RowCount:
        self._world.rights.need_system("CREATE SCHEMA", "for creating a schema")
        if statement.name in self._world.schemas:
            if statement.if_not_exists:
                return RowCount()
            raise SqlError(f"schema {statement.name} already exists")
        self._work.lock("SCHEMA", statement.name)
        self._work.execute(f"CREATE SCHEMA {quote(schema_of(statement.name))}")
        self._catalog.add_schema(statement.name, self._world.who.user)
        return RowCount()

    def drop_schema(self, statement: Drop) -> RowCount:
        schema = self._world.schemas.get(statement.name)
        if schema is None:
            if statement.if_exists:
                return RowCount()
            raise not_found("schema", statement.name, *self._world.place(statement.name))
        self._world.rights.need_owner(schema.owner, f"schema {schema.name}")
        inside = [item for item in self._world.objects.values() if item.schema == schema.name]
        if inside and not statement.cascade:
            raise SqlError(f"schema {schema.name} is not empty - use DROP SCHEMA ... CASCADE")
        self._work.lock("SCHEMA", schema.name)
        for item in inside:
            self._drop_item(item)
        self._work.execute(f"DROP SCHEMA {quote(schema_of(schema.name))} CASCADE")
        self._catalog.drop_schema(schema.name)
        return RowCount()

    # one namespace for tables, views and scripts

    def _place_for(
        self, kind: str, schema: str | None, name: str, replacing: bool, quiet: bool = False
    ) -> tuple[str, CatalogObject | None] | None:
        """The schema, and the object to be replaced; None when there is nothing to do."""
        inside = self._world.need_schema(schema)
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
            schema, name, kind, self._world.who.user, _checked_comment(comment),
            self._catalog.next_id(), text, columns, detail,
        )  # fmt: skip
        self._catalog.put(item)

    def _drop_item(self, item: CatalogObject) -> None:
        self._work.lock("OBJECT", item.schema, item.name)
        if item.kind == "TABLE":
            self._work.execute(f"DROP TABLE {table_path(item.schema, item.name)}")
        self._catalog.drop(item)

    def drop(self, statement: Drop) -> RowCount:
        found = self._world.find(statement.schema, statement.name)
        if found is None or found.kind != statement.kind:
            if statement.if_exists:
                return RowCount()
            self._world.need(statement.schema, statement.name, statement.kind)
        assert found is not None
        self._world.rights.need_owner(found.owner, f"{found.kind.lower()} {found.name}")
        self._drop_item(found)
        return RowCount()

    # tables

    def create_table(self, statement: CreateTable) -> RowCount:
        place = self._place_for(
            "TABLE", statement.schema, statement.name, statement.replace, statement.if_not_exists
        )
        if place is None:
            return RowCount()
        schema, old = place
        if old is not None:
            self._drop_item(old)
        path = table_path(schema, statement.name)
        columns, count = statement.columns, 0
        if statement.like is not None:
            columns = self._world.need(*statement.like, "TABLE", "VIEW").columns
        if statement.query is not None:
            columns, count = self._fill_new(path, statement.query)
        else:
            _check_names(columns)
            self._work.execute(f"CREATE TABLE {path} ({self._definitions(columns)})")
        self._put("TABLE", schema, statement.name, self._world.text, columns, statement.comment)
        return RowCount(count)

    def _definitions(self, columns: tuple[ColumnDef, ...]) -> str:
        return ", ".join(self._definition(column) for column in columns)

    def _definition(self, column: ColumnDef) -> str:
        text = f"{quote(physical(column.name))} {duckdb_type(column.type)}"
        if column.default is not None:
            text += f" DEFAULT ({self._expression(column.default)})"
        return text if column.nullable else text + " NOT NULL"

    def _expression(self, text: str) -> str:
        """A default value. CURRENT_TIMESTAMP and the like are taken anew for every row."""
        moments = {"SYSTIMESTAMP", "CURRENT_TIMESTAMP", "NOW()", "LOCALTIMESTAMP"}
        if text.strip().upper() in moments:
            return "CAST(current_timestamp AS TIMESTAMP)"
        if text.strip().upper() in ("SYSDATE", "CURRENT_DATE"):
            return "current_date"
        tree = parse(f"SELECT {text} AS V", self._world, self._world.who.schema, "SYS")
        assert isinstance(tree, exp.Select)
        return to_duckdb(tree.selects[0].unalias(), self._world)

    def _fill_new(self, path: str, query: str) -> tuple[tuple[ColumnDef, ...], int]:
        compiled = self._compiled(query)
        names = ", ".join(quote(physical(column.name)) for column in compiled.columns)
        _check_names(tuple(ColumnDef(c.name, c.type) for c in compiled.columns))
        kinds = self._kinds(compiled)
        casts = ", ".join(
            f"CAST({quote(physical(c.name))} AS {duckdb_type(c.type)}) AS {quote(physical(c.name))}"
            for c in kinds
        )
        sql = f"CREATE TABLE {path} AS SELECT {casts} FROM ({compiled.sql}) q({names})"
        self._work.execute(sql)
        count = self._work.execute(f"SELECT count(*) FROM {path}").fetchall()[0][0]
        return tuple(ColumnDef(c.name, c.type) for c in kinds), int(count)

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

    def alter_column(self, statement: AlterColumn) -> RowCount:
        table = self._world.need(statement.schema, statement.table, "TABLE")
        self._world.rights.need_owner(table.owner, f"table {table.name}")
        self._work.lock("OBJECT", table.schema, table.name)
        path = f"ALTER TABLE {table_path(table.schema, table.name)}"
        exists = statement.column in {column.name for column in table.columns}
        if statement.action == "ADD" and statement.definition is not None:
            if exists:
                return self._quietly(statement, f"column {statement.column} already exists")
            added = statement.definition
            if not added.nullable:
                raise unsupported("adding a NOT NULL column")
            self._work.execute(f"{path} ADD COLUMN {self._definition(added)}")
            columns = (*table.columns, added)
        elif not exists:
            return self._quietly(statement, f"object {statement.column} not found")
        elif statement.action == "DROP":
            self._work.execute(f"{path} DROP COLUMN {quote(physical(statement.column))}")
            columns = tuple(c for c in table.columns if c.name != statement.column)
        else:
            new = statement.new_name or ""
            names = f"{quote(physical(statement.column))} TO {quote(physical(new))}"
            self._work.execute(f"{path} RENAME COLUMN {names}")
            columns = tuple(
                replace(c, name=new) if c.name == statement.column else c for c in table.columns
            )
        self._catalog.put(replace(table, columns=columns))
        return RowCount()

    def _quietly(self, statement: AlterColumn, text: str) -> RowCount:
        if statement.if_exists:
            return RowCount()
        raise SqlError(text)

    # views and scripts

    def create_view(self, statement: CreateView) -> RowCount:
        place = self._place_for("VIEW", statement.schema, statement.name, statement.replace)
        assert place is not None
        schema = place[0]
        found = self._view_columns(statement.query)
        given = statement.columns or tuple((column.name, None) for column in found)
        if len(given) != len(found):
            raise SqlError(f"view {statement.name} has {len(given)} columns for {len(found)}")
        columns = tuple(
            view_column(name, column.type, comment)
            for (name, comment), column in zip(given, found, strict=True)
        )
        _check_names(columns)
        self._put(
            "VIEW", schema, statement.name, statement.text, columns, statement.comment,
            query=statement.query, scope=self._world.who.schema,
        )  # fmt: skip
        return RowCount()

    def _view_columns(self, query: str) -> list[ResultColumn]:
        """The columns of a view's query. Scripts in it do not run: their columns are declared."""
        world = self._world
        tree = parse(query, world, world.who.schema, world.who.user)
        compiled = compile_query(evaluate(tree, world, self._machines.idle()), world)
        return self._kinds(compiled)

    def create_script(self, statement: CreateScript) -> RowCount:
        place = self._place_for(
            "SCRIPT", statement.schema, statement.name, statement.replace, statement.if_not_exists
        )
        if place is None:
            return RowCount()
        schema, old = place
        if statement.alias not in self._aliases():
            raise SqlError(f"Unknown script language: {statement.alias}", "22002")
        code, env = split_options(statement.body)
        if old is not None:
            self._catalog.forget_script_access(old)
        inputs = None if statement.inputs is None else columns_to_json(statement.inputs)
        self._put(
            "SCRIPT", schema, statement.name, statement.text, statement.outputs or (),
            old.comment if old else None, alias=statement.alias, input_type=statement.input_type,
            output_type=statement.output_type, inputs=inputs, code=code, env=env,
        )  # fmt: skip
        return RowCount()

    def _aliases(self) -> set[str]:
        text = self._world.parameter("SCRIPT_LANGUAGES")
        return {part.partition("=")[0].upper() for part in text.split()}

    # comments

    def comment(self, statement: Comment) -> RowCount:
        text = _checked_comment(statement.text)
        if statement.kind == "SCHEMA":
            schema = self._world.schemas.get(statement.name)
            if schema is None:
                raise not_found("schema", statement.name, *self._world.place(statement.name))
            self._world.rights.need_owner(schema.owner, f"schema {schema.name}")
            self._catalog.comment_schema(statement.name, text)
            return RowCount()
        if statement.kind in ("CONNECTION", "USER", "ROLE"):
            raise unsupported(f"COMMENT ON {statement.kind}")
        kinds = ("TABLE", "VIEW") if statement.kind in ("COLUMN", "TABLE") else (statement.kind,)
        item = self._world.need(statement.schema, statement.name, *kinds)
        self._world.rights.need_owner(item.owner, f"{item.kind.lower()} {item.name}")
        self._work.lock("OBJECT", item.schema, item.name)
        texts = dict(statement.columns)
        for name in texts:
            if name not in {column.name for column in item.columns}:
                raise not_found("object", name, *self._world.place(name))
        columns = tuple(
            replace(column, comment=texts.get(column.name, column.comment) or None)
            for column in item.columns
        )
        keep = statement.kind == "COLUMN" or (statement.text is None and statement.columns)
        comment = item.comment if keep else text
        if item.kind == "SCRIPT":
            columns = item.columns
        self._catalog.put(replace(item, comment=comment, columns=columns))
        return RowCount()


def _checked_comment(text: str | None) -> str | None:
    if text is not None and len(text) > LONGEST_COMMENT:
        raise SqlError(f"comment is longer than {LONGEST_COMMENT} characters", "22001")
    return text or None


def _check_names(columns: tuple[ColumnDef, ...]) -> None:
    names = [column.name for column in columns]
    for name in names:
        if names.count(name) > 1:
            raise SqlError(f"column name {name} is not unique")
