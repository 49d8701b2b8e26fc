"""Views that call scripts, as parts of larger queries."""

from __future__ import annotations

import pytest

from exatrust_sandbox.database.model import SqlError

COUNTING = """
def run(ctx):
    number = 0
    while True:
        number += 1
        ctx.emit(ctx.a, number)
        if not ctx.next():
            break
"""


@pytest.fixture
def counted(session, define):
    """The session, with the view COUNTED over the SET script F, and MOST over that."""
    define("SET F(a VARCHAR(100), b VARCHAR(2000)) EMITS (A VARCHAR(100), N INT)", COUNTING)
    define("SCALAR INC(x INT) RETURNS INT", "def run(ctx): return ctx.x + 1")
    session.execute(
        "CREATE VIEW COUNTED AS SELECT F(G, G) FROM"
        " (SELECT G, G AS K FROM T UNION ALL SELECT 'z', 'z' FROM DUAL) GROUP BY K"
    )
    session.execute("CREATE VIEW MOST AS SELECT A, MAX(N) AS M FROM COUNTED GROUP BY A")
    return session


QUERIES = {
    "SELECT A, M FROM MOST ORDER BY A": [("a", 2), ("b", 1), ("z", 1), (None, 1)],
    "SELECT X.A, Y.M FROM MOST X JOIN MOST Y ON X.A = Y.A ORDER BY 1": [
        ("a", 2), ("b", 1), ("z", 1)
    ],
    "SELECT ID FROM T WHERE NOT EXISTS (SELECT 1 FROM COUNTED C WHERE C.A = T.G) ORDER BY ID": [
        (4,)
    ],
    "SELECT ID FROM T WHERE G IN (SELECT A FROM MOST WHERE M > 1) ORDER BY ID": [(1,), (2,)],
    "WITH W AS (SELECT F(G, G) FROM T GROUP BY ID) SELECT COUNT(*) FROM W": [(4,)],
    "SELECT MAX(N), COUNT(*) FROM (SELECT F(G, G) FROM T GROUP BY IPROC())": [(1, 4)],
}  # fmt: skip


@pytest.mark.parametrize(("sql", "rows"), QUERIES.items())
def test_a_view_that_calls_a_script_is_a_table_like_others(counted, sql, rows):
    assert counted.execute(sql).rows == rows


def test_a_script_is_fed_by_system_tables(counted):
    counted.execute("CREATE CONNECTION C TO 'https://x' USER 'u' IDENTIFIED BY 'p'")
    counted.execute("GRANT SELECT ON T TO PUBLIC")
    counted.execute(
        "CREATE VIEW DESTINATIONS AS SELECT F(K, B) FROM ("
        "SELECT 'connection' AS K, CONNECTION_STRING AS B FROM EXA_DBA_CONNECTIONS"
        " UNION ALL SELECT 'script', SUBSTR(SCRIPT_TEXT, 1, 20) FROM EXA_DBA_SCRIPTS"
        " UNION ALL SELECT 'view', SUBSTR(VIEW_TEXT, 1, 20) FROM EXA_DBA_VIEWS"
        " UNION ALL SELECT 'parameter', SYSTEM_VALUE FROM EXA_PARAMETERS"
        " UNION ALL SELECT 'grant', OBJECT_NAME FROM EXA_DBA_OBJ_PRIVS"
        " UNION ALL SELECT 'property', PROPERTY_VALUE FROM EXA_DBA_VIRTUAL_SCHEMA_PROPERTIES"
        ") GROUP BY K"
    )
    found = dict(counted.execute("SELECT A, MAX(N) FROM DESTINATIONS GROUP BY A").rows)
    assert found.pop("parameter") > 5
    assert found == {"connection": 1, "script": 2, "view": 3, "grant": 1}


def test_a_column_beside_a_set_script_must_be_grouped(counted):
    with pytest.raises(SqlError, match=r"T\.ID is not a GROUP BY expression"):
        counted.execute("SELECT ID, F(G, G) FROM T GROUP BY G")
    grouped = counted.execute("SELECT LENGTH(G), MAX(ID), F(G, G) FROM T GROUP BY G").rows
    assert (1, 2, "a", 2) in grouped


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT ID, (SELECT MAX(INC(B.ID + A.ID)) FROM T B) FROM T A",
        "SELECT ID FROM T A WHERE EXISTS (SELECT INC(ID) FROM T B WHERE B.ID = A.ID)",
    ],
)
def test_a_correlated_call_is_refused_by_its_name(counted, sql):
    with pytest.raises(SqlError, match="in a subquery that uses the query around it") as caught:
        counted.execute(sql)
    assert caught.value.sql_code == "0A000"


def test_an_unknown_column_beside_a_call_is_still_called_unknown(counted):
    with pytest.raises(SqlError, match="object NOWHERE not found"):
        counted.execute("SELECT INC(NOWHERE) FROM T")
