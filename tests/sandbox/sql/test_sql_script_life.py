"""What a script sees and may do: options, meta data, connections, other scripts, errors, nodes."""

from __future__ import annotations

import re
import threading
import time

import pytest

from exatrust_sandbox.database.model import SqlError
from exatrust_sandbox.database.placement import node_of_group, node_of_row

META = """\
def run(ctx):
    meta = exa.meta
    for name in ('script_name', 'script_schema', 'current_user', 'current_schema', 'session_id',
                 'node_count', 'database_version', 'input_type', 'output_type'):
        ctx.emit(name, repr(getattr(meta, name)))
    ctx.emit('code', str('ctx.emit' in meta.script_code))
    ctx.emit('inputs', repr([(c.name, c.sql_type) for c in meta.input_columns]))
    ctx.emit('language', meta.script_language[:8])"""


def test_meta_data_describe_the_call(session, define, rows):
    define('SET META(x INT, "Y" VARCHAR(5)) EMITS (K VARCHAR(99), V VARCHAR(999))', META)
    assert dict(rows("SELECT META(1, 'a')")) == {
        "script_name": "'META'", "script_schema": "'S'", "current_user": "'SYS'",
        "current_schema": "'S'", "session_id": repr(str(session.id)), "node_count": "4",
        "database_version": "'8.34.0'", "input_type": "'SET'", "output_type": "'EMITS'",
        "code": "True", "inputs": "[('x', 'DECIMAL(18,0)'), ('Y', 'VARCHAR(5) UTF8')]",
        "language": "Python 3",
    }  # fmt: skip


def test_env_lines_set_the_environment_and_leave_the_code(define, rows):
    body = """\
%env A=b;
  %env PATH_LIKE=/x:/y;
# %env C=d;
import os
def run(ctx):
    return os.environ.get(ctx.k)"""
    define("SCALAR ENV(k VARCHAR(20)) RETURNS VARCHAR(99)", body)
    assert rows("SELECT ENV('A'), ENV('PATH_LIKE'), ENV('C')") == [("b", "/x:/y", None)]


def test_an_env_line_without_semicolon_is_refused_at_create(define):
    with pytest.raises(SqlError, match="Error while parsing %env option line"):
        define("SCALAR E() RETURNS INT", "%env A=b\ndef run(ctx): return 1")


def test_an_unknown_option_stays_in_the_code_and_fails_at_the_first_run(define, rows):
    define("SCALAR E() RETURNS INT", "%nonsense x;\ndef run(ctx): return 1")
    with pytest.raises(SqlError, match="SyntaxError"):
        rows("SELECT E()")


def test_the_limit_of_instances_is_accepted(define, rows):
    define("SCALAR E() RETURNS INT", "%perNodeAndCallInstanceLimit 1;\ndef run(ctx): return 1")
    assert rows("SELECT E()") == [(1,)]


def test_the_whole_creation_text_is_kept(session, rows):
    text = """\
CREATE PYTHON3 SCALAR SCRIPT S.K() -- why
RETURNS INT AS
%env A=b;

def run(ctx): return 1
"""
    session.execute(text)
    assert rows("SELECT SCRIPT_TEXT, SCRIPT_LANGUAGE, SCRIPT_INPUT_TYPE FROM EXA_ALL_SCRIPTS") == [
        (text, "PYTHON3", "SCALAR")
    ]


@pytest.mark.parametrize("alias", ["NOPE", "PYTHON2"])
def test_an_unknown_language_alias_is_refused(session, alias):
    with pytest.raises(SqlError, match=alias):
        session.execute(f"CREATE {alias} SCALAR SCRIPT F() RETURNS INT AS\ndef run(ctx): return 1")


def test_any_alias_text_is_taken_and_only_creating_a_script_looks_at_it(session):
    session.execute(
        "ALTER SESSION SET SCRIPT_LANGUAGES='MINE=localzmq+protobuf:///no/such?lang=python#x'"
    )
    session.execute("CREATE MINE SCALAR SCRIPT F() RETURNS INT AS\ndef run(ctx): return 1")
    with pytest.raises(SqlError, match="MINE cannot be started"):
        session.execute("SELECT F()")
    with pytest.raises(SqlError, match="PYTHON3"):
        session.execute("CREATE PYTHON3 SCALAR SCRIPT G() RETURNS INT AS\ndef run(ctx): return 1")


def test_java_scripts_can_be_kept_where_java_has_no_container(session):
    session.execute("CREATE JAVA SCALAR SCRIPT J() RETURNS INT AS\nclass J {}")
    with pytest.raises(SqlError, match="alias JAVA cannot be started"):
        session.execute("SELECT J()")


def test_scripts_read_connections_and_other_scripts(session, define, rows):
    session.execute("CREATE CONNECTION C TO 'https://h' USER 'u' IDENTIFIED BY 'pä''ss'")
    define("SCALAR LIB() RETURNS INT", "def answer(): return 42\ndef run(ctx): return 1")
    body = """\
lib = exa.import_script('S.LIB')
def run(ctx):
    c = exa.get_connection('C')
    return f'{c.type} {c.address} {c.user} {c.password} {lib.answer()}'"""
    define("SCALAR USES() RETURNS VARCHAR(99)", body)
    assert rows("SELECT USES()") == [("password https://h u pä'ss 42",)]
    assert not re.search("pä", repr(rows("SELECT * FROM EXA_DBA_CONNECTIONS")))


