"""The UDF client's behaviour, its traps included, as scripts meet it."""

from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal

import pytest

from exatrust_sandbox.containers.model import ScriptError

from .conftest import (
    DAY,
    EXACT,
    MOMENT,
    NUMBER,
    REAL,
    SHORT,
    TEXT,
    TRUTH,
    make_call,
    run_in,
)  # fmt: skip


@pytest.fixture
def run(runtime, standard_image):
    return lambda code, groups=(((1,),),), **changes: run_in(
        runtime, standard_image, code, groups, **changes
    )


def test_a_set_script_runs_once_a_group_and_walks_its_rows(run):
    code = (
        "def run(ctx):\n"
        "    total = 0\n"
        "    while True:\n"
        "        total += ctx.N\n"
        "        if not ctx.next(): break\n"
        "    ctx.reset()\n"
        "    ctx.emit(f'{total} of {ctx.size()}, first {ctx[0]}')"
    )
    rows = run(code, [[(1,), (2,)], [(5,)]])
    assert rows == [[("3 of 2, first 1",)], [("5 of 1, first 5",)]]


def test_all_types_go_in_and_come_out(run):
    columns = (NUMBER, EXACT, MOMENT, DAY, TRUTH, REAL, TEXT)
    row = (
        7, Decimal("1.50"), dt.datetime(2026, 11, 24, 1, 2, 3, 456789), dt.date(2026, 11, 24),
        True, 0.1, "zwölf \U0001f600 \"'\\\n",
    )  # fmt: skip
    code = (
        "def run(ctx):\n"
        "    kinds = ' '.join(type(ctx[i]).__name__ for i in range(7))\n"
        "    assert kinds == 'int Decimal datetime date bool float str', kinds\n"
        "    ctx.emit(*[ctx[i] for i in range(7)])\n"
        "    ctx.emit(*[None] * 7)"
    )
    rows = run(code, [[row]], input_columns=columns, output_columns=columns)
    assert rows == [[row, (None,) * 7]]


@pytest.mark.parametrize(
    ("column", "expression"),
    [
        (TEXT, "1"), (TEXT, "b'x'"), (TEXT, "type('S', (str,), {})('x')"), (NUMBER, "'1'"),
        (NUMBER, "True"), (NUMBER, "1.5"), (TRUTH, "1"), (MOMENT, "datetime.date(2026, 1, 1)"),
        (DAY, "datetime.datetime(2026, 1, 1)"),
    ],
)  # fmt: skip
def test_emit_refuses_a_value_of_another_type(run, column, expression):
    with pytest.raises(ScriptError, match="E-UDF-CL-SL-PYTHON-1098: emit column"):
        run(f"def run(ctx):\n    ctx.emit({expression})", output_columns=(column,))


def test_a_moment_with_a_time_zone_is_refused(run):
    code = "def run(ctx):\n    ctx.emit(datetime.datetime.now(datetime.timezone.utc))"
    with pytest.raises(ScriptError, match="cannot hold"):
        run(code, output_columns=(MOMENT,))


@pytest.mark.parametrize(
    ("column", "value"), [(MOMENT, "datetime(2026, 1, 1)"), (DAY, "datetime(2026, 1, 1).date()")]
)
def test_importing_the_class_datetime_breaks_emitting_dates_and_moments(run, column, value):
    code = f"from datetime import datetime\ndef run(ctx):\n    ctx.emit({value})"
    with pytest.raises(ScriptError, match="has no attribute 'datetime'"):
        run(code, output_columns=(column,))


@pytest.mark.parametrize(("column", "value"), [(SHORT, "'x' * 10"), (EXACT, "10 ** 7")])
def test_a_value_too_large_for_its_column_is_refused(run, column, value):
    with pytest.raises(ScriptError, match="cannot hold"):
        run(f"def run(ctx):\n    ctx.emit({value})", output_columns=(column,))


def test_texts_are_cut_at_nul_and_the_empty_text_is_null(run):
    code = "def run(ctx):\n    ctx.emit('ab\\0cd')\n    ctx.emit('')"
    assert run(code) == [[("ab",), (None,)]]


def test_forgotten_imports_of_leaked_names_work_and_the_module_is_builtins(run):
    code = (
        "def run(ctx):\n"
        "    ctx.emit(str([m.__name__ for m in (sys, datetime, decimal, types, os)]))\n"
        "    ctx.emit(__name__ + str('__file__' in globals()))"
    )
    rows = run(code)[0]
    assert rows[1] == ("builtinsFalse",)
    assert "'decimal'" in rows[0][0]


