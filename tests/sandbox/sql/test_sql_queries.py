"""Queries: Exasol's expressions and clauses, and what is refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exatrust_sandbox.database.model import SqlError
from exatrust_sandbox.database.names import literal

EXPRESSIONS = {
    "'a' || NULL": "a",
    "'' || 'b'": "b",
    "TRIM('   ')": None,
    "REPLACE('a', 'a', '')": None,
    "SUBSTR('abc', 4)": None,
    "NVL('', 'x')": "x",
    "COALESCE('', 'y')": "y",
    "CASE WHEN '' IS NULL THEN 1 END": 1,
    "CASE 1 WHEN 2 THEN 'x' ELSE '' END": None,
    "LENGTH('')": None,
    "DECODE(2, 1, 'one', 2, 'two')": "two",
    "INSTR('hello', 'l')": 3,
    "REGEXP_SUBSTR('abc', 'b.')": "bc",
    "REGEXP_REPLACE('aXb', 'X', '-')": "a-b",
    "ADD_DAYS(DATE '2026-01-31', 1)": dt.date(2026, 2, 1),
    "DAYS_BETWEEN(DATE '2026-01-05', DATE '2026-01-01')": 4,
    "SECONDS_BETWEEN(TIMESTAMP '2026-01-01 00:01:00', TIMESTAMP '2026-01-01 00:00:00')": 60,
    "HOURS_BETWEEN(TIMESTAMP '2026-01-01 12:00:00', TIMESTAMP '2026-01-01 10:30:00')": 1.5,
    "SECONDS_BETWEEN(TIMESTAMP '2026-01-01 00:00:00.125', DATE '2026-01-01')": Decimal("0.125"),
    "DIV(7, 2)": 3,
    "LPAD('a', 3, '-')": "--a",
    "GREATEST(1, 3, 2)": 3,
    "NVL2(NULL, 'a', 'b')": "b",
    "TO_CHAR(DATE '2026-01-05', 'YYYY/MM/DD')": "2026/01/05",
    "CAST(12 AS VARCHAR(5))": "12",
    "CAST(1.25 AS DECIMAL(5,1))": Decimal("1.3"),
    "CAST('2026-01-02 03:04:05' AS TIMESTAMP)": dt.datetime(2026, 1, 2, 3, 4, 5),
    "MOD(7, 2)": 1,
    "HASH_SHA256('a')": "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
    "NPROC()": 4,
    "IPROC()": 0,
    "CURRENT_USER": "SYS",
    "CURRENT_SCHEMA": "S",
    "CURRENT_TIMESTAMP > DATE '2020-01-01'": True,
}


@pytest.mark.parametrize(("expression", "value"), EXPRESSIONS.items())
def test_an_expression_has_the_value_that_exasol_gives(shared, expression, value):
    assert shared.execute(f"SELECT {expression}").rows == [(value,)]


QUERIES = {
    "SELECT I FROM VALUES BETWEEN 1 AND 10 WITH STEP 3 AS T(I)": [(1,), (4,), (7,), (10,)],
    "SELECT COUNT(*) FROM VALUES BETWEEN 1 AND 2 * NPROC() T(I) WHERE I > 1": [(7,)],
    "SELECT ID, X * 2 AS Y FROM T WHERE LOCAL.Y > 4 ORDER BY Y": [(3, 6.0), (4, 8.0)],
    "SELECT ID FROM T QUALIFY ROW_NUMBER() OVER (PARTITION BY G ORDER BY ID DESC) = 1 ORDER BY 1": [
        (2,), (3,), (4,),
    ],
    "SELECT ID FROM T MINUS SELECT 1 FROM DUAL ORDER BY 1": [(2,), (3,), (4,)],
    "SELECT 1 UNION ALL SELECT 1": [(1,), (1,)],
    "WITH T AS (SELECT * FROM T WHERE ID = 1) SELECT ID FROM T": [(1,)],
    "SELECT LISTAGG(G, ', ') WITHIN GROUP (ORDER BY ID DESC) FROM T": [("b, a, a",)],
    "SELECT GROUP_CONCAT(G ORDER BY ID SEPARATOR ';') FROM T": [("a;a;b",)],
    "SELECT G FROM T ORDER BY G DESC LIMIT 1": [(None,)],
    "SELECT G, COUNT(*) FROM T GROUP BY G HAVING COUNT(*) > 1": [("a", 2)],
    "SELECT ID FROM T WHERE G IN ('a', '') AND G NOT LIKE 'b%' ORDER BY ID": [(1,), (2,)],
    "SELECT S.T.ID FROM S.T WHERE EXISTS (SELECT 1 FROM T U WHERE U.ID = T.ID + 3)": [(1,)],
    "SELECT IPROC() FROM EXA_LOADAVG ORDER BY 1": [(0,), (1,), (2,), (3,)],
    "SELECT A.ID FROM T A LEFT JOIN T B ON A.ID = B.ID + 3 WHERE B.ID IS NOT NULL": [(4,)],
}  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), QUERIES.items())
def test_a_query_gives_the_rows_that_exasol_gives(shared, query, expected):
    assert shared.execute(query).rows == expected


def test_unnamed_columns_are_called_by_their_text(session):
    result = session.execute("SELECT count(*), max(x)+1, ID AS i FROM T GROUP BY ID")
    assert [column.name for column in result.columns] == ["COUNT(*)", "MAX(X)+1", "I"]


def test_columns_keep_their_declared_types_through_subqueries(session):
    result = session.execute("SELECT Q.* FROM (SELECT G, ID, CAST(X AS DECIMAL(9,2)) D FROM T) Q")
    assert [column.type.display() for column in result.columns] == [
        "VARCHAR(10) UTF8", "DECIMAL(18,0)", "DECIMAL(9,2)",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("EXPLAIN SELECT 1", "the statement EXPLAIN"),
        ("SELECT NOFUNC(1)", "the function NOFUNC"),
        ("SELECT ARRAY_AGG(ID) FROM T", "the function ARRAY_AGG"),
        ("SELECT * FROM READ_CSV('/etc/passwd')", "READ_CSV"),
        ("SELECT MONTHS_BETWEEN(CURRENT_DATE, CURRENT_DATE)", "MONTHS_BETWEEN"),
        ("SELECT IPROC() FROM VALUES BETWEEN 1 AND 3 T(I)", r"IPROC\(\)"),
        ("ALTER VIRTUAL SCHEMA V REFRESH TABLES A", "single tables"),
        ("CREATE FUNCTION F() RETURN INT BEGIN RETURN 1; END", "CREATE FUNCTION"),
        ("CREATE LUA SCRIPT L() AS x = 1", "Lua"),
        ("SELECT * FROM EXA_DBA_AUDIT_SQL", "the system table EXA_DBA_AUDIT_SQL"),
        ("ALTER SESSION SET NLS_DATE_FORMAT = 'DD.MM.YYYY'", "another NLS_DATE_FORMAT"),
        ("SELECT TO_CHAR(DATE '2026-01-01', 'DAY')", "format element"),
    ],
)
def test_what_the_stand_in_cannot_do_it_refuses_and_says_so(shared, sql, what):
    with pytest.raises(SqlError, match=f"the stand-in does not support .*{what}") as caught:
        shared.execute(sql)
    assert caught.value.sql_code == "0A000"


@pytest.mark.parametrize("sql", ["", "SELEC 1", "SELECT 1 FROM", "SELECT 'open", "1"])
def test_nonsense_is_a_syntax_error(shared, sql):
    with pytest.raises(SqlError) as caught:
        shared.execute(sql)
    assert caught.value.sql_code == "42000"


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    text=st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=20)
)
def test_any_text_comes_back_as_written_and_the_empty_one_as_null(session, text):
    assert session.execute(f"SELECT {literal(text)} AS A").rows == [(text or None,)]
    session.execute("TRUNCATE TABLE T")
    session.execute("ALTER TABLE T DROP COLUMN IF EXISTS L")
    session.execute("ALTER TABLE T ADD COLUMN L VARCHAR(20)")
    session.prepare("INSERT INTO T VALUES (?, ?, ?, ?)").execute([(1, None, 1.0, text)])
    session.execute(f"INSERT INTO T VALUES (2, NULL, NULL, {literal(text)})")
    assert session.execute("SELECT L FROM T").rows == [(text or None,), (text or None,)]
    if text:
        found = session.execute(f"SELECT COUNT(*) FROM T WHERE L = {literal(text)}").rows
        assert found == [(2,)]
