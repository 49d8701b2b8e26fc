"""Every form in which SQL calls scripts, with real virtual machines."""

from __future__ import annotations

import pytest

from exatrust_sandbox.database.model import RowCount, SqlError

from .conftest import definer

SPLIT = "def run(ctx):\n    for i in range(ctx.n or 0):\n        ctx.emit(i, i * i)"
JOINED = """\
def run(ctx):
    values = []
    while True:
        values.append(str(ctx[0]))
        if not ctx.next():
            break
    return ','.join(values)"""
COUNTED = "def run(ctx):\n    ctx.emit(ctx.size(), exa.meta.node_id)"
ECHO = """\
def run(ctx):
    while True:
        ctx.emit(*[str(ctx[i]) for i in range(exa.meta.input_column_count)])
        if not ctx.next():
            break"""


@pytest.fixture
def session(session):
    """With the scripts above and a view over one of them."""
    return prepared(session)


@pytest.fixture(scope="module")
def many(shared):
    """The same for tests that change nothing."""
    return prepared(shared)


def prepared(session):
    define = definer(session)
    define("SCALAR DBL(x DOUBLE) RETURNS DOUBLE", "def run(ctx):\n    return ctx.x and ctx.x * 2")
    define(
        "SCALAR UP(s VARCHAR(9)) RETURNS VARCHAR(9)",
        "def run(ctx):\n    return ctx.s and ctx.s.upper()",
    )
    define("SCALAR SPLIT(n INT) EMITS (I INT, SQ INT)", SPLIT)
    define("SET JOINED(...) RETURNS VARCHAR(999)", JOINED)
    define("SET COUNTED(n INT) EMITS (N INT, NODE INT)", COUNTED)
    define("SET ECHO(...) EMITS (...)", ECHO)
    session.execute("CREATE VIEW V AS SELECT ID, SPLIT(ID) FROM T")
    return session


