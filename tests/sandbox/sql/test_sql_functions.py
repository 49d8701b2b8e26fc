"""Functions that DuckDB has in another way: the values Exasol gives, or a refusal."""

from __future__ import annotations

import datetime as dt

import pytest

from exatrust_sandbox.database.model import SqlError

EXPRESSIONS = {
    # texts
    "TO_CHAR(TRUE)": "TRUE",
    "'a' || FALSE || 1e0 || 2": "aFALSE12",
    "CONCAT('a', NULL, TRUE)": "aTRUE",
    "CAST(TIMESTAMP '2026-01-02 03:04:05' AS VARCHAR(30))": "2026-01-02 03:04:05.000000",
    "TO_CHAR(TIMESTAMP '2026-01-02 03:04:05.5')": "2026-01-02 03:04:05.500000",
    "TO_CHAR(DATE '2026-01-02')": "2026-01-02",
    "TO_CHAR(12)": "12",
    "LPAD(7, 3, '0')": "007",
    "RPAD('ab', 4, '.')": "ab..",
    "MID('abcdef', 2, 3)": "bcd",
    "SUBSTR('abcdef', -2)": "ef",
    "SUBSTRING('abcdef' FROM 2 FOR 3)": "bcd",
    # places
    "INSTR('abcabc', 'b', 3)": 5,
    "INSTR('abcabc', 'b', 1, 2)": 5,
    "INSTR('abcabc', 'b', -1)": 5,
    "INSTR('abcabc', 'b', -1, 2)": 2,
    "INSTR('abcabc', 'x', 1, 1)": 0,
    "INSTR('abc', NULL, 1, 1)": None,
    "LOCATE('b', 'abcabc', 3)": 5,
    "LOCATE('b', 'abcabc', -1)": 5,
    "POSITION('c' IN 'abc')": 3,
    # patterns: the whole text, with PCRE's flags
    "'xay' REGEXP_LIKE 'a'": False,
    "'xay' REGEXP_LIKE '.A.'": False,
    "'xay' REGEXP_LIKE '(?i).A.'": True,
    "'a\nb' REGEXP_LIKE 'a.b'": False,
    "'a\nB' REGEXP_LIKE '(?is)a.b'": True,
    "REGEXP_SUBSTR('a1b22c333', '[0-9]+', 3, 2)": "333",
    "REGEXP_SUBSTR('abc', 'x')": None,
    "REGEXP_REPLACE('abcabc', 'b', 'x', 1, 1)": "axcabc",
    "REGEXP_REPLACE('abcabc', 'b', 'x', 3)": "abcaxc",
    "REGEXP_REPLACE('k=v', '(.)=(.)', '\\2=\\1')": "v=k",
    # moments
    "CONVERT_TZ(TIMESTAMP '2026-07-10 12:00:00', 'Europe/Berlin', 'UTC')": dt.datetime(
        2026, 7, 10, 10
    ),
    "CONVERT_TZ(TIMESTAMP '2026-10-25 02:30:00', 'EUROPE/BERLIN', 'UTC')": dt.datetime(
        2026, 10, 25, 1, 30
    ),
    "CONVERT_TZ(TIMESTAMP '2026-03-29 02:30:00', 'EUROPE/BERLIN', 'UTC')": dt.datetime(
        2026, 3, 29, 1, 30
    ),
    "CONVERT_TZ(TIMESTAMP '2026-01-10 12:00:00', 'UTC', SESSIONTIMEZONE)": dt.datetime(
        2026, 1, 10, 13
    ),
    "SESSIONTIMEZONE": "EUROPE/BERLIN",
    "DBTIMEZONE": "EUROPE/BERLIN",
    "TO_DATE('02.01.2026', 'DD.MM.YYYY')": dt.date(2026, 1, 2),
    "TO_DATE('2026-01-02')": dt.date(2026, 1, 2),
    "TO_TIMESTAMP('2026-01-02 03:04', 'YYYY-MM-DD HH24:MI')": dt.datetime(2026, 1, 2, 3, 4),
    "TRUNC(TIMESTAMP '2026-01-02 03:04:05')": dt.datetime(2026, 1, 2),
    "TRUNC(DATE '2026-05-06', 'MM')": dt.date(2026, 5, 1),
    "TRUNC(2.7)": 2,
    "TIMESTAMP '2026-01-02 12:00:00' - 1.5": dt.datetime(2026, 1, 1),
    "TIMESTAMP '2026-01-02 12:00:00' + 1": dt.datetime(2026, 1, 3, 12),
    "DATE '2026-01-02' - DATE '2026-01-01'": 1,
    # numbers
    "7 / 2": 3.5,
    "1 / 4 * 4": 1.0,
    "GREATEST(2, 1)": 2,
    "MOD(7, 3)": 1,
}