def test_a_scripts_error_is_reported_as_exasol_does(define, rows):
    define("SCALAR BOOM(a INT, b INT) RETURNS DOUBLE", "\ndef run(ctx):\n    return ctx.a / ctx.b")
    with pytest.raises(SqlError) as caught:
        rows("SELECT BOOM(1, 0)")
    assert caught.value.sql_code == "22002"
    assert re.search(
        r"VM error: .*F-UDF-CL-SL-PYTHON-1114: Exception during run \nBOOM:\d+ run\n"
        r"ZeroDivisionError: division by zero",
        caught.value.text,
    )


def test_emitted_values_are_checked_and_the_empty_string_is_null(define, rows):
    define(
        "SET E(k INT) EMITS (A VARCHAR(3))",
        "def run(ctx):\n    ctx.emit(['', 'abc', 'abcd', 7][ctx.k])",
    )
    assert rows("SELECT E(0)") == [(None,)]
    assert rows("SELECT E(1)") == [("abc",)]
    with pytest.raises(SqlError, match=r"VARCHAR\(3\) UTF8"):
        rows("SELECT E(2)")
    with pytest.raises(SqlError, match="E-UDF-CL-SL-PYTHON-1098"):
        rows("SELECT E(3)")


NODE = "def run(ctx):\n    ctx.emit(exa.meta.node_id, exa.meta.vm_id)"


def test_many_groups_reach_every_node_and_one_machine_serves_a_node(define, rows):
    define("SET NODE(i INT) EMITS (N INT, VM VARCHAR(99))", NODE)
    found = rows("SELECT NODE(I) FROM VALUES BETWEEN 1 AND 16 * NPROC() T(I) GROUP BY I")
    assert {node for node, _ in found} == {0, 1, 2, 3}
    assert len(set(found)) == 4


def test_one_group_runs_on_one_node(define, rows):
    define("SET NODE(i INT) EMITS (N INT, VM VARCHAR(99))", NODE)
    assert len(rows("SELECT NODE(ID) FROM T")) == 1


def test_scalar_rows_are_spread_one_to_a_node_when_there_are_as_many(define, rows):
    define("SCALAR NODE(i INT) EMITS (N INT, VM VARCHAR(99))", NODE)
    found = rows("SELECT IPROC, NODE(IPROC()) FROM EXA_LOADAVG")
    assert sorted(node for _, node, _ in found) == [0, 1, 2, 3]


def test_a_node_can_be_left_without_rows(make_engine):
    session = make_engine("uneven", placement="first-node-empty").open_session("sys", "tests")
    session.execute("CREATE SCHEMA S")
    session.execute(
        f"CREATE PYTHON3 SET SCRIPT NODE(i INT) EMITS (N INT, VM VARCHAR(99)) AS\n{NODE}\n"
    )
    query = "SELECT DISTINCT N FROM (SELECT NODE(I) FROM VALUES BETWEEN 1 AND 64 T(I) GROUP BY I)"
    assert sorted(session.execute(query).rows) == [(1,), (2,), (3,)]


def test_as_many_groups_as_nodes_leave_a_node_out():
    assert len({node_of_group((i,), 4, "spread") for i in range(1, 5)}) < 4


def test_rows_are_spread_over_all_nodes_in_order():
    nodes = [node_of_row(n, 10, 4, "spread") for n in range(10)]
    assert nodes == sorted(nodes)
    assert set(nodes) == {0, 1, 2, 3}


SLEEP = "import time\ndef run(ctx):\n    time.sleep(ctx.s)\n    return 1"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT SLEEP(60)",
        "SELECT COUNT(*) FROM VALUES BETWEEN 1 AND 1000000 A(I), VALUES BETWEEN 1 AND 1000000 B(J)"
        " WHERE I * J < 0",
    ],
)
def test_a_statement_ends_at_its_time_limit_and_the_session_goes_on(session, define, query):
    define("SCALAR SLEEP(s DOUBLE) RETURNS INT", SLEEP)
    session.execute("ALTER SESSION SET QUERY_TIMEOUT = 1")
    start = time.monotonic()
    with pytest.raises(SqlError, match="timeout has been reached"):
        session.execute(query)
    assert time.monotonic() - start < 10
    assert session.execute("SELECT SLEEP(0)").rows == [(1,)]


def test_a_statement_can_be_aborted_from_another_thread(session, define):
    define("SCALAR SLEEP(s DOUBLE) RETURNS INT", SLEEP)
    timer = threading.Timer(0.3, session.abort)
    timer.start()
    with pytest.raises(SqlError, match="abort"):
        session.execute("SELECT SLEEP(60)")
    timer.join()
    assert session.execute("SELECT 1").rows == [(1,)]