FORMS = {
    # scalar RETURNS
    "SELECT DBL(3)": [(6.0,)],
    "SELECT S.DBL(X) + 1 FROM T ORDER BY 1": [(3.0,), (5.0,), (7.0,), (9.0,)],
    'SELECT "S"."DBL"(X) AS Y, G FROM T WHERE ID = 1': [(2.0, "a")],
    "SELECT ID FROM T WHERE DBL(X) > 2 AND ID < 4 ORDER BY ID DESC": [(3,), (2,)],
    "SELECT DBL(DBL(DBL(1)))": [(8.0,)],
    "SELECT UP(G), COUNT(*) FROM T GROUP BY UP(G) ORDER BY 1": [("A", 2), ("B", 1), (None, 1)],
    "SELECT UP(G) || COUNT(*) FROM T WHERE G IS NOT NULL GROUP BY UP(G) ORDER BY 1": [
        ("A2",), ("B1",),
    ],
    "SELECT G, DBL(SUM(X)) FROM T GROUP BY G HAVING COUNT(*) > 1": [("a", 6.0)],
    "SELECT SUM(DBL(X)), DBL(COUNT(*)) FROM T": [(20.0, 8.0)],
    "SELECT DISTINCT UP(G) FROM T WHERE G IS NOT NULL ORDER BY 1": [("A",), ("B",)],
    "SELECT CASE WHEN DBL(X) > 5 THEN 'big' END FROM T ORDER BY ID": [
        (None,), (None,), ("big",), ("big",),
    ],
    "SELECT ID FROM T WHERE UP(G) IN (SELECT UP(G) FROM T WHERE ID = 3)": [(3,)],
    "SELECT ID, (SELECT DBL(4)) FROM T WHERE ID = 1": [(1, 8.0)],
    "SELECT ID FROM T ORDER BY DBL(X) DESC LIMIT 1": [(4,)],
    "SELECT DBL(1) UNION ALL SELECT DBL(2)": [(2.0,), (4.0,)],
    "SELECT UP('')": [(None,)],
    "SELECT DBL(NULL) FROM T WHERE 1 = 0": [],
    # scalar EMITS
    "SELECT SPLIT(3)": [(0, 0), (1, 1), (2, 4)],
    "SELECT ID * 10, SPLIT(ID), G FROM T WHERE ID < 3 ORDER BY ID, I": [
        (10, 0, 0, "a"), (20, 0, 0, "a"), (20, 1, 1, "a"),
    ],
    "SELECT I, COUNT(*) FROM (SELECT SPLIT(ID) FROM T) GROUP BY I ORDER BY I": [
        (0, 4), (1, 3), (2, 2), (3, 1),
    ],
    "SELECT V.I, T.X FROM V JOIN T ON T.ID = V.I WHERE V.ID = 4 ORDER BY 1": [
        (1, 1.0), (2, 2.0), (3, 3.0),
    ],
    "SELECT MAX(SQ) FROM V WHERE ID > 1": [(9,)],
    "SELECT DISTINCT SQ FROM (SELECT SPLIT(ID) FROM T) ORDER BY SQ DESC LIMIT 2": [(9,), (4,)],
    "WITH W AS (SELECT SPLIT(3)) SELECT A.I, B.SQ FROM W A JOIN W B ON A.I = B.I ORDER BY 1": [
        (0, 0), (1, 1), (2, 4),
    ],
    "SELECT SPLIT(DBL(1))": [(0, 0), (1, 1)],
    "SELECT DBL(I) FROM (SELECT SPLIT(2)) ORDER BY 1": [(0.0,), (2.0,)],
    # SET
    "SELECT JOINED(ID ORDER BY ID DESC) FROM T": [("4,3,2,1",)],
    "SELECT G, JOINED(ID ORDER BY X DESC, ID) FROM T GROUP BY G ORDER BY G": [
        ("a", "2,1"), ("b", "3"), (None, "4"),
    ],
    "SELECT JOINED(ID ORDER BY ID) || '!', COUNT(*), SUM(X) FROM T WHERE ID > 2": [
        ("3,4!", 2, 7.0),
    ],
    "SELECT G, JOINED(ID ORDER BY ID), JOINED(X ORDER BY ID DESC) FROM T WHERE ID < 3 GROUP BY G": [
        ("a", "1,2", "2.0,1.0"),
    ],
    "SELECT N FROM (SELECT COUNTED(ID) FROM T GROUP BY G) ORDER BY N": [(1,), (1,), (2,)],
    "SELECT COUNT(*), SUM(N) FROM (SELECT COUNTED(I) FROM VALUES BETWEEN 1 AND 16 * NPROC() T(I)"
    " GROUP BY I)": [(64, 64)],
    "SELECT G || '?', COUNTED(ID), MIN(ID) M FROM T GROUP BY G || '?' ORDER BY M": None,
    "SELECT COUNTED(ID) FROM T WHERE 1 = 0": [],
    # dynamic
    "SELECT ECHO(ID, G ORDER BY ID) EMITS (A VARCHAR(9), \"b\" VARCHAR(9)) FROM T WHERE ID < 3": [
        ("1", "a"), ("2", "a"),
    ],
    'SELECT "b" FROM (SELECT ECHO(1, \'x\') EMITS (A VARCHAR(9), "b" VARCHAR(9)))': [("x",)],
    "SELECT ECHO('x') EMITS (A VARCHAR(9)) FROM DUAL": [("x",)],
}  # fmt: skip


@pytest.mark.parametrize(("query", "expected"), FORMS.items())
def test_a_call_gives_its_rows_wherever_it_stands(many, query, expected):
    found = many.execute(query).rows
    if expected is None:
        assert [row[0] for row in found] == ["a?", "b?", "?"]
    else:
        assert found == expected


def test_rows_come_in_the_order_in_which_they_were_emitted(many):
    assert many.execute("SELECT SPLIT(500)").rows == [(i, i * i) for i in range(500)]


def test_the_columns_of_a_call_are_those_that_the_script_emits(many):
    result = many.execute("SELECT ID, SPLIT(ID), UP(G) AS U FROM T")
    assert [(column.name, column.type.display()) for column in result.columns] == [
        ("ID", "DECIMAL(18,0)"), ("I", "DECIMAL(18,0)"), ("SQ", "DECIMAL(18,0)"),
        ("U", "VARCHAR(9) UTF8"),
    ]  # fmt: skip


