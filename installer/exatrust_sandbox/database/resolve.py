"""From the text of a query to a tree whose tables are real: views expanded, system tables made."""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.dialects.exasol import Exasol
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers

from .catalog import CatalogObject
from .errors import not_found, syntax_error, unsupported
from .labels import label_columns
from .lexer import tokenize
from .model import SqlError
from .names import RESERVED, dotted
from .rewrite import SCRIPT, rewrite
from .system_tables import system_table
from .temporary import SCHEMA as TEMP
from .world import World

_DEPTH = 40


class _Exasol(Exasol):
    """NULL counts as the largest value: last in ascending order, first in descending order."""

    NULL_ORDERING = "nulls_are_large"


# Clauses that sqlglot reads but that mean nothing, or something else, to DuckDB.
_REFUSED: dict[type[exp.Expr], str] = {
    exp.Connect: "CONNECT BY", exp.Lock: "FOR UPDATE", exp.TableSample: "TABLESAMPLE",
    exp.Pivot: "PIVOT and UNPIVOT", exp.MatchRecognize: "MATCH_RECOGNIZE", exp.Lateral: "LATERAL",
}  # fmt: skip
_WORDS_AS_COLUMNS = frozenset({"ROWNUM", "LEVEL", "VALUE", "TRUE", "FALSE"})


def parse(text: str, world: World, schema: str, user: str, depth: int = 0) -> exp.Expr:
    """The tree of a query or DML statement with the names of tables resolved in `schema` and with
    the rights of `user`. Raises SqlError."""
    if depth > _DEPTH:
        raise SqlError("view definitions are nested too deeply or refer to themselves")

    def script(named: str | None, name: str) -> str | None:
        found = world.find(named, name, schema)
        if found is None or found.kind != "SCRIPT" or found.detail.get("type") == "ADAPTER":
            return None
        world.rights_of(user).need("EXECUTE", found)
        return dotted(found.schema, found.name)

    tree = _tree(rewrite(text, script, world.words))
    _check_clauses(tree)
    _check_words(tree, text)
    if depth == 0:
        label_columns(tree, text, _emitting(world))
    tree = normalize_identifiers(tree, dialect="exasol")
    for column in tree.find_all(exp.Column):
        column.set("db", None)
    for table in list(tree.find_all(exp.Table)):
        _resolve(table, world, schema, user, depth)
    return tree


def _emitting(world: World) -> frozenset[str]:
    """Names of calls that stand for as many columns as the script emits."""
    return frozenset(
        f"{SCRIPT}{dotted(*key)}"
        for key, item in world.objects.items()
        if item.kind == "SCRIPT" and item.detail["output_type"] == "EMITS"
    )


def _tree(text: str) -> exp.Expr:
    try:
        tree = sqlglot.parse_one(text, read=_Exasol)
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        what = str(first.get("highlight") or first.get("description") or "token")
        raise syntax_error(f"'{what}'", first.get("line", 1), first.get("col", 1)) from error
    except SqlglotError as error:
        raise SqlError(f"syntax error ({str(error).splitlines()[0]})") from error
    if isinstance(tree, exp.Command):
        raise unsupported(f"the statement {tree.name}")
    return tree


def _check_clauses(tree: exp.Expr) -> None:
    for node in tree.walk():
        what = _REFUSED.get(type(node))
        if what is not None:
            raise unsupported(what)
        if isinstance(node, exp.Distinct) and node.args.get("on"):
            raise unsupported("DISTINCT ON")
        if isinstance(node, (exp.NullSafeEQ, exp.NullSafeNEQ)):
            raise SqlError("syntax error, unexpected DISTINCT_: there is no IS DISTINCT FROM")
        if isinstance(node, exp.Star) and any(node.args.values()):
            raise unsupported("* with exceptions")
        if isinstance(node, exp.Identifier) and not node.args.get("quoted"):
            _check_pseudocolumn(node)