@pytest.mark.parametrize(("expression", "value"), EXPRESSIONS.items())
def test_an_expression_has_the_value_that_exasol_gives(shared, expression, value):
    assert shared.execute(f"SELECT {expression}").rows == [(value,)]


QUERIES = {
    "SELECT LISTAGG(ID, ', ') WITHIN GROUP (ORDER BY ID DESC) FROM T": [("4, 3, 2, 1",)],
    "SELECT LISTAGG(DISTINCT G, '/') WITHIN GROUP (ORDER BY G) FROM T": [("a/b",)],
    "SELECT LISTAGG(ID > 2, ' ') WITHIN GROUP (ORDER BY ID) FROM T": [("FALSE FALSE TRUE TRUE",)],
    "SELECT GROUP_CONCAT(G ORDER BY ID DESC SEPARATOR '+') FROM T": [("b+a+a",)],
    "SELECT MEDIAN(ID) FROM T": [(2.5,)],
    "SELECT COUNT(DISTINCT G), COUNT(DISTINCT ID) FROM T": [(2, 4)],
    "SELECT A.ID, B.I FROM T A FULL OUTER JOIN (SELECT 4 I UNION ALL SELECT 9) B ON A.ID = B.I"
    " WHERE A.ID > 3 OR A.ID IS NULL ORDER BY 1": [(4, 4), (None, 9)],
    "SELECT ID FROM T MINUS SELECT 1 FROM DUAL ORDER BY 1": [(2,), (3,), (4,)],
    "SELECT ID FROM T INTERSECT SELECT 1": [(1,)],
    "SELECT ID FROM T QUALIFY ROW_NUMBER() OVER (PARTITION BY G ORDER BY ID) = 1 ORDER BY ID":
        [(1,), (3,), (4,)],
    "SELECT ID FROM T A WHERE NOT EXISTS (SELECT 1 FROM T B WHERE B.G = A.G AND B.ID < A.ID)"
    " ORDER BY ID": [(1,), (3,), (4,)],
    "-- first\n/* second */ SELECT 1": [(1,)],
}  # fmt: skip


@pytest.mark.parametrize(("sql", "rows"), QUERIES.items())
def test_a_query_gives_what_exasol_gives(shared, sql, rows):
    assert shared.execute(sql).rows == rows


REFUSED = {
    "SELECT ID FROM T WHERE G IS DISTINCT FROM 'a'": ("42000", "there is no IS DISTINCT FROM"),
    "SELECT ID FROM T WHERE G IS NOT DISTINCT FROM 'a'": ("42000", "no IS DISTINCT FROM"),
    "SELECT X / (ID - 1) FROM T": ("22012", "division by zero"),
    "SELECT 1 / 0": ("22012", "division by zero"),
    "SELECT MOD(ID, 0) FROM T": ("22012", "division by zero"),
    "SELECT COUNT(DISTINCT G, X) FROM T": ("0A000", "COUNT of several columns"),
    "SELECT COUNT(DISTINCT (G, X)) FROM T": ("0A000", "COUNT of several columns"),
    "SELECT LISTAGG(G, '') FROM T": ("0A000", "LISTAGG without a delimiter"),
    "SELECT LISTAGG(G) FROM T": ("0A000", "LISTAGG without a delimiter"),
    "SELECT GREATEST(ID, NULL) FROM T": ("0A000", "beside NULL"),
    "SELECT TO_CHAR(5, '000')": ("0A000", "the format of a number"),
    "SELECT TO_DATE('x', 'YYYY')": ("22007", "invalid date or timestamp value"),
    "SELECT CONVERT_TZ(NOW(), 'UTC', 'EUROPE/BERLIN')": ("22009", "session time zone"),
    "SELECT CONVERT_TZ(SYSTIMESTAMP, 'Mars/Here', 'UTC')": ("22009", "unknown time zone"),
    "SELECT CONVERT_TZ(SYSTIMESTAMP, G, 'UTC') FROM T": ("0A000", "are not literals"),
    "SELECT SYSTIMESTAMP - TIMESTAMP '2026-01-01 00:00:00'": ("0A000", "as an INTERVAL"),
    "SELECT REGEXP_SUBSTR('ab', '(?<=a)b')": ("0A000", "RE2 instead of PCRE"),
    "SELECT REGEXP_REPLACE('aa', 'a', 'b', 1, 2)": ("0A000", "occurrence"),
    "SELECT LENGTH(ID) FROM T": ("0A000", "this expression"),
    "SELECT G, X, COUNT(*) FROM T GROUP BY G": ("42000", "X is not a GROUP BY expression"),
    "SELECT LENGTH(CAST('a' AS CHAR(3)))": ("0A000", "a CHAR inside an expression"),
}


