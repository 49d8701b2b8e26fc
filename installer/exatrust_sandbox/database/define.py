"""Carries out DDL: schemas, tables, views, scripts, comments."""

from __future__ import annotations

from dataclasses import replace

from .catalog import columns_to_json, view_column
from .compile import compile_query
from .define_base import check_names, checked_comment
from .define_tables import TableDefinitions
from .errors import not_found, unsupported
from .model import ResultColumn, RowCount, SqlError
from .names import quote, schema_of
from .resolve import parse
from .script_ddl import split_options
from .statements import (
    Comment,
    CreateSchema,
    CreateScript,
    CreateView,
    Drop,
)
from .udf_calls import evaluate


class Definitions(TableDefinitions):
    """The statements that change the catalog, for one statement."""

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
        if schema.virtual:
            raise SqlError(f"schema {schema.name} is a virtual schema - use DROP VIRTUAL SCHEMA")
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
        check_names(columns)
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
            type=statement.type,
        )  # fmt: skip
        return RowCount()

    def _aliases(self) -> set[str]:
        text = self._world.parameter("SCRIPT_LANGUAGES")
        return {part.partition("=")[0].upper() for part in text.split()}

    def comment(self, statement: Comment) -> RowCount:
        text = checked_comment(statement.text)
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