def _check_pseudocolumn(name: exp.Identifier) -> None:
    if isinstance(name.parent, exp.Column) and name.name.upper() in ("ROWNUM", "ROWID"):
        raise unsupported(name.name.upper())


def _check_words(tree: exp.Expr, text: str) -> None:
    """Exasol's reserved words are no names unless quoted; sqlglot is more generous."""
    for identifier in tree.find_all(exp.Identifier):
        name = identifier.name.upper()
        if identifier.args.get("quoted") or name not in RESERVED or name in _WORDS_AS_COLUMNS:
            continue
        for token in tokenize(text):
            if token.is_word(name):
                raise SqlError(
                    f"syntax error, unexpected {name}_ (a reserved word must be quoted as a name)"
                )


def _resolve(table: exp.Table, world: World, schema: str, user: str, depth: int) -> None:
    name, db = table.name, table.db
    if not isinstance(table.this, exp.Identifier):
        raise unsupported(f"the table function {table.sql('exasol')}")
    if not db and _is_cte(table, name):
        return
    if db in ("", "SYS", "EXA_STATISTICS") and (name.startswith("EXA_") or name == "DUAL"):
        made = system_table(name, world)
        if made is not None:
            _rename(table, TEMP, made)
            return
    found = world.find(db or None, name, schema)
    if found is not None and found.kind == "VIRTUAL":
        raise unsupported("queries of virtual tables")
    if found is None or found.kind not in ("TABLE", "VIEW"):
        written = dotted(db, name) if db else name
        raise not_found("object", written, *world.place(db or name))
    world.rights_of(user).need("SELECT" if not _is_target(table) else _verb(table), found)
    if found.kind == "VIEW":
        _expand(table, found, world, depth)
    else:
        _rename(table, found.schema, found.name)


def _is_cte(table: exp.Table, name: str) -> bool:
    """A WITH query is known behind its own definition only, unless it is recursive."""
    node: exp.Expr | None = table
    inside: exp.Expr | None = None
    while node is not None:
        if isinstance(node, exp.CTE):
            inside = node
        ctes = list(getattr(node, "ctes", ()))
        with_ = node.args.get("with_")
        if inside in ctes and with_ is not None and not with_.args.get("recursive"):
            ctes = ctes[: ctes.index(inside)]
        if any(cte.alias == name for cte in ctes):
            return True
        node = node.parent
    return False


def _is_target(table: exp.Table) -> bool:
    parent = table.parent.parent if isinstance(table.parent, exp.Schema) else table.parent
    return isinstance(parent, (exp.Insert, exp.Update, exp.Delete, exp.Merge)) and (
        table is parent.this or table.parent is parent.this
    )


def _verb(table: exp.Table) -> str:
    parent = table.parent.parent if isinstance(table.parent, exp.Schema) else table.parent
    if isinstance(parent, exp.Insert):
        return "INSERT"
    return "DELETE" if isinstance(parent, exp.Delete) else "UPDATE"


def _rename(table: exp.Table, schema: str, name: str) -> None:
    if not table.alias and not _is_target(table):
        table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))
    table.set("db", exp.to_identifier(schema, quoted=True))
    table.set("this", exp.to_identifier(name, quoted=True))


def _expand(table: exp.Table, view: CatalogObject, world: World, depth: int) -> None:
    """A view stands for its query, with its owner's rights."""
    if _is_target(table):
        raise SqlError(f"cannot change rows of view {view.name}")
    tree = parse(view.detail["query"], world, view.detail["scope"], view.owner, depth + 1)
    alias = exp.TableAlias(
        this=exp.to_identifier(table.alias or table.name, quoted=True),
        columns=[exp.to_identifier(column.name, quoted=True) for column in view.columns],
    )
    subquery = exp.Subquery(this=tree, alias=alias)
    for part in ("joins", "laterals", "pivots"):
        if table.args.get(part):
            subquery.set(part, table.args[part])
    table.replace(subquery)
