"""Calls of scripts in a tree: finding them, reading their parts, replacing columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from .catalog import CatalogObject, columns_from_json
from .errors import unsupported
from .model import SqlError
from .rewrite import DESCENDING, EMITS, ORDER, SCRIPT
from .script_ddl import parse_columns
from .statements import ColumnDef
from .types import duckdb_type
from .world import World

EMITTED = "$EMITTED:"


@dataclass(frozen=True)
class Call:
    """A script's call: its arguments, ORDER BY inside as (expression, descending), and output."""

    node: exp.Anonymous
    script: CatalogObject
    arguments: tuple[exp.Expr, ...]
    order: tuple[tuple[exp.Expr, bool], ...]
    inputs: tuple[ColumnDef, ...] | None
    outputs: tuple[ColumnDef, ...]

    @property
    def is_set(self) -> bool:
        return bool(self.script.detail["input_type"] == "SET")

    @property
    def emits(self) -> bool:
        return bool(self.script.detail["output_type"] == "EMITS")


def is_call(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.startswith(SCRIPT)


def has_call(tree: exp.Expr) -> bool:
    return any(is_call(node) for node in tree.find_all(exp.Anonymous))


def own_calls(select: exp.Select) -> list[exp.Anonymous]:
    """The calls that belong to this SELECT and not to one inside it."""
    return [
        node
        for node in select.find_all(exp.Anonymous)
        if is_call(node) and node.find_ancestor(exp.Select) is select
    ]


def innermost(tree: exp.Expr) -> exp.Select | None:
    """A SELECT with calls of its own, and none in the queries inside it."""
    for select in tree.find_all(exp.Select):
        calls = [node for node in select.find_all(exp.Anonymous) if is_call(node)]
        if calls and all(node.find_ancestor(exp.Select) is select for node in calls):
            return select
    return None


def read_call(node: exp.Anonymous, world: World) -> Call:
    """Raises SqlError for a wrong number of arguments, or EMITS where it cannot be."""
    script = next(
        item
        for item in world.objects.values()
        if f"{item.schema}.{item.name}" == node.name.removeprefix(SCRIPT)
    )
    arguments, order, emitted = [], [], None
    for argument in node.expressions:
        if isinstance(argument, exp.Literal) and argument.name.startswith(EMITS):
            emitted = parse_columns(argument.name.removeprefix(EMITS))
        elif isinstance(argument, exp.Anonymous) and argument.name == ORDER:
            order = _order(argument)
        else:
            arguments.append(argument)
    if order and script.detail["input_type"] != "SET":
        raise SqlError("ORDER BY is only allowed in calls of SET scripts")
    inputs = inputs_of(script)
    if inputs is not None and len(inputs) != len(arguments):
        raise SqlError(
            f"wrong number of parameters for script {script.schema}.{script.name}"
            f" (expected {len(inputs)}, got {len(arguments)})"
        )
    return Call(node, script, tuple(arguments), tuple(order), inputs, _outputs(script, emitted))


def inputs_of(script: CatalogObject) -> tuple[ColumnDef, ...] | None:
    """The declared parameters; None for `(...)`."""
    text = script.detail["inputs"]
    return None if text is None else columns_from_json(text)


def cast_arguments(call: Call) -> list[exp.Expr]:
    """The arguments in the types that the script declares."""
    if call.inputs is None:
        return list(call.arguments)
    return [
        exp.cast(argument.copy(), duckdb_type(column.type))
        for argument, column in zip(call.arguments, call.inputs, strict=True)
    ]


def is_marked(node: exp.Expr) -> bool:
    """Whether a call stands as a column of the select list, where EMITS is allowed."""
    parent = node.parent
    return isinstance(parent, exp.Anonymous) and parent.name.startswith(EMITTED)


def _order(node: exp.Anonymous) -> list[tuple[exp.Expr, bool]]:
    order: list[tuple[exp.Expr, bool]] = []
    for part in node.expressions:
        if isinstance(part, exp.Literal) and part.name == DESCENDING:
            order[-1] = (order[-1][0], True)
        else:
            order.append((part, False))
    return order


def _outputs(script: CatalogObject, emitted: tuple[ColumnDef, ...] | None) -> tuple[ColumnDef, ...]:
    declared: tuple[ColumnDef, ...] | None = script.columns or None
    if declared is None and emitted is None:
        raise SqlError(
            f"The script {script.schema}.{script.name} has dynamic return arguments: "
            "specify them with EMITS (...) behind the call"
        )
    if declared is not None and emitted is not None:
        raise SqlError(f"the return arguments of {script.name} are already specified")
    return declared or emitted or ()


def expand_emits(select: exp.Select, world: World) -> Call | None:
    """The call of an EMITS script becomes one projection for each column it emits."""
    projections: list[exp.Expr] = []
    found: Call | None = None
    for projection in select.selects:
        node = projection.unalias()
        call = read_call(node, world) if isinstance(node, exp.Anonymous) and is_call(node) else None
        if call is None or not call.emits:
            projections.append(projection)
            continue
        if found is not None:
            raise SqlError("only one EMITS script is allowed in a select list")
        if isinstance(projection, exp.Alias) and len(call.outputs) > 1:
            raise SqlError("a script that emits several columns cannot be renamed as one")
        found = call
        projections += _emitted_columns(projection, call)
    select.set("expressions", projections)
    return found


def _emitted_columns(projection: exp.Expr, call: Call) -> Iterator[exp.Expr]:
    for number, column in enumerate(call.outputs):
        name = projection.alias if isinstance(projection, exp.Alias) else column.name
        inner = [call.node.copy()] if number == 0 else []
        marked = exp.Anonymous(
            this=exp.to_identifier(f"{EMITTED}{column.name}", quoted=True), expressions=inner
        )
        yield exp.alias_(marked, name, quoted=True)


def sources(select: exp.Select) -> set[str]:
    """The names by which a SELECT's own tables are known."""
    nodes = [select.args.get("from_"), *select.args.get("joins", [])]
    return {node.this.alias_or_name for node in nodes if node is not None}


def outside_from(select: exp.Select) -> Iterator[exp.Expr]:
    """Every clause of a SELECT except FROM and joins."""
    for key, value in list(select.args.items()):
        if key in ("from_", "joins", "with_"):
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, exp.Expr):
                yield item


