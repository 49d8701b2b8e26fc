"""Transactions: ROLLBACK takes back everything, statements fail alone, collisions are 40001."""

from __future__ import annotations

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exatrust_sandbox.database.model import SqlError


@pytest.fixture
def other(session, engine):
    other = engine.open_session("sys", "other")
    other.execute("OPEN SCHEMA S")
    return other


EVERYTHING = [
    "INSERT INTO T VALUES (9, 'n', 9)",
    "CREATE TABLE FRESH (A INT)",
    "INSERT INTO FRESH VALUES (1)",
    "CREATE OR REPLACE PYTHON3 SCALAR SCRIPT F() RETURNS INT AS\ndef run(ctx): return 2\n",
    "CREATE PYTHON3 SCALAR SCRIPT G() RETURNS INT AS\ndef run(ctx): return 3\n",
    "CREATE VIEW V AS SELECT 1 AS A",
    "COMMENT ON TABLE T IS 'x'",
    "CREATE CONNECTION C TO 'x'",
    "CREATE ROLE R",
    "GRANT SELECT ON S.T TO PUBLIC",
    "CREATE SCHEMA OTHER",
    "ALTER TABLE S.T DROP COLUMN X",
    "DROP TABLE S.DROPPED",
]
PICTURE = [
    "SELECT * FROM S.T ORDER BY ID",
    "SELECT OBJECT_NAME, OBJECT_TYPE, OBJECT_COMMENT FROM EXA_ALL_OBJECTS ORDER BY 1",
    "SELECT SCRIPT_NAME, SCRIPT_TEXT FROM EXA_ALL_SCRIPTS ORDER BY 1",
    "SELECT CONNECTION_NAME FROM EXA_DBA_CONNECTIONS",
    "SELECT ROLE_NAME FROM EXA_DBA_ROLES",
    "SELECT GRANTEE, PRIVILEGE FROM EXA_DBA_OBJ_PRIVS",
]


def picture(session):
    return [session.execute(sql).rows for sql in PICTURE]


@pytest.fixture
def before(session, define):
    define("SCALAR F() RETURNS INT", "def run(ctx): return 1")
    session.execute("CREATE TABLE DROPPED (A INT)")
    return picture(session)


def test_rollback_takes_back_every_kind_of_statement(session, before):
    session.autocommit = False
    for statement in EVERYTHING:
        session.execute(statement)
    assert session.execute("SELECT S.F(), S.G()").rows == [(2, 3)]
    session.rollback()
    assert picture(session) == before
    assert session.execute("SELECT S.F()").rows == [(1,)]


def test_nothing_is_seen_by_others_before_commit_and_everything_after(session, other, before):
    session.autocommit = False
    for statement in EVERYTHING:
        session.execute(statement)
    assert picture(other) == before
    session.execute("COMMIT")
    assert picture(other) == picture(session) != before


def test_a_failing_statement_takes_back_only_itself(session, before):
    session.autocommit = False
    session.execute("INSERT INTO T VALUES (5, NULL, NULL)")
    session.execute("CREATE TABLE K (A INT PRIMARY KEY)")
    session.execute("INSERT INTO K VALUES (1)")
    for bad in ("SELECT NOPE FROM T", "INSERT INTO K VALUES (2), (1)", "CREATE TABLE K (A INT)"):
        with pytest.raises(SqlError):
            session.execute(bad)
    session.commit()
    assert session.execute("SELECT COUNT(*) FROM T").rows == [(5,)]
    assert session.execute("SELECT * FROM K").rows == [(1,)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO T VALUES (9, NULL, NULL)",
        "CREATE OR REPLACE PYTHON3 SCALAR SCRIPT F() RETURNS INT AS\ndef run(ctx): return 9\n",
        "CREATE TABLE FRESH (B INT)",
        "CREATE SCHEMA OTHER",
        "DROP TABLE DROPPED",
    ],
)
def test_two_transactions_that_write_the_same_object_collide(session, other, before, statement):
    session.autocommit = False
    for changed in EVERYTHING:
        session.execute(changed)
    with pytest.raises(
        SqlError, match="Transaction collision: automatic transaction rollback"
    ) as c:
        other.execute(statement)
    assert c.value.sql_code == "40001"
    session.rollback()
    other.execute(statement)


def test_a_collision_rolls_the_whole_transaction_back(session, other):
    session.autocommit = other.autocommit = False
    other.execute("CREATE TABLE MINE (A INT)")
    session.execute("DELETE FROM T")
    with pytest.raises(SqlError, match="collision"):
        other.execute("DELETE FROM T")
    session.commit()
    other.execute("CREATE TABLE MINE (A INT)")
    assert other.execute("SELECT * FROM T").rows == []


def test_writing_what_another_changed_since_the_first_read_is_a_collision(session, other):
    other.autocommit = False
    other.execute("SELECT * FROM T")
    session.execute("DELETE FROM T")
    with pytest.raises(SqlError, match="collision"):
        other.execute("INSERT INTO T VALUES (1, NULL, NULL)")
    other.execute("INSERT INTO T VALUES (1, NULL, NULL)")
    other.commit()
    assert session.execute("SELECT COUNT(*) FROM T").rows == [(1,)]


def test_a_statement_waits_for_a_transaction_that_ends_soon(session, other):
    session.autocommit = False
    session.execute("INSERT INTO T VALUES (7, NULL, NULL)")
    timer = threading.Timer(0.05, session.commit)
    timer.start()
    other.execute("DELETE FROM T WHERE ID = 7")
    timer.join()
    assert other.execute("SELECT COUNT(*) FROM T").rows == [(4,)]


def test_what_is_committed_survives_a_restart_and_what_is_not_does_not(
    session, make_engine, engine
):
    session.execute("CREATE PYTHON3 SCALAR SCRIPT F() RETURNS INT AS\ndef run(ctx): return 1\n")
    session.autocommit = False
    session.execute("DELETE FROM T")
    engine.close()
    again = make_engine().open_session("sys", "tests")
    assert again.execute("SELECT S.F(), COUNT(*) FROM S.T").rows == [(1, 4)]


def test_closing_a_session_rolls_back(session, other):
    session.autocommit = False
    session.execute("DELETE FROM T")
    session.close()
    assert other.execute("SELECT COUNT(*) FROM T").rows == [(4,)]


ACTIONS = st.lists(
    st.sampled_from(["insert", "insert", "delete", "fail", "commit", "rollback"]), max_size=12
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(actions=ACTIONS)
def test_rows_are_what_committed_statements_left(session, actions):
    session.autocommit = False
    session.execute("DELETE FROM T")
    session.commit()
    committed: list[int] = []
    current: list[int] = []
    for number, action in enumerate(actions):
        if action == "insert":
            session.execute(f"INSERT INTO T VALUES ({number}, NULL, NULL)")
            current = [*current, number]
        elif action == "delete":
            session.execute(f"DELETE FROM T WHERE ID < {number - 3}")
            current = [value for value in current if value >= number - 3]
        elif action == "fail":
            with pytest.raises(SqlError):
                session.execute("INSERT INTO T VALUES ('x', NULL, NULL)")
        elif action == "commit":
            session.commit()
            committed = current
        else:
            session.rollback()
            current = committed
        assert session.execute("SELECT ID FROM T ORDER BY ID").rows == [(v,) for v in current]
    session.rollback()
    assert session.execute("SELECT ID FROM T ORDER BY ID").rows == [(v,) for v in committed]
