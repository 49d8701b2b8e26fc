"""Exasol's expressions in DuckDB's SQL.

The empty string is NULL: it cannot come out of a function, and NULL in a concatenation counts as
nothing. Functions that are not known here are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp
from sqlglot.errors import ErrorLevel, UnsupportedError

from .errors import TOO_LONG, unsupported
from .functions import check_functions, date_difference
from .macros import FIND, KNOWN, as_text, call, guarded_divisor
from .moments import convert_zone, shifted, to_char, to_moment, truncated
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
        if cast.to.is_type("timestampltz"):
            cast.set("to", exp.DataType.build("TIMESTAMP"))
    for identifier in copy.find_all(exp.Identifier):
        identifier.set("this", physical(identifier.name))
        identifier.set("quoted", True)
    for table in copy.find_all(exp.Table):
        if table.db:
            db = "temp" if table.db == TEMP else schema_of(table.db)
            table.set("db", exp.to_identifier(db, quoted=True))
    try:
        return copy.sql(dialect="duckdb", unsupported_level=ErrorLevel.RAISE, copy=False)
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
    text = as_text(cast.this)
    too_long = exp.GT(this=exp.Length(this=text), expression=size.this.copy())
    error = exp.Anonymous(
        this="ERROR", expressions=[exp.Literal.string(f"[exasol:22001]{TOO_LONG}")]
    )
    cast.replace(exp.Case(ifs=[exp.If(this=too_long, true=error)], default=text.copy()))


def _translated(node: exp.Expr, world: World) -> exp.Expr:
    if isinstance(node, exp.DPipe):
        return node if isinstance(node.parent, exp.DPipe) else _joined(list(node.flatten()))
    if isinstance(node, exp.ConvertTimezone):
        return convert_zone(node, world.parameter("TIME_ZONE"))
    if isinstance(node, exp.Except) and not node.args.get("distinct"):
        raise unsupported("EXCEPT ALL")
    if isinstance(node, exp.Anonymous):
        return _function(node, world)
    translate = _BY_TYPE.get(type(node))
    return node if translate is None else translate(node)


def _joined(parts: list[exp.Expr]) -> exp.Expr:
    """A concatenation, in which NULL counts as nothing."""
    texts = [as_text(part) for part in parts]
    return exp.Nullif(this=call("CONCAT", *texts), expression=exp.Literal.string(""))


def _divided(node: exp.Expr) -> exp.Expr:
    node.set("expression", guarded_divisor(node.expression))
    return node


def _found(node: exp.StrPosition) -> exp.Expr:
    """INSTR, LOCATE, POSITION."""
    start, number = node.args.get("position"), node.args.get("occurrence")
    if start is None and number is None:
        return node
    one = exp.Literal.number(1)
    return call(FIND, node.this, node.args["substr"], start or one, number or one)


def _with_counted_occurrence(node: exp.RegexpExtract) -> exp.Expr:
    """REGEXP_SUBSTR; an occurrence that a column gives is a DECIMAL, DuckDB wants an integer."""
    occurrence = node.args.get("occurrence")
    if occurrence is not None and not isinstance(occurrence, exp.Literal):
        node.set("occurrence", exp.cast(occurrence.copy(), "BIGINT"))
    return node


def _counted(node: exp.Count) -> exp.Expr:
    inner = node.this.expressions if isinstance(node.this, exp.Distinct) else [node.this]
    if len(inner) > 1 or any(isinstance(item, exp.Tuple) for item in inner):
        # Tuples with NULL in them count otherwise in DuckDB.
        raise unsupported("COUNT of several columns")
    return node


def _listed(node: exp.GroupConcat) -> exp.Expr:
    if isinstance(node.args.get("separator"), (exp.Null, type(None))):
        raise unsupported("LISTAGG without a delimiter, and GROUP_CONCAT without SEPARATOR")
    value = node.this
    while isinstance(value, (exp.Order, exp.Distinct)):
        value = value.this if isinstance(value, exp.Order) else value.expressions[0]
    value.replace(as_text(value))
    return node


def _greatest(node: exp.Expr) -> exp.Expr:
    for argument in [node.this, *node.expressions]:
        argument.replace(call(KNOWN, argument))
    return node


def _padded(node: exp.Pad) -> exp.Expr:
    node.set("this", as_text(node.this))
    return node


def _median(node: exp.Median) -> exp.Expr:
    # DuckDB keeps the scale of a DECIMAL, and so cuts the mean of two. The type is *inferred*.
    node.set("this", exp.cast(node.this.copy(), "DOUBLE"))
    return node


_BY_TYPE: dict[type[exp.Expr], Callable[[Any], exp.Expr]] = {
    exp.ToChar: to_char,
    exp.TimeToStr: to_char,
    exp.TsOrDsToDate: lambda node: to_moment(node.this, node.args.get("format"), "DATE"),
    exp.DateTrunc: lambda node: truncated(node.this, node.args["unit"].name),
    exp.TimestampTrunc: lambda node: truncated(node.this, node.args["unit"].name),
    exp.DateDiff: date_difference,
    exp.Add: shifted,
    exp.Sub: shifted,
    exp.Div: _divided,
    exp.IntDiv: _divided,
    exp.Mod: _divided,
    exp.StrPosition: _found,
    exp.RegexpExtract: _with_counted_occurrence,
    exp.Count: _counted,
    exp.GroupConcat: _listed,
    exp.Greatest: _greatest,
    exp.Least: _greatest,
    exp.Pad: _padded,
    exp.Median: _median,
    exp.Concat: lambda node: _joined(node.expressions),
}


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


def _zero_if_null(arguments: list[exp.Expr]) -> exp.Expr:
    return exp.Coalesce(this=arguments[0], expressions=[exp.Literal.number(0)])


def _null_if_zero(arguments: list[exp.Expr]) -> exp.Expr:
    return exp.Nullif(this=arguments[0], expression=exp.Literal.number(0))


def _first(arguments: list[exp.Expr]) -> exp.Expr | None:
    return arguments[0] if arguments else None


def _to_posix(arguments: list[exp.Expr]) -> exp.Expr:
    return exp.Anonymous(this="EPOCH", expressions=[exp.cast(arguments[0], "TIMESTAMP")])


_SPECIAL: dict[str, Callable[[list[exp.Expr]], exp.Expr]] = {
    "ZEROIFNULL": _zero_if_null,
    "NULLIFZERO": _null_if_zero,
    "POSIX_TIME": _to_posix,
    "TO_TIMESTAMP": lambda given: to_moment(given[0], _first(given[1:]), "TIMESTAMP"),
    "TRUNC": lambda given: truncated(given[0], None),
    "MID": lambda given: exp.Substring(this=given[0], start=given[1], length=_first(given[2:])),
}
