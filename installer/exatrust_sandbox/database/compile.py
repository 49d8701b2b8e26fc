"""From a resolved tree to DuckDB's SQL and the result's columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from .errors import not_found, unsupported
from .model import DataType, ResultColumn, SqlError
from .temporary import SCHEMA as TEMP
from .temporary import UNKNOWN
from .translate import to_duckdb
from .types import parse_type
from .world import World


@dataclass(frozen=True)
class Compiled:
    """`columns` have the type UNKNOWN where only DuckDB can tell."""

    sql: str
    columns: tuple[ResultColumn, ...]


def schema_of(tree: exp.Expr, world: World) -> MappingSchema:
    """The columns of every table in the tree."""
    tables: dict[str, dict[str, dict[str, str]]] = {}
    for table in tree.find_all(exp.Table):
        columns: dict[str, str] = {}
        if table.db == TEMP:
            columns = {c.name: _type_text(c.type) for c in world.temporaries.columns[table.name]}
        elif (found := world.objects.get((table.db, table.name))) is not None:
            columns = {c.name: _type_text(c.type) for c in found.columns}
        if columns:
            tables.setdefault(table.db, {})[table.name] = columns
    return MappingSchema(dict[str, object](tables), dialect="exasol", normalize=False)


def _type_text(kind: DataType) -> str:
    if kind.name in ("VARCHAR", "CHAR"):
        return f"{kind.name}({kind.size})"
    if kind.name == "HASHTYPE":
        return f"VARCHAR({kind.size})"
    if kind.name.startswith("TIMESTAMP"):
        return "TIMESTAMP"
    return "VARCHAR" if kind.name == "?" else kind.display()


def qualified(tree: exp.Expr, world: World) -> exp.Expr:
    """With every column bound to its table and stars expanded; raises SqlError for unknown ones."""
    try:
        return qualify(
            tree,
            dialect="exasol",
            schema=schema_of(tree, world),
            quote_identifiers=True,
            validate_qualify_columns=True,
        )
    except SqlglotError as error:
        raise _unknown(str(error), world) from error


def _unknown(text: str, world: World) -> SqlError:
    match = re.search(r"[Cc]olumn '?\"?([^'\"]+?)\"?'? could not be resolved", text)
    if match is None:
        match = re.search(r"Unknown column: (\S+)", text)
    if match is not None:
        name = match[1].split(".")[-1].strip('"')
        return not_found("object", match[1].replace('"', ""), *world.place(name))
    if "mbiguous" in text:
        return SqlError(f"ambiguous column ({text.splitlines()[0]})")
    return SqlError(text.splitlines()[0])


def compile_query(tree: exp.Expr, world: World) -> Compiled:
    """The tree must hold no calls of scripts any more."""
    tree = qualified(tree, world)
    if not isinstance(tree, exp.Query):
        raise unsupported(f"{type(tree).__name__} as a query")
    _refuse_equal_names(tree)
    annotated = annotate_types(tree.copy(), schema=schema_of(tree, world), dialect="exasol")
    assert isinstance(annotated, exp.Query)
    _note_kinds(tree, annotated)
    _keep_dates(tree, annotated)
    columns = tuple(
        ResultColumn(_name(select, number), _known_type(select))
        for number, select in enumerate(annotated.selects, 1)
    )
    return Compiled(to_duckdb(tree, world), columns)


def note_kinds(tree: exp.Expr, world: World) -> None:
    """As far as types show in a tree that is not qualified: of literals, casts, subqueries."""
    annotated = annotate_types(tree.copy(), schema=schema_of(tree, world), dialect="exasol")
    _note_kinds(tree, annotated)


def _note_kinds(tree: exp.Expr, annotated: exp.Expr) -> None:
    """Every node keeps the type that was found for it, for its translation."""
    for node, typed in zip(tree.walk(), annotated.walk(), strict=True):
        if typed.type is not None:
            node.meta["kind"] = typed.type
        if isinstance(typed, (exp.Column, exp.Cast)) and typed.is_type("char"):
            _refuse_unpadded(typed)


def _refuse_unpadded(node: exp.Expr) -> None:
    """A CHAR is padded with blanks; here that happens when it leaves the database, not before."""
    outer = node.parent
    while isinstance(outer, (exp.Paren, exp.Alias, exp.Ordered, exp.Tuple)):
        outer = outer.parent
    if not isinstance(outer, (exp.Select, exp.Order, exp.Group, exp.SetOperation)):
        raise unsupported("a CHAR inside an expression, where it is padded with blanks")


def _refuse_equal_names(tree: exp.Query) -> None:
    """Columns of a subquery can be told apart by name alone."""
    for query in tree.find_all(exp.Select):
        names, parent = query.named_selects, query.parent
        is_table = isinstance(parent, exp.CTE) or (
            isinstance(parent, exp.Subquery) and isinstance(parent.parent, (exp.From, exp.Join))
        )
        if is_table and len(set(names)) < len(names):
            raise unsupported("a subquery with equal column names")


def _keep_dates(tree: exp.Expr, annotated: exp.Expr) -> None:
    """A DATE plus days or months is a DATE in Exasol, a timestamp in DuckDB."""
    for node, typed in list(
        zip(tree.find_all(exp.DateAdd), annotated.find_all(exp.DateAdd), strict=True)
    ):
        unit = typed.text("unit").upper() or "DAY"
        if typed.this.is_type("date") and unit in ("DAY", "WEEK", "MONTH", "YEAR"):
            node.replace(exp.cast(node.copy(), "DATE"))
            typed.replace(exp.cast(typed.copy(), "DATE"))


def _name(select: exp.Expr, number: int) -> str:
    name = select.alias_or_name
    return f"COL{number}" if not name or re.fullmatch(r"_col_\d+", name) else name


def _known_type(select: exp.Expr) -> DataType:
    """What a column or a cast says of itself; the length of other texts is not known."""
    inner: Any = select.unalias()
    while isinstance(inner, exp.Paren):
        inner = inner.this
    if not isinstance(inner, (exp.Column, exp.Cast)) or inner.type is None:
        return UNKNOWN
    text = inner.type.sql("exasol")
    if text.startswith(("VARCHAR(", "CHAR(", "DECIMAL(")) or text in ("DATE", "BOOLEAN"):
        return parse_type(text)
    return UNKNOWN
