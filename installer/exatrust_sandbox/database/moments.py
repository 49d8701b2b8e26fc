"""Dates, times and time zones: Exasol's functions in DuckDB's."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from functools import cache

from sqlglot import exp

from .errors import unsupported
from .macros import as_text, call, kind_of
from .model import SqlError

DATABASE_ZONE = "EUROPE/BERLIN"  # of a database nobody configured, as documented
_DAY_MICROSECONDS = 86_400_000_000
_PARTS = {
    "YYYY": "%Y", "MM": "%m", "DD": "%d", "HH24": "%H", "HH12": "%I", "MI": "%M", "SS": "%S",
    "FF6": "%f", "FF3": "%g", "%Y": "%Y", "%m": "%m", "%d": "%d", "%H": "%H", "%M": "%M",
    "%S": "%S", "%I": "%I", "%f": "%f", "%H24": "%H", "%H12": "%I",
}  # fmt: skip
_UNITS = {
    **dict.fromkeys(("YYYY", "YYY", "YY", "Y", "YEAR", "SYYYY"), "year"),
    **dict.fromkeys(("MM", "MON", "MONTH", "RM"), "month"),
    **dict.fromkeys(("Q", "QUARTER"), "quarter"),
    **dict.fromkeys(("DD", "DDD", "J", "DAY"), "day"),
    **dict.fromkeys(("HH", "HH24", "HH12", "HOUR"), "hour"),
    **dict.fromkeys(("MI", "MINUTE"), "minute"),
    **dict.fromkeys(("SS", "SECOND"), "second"),
}  # fmt: skip


@cache
def _zones() -> dict[str, str]:
    return {name.upper(): name for name in zoneinfo.available_timezones()}


def zone(name: str) -> str:
    """A time zone by its name in any case; raises SqlError."""
    found = _zones().get(name.upper())
    if found is None:
        raise SqlError(f"data exception - unknown time zone '{name}'", "22009")
    return found


def local_time(moment: dt.datetime, name: str) -> dt.datetime:
    """A moment as clocks show it in a time zone, without the zone."""
    return moment.astimezone(zoneinfo.ZoneInfo(zone(name))).replace(tzinfo=None)


def convert_zone(node: exp.ConvertTimezone, session_zone: str) -> exp.Expr:
    """CONVERT_TZ. Times that do not exist are shifted, of two the one in winter time is taken:
    DuckDB does both as Exasol's default 'INVALID SHIFT AMBIGUOUS ST'."""
    source, target, moment = node.args["source_tz"], node.args["target_tz"], node.args["timestamp"]
    if not (isinstance(source, exp.Literal) and isinstance(target, exp.Literal)):
        raise unsupported("CONVERT_TZ with time zones that are not literals")
    if node.args.get("options"):
        raise unsupported("the options of CONVERT_TZ")
    kind = kind_of(moment)
    if (
        kind is not None
        and kind.is_type("timestampltz")
        and zone(source.name) != zone(session_zone)
    ):
        raise SqlError(
            "data exception - CONVERT_TZ of a TIMESTAMP WITH LOCAL TIME ZONE must start from the"
            f" session time zone {session_zone}", "22009"
        )  # fmt: skip
    there = call("TIMEZONE", exp.Literal.string(zone(source.name)), exp.cast(moment, "TIMESTAMP"))
    return call("TIMEZONE", exp.Literal.string(zone(target.name)), there)


def to_char(node: exp.ToChar | exp.TimeToStr) -> exp.Expr:
    pattern = node.args.get("format")
    if pattern is None:
        return as_text(node.this)
    if not isinstance(pattern, exp.Literal):
        raise unsupported("TO_CHAR with a format that is not a literal")
    if set(pattern.name) <= set("09.,DGSMI") and set(pattern.name) & set("09"):
        raise unsupported("TO_CHAR with the format of a number")
    return call("STRFTIME", node.this, exp.Literal.string(_pattern(pattern.name)))


def to_moment(text: exp.Expr, pattern: exp.Expr | None, kind: str) -> exp.Expr:
    """TO_DATE and TO_TIMESTAMP; without a format that of the session's parameters."""
    if pattern is None:
        return exp.cast(text.copy(), kind)
    if not isinstance(pattern, exp.Literal):
        raise unsupported("TO_DATE and TO_TIMESTAMP with a format that is not a literal")
    parsed = call("STRPTIME", as_text(text), exp.Literal.string(_pattern(pattern.name)))
    return exp.cast(parsed, kind)


def _pattern(text: str) -> str:
    result, rest = "", text
    while rest:
        part = next((p for p in sorted(_PARTS, key=len, reverse=True) if rest.startswith(p)), None)
        if part is None and (rest[0].isalnum() or rest[0] == '"'):
            raise unsupported(f"the format element {rest!r}")
        result += _PARTS[part] if part else rest[0]
        rest = rest[len(part or rest[0]) :]
    return result


def truncated(value: exp.Expr, unit: str | None) -> exp.Expr:
    """TRUNC of a number, or of a date or time to a unit, the day unless given."""
    kind = kind_of(value)
    if unit is None and kind is not None and kind.this in exp.DataType.NUMERIC_TYPES:
        return call("TRUNC", value)
    if unit is None and (kind is None or kind.this not in exp.DataType.TEMPORAL_TYPES):
        raise unsupported("TRUNC of a value whose type is not clear")
    name = _UNITS.get((unit or "DD").upper())
    if name is None:
        raise unsupported(f"the unit {unit} of TRUNC")
    cut = call("DATE_TRUNC", exp.Literal.string(name), value)
    return exp.cast(cut, "DATE" if kind is not None and kind.is_type("date") else "TIMESTAMP")


def shifted(node: exp.Binary) -> exp.Expr:
    """A TIMESTAMP plus or minus a number, which counts days; DuckDB knows that of a DATE only."""
    left, right = kind_of(node.this), kind_of(node.expression)
    if left is None or right is None or not left.is_type("timestamp", "timestampltz"):
        return node
    if right.this in exp.DataType.TEMPORAL_TYPES:
        raise unsupported("the difference of two times as an INTERVAL; there is SECONDS_BETWEEN")
    if right.this in exp.DataType.NUMERIC_TYPES:
        time = exp.Mul(
            this=exp.Paren(this=node.expression.copy()),
            expression=exp.Literal.number(_DAY_MICROSECONDS),
        )
        node.set("expression", call("TO_MICROSECONDS", exp.cast(time, "BIGINT")))
    return node
