"""Records become rows of exactly the types and lengths that the database takes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from types import SimpleNamespace

import pytest

from exatrust_udf import rows

UTC = dt.timezone.utc
NOON = dt.datetime(2026, 11, 24, 12, tzinfo=UTC)
PIN = {"alias": "PYTHON312", "release": "0.1.0-abc"}


@dataclass(frozen=True)
class Record:
    host: str
    trusted: bool


class Context:
    def __init__(self, *inputs: tuple[object, ...]) -> None:
        self.inputs = list(inputs)
        self.emitted: list[tuple[object, ...]] = []

    def __getitem__(self, index: int) -> object:
        return self.inputs[0][index]

    def next(self) -> bool:
        self.inputs.pop(0)
        return bool(self.inputs)

    def emit(self, *values: object) -> None:
        self.emitted.append(values)


def machine(**columns: str) -> SimpleNamespace:
    output = [
        SimpleNamespace(name=name, sql_type=kind, length=int(kind[8:-1]) if "VAR" in kind else None)
        for name, kind in columns.items()
    ]
    meta = SimpleNamespace(
        node_id=2, session_id="1", statement_id=1, input_column_count=2, output_columns=output
    )
    return SimpleNamespace(meta=meta)


def test_a_record_is_emitted_in_the_order_of_the_declared_columns_with_its_keys() -> None:
    ctx = Context()
    exa = machine(
        SAMPLE="DECIMAL(18,0)", NODE_ID="DECIMAL(9,0)", LANGUAGE_ALIAS="VARCHAR(128)",
        TRUSTED="BOOLEAN", CHECKED_AT="TIMESTAMP", HOST="VARCHAR(4)", RELEASE="VARCHAR(99)",
    )  # fmt: skip
    rows.emit(ctx, exa, Record("db.example", True), PIN, checked_at=NOON, sample=7)
    assert ctx.emitted == [
        (7, 2, "PYTHON312", True, dt.datetime(2026, 11, 24, 12), "db.…", "0.1.0-abc")
    ]


def test_a_column_without_a_field_is_an_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="cipher"):
        rows.emit(Context(), machine(CIPHER="VARCHAR(9)"), Record("h", True), PIN, checked_at=NOON)


class Text(str):
    """A kind of text which the database refuses."""


@pytest.mark.parametrize(
    ("value", "sql_type", "length", "expected"),
    [
        (None, "VARCHAR(3)", 3, None),
        (Text("abc"), "VARCHAR(3) UTF8", 3, "abc"),
        ("abcd", "VARCHAR(3)", 3, "ab…"),
        ("a\0b", "CHAR(9)", 9, "a\\0b"),
        ("caf\udce9", "VARCHAR(20)", 20, "caf\\udce9"),
        (("one", "two"), "VARCHAR(20)", 20, "one\ntwo"),
        (True, "DECIMAL(9,0)", None, 1),
        (3, "DECIMAL(18, 2)", None, Decimal(3)),
        (3, "DOUBLE", None, 3.0),
        (1, "BOOLEAN", None, True),
        (
            dt.datetime(2026, 1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1))),
            "TIMESTAMP(3)",
            None,
            dt.datetime(2026, 1, 1),
        ),
    ],
)
def test_each_value_becomes_the_one_type_its_column_takes(
    value: object, sql_type: str, length: int | None, expected: object
) -> None:
    found = rows.exact(value, sql_type, length)
    assert (found, type(found)) == (expected, type(expected))


def test_every_input_row_of_a_group_is_given_once() -> None:
    ctx = Context((1, "a"), (2, "b"))
    assert list(rows.inputs(ctx, machine())) == [(1, "a"), (2, "b")]


def test_a_result_is_computed_once_a_statement_and_key() -> None:
    exa, calls = machine(), iter(range(9))
    found = [rows.once(exa, key, lambda: next(calls)) for key in ("a", "b", "a")]
    exa.meta.statement_id = 2
    found.append(rows.once(exa, "a", lambda: next(calls)))
    assert found == [0, 1, 0, 2]
