"""CREATE TABLE and ALTER TABLE."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from .define_base import Definer, check_names
from .errors import unsupported
from .model import RowCount, SqlError
from .moments import DATABASE_ZONE, zone
from .names import literal, physical, quote, table_path
from .resolve import parse
from .statements import (
    AlterColumn,
    ColumnDef,
    CreateTable,
)
from .translate import to_duckdb
from .types import duckdb_type


class TableDefinitions(Definer):
    """The statements about tables."""

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
            check_names(columns)
            self._check_zone(columns)
            self._work.execute(f"CREATE TABLE {path} ({self._definitions(columns)})")
        self._put("TABLE", schema, statement.name, self._world.text, columns, statement.comment)
        return RowCount(count)

    def _check_zone(self, columns: tuple[ColumnDef, ...]) -> None:
        """A TIMESTAMP WITH LOCAL TIME ZONE is kept as the session's clock shows it, which is right
        as long as all sessions have one time zone."""
        own = self._world.who.parameters.get("TIME_ZONE", self._world.system_parameter("TIME_ZONE"))
        other = own != self._world.system_parameter("TIME_ZONE")
        if other and any(column.type.with_local_tz for column in columns):
            raise unsupported("TIMESTAMP WITH LOCAL TIME ZONE beside another TIME_ZONE")

    def _definitions(self, columns: tuple[ColumnDef, ...]) -> str:
        return ", ".join(self._definition(column) for column in columns)

    def _definition(self, column: ColumnDef) -> str:
        text = f"{quote(physical(column.name))} {duckdb_type(column.type)}"
        if column.default is not None:
            text += f" DEFAULT ({self._expression(column.default)})"
        return text if column.nullable else text + " NOT NULL"

    def _expression(self, text: str) -> str:
        """A default value. CURRENT_TIMESTAMP and the like are taken anew for every row, in the time
        zone that this session has now."""
        word = text.strip().upper()
        zone_name = DATABASE_ZONE if word.startswith("SYS") else self._world.parameter("TIME_ZONE")
        now = f"timezone({literal(zone(zone_name))}, current_timestamp)"
        if word in {"SYSTIMESTAMP", "CURRENT_TIMESTAMP", "NOW()", "LOCALTIMESTAMP"}:
            return f"date_trunc('millisecond', {now})"
        if word in ("SYSDATE", "CURRENT_DATE"):
            return f"CAST({now} AS DATE)"
        tree = parse(f"SELECT {text} AS V", self._world, self._world.who.schema, "SYS")
        assert isinstance(tree, exp.Select)
        return to_duckdb(tree.selects[0].unalias(), self._world)

    def _fill_new(self, path: str, query: str) -> tuple[tuple[ColumnDef, ...], int]:
        compiled = self._compiled(query)
        names = ", ".join(quote(physical(column.name)) for column in compiled.columns)
        check_names(tuple(ColumnDef(c.name, c.type) for c in compiled.columns))
        kinds = self._kinds(compiled)
        casts = ", ".join(
            f"CAST({quote(physical(c.name))} AS {duckdb_type(c.type)}) AS {quote(physical(c.name))}"
            for c in kinds
        )
        sql = f"CREATE TABLE {path} AS SELECT {casts} FROM ({compiled.sql}) q({names})"
        self._work.execute(sql)
        count = self._work.execute(f"SELECT count(*) FROM {path}").fetchall()[0][0]
        return tuple(ColumnDef(c.name, c.type) for c in kinds), int(count)

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
            self._check_zone((added,))
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