def test_the_occurrence_of_a_pattern_may_come_from_a_column(shared):
    words = "SELECT REGEXP_SUBSTR('a b', '[a-z]', 1, N) FROM (SELECT I AS N FROM VALUES BETWEEN 1"
    assert shared.execute(f"{words} AND 3 AS v(I)) ORDER BY N").rows == [("a",), ("b",), (None,)]


@pytest.mark.parametrize(("sql", "error"), REFUSED.items())
def test_what_exasol_gives_otherwise_or_not_at_all_is_refused(shared, sql, error):
    code, said = error
    with pytest.raises(SqlError, match=said) as caught:
        shared.execute(sql)
    assert caught.value.sql_code == code


def test_a_char_is_padded_when_selected_and_refused_inside_an_expression(session):
    session.execute("CREATE TABLE C (A CHAR(3))")
    session.execute("INSERT INTO C VALUES ('a')")
    assert session.execute("SELECT A FROM C GROUP BY A ORDER BY A").rows == [("a  ",)]
    with pytest.raises(SqlError, match="a CHAR inside an expression"):
        session.execute("SELECT * FROM C WHERE A = 'a'")


def test_times_are_told_in_the_time_zone_of_the_session_and_of_the_database(session):
    session.execute("ALTER SESSION SET TIME_ZONE = 'America/New_York'")
    here, there = session.execute(
        "SELECT CONVERT_TZ(NOW(), SESSIONTIMEZONE, 'UTC'),"
        " CONVERT_TZ(SYSTIMESTAMP, DBTIMEZONE, 'UTC')"
    ).rows[0]
    utc = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)
    assert here == there
    assert abs(here - utc) < dt.timedelta(minutes=1)
    hours = session.execute("SELECT HOURS_BETWEEN(SYSTIMESTAMP, LOCALTIMESTAMP)").rows[0][0]
    assert 4 < hours < 7


def test_the_default_of_a_column_tells_the_time_of_the_session(session):
    session.execute("CREATE TABLE LOGGED (ID INT, A TIMESTAMP DEFAULT CURRENT_TIMESTAMP)")
    session.execute("INSERT INTO LOGGED (ID) VALUES (1)")
    sql = "SELECT ABS(SECONDS_BETWEEN(A, SYSTIMESTAMP)) < 60 FROM LOGGED"
    assert session.execute(sql).rows == [(True,)]


def test_an_unknown_time_zone_is_refused(session):
    with pytest.raises(SqlError, match="unknown time zone 'MARS/HERE'"):
        session.execute("ALTER SESSION SET TIME_ZONE = 'MARS/HERE'")


def test_local_times_in_tables_fix_the_time_zone(session):
    session.execute("CREATE TABLE Z (A TIMESTAMP WITH LOCAL TIME ZONE)")
    with pytest.raises(SqlError, match="another TIME_ZONE beside the columns of Z"):
        session.execute("ALTER SESSION SET TIME_ZONE = 'UTC'")
    session.execute("DROP TABLE Z")
    session.execute("ALTER SESSION SET TIME_ZONE = 'UTC'")
    with pytest.raises(SqlError, match="WITH LOCAL TIME ZONE beside another TIME_ZONE"):
        session.execute("CREATE TABLE Z (A TIMESTAMP WITH LOCAL TIME ZONE)")


def test_a_delete_counts_days_too(session):
    session.execute("CREATE TABLE LOGGED (A TIMESTAMP)")
    session.execute("INSERT INTO LOGGED VALUES (SYSTIMESTAMP - 40), (SYSTIMESTAMP)")
    assert session.execute("DELETE FROM LOGGED WHERE A < CURRENT_TIMESTAMP - 30").count == 1


def test_insert_select_takes_window_functions(session):
    session.execute("CREATE TABLE RANKED (ID INT, N INT)")
    session.execute(
        "INSERT INTO RANKED SELECT ID, ROW_NUMBER() OVER (PARTITION BY G ORDER BY ID) FROM T"
    )
    assert session.execute("SELECT N FROM RANKED ORDER BY ID").rows == [(1,), (2,), (1,), (1,)]
