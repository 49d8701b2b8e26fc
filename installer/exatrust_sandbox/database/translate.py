"""Exasol's expressions in DuckDB's SQL.

The empty string is NULL: it cannot come out of a function, and NULL in a concatenation counts as
nothing. Functions that are not known here are refused.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp
from sqlglot.errors import ErrorLevel, UnsupportedError

from .errors import TOO_LONG, unsupported
from .functions import check_functions, date_difference
from .names import physical, schema_of
from .rewrite import IPROC, SCRIPT, SERIES
from .system_tables import LOAD_COLUMN
from .temporary import SCHEMA as TEMP
from .world import World

_MAY_BE_EMPTY = (
    exp.Trim, exp.Replace, exp.Substring, exp.Left, exp.Right, exp.RegexpReplace,
    exp.RegexpExtract, exp.Concat, exp.GroupConcat, exp.Pad, exp.Repeat, exp.Translate,
)  # fmt: skip
# Functions which sqlglot leaves as they are, and DuckDB's name of each.
_RENAMED = {
    "LTRIM": "LTRIM", "RTRIM": "RTRIM", "REVERSE": "REVERSE", "ASCII": "ASCII", "CHR": "CHR",
    "ADD_SECONDS": "", "ADD_MINUTES": "", "ADD_HOURS": "", "SIGN": "SIGN", "GREATEST": "GREATEST",
    "LEAST": "LEAST", "OCTET_LENGTH": "STRLEN", "CHARACTER_LENGTH": "LENGTH", "MEDIAN": "MEDIAN",
    "UNICODECHR": "CHR", "TO_CHAR": "", "TO_NUMBER": "", "TO_DATE": "", "TO_TIMESTAMP": "",
    "NULLIFZERO": "", "ZEROIFNULL": "", "POSIX_TIME": "", "FROM_POSIX_TIME": "",
    "HASH_SHA256": "SHA256", "HASHTYPE_SHA256": "SHA256", "HASH_MD5": "MD5", "HASH_SHA1": "SHA1",
}  # fmt: skip


def to_duckdb(tree: exp.Expr, world: World) -> str:
    """The text for DuckDB; raises SqlError 0A000 for what has no counterpart."""
    check_functions(tree)
    copy = tree.copy()
    for node in reversed(list(copy.walk(bfs=False))):  # arguments before what uses them
        new = _translated(node, world)
        if new is not node:
            node.replace(new)
    for function in _MAY_BE_EMPTY:
        for node in list(copy.find_all(function)):
            _null_if_empty(node)
    for cast in list(copy.find_all(exp.Cast)):
        _refuse_too_long(cast)
    for identifier in copy.find_all(exp.Identifier):
        identifier.set("this", physical(identifier.name))
        identifier.set("quoted", True)
    for table in copy.find_all(exp.Table):
        if table.db:
            db = "temp" if table.db == TEMP else schema_of(table.db)
            table.set("db", exp.to_identifier(db, quoted=True))
    try:
        return copy.sql(dialect="duckdb", unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise unsupported(str(error).splitlines()[0]) from error


def _null_if_empty(node: exp.Expr) -> None:
    if not (isinstance(node.parent, exp.Nullif) and node.arg_key == "this"):
        outer = node.parent if isinstance(node.parent, (exp.WithinGroup, exp.Window)) else node
        outer.replace(exp.Nullif(this=outer.copy(), expression=exp.Literal.string("")))


def _refuse_too_long(cast: exp.Cast) -> None:
    """Exasol's casts to texts of a length do not cut; DuckDB's ignore the length."""
    size = cast.to.find(exp.DataTypeParam)
    if not cast.to.is_type("varchar", "char") or size is None:
        return
    text = exp.cast(cast.this.copy(), "VARCHAR")
    too_long = exp.GT(this=exp.Length(this=text), expression=size.this.copy())
    error = exp.Anonymous(this="ERROR", expressions=[exp.Literal.string(f"[exasol]{TOO_LONG}")])
    cast.replace(exp.Case(ifs=[exp.If(this=too_long, true=error)], default=text.copy()))


def _translated(node: exp.Expr, world: World) -> exp.Expr:
    if isinstance(node, exp.DPipe):
        parts = [part.copy() for part in node.flatten()]
        return exp.Nullif(
            this=exp.Anonymous(this="CONCAT", expressions=parts), expression=exp.Literal.string("")
        )
    if isinstance(node, (exp.ToChar, exp.TimeToStr)):
        return _to_char(node)
    if isinstance(node, exp.DateDiff):
        return date_difference(node)
    if isinstance(node, exp.Except) and not node.args.get("distinct"):
        raise unsupported("EXCEPT ALL")
    if isinstance(node, exp.Anonymous):
        return _function(node, world)
    return node


def _to_char(node: exp.ToChar | exp.TimeToStr) -> exp.Expr:
    pattern = node.args.get("format")
    if pattern is None:
        return exp.Cast(this=node.this.copy(), to=exp.DataType.build("VARCHAR"))
    if not isinstance(pattern, exp.Literal):
        raise unsupported("TO_CHAR with a format that is not a literal")
    return exp.Anonymous(
        this="STRFTIME", expressions=[node.this.copy(), exp.Literal.string(_pattern(pattern.name))]
    )


_PARTS = {
    "YYYY": "%Y", "MM": "%m", "DD": "%d", "HH24": "%H", "HH12": "%I", "MI": "%M", "SS": "%S",
    "FF6": "%f", "FF3": "%g", "%Y": "%Y", "%m": "%m", "%d": "%d", "%H": "%H", "%M": "%M",
    "%S": "%S", "%I": "%I", "%f": "%f", "%H24": "%H", "%H12": "%I",
}  # fmt: skip


def _pattern(text: str) -> str:
    result, rest = "", text
    while rest:
        part = next((p for p in sorted(_PARTS, key=len, reverse=True) if rest.startswith(p)), None)
        if part is None and rest[0].isalnum():
            raise unsupported(f"the format element {rest!r} of TO_CHAR")
        result += _PARTS[part] if part else rest[0]
        rest = rest[len(part or rest[0]) :]
    return result


def _function(node: exp.Anonymous, world: World) -> exp.Expr:
    name = node.name
    if name.startswith(SCRIPT):
        raise unsupported("a script's call at this place")
    if name == SERIES:
        return _series(node)
    if name == IPROC:
        return _iproc(node, world)
    key = name.upper()
    special = _SPECIAL.get(key)
    if special is not None:
        return special([argument.copy() for argument in node.expressions])
    if not _RENAMED.get(key):
        if key in ("CONCAT", "STRFTIME", "SHA256", "MD5", "SHA1"):
            return node
        raise unsupported(f"the function {name}")
    return exp.Anonymous(this=_RENAMED[key], expressions=node.expressions)


def _series(node: exp.Anonymous) -> exp.Expr:
    bounds = [exp.cast(argument.copy(), "BIGINT") for argument in node.expressions]
    series = exp.Anonymous(this="GENERATE_SERIES", expressions=bounds)
    return exp.cast(exp.Anonymous(this="UNNEST", expressions=[series]), "DECIMAL(18,0)")


def _iproc(node: exp.Anonymous, world: World) -> exp.Expr:
    """The node of a row: known for stored tables and EXA_LOADAVG, and without a table."""
    select = node.find_ancestor(exp.Select)
    source = select.args.get("from_") if select is not None else None
    if source is None:
        return exp.Literal.number(0)
    table = source.this
    if not isinstance(table, exp.Table):
        raise unsupported("IPROC() over anything but a table")
    alias = table.alias_or_name
    if table.db == TEMP:
        names = [column.name for column in world.temporaries.columns[table.name]]
        if LOAD_COLUMN in names and "LAST_1MIN" in names:
            return exp.column(LOAD_COLUMN, table=alias, quoted=True)
        raise unsupported("IPROC() over this table")
    # DuckDB's number of a row: spread like a distribution key would.
    rowid = exp.column("ROWID", table=alias)
    nodes = exp.Literal.number(world.cluster.nodes)
    return exp.Mod(this=exp.cast(rowid, "BIGINT"), expression=nodes)


def _call(name: str) -> Callable[[list[exp.Expr]], exp.Expr]:
    return lambda arguments: exp.Anonymous(this=name, expressions=arguments)


def _to_number(arguments: list[exp.Expr]) -> exp.Expr:
    if len(arguments) != 1:
        raise unsupported("TO_NUMBER with a format")
    return exp.cast(arguments[0], "DECIMAL(36,10)")


def _zero_if_null(arguments: list[exp.Expr]) -> exp.Expr:
    return exp.Coalesce(this=arguments[0], expressions=[exp.Literal.number(0)])


def _null_if_zero(arguments: list[exp.Expr]) -> exp.Expr:
    return exp.Nullif(this=arguments[0], expression=exp.Literal.number(0))


def _to_posix(arguments: list[exp.Expr]) -> exp.Expr:
    return exp.Anonymous(this="EPOCH", expressions=[exp.cast(arguments[0], "TIMESTAMP")])


_SPECIAL: dict[str, Callable[[list[exp.Expr]], exp.Expr]] = {
    "TO_NUMBER": _to_number,
    "ZEROIFNULL": _zero_if_null,
    "NULLIFZERO": _null_if_zero,
    "POSIX_TIME": _to_posix,
}