def own_columns(select: exp.Select) -> list[exp.Column]:
    """All uses of the SELECT's own tables outside FROM, inside subqueries too."""
    names = sources(select)
    return [
        column
        for clause in outside_from(select)
        for column in clause.find_all(exp.Column)
        if column.table in names and not _shadowed(column, select)
    ]


def _shadowed(column: exp.Column, select: exp.Select) -> bool:
    inner = column.find_ancestor(exp.Select)
    while inner is not None and inner is not select:
        if column.table in sources(inner):
            return True
        inner = inner.find_ancestor(exp.Select)
    return False


def substitute(select: exp.Select, change: Callable[[exp.Expr], exp.Expr | None]) -> None:
    """Replaces nodes outside FROM, the outermost that `change` knows first."""
    for clause in list(outside_from(select)):
        clause.replace(_changed(clause, change))


def _changed(node: exp.Expr, change: Callable[[exp.Expr], exp.Expr | None]) -> exp.Expr:
    return node.transform(lambda inner: change(inner) or inner, copy=False)


def refuse_odd_places(select: exp.Select, nodes: list[exp.Anonymous]) -> None:
    """Calls in HAVING, JOIN ON and window functions are refused rather than guessed."""
    for node in nodes:
        for place, what in (
            (exp.Having, "HAVING"), (exp.Join, "JOIN ... ON"), (exp.Window, "a window function"),
            (exp.Limit, "LIMIT"), (exp.Qualify, "QUALIFY"),
        ):  # fmt: skip
            ancestor = node.find_ancestor(place)
            if ancestor is not None and ancestor.find_ancestor(exp.Select) is select:
                raise unsupported(f"a script's call in {what}")
