"""Evaluates calls of scripts in a statement: the innermost SELECT first."""

from __future__ import annotations

from sqlglot import exp

from .errors import unsupported
from .model import SqlError
from .scripts import Machines
from .udf_select import Evaluation
from .udf_tree import has_call, innermost
from .world import World


def evaluate(tree: exp.Expr, world: World, machines: Machines) -> exp.Expr:
    """The tree without calls of scripts. Raises SqlError, 0A000 where a call cannot be."""
    if not has_call(tree):
        return tree
    _inline_ctes(tree, world, machines)
    while (select := innermost(tree)) is not None:
        # A SELECT is evaluated apart from the rest: the order it gives may stay where a query
        # may be ordered, and what refers to the outside is not found.
        orders = select is tree or isinstance(select.parent, exp.Subquery)
        new = _evaluated(select, world, machines, orders)
        if select is tree:
            return new
        select.replace(new)
    if has_call(tree):
        raise unsupported("a script's call outside a SELECT")
    return tree


def _evaluated(select: exp.Select, world: World, machines: Machines, orders: bool) -> exp.Select:
    try:
        return Evaluation(select.copy(), world, machines, orders).run()
    except SqlError as error:
        if error.sql_code == "42000" and " not found" in error.text and _may_refer_out(select):
            raise unsupported(
                f"a script's call in a subquery that uses the query around it ({error.text})"
            ) from error
        raise


def _may_refer_out(select: exp.Select) -> bool:
    """Whether it stands in an expression of another SELECT, not in its FROM."""
    at: exp.Expr = select
    while at.parent is not None and not isinstance(at.parent, exp.Select):
        at = at.parent
        if isinstance(at, (exp.From, exp.Join, exp.CTE)):
            return False
    return at.parent is not None


def _inline_ctes(tree: exp.Expr, world: World, machines: Machines) -> None:
    """WITH queries are evaluated once, then stand where their names stood."""
    for owner in list(tree.find_all(exp.Query)):
        with_ = owner.args.get("with_")
        if with_ is None:
            continue
        if with_.args.get("recursive"):
            raise unsupported("scripts beside WITH RECURSIVE")
        for cte in list(with_.expressions):
            _put_in_place(owner, cte, evaluate(cte.this, world, machines))
        owner.set("with_", None)


def _put_in_place(owner: exp.Expr, cte: exp.CTE, body: exp.Expr) -> None:
    columns = cte.args["alias"].columns
    for table in list(owner.find_all(exp.Table)):
        if table.db or table.name != cte.alias:
            continue
        alias = exp.TableAlias(
            this=exp.to_identifier(table.alias or table.name, quoted=True),
            columns=[column.copy() for column in columns],
        )
        subquery = exp.Subquery(this=body.copy(), alias=alias)
        if table.args.get("joins"):
            subquery.set("joins", table.args["joins"])
        table.replace(subquery)
