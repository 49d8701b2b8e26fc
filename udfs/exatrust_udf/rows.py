"""From frozen dataclasses to rows: the exact types and lengths that `emit` insists on.

A script's columns are declared once, in its SQL file. `emit` asks the database for them and takes
each value from the record's field of that name in lower case, so the order of the fields is free.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")


class Context(Protocol):
    """What the database passes to `run`: the rows of one group, and where to put results."""

    def __getitem__(self, index: int) -> object: ...
    def next(self) -> bool: ...
    def emit(self, *values: object) -> object: ...


class OutputColumn(Protocol):
    """A column of `exa.meta.output_columns`; `length` counts characters, None if not text."""

    name: str
    sql_type: str
    length: int | None


class Meta(Protocol):
    """The part of `exa.meta` that scripts use."""

    node_id: int
    session_id: str
    statement_id: int
    input_column_count: int
    output_columns: Sequence[OutputColumn]


class Exa(Protocol):
    """The `exa` object."""

    meta: Meta


def utc_now() -> dt.datetime:
    """Return the node's clock, aware, in UTC: read once a script, then passed on."""
    return dt.datetime.now(dt.timezone.utc)


def inputs(ctx: Context, exa: Exa) -> Iterator[tuple[Any, ...]]:
    """Yield the input rows of the group, each with every column in the declared order."""
    while True:
        yield tuple(ctx[i] for i in range(exa.meta.input_column_count))
        if not ctx.next():
            return


def emit(
    ctx: Context,
    exa: Exa,
    record: object,
    pin: Mapping[str, str],
    *,
    checked_at: dt.datetime,
    sample: int | None = None,
) -> None:
    """Emit `record`, a dataclass, as one row; NODE_ID, LANGUAGE_ALIAS and RELEASE are added.

    Raises AttributeError where a declared column has no field: a mistake in the SQL file.
    """
    keys = {
        "node_id": exa.meta.node_id,
        "language_alias": pin["alias"],
        "release": pin["release"],
        "checked_at": checked_at,
        "sample": sample,
    }
    names = [(column, column.name.lower()) for column in exa.meta.output_columns]
    values = (
        (column, keys[name] if name in keys else getattr(record, name)) for column, name in names
    )
    ctx.emit(*(exact(value, column.sql_type, column.length) for column, value in values))


def exact(value: Any, sql_type: str, length: int | None) -> object:
    """Return `value` as the one Python type a column of `sql_type` takes; None stays None.

    Text too long for the column ends in `…`; a list becomes lines; a time becomes naive UTC.
    """
    if value is None:
        return None
    family = sql_type.upper()
    if family.startswith(("VARCHAR", "CHAR")):
        return text(value, length)
    if family.startswith("DECIMAL"):
        return Decimal(value) if _has_scale(family) else int(value)
    if family.startswith("DOUBLE"):
        return float(value)
    if family.startswith("TIMESTAMP"):
        return naive(value)
    return bool(value) if family == "BOOLEAN" else value


def _has_scale(family: str) -> bool:
    """Whether `DECIMAL(p,s)` has digits after the point; the database spells blanks freely."""
    return not family.replace(" ", "").endswith((",0)", "DECIMAL")) and "," in family


def text(value: object, length: int | None) -> str:
    """Return `value` as text that survives UTF-8 and NUL, cut to `length` characters."""
    joined = "\n".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
    if not joined.isascii():
        # A path that is not UTF-8 arrives with lone surrogates; they are shown as \udcXX.
        joined = joined.encode("utf-8", "backslashreplace").decode("utf-8")
    joined = joined.replace("\0", "\\0")
    return joined if not length or len(joined) <= length else joined[: length - 1] + "…"


def naive(value: dt.datetime) -> dt.datetime:
    """Return an aware datetime as the naive UTC that TIMESTAMP columns take."""
    aware = value.tzinfo is not None
    return value.astimezone(dt.timezone.utc).replace(tzinfo=None) if aware else value


@dataclass
class _Remembered:
    """What this virtual machine knows of one statement: results, and samples, by their key."""

    statement: tuple[str, int]
    results: dict[object, Any] = field(default_factory=dict)
    samples: dict[object, set[object]] = field(default_factory=dict)


_remembered: list[_Remembered] = []


def _current(exa: Exa) -> _Remembered:
    """Only the current statement is remembered."""
    statement = (exa.meta.session_id, exa.meta.statement_id)
    if not _remembered or _remembered[0].statement != statement:
        _remembered[:] = [_Remembered(statement)]
    return _remembered[0]


def once(exa: Exa, key: object, compute: Callable[[], Result]) -> Result:
    """Return `compute()`, remembered for this statement and `key`.

    The views call a script with many groups to reach every node, so that several groups meet in
    one virtual machine.
    """
    results = _current(exa).results
    if key not in results:
        results[key] = compute()
    result: Result = results[key]
    return result


def first_of_its_node(exa: Exa, key: object, sample: object) -> bool:
    """Return whether this group is the first of its call that meets this virtual machine.

    One set of rows for each node is enough: without this, a node answers as often as it gets
    groups. A sample that comes again is the same script called once more by the statement.
    """
    samples = _current(exa).samples
    seen = samples.get(key, set())
    first = not seen or sample in seen
    samples[key] = {sample} if first else seen | {sample}
    return first