def test_calls_feed_tables_inserts_and_merges(session, rows):
    assert session.execute("CREATE TABLE C AS SELECT SPLIT(3)") == RowCount(3)
    assert session.execute("INSERT INTO C SELECT SPLIT(1)") == RowCount(1)
    assert session.execute("INSERT INTO C (I) VALUES (DBL(4)), (DBL(5))") == RowCount(2)
    assert session.execute("DELETE FROM C WHERE I IN (SELECT DBL(ID) FROM T)") == RowCount(2)
    merge = (
        "MERGE INTO C USING (SELECT SPLIT(4)) Q ON C.I = Q.I"
        " WHEN MATCHED THEN UPDATE SET SQ = Q.SQ * 10"
        " WHEN NOT MATCHED THEN INSERT (I, SQ) VALUES (Q.I, Q.SQ)"
    )
    session.execute(merge)
    assert rows("SELECT * FROM C ORDER BY I, SQ") == [
        (0, 0), (0, 0), (1, 10), (2, 4), (3, 9), (10, None),
    ]  # fmt: skip


def test_creating_a_view_finds_its_columns_without_running_the_script(session, define, rows):
    define("SET BROKEN() EMITS (A INT, B VARCHAR(7))", "def run(ctx):\n    raise ValueError")
    session.execute("CREATE VIEW LAZY AS SELECT BROKEN() FROM DUAL")
    columns = "SELECT COLUMN_NAME, COLUMN_TYPE FROM EXA_ALL_COLUMNS"
    assert rows(f"{columns} WHERE COLUMN_TABLE = 'LAZY'") == [
        ("A", "DECIMAL(18,0)"), ("B", "VARCHAR(7) UTF8"),
    ]  # fmt: skip
    with pytest.raises(SqlError, match="ValueError"):
        rows("SELECT * FROM LAZY")


REFUSED = {
    "SELECT G FROM T GROUP BY G HAVING DBL(COUNT(*)) > 2": "in HAVING",
    "SELECT * FROM T JOIN T U ON DBL(T.X) = U.X": "in JOIN ... ON",
    "SELECT SUM(DBL(X)) OVER () FROM T": "in a window function",
    "UPDATE T SET X = DBL(X)": "outside a SELECT",
    "SELECT G, SPLIT(COUNT(*)) FROM T GROUP BY G": "EMITS script beside GROUP BY",
    "SELECT G, COUNTED(ID) FROM T GROUP BY G HAVING COUNT(*) > 1": "HAVING beside a SET script",
    "SELECT COUNTED(SUM(X)) FROM T GROUP BY G": "aggregates as arguments",
}


@pytest.mark.parametrize(("query", "what"), REFUSED.items())
def test_a_call_at_a_place_not_supported_is_refused(many, query, what):
    with pytest.raises(SqlError) as caught:
        many.execute(query)
    assert caught.value.sql_code == "0A000"
    assert what in caught.value.text


WRONG = {
    "SELECT DBL()": r"wrong number of parameters for script S.DBL \(expected 1, got 0\)",
    "SELECT DBL(1, 2)": r"wrong number of parameters for script S.DBL \(expected 1, got 2\)",
    "SELECT DBL('abc')": "invalid value for cast",
    "SELECT UP('abcdefghijk')": "right truncation",
    "SELECT SPLIT(1) + 1": "only allowed as a column",
    "SELECT SPLIT(1), SPLIT(2)": "only one EMITS script",
    "SELECT SPLIT(1) AS A": "cannot be renamed as one",
    "SELECT ECHO(1)": "dynamic return arguments",
    "SELECT SPLIT(1) EMITS (A INT)": "already specified",
    "SELECT DBL(1 ORDER BY 1)": "only allowed in calls of SET scripts",
    "SELECT DBL(NOPE) FROM T": "object NOPE not found",
    "SELECT ID FROM T WHERE X = (SELECT DBL(T.X))": "not found",
}


@pytest.mark.parametrize(("query", "text"), WRONG.items())
def test_a_wrong_call_is_explained(many, query, text):
    with pytest.raises(SqlError, match=text):
        many.execute(query)