def test_site_is_not_imported(run):
    assert run("def run(ctx):\n    ctx.emit(str('site' in sys.modules))") == [[("False",)]]


def test_column_names_keep_their_case(run):
    with pytest.raises(ScriptError, match="Column with name 'n' does not exist"):
        run("def run(ctx):\n    ctx.emit(str(ctx.n))")


@pytest.mark.parametrize("call", ["ctx.next()", "ctx.reset()"])
def test_a_scalar_script_may_not_walk_rows(run, call):
    with pytest.raises(ScriptError, match="not allowed in scalar context"):
        run(f"def run(ctx):\n    {call}", input_type="SCALAR")


def test_a_returns_script_returns_and_may_not_emit(run):
    options = {"input_type": "SCALAR", "output_type": "RETURNS", "output_columns": (NUMBER,)}
    code = "def run(ctx):\n    return ctx.N * 2"
    assert run(code, [[(1,)], [(2,)]], **options) == [[(2,)], [(4,)]]
    with pytest.raises(ScriptError, match="emit"):
        run("def run(ctx):\n    ctx.emit(1)", **options)


def test_an_error_names_script_line_and_type(run):
    with pytest.raises(ScriptError) as caught:
        run("def run(ctx):\n    deeper()\ndef deeper():\n    raise ValueError('why')")
    assert "F-UDF-CL-SL-PYTHON-1114: Exception during run \n" in str(caught.value)
    assert "SCRIPT:2 run\nSCRIPT:4 deeper\nValueError: why" in str(caught.value)


def test_a_raw_env_line_or_any_syntax_error_shows_at_the_first_run(run):
    with pytest.raises(ScriptError, match=r"(?s)PYTHON-1005: .*SyntaxError"):
        run("%env A=b;\ndef run(ctx):\n    pass")


def test_an_error_while_the_text_is_loaded_says_so(run):
    with pytest.raises(ScriptError, match=r"(?s)Exception while parsing UDF .*KeyError"):
        run("{}['none']\ndef run(ctx):\n    pass")


def test_module_level_code_runs_once_in_a_virtual_machine(run):
    code = "count = 0\ndef run(ctx):\n    global count\n    count += 1\n    ctx.emit(str(count))"
    assert run(code, [[(1,)], [(1,)]]) == [[("1",)], [("2",)]]


def test_printing_does_not_disturb_the_rows(run):
    code = "def run(ctx):\n    print('x' * 100000)\n    os.write(1, b'raw')\n    ctx.emit('fine')"
    assert run(code) == [[("fine",)]]


def test_scripts_and_connections_are_asked_of_the_database(run):
    secret = {"type": "password", "address": "a", "user": "u", "password": "p"}
    code = (
        "def run(ctx):\n"
        "    ctx.emit(exa.get_connection('C').password)\n"
        "    ctx.emit(str(exa.import_script('S.T').answer()))"
    )
    assert run(code, get_connection=lambda name: secret) == [[("p",), ("42",)]]
    with pytest.raises(ScriptError, match="connection C does not exist"):
        run(code)


def test_get_dataframe_needs_pandas_in_the_container(run):
    with pytest.raises(ScriptError, match="No module named 'pandas'"):
        run("def run(ctx):\n    ctx.get_dataframe()")


def test_a_hundred_thousand_rows_pass(runtime, one_image):
    code = (
        "def run(ctx):\n"
        "    while True:\n"
        "        ctx.emit(str(ctx.N))\n"
        "        if not ctx.next(): break"
    )
    rows = run_in(runtime, one_image, code, [[(i,) for i in range(100_000)]])
    assert rows[0][-1] == ("99999",)
    assert len(rows[0]) == 100_000


def test_a_crash_is_an_error_with_the_last_words(runtime, one_image):
    code = "def run(ctx):\n    print('last words', flush=True)\n    os.abort()"
    with pytest.raises(ScriptError, match=r"VM crashed .*\n.*last words"):
        run_in(runtime, one_image, code)


def test_an_endless_script_ends_when_it_is_cancelled(runtime, one_image):
    cancelled = threading.Event()
    threading.Timer(0.5, cancelled.set).start()
    with pytest.raises(ScriptError, match="stopped"):
        runtime.run(
            7, one_image, make_call("def run(ctx):\n    while True: pass"), [[(1,)]], cancelled
        )
