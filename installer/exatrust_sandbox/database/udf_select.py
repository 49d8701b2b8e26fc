"""One SELECT with calls of scripts becomes a SELECT over tables that hold what the calls gave.

Scalar RETURNS stand anywhere in expressions; one EMITS call stands in the select list, beside
other columns; SET scripts run per group of GROUP BY, or over all rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import cast

from sqlglot import exp

from .compile import qualified
from .errors import not_grouped, unsupported
from .model import Row, SqlError
from .names import quote
from .placement import node_of_group, node_of_row, node_of_single
from .statements import ColumnDef
from .types import BIGINT
from .udf_parts import Parts, aggregates, group_keys
from .udf_rows import GROUP, ROW, VALUE, RowTables, column, copied, table_source
from .udf_tree import (
    EMITTED,
    Call,
    cast_arguments,
    expand_emits,
    has_call,
    is_call,
    is_marked,
    own_calls,
    own_columns,
    read_call,
    refuse_odd_places,
    substitute,
)

Members = dict[Row, list[int]]


def _outward(node: exp.Expr) -> Iterator[exp.Expr]:
    """The node and everything it stands in."""
    at: exp.Expr | None = node
    while at is not None:
        yield at
        at = at.parent


class Evaluation(RowTables):
    """One SELECT on its way to one without calls."""

    def run(self) -> exp.Select:
        refuse_odd_places(self._select, own_calls(self._select))
        expand_emits(self._select, self._world)
        self._select = cast(exp.Select, qualified(self._select, self._world))
        while calls := self._ready_calls():
            self._step(calls)
        self._keep_order()
        return self._select

    def _keep_order(self) -> None:
        """Rows come in the order in which they were emitted, unless something else orders them."""
        select = self._select
        free = not any(select.args.get(part) for part in ("order", "distinct", "group"))
        if self._orders and self._order is not None and free and not aggregates(select):
            select.set("order", exp.Order(expressions=[exp.Ordered(this=column(*self._order))]))

    def _ready_calls(self) -> list[Call]:
        """The calls whose arguments hold no other calls; scalar RETURNS before the others."""
        calls = [
            read_call(node, self._world)
            for node in own_calls(self._select)
            if not any(has_call(argument) for argument in node.expressions)
        ]
        for call in calls:
            if call.emits and not is_marked(call.node):
                raise SqlError("EMITS scripts are only allowed as a column of the select list")
        return [call for call in calls if not call.is_set and not call.emits] or calls

    def _step(self, calls: list[Call]) -> None:
        if calls[0].is_set:
            self._run_set(calls)
        elif calls[0].emits:
            if self._is_grouped():
                raise unsupported("a scalar EMITS script beside GROUP BY or aggregates")
            self._run_scalar_emits(calls[0])
        elif not self._is_grouped():
            self._run_scalar(calls)
        elif on_rows := [call for call in calls if self._works_on_rows(call)]:
            self._run_scalar(on_rows)
        else:
            self._group_first()

    def _is_grouped(self) -> bool:
        return bool(self._select.args.get("group") or aggregates(self._select))

    def _works_on_rows(self, call: Call) -> bool:
        """Whether a call beside GROUP BY is needed for every row, not for every group."""
        if call.node.find_ancestor(exp.AggFunc, exp.Group, exp.Where) is not None:
            return True
        text = call.node.sql()
        return any(text in key.sql() for key in group_keys(self._select))

    def _run_scalar(self, calls: list[Call]) -> None:
        """RETURNS: every row gets the value as a column; equal calls are one call."""
        spread = self._select.args.get("from_") is not None
        same: dict[str, list[Call]] = {}
        for call in calls:
            same.setdefault(call.node.sql(), []).append(call)
        arguments = [cast_arguments(equal[0]) for equal in same.values()]
        table, extra = self._base([value for given in arguments for value in given])
        names = iter(extra)
        for equal, given in zip(same.values(), arguments, strict=True):
            found = self._run_rows(equal[0], table, list(islice(names, len(given))), spread)
            outputs = [replace(equal[0].outputs[0], name=VALUE)]
            result = self._results(ROW, outputs, [(n, *rows[0]) for n, rows in found])
            self._join(table, result, ROW)
            for call in equal:
                call.node.replace(column(VALUE, result))

    def _run_scalar_emits(self, call: Call) -> None:
        spread = self._select.args.get("from_") is not None
        table, names = self._base(cast_arguments(call))
        found = self._run_rows(call, table, names, spread)
        rows = [(number, *row) for number, emitted in found for row in emitted]
        result = self._results(ROW, call.outputs, rows)
        self._join(table, result, ROW)
        self._replace_emitted(result)

    def _run_rows(
        self, call: Call, table: str, names: Sequence[str], spread: bool
    ) -> list[tuple[int, list[Row]]]:
        """Row numbers with what the script gave for each row."""
        groups = [[row] for row in self._values(table, names)]
        cluster = self._world.cluster
        single = node_of_single(self._world.who.statement, cluster.nodes)
        nodes = [
            node_of_row(n, len(groups), cluster.nodes, cluster.placement) if spread else single
            for n in range(len(groups))
        ]
        numbers = [cast(int, row[0]) for row in self._values(table, [ROW])]
        return list(zip(numbers, self._run(call, table, names, groups, nodes), strict=True))

    def _replace_emitted(self, result: str) -> None:
        def change(node: exp.Expr) -> exp.Expr | None:
            if isinstance(node, exp.Anonymous) and node.name.startswith(EMITTED):
                return column(node.name.removeprefix(EMITTED), result)
            return None

        substitute(self._select, change)

    def _group_first(self) -> None:
        """GROUP BY and the aggregates become a table; the calls then work on its rows."""
        parts = Parts(self._select)
        query = exp.Select(expressions=parts.projections())
        for part in ("from_", "joins", "where", "group", "having"):
            query.set(part, copied(self._select.args.get(part)))
            self._select.set(part, None)
        table = self._keep(query)
        self._read_from(table)
        parts.replace_in(self._select, table)

    def _run_set(self, calls: list[Call]) -> None:
        self._check_set(calls)
        keys = list({key.sql(): key for key in group_keys(self._select)}.values())
        arguments = [cast_arguments(call) for call in calls]
        orders = [[value for value, _ in call.order] for call in calls]
        wanted = [*keys, *(v for given in [*arguments, *orders] for v in given)]
        table, extra = self._base(wanted)
        names = iter(extra)
        key_names = list(islice(names, len(keys)))
        argument_names = [list(islice(names, len(given))) for given in arguments]
        order_names = [list(islice(names, len(given))) for given in orders]
        members = self._members(table, key_names)
        groups = self._group_table(table, members, key_names)
        for call, given, order in zip(calls, argument_names, order_names, strict=True):
            self._run_groups(call, table, groups, members, given, order)

    def _check_set(self, calls: list[Call]) -> None:
        if self._select.args.get("having"):
            raise unsupported("HAVING beside a SET script")
        self._check_grouped()
        if not all(call.is_set for call in calls) or (calls[0].emits and len(calls) > 1):
            raise unsupported("several scripts of different kinds in one SELECT")
        if any(value.find(exp.AggFunc) for call in calls for value in call.arguments):
            raise unsupported("aggregates as arguments of a SET script")

    def _check_grouped(self) -> None:
        """Raises SqlError for a column that is neither a key nor in an aggregate or a call."""
        keys = {key.sql() for key in group_keys(self._select)}
        for use in own_columns(self._select):
            around = itertools.takewhile(lambda node: node is not self._select, _outward(use))
            if not any(
                isinstance(node, (exp.AggFunc, exp.Where)) or is_call(node) or node.sql() in keys
                for node in around
            ):
                raise not_grouped(f"{use.table}.{use.name}")

    def _members(self, table: str, key_names: Sequence[str]) -> Members:
        """Row numbers by group key; without GROUP BY all rows are one group."""
        members: Members = {}
        for *key, number in self._values(table, [*key_names, ROW]):
            members.setdefault(tuple(key), []).append(number)
        return members

    def _group_table(self, table: str, members: Members, key_names: Sequence[str]) -> str:
        """A row for each group with its keys and aggregates; the SELECT reads from it."""
        numbered = [(n, row) for n, rows in enumerate(members.values()) for row in rows]
        membership = self._results(GROUP, [ColumnDef(ROW, BIGINT)], numbered)
        parts = Parts(self._select)
        group = column(GROUP, membership)
        keys = [exp.AnyValue(this=column(name, table)) for name in key_names]
        query = exp.Select(
            expressions=[
                exp.alias_(group.copy(), GROUP, quoted=True), *parts.projections(keys)
            ],
            from_=exp.From(this=table_source(table)),
            group=exp.Group(expressions=[group]),
        )  # fmt: skip
        on = exp.EQ(this=column(ROW, table), expression=column(ROW, membership))
        query.set("joins", [exp.Join(this=table_source(membership), on=on)])
        groups = self._keep(query)
        self._read_from(groups)
        self._select.set("group", None)
        parts.replace_in(self._select, groups)
        return groups

    def _run_groups(
        self, call: Call, table: str, groups: str, members: Members, names: Sequence[str],
        order_names: Sequence[str],
    ) -> None:  # fmt: skip
        """One call over all groups; its results are joined to the groups."""
        directions = ["DESC NULLS FIRST" if down else "ASC NULLS LAST" for _, down in call.order]
        by = [f"{quote(n)} {d}" for n, d in zip(order_names, directions, strict=True)]
        group_of = {n: g for g, rows in enumerate(members.values()) for n in rows}
        contents: list[list[Row]] = [[] for _ in members]
        for number, *row in self._values(table, [ROW, *names], ", ".join([*by, quote(ROW)])):
            contents[group_of[cast(int, number)]].append(tuple(row))
        emitted = self._run(call, table, names, contents, self._nodes(members))
        rows = [(g, *row) for g, found in enumerate(emitted) for row in found]
        if call.emits:
            result = self._results(GROUP, call.outputs, rows)
            self._replace_emitted(result)
        else:
            result = self._results(GROUP, [replace(call.outputs[0], name=VALUE)], rows)
            call.node.replace(column(VALUE, result))
        self._join(groups, result, GROUP)

    def _nodes(self, members: Members) -> list[int]:
        cluster = self._world.cluster
        if len(members) == 1:
            return [node_of_single(self._world.who.statement, cluster.nodes)]
        return [node_of_group(key, cluster.nodes, cluster.placement) for key in members]
