"""Group keys and aggregates of a SELECT, which become columns of a table."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from .errors import unsupported
from .udf_tree import substitute


def group_keys(select: exp.Select) -> list[exp.Expr]:
    group = select.args.get("group")
    if group is None:
        return []
    if any(group.args.get(kind) for kind in ("rollup", "cube", "grouping_sets")):
        raise unsupported("ROLLUP, CUBE and GROUPING SETS beside a script")
    return list(group.expressions)


def aggregates(select: exp.Select) -> list[exp.Expr]:
    """The aggregates of this SELECT itself, without those of subqueries and windows."""
    return [
        node
        for node in select.find_all(exp.AggFunc)
        if node.find_ancestor(exp.Select) is select and node.find_ancestor(exp.Window) is None
    ]


class Parts:
    """Keys first, then aggregates, named $P0, $P1, ..."""

    def __init__(self, select: exp.Select) -> None:
        keys = {key.sql(): key.copy() for key in group_keys(select)}
        found = {node.sql(): node.copy() for node in aggregates(select)}
        self._keys, self._aggregates = list(keys.values()), list(found.values())

    def projections(self, keys: Sequence[exp.Expr] | None = None) -> list[exp.Expr]:
        """As a select list; `keys` are what stands for the keys where they were computed before
        (IPROC(), say, depends on the table they were read from)."""
        keys = [key.copy() for key in (self._keys if keys is None else keys)]
        parts: list[exp.Expr] = [*keys, *(node.copy() for node in self._aggregates)]
        return [exp.alias_(part, f"$P{n}", quoted=True) for n, part in enumerate(parts)]

    def replace_in(self, select: exp.Select, table: str) -> None:
        """Wherever the SELECT uses a key or aggregate, it then reads the table's column."""
        parts = [*self._keys, *self._aggregates]
        texts = {part.sql(): f"$P{n}" for n, part in enumerate(parts)}

        def change(node: exp.Expr) -> exp.Expr | None:
            name = None if isinstance(node, exp.Alias) else texts.get(node.sql())
            return exp.column(name, table=table, quoted=True) if name else None

        substitute(select, change)
