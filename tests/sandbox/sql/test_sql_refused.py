"""What DuckDB or the parser would take and Exasol would not, and other traps of going through them.

A query that another database understands differently is refused, not answered.
"""

from __future__ import annotations

import pytest

from exatrust_sandbox.database.model import SqlError


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("SELECT ID FROM T CONNECT BY PRIOR ID = 1", "CONNECT BY"),
        ("SELECT ID FROM T START WITH ID = 1 CONNECT BY PRIOR ID = ID", "CONNECT BY"),
        ("SELECT LEVEL FROM DUAL CONNECT BY LEVEL <= 3", "CONNECT BY"),
        ("SELECT ID FROM T FOR UPDATE", "FOR UPDATE"),
        ("SELECT ID FROM T TABLESAMPLE (10)", "TABLESAMPLE"),
        ("SELECT ID FROM T PIVOT (SUM(X) FOR G IN ('a'))", "PIVOT"),
        ("SELECT DISTINCT ON (G) ID FROM T", "DISTINCT ON"),
        ("SELECT * EXCLUDE (ID) FROM T", "with exceptions"),
        ("SELECT ROWNUM FROM T", "ROWNUM"),
        ("SELECT ROWID FROM T", "ROWID"),
        ("SELECT * FROM (SELECT 1 AS A, 2 AS A)", "equal column names"),
        ("WITH Q AS (SELECT ID, ID FROM T) SELECT * FROM Q", "equal column names"),
        ("SELECT IPROC() FROM (SELECT ID FROM T)", r"IPROC\(\)"),
        ("SELECT * FROM READ_CSV('/etc/passwd')", "table function"),
        ("SELECT READ_TEXT('/etc/passwd')", "READ_TEXT"),
        ("RENAME TABLE T TO U", "RENAME"),
        ("SELECT * FROM EXA_SYSTEM_EVENTS", "system table EXA_SYSTEM_EVENTS"),
        ("SELECT * FROM EXA_SESSION_CONNECTIONS", "system table EXA_SESSION_CONNECTIONS"),
        ("SELECT A.ID FROM T A JOIN T B ON F(A.ID) = B.ID", "JOIN ... ON"),
        ("SELECT G FROM T GROUP BY G HAVING F(1) > 3", "HAVING"),
        ("UPDATE T SET X = F(ID)", "outside a SELECT"),
        ("DELETE FROM T WHERE F(ID) > 3", "outside a SELECT"),
        ("SELECT * FROM F(2)", "table function"),
    ],
)
def test_what_would_be_answered_otherwise_is_refused(session, define, sql, what):
    define("SCALAR F(x INT) RETURNS INT", "def run(ctx): return ctx.x")
    with pytest.raises(SqlError, match=f"the stand-in does not support .*{what}") as caught:
        session.execute(sql)
    assert caught.value.sql_code == "0A000"
    assert session.execute("SELECT COUNT(*), SUM(X) FROM T").rows == [(4, 10.0)]


@pytest.mark.parametrize(
    "sql",
    [
        "FROM T", "PRAGMA database_list", "ATTACH 'x'", "COPY T TO 'x'", "SET x = 1", "TABLE T",
        "SELECT * FROM '/etc/passwd'", "SELECT * FROM information_schema.tables",
        'SELECT * FROM "main"."objects"', "SELECT [1, 2]",
    ],
)  # fmt: skip
def test_duckdbs_own_language_and_tables_are_out_of_reach(shared, sql):
    with pytest.raises(SqlError) as caught:
        shared.execute(sql)
    assert caught.value.sql_code == "42000"


def test_equal_names_are_no_harm_where_nothing_refers_to_them(shared, session):
    assert shared.execute("SELECT ID, ID FROM T WHERE ID = 1").rows == [(1, 1)]
    assert shared.execute("SELECT 1, 1 WHERE EXISTS (SELECT 1, 1)").rows == [(1, 1)]
    assert shared.execute("SELECT 1, 1 UNION ALL SELECT 2, 2").rows == [(1, 1), (2, 2)]
    session.execute("INSERT INTO T (ID, X) SELECT 5, 5")


def test_a_quoted_rowid_is_a_name_like_any_other(shared):
    assert shared.execute('SELECT "ROWID" FROM (SELECT 1 AS "ROWID")').rows == [(1,)]


@pytest.mark.parametrize(("kind", "end"), [("VARCHAR(3)", ""), ("CHAR(3)", "  ")])
def test_a_cast_does_not_cut_a_text_that_is_too_long(shared, kind, end):
    assert shared.execute(f"SELECT CAST('äöü' AS {kind}), CAST('' AS {kind})").rows == [
        ("äöü", None)
    ]
    with pytest.raises(SqlError, match="right truncation") as caught:
        shared.execute(f"SELECT CAST('abcd' AS {kind})")
    assert caught.value.sql_code == "22001"
    query = f"SELECT CAST(G AS {kind}) C, COUNT(*) FROM T GROUP BY CAST(G AS {kind}) ORDER BY 2, 1"
    assert shared.execute(query).rows == [(f"b{end}", 1), (None, 1), (f"a{end}", 2)]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'x' || ZEROIFNULL(NULL) || TO_CHAR(DATE '2026-01-01', 'YYYY') || IPROC()", "x020260"),
        ("ZEROIFNULL(NULLIFZERO(0))", 0),
        ("UPPER('a' || REPLACE('b', 'b', '') || LOWER('C' || 'D'))", "ACD"),
        ("TO_CHAR(TIMESTAMP '2026-01-02 13:04:05', 'YYYY-MM-DD HH24:MI:SS')",
         "2026-01-02 13:04:05"),
        ("TO_CHAR(TIMESTAMP '2026-01-02 13:04:05.123', 'HH12.MI.SS.FF3')", "01.04.05.123"),
    ],
)  # fmt: skip
def test_functions_are_translated_inside_other_functions(shared, expression, value):
    assert shared.execute(f"SELECT {expression}").rows == [(value,)]


def test_a_merge_that_meets_a_row_twice_fails_and_changes_nothing(session, rows):
    with pytest.raises(SqlError, match="Unable to get a stable set of rows"):
        session.execute(
            "MERGE INTO T USING (SELECT 1 I, 'p' P UNION ALL SELECT 1, 'q') Q ON T.ID = Q.I"
            " WHEN MATCHED THEN UPDATE SET G = Q.P"
        )
    assert rows("SELECT G FROM T WHERE ID = 1") == [("a",)]


def test_a_merge_that_only_inserts_may_meet_a_row_twice(session, rows):
    session.execute(
        "MERGE INTO T USING (SELECT 1 I UNION ALL SELECT 1 UNION ALL SELECT 9) Q ON T.ID = Q.I"
        " WHEN NOT MATCHED THEN INSERT (ID) VALUES (Q.I)"
    )
    assert rows("SELECT ID FROM T WHERE ID IN (1, 9) ORDER BY ID") == [(1,), (9,)]
