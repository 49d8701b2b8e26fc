"""The rows that calls of scripts need, and their results, in temporary tables."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from .compile import compile_query
from .model import ResultColumn, Row
from .names import quote
from .scripts import Machines, run_script
from .statements import ColumnDef
from .temporary import SCHEMA as TEMP
from .temporary import check_lengths
from .types import BIGINT
from .udf_tree import (
    Call,
    has_call,
    own_columns,
)
from .world import World

ROW, GROUP, VALUE, NUMBER = "$ROW", "$GROUP", "$VALUE", "$N"


class RowTables:
    """A SELECT whose FROM is replaced, step by step, by temporary tables."""

    def __init__(self, select: exp.Select, world: World, machines: Machines, orders: bool) -> None:
        """`orders`: whether the result may have an ORDER BY, to come as the scripts gave it."""
        self._orders = orders
        self._world = world
        self._machines = machines
        self._select = select
        self._order: tuple[str, str] | None = None

    def _base(self, expressions: Sequence[exp.Expr]) -> tuple[str, list[str]]:
        """A table with a row number, the columns that the SELECT uses, and further expressions;
        the SELECT then reads from it. Returns its name and the expressions' column names."""
        uses = own_columns(self._select)
        names: dict[tuple[str, str], str] = {}
        for use in uses:
            names.setdefault((use.table, use.name), f"$C{len(names)}")
        extra = [f"$A{n}" for n in range(len(expressions))]
        table = self._keep(self._row_query(names, dict(zip(extra, expressions, strict=True))))
        self._read_from(table)
        for use in uses:
            use.replace(column(names[(use.table, use.name)], table))
        return table, extra

    def _row_query(
        self, names: dict[tuple[str, str], str], more: dict[str, exp.Expr]
    ) -> exp.Select:
        projections = [
            exp.alias_(exp.column(name, table=source, quoted=True), alias, quoted=True)
            for (source, name), alias in names.items()
        ] + [exp.alias_(value.copy(), alias, quoted=True) for alias, value in more.items()]
        nothing = exp.alias_(exp.Literal.number(1), "$C", quoted=True)
        query = exp.Select(expressions=projections or [nothing])
        for part in ("from_", "joins"):
            query.set(part, copied(self._select.args.get(part)))
        self._move_where(query)
        return query

    def _move_where(self, query: exp.Select) -> None:
        """Conditions without calls choose the rows; the others stay for the results."""
        where = self._select.args.get("where")
        if where is None:
            return
        conditions = list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
        early = [condition.copy() for condition in conditions if not has_call(condition)]
        late = [condition for condition in conditions if has_call(condition)]
        query.set("where", exp.Where(this=exp.and_(*early, copy=False)) if early else None)
        kept = exp.Where(this=exp.and_(*late, copy=False)) if late else None
        self._select.set("where", kept)

    def _keep(self, query: exp.Select) -> str:
        compiled = compile_query(query, self._world)
        sql = f"SELECT *, row_number() OVER () FROM ({compiled.sql}) numbered"
        return self._world.temporaries.keep(sql, [*compiled.columns, ResultColumn(ROW, BIGINT)])

    def _read_from(self, table: str) -> None:
        self._select.set("from_", exp.From(this=table_source(table)))
        self._select.set("joins", None)

    def _join(self, table: str, other: str, key: str) -> None:
        on = exp.EQ(this=column(key, table), expression=column(key, other))
        joins = [*(self._select.args.get("joins") or []), exp.Join(this=table_source(other), on=on)]
        self._select.set("joins", joins)

    def _results(self, key: str, columns: Sequence[ColumnDef], rows: list[Row]) -> str:
        """A table of results; every row starts with its key."""
        described = [ResultColumn(column.name, column.type) for column in columns]
        numbered = [(n, *row) for n, row in enumerate(rows)]
        keys = [ResultColumn(NUMBER, BIGINT), ResultColumn(key, BIGINT)]
        table = self._world.temporaries.make([*keys, *described], numbered)
        self._order = (NUMBER, table)
        return table

    def _values(self, table: str, names: Sequence[str], order: str = quote(ROW)) -> list[Row]:
        temporaries = self._world.temporaries
        places = [[c.name for c in temporaries.columns[table]].index(name) for name in names]
        rows = temporaries.rows(table, f"ORDER BY {order}")
        return [tuple(row[place] for place in places) for row in rows]

    def _inputs(self, call: Call, table: str, names: Sequence[str]) -> tuple[ColumnDef, ...]:
        """The declared parameters, or for `(...)` the arguments' own types, named 0, 1, ..."""
        if call.inputs is not None:
            return call.inputs
        types = {c.name: c.type for c in self._world.temporaries.columns[table]}
        return tuple(ColumnDef(str(n), types[name]) for n, name in enumerate(names))

    def _run(
        self, call: Call, table: str, names: Sequence[str], groups: list[list[Row]],
        nodes: list[int],
    ) -> list[list[Row]]:  # fmt: skip
        inputs = self._inputs(call, table, names)
        for number, column in enumerate(inputs):
            check_lengths(
                column.name, column.type, [row[number] for group in groups for row in group]
            )
        return run_script(
            call.script, inputs, call.outputs, groups, nodes, self._machines, self._world
        )


def column(name: str, table: str) -> exp.Column:
    return exp.column(name, table=table, quoted=True)


def table_source(name: str) -> exp.Table:
    return exp.Table(
        this=exp.to_identifier(name, quoted=True),
        db=exp.to_identifier(TEMP, quoted=True),
        alias=exp.TableAlias(this=exp.to_identifier(name, quoted=True)),
    )


def copied(value: object) -> object:
    if isinstance(value, list):
        return [item.copy() for item in value]
    return value.copy() if isinstance(value, exp.Expr) else value
