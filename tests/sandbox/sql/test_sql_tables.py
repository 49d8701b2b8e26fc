"""Tables, rows and comments."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from decimal import Decimal

import pytest

from exatrust_sandbox.database.model import RowCount, SqlError


def test_every_data_type_is_kept_and_listed_as_exasol_writes_it(session, rows):
    session.execute(
        "CREATE TABLE ALL_TYPES (A DECIMAL(5,2) NOT NULL, B VARCHAR(7) ASCII, C CHAR(2),"
        " D BOOLEAN, E DATE, F TIMESTAMP(6), G DOUBLE PRECISION, H HASHTYPE(16 BYTE), I BIGINT,"
        " J CLOB, DISTRIBUTE BY A, PARTITION BY E) COMMENT IS 'all of them'"
    )
    listed = rows(
        "SELECT COLUMN_NAME, COLUMN_TYPE, COLUMN_IS_NULLABLE, COLUMN_IS_DISTRIBUTION_KEY"
        " FROM EXA_ALL_COLUMNS WHERE COLUMN_TABLE = 'ALL_TYPES' ORDER BY COLUMN_ORDINAL_POSITION"
    )
    assert listed == [
        ("A", "DECIMAL(5,2)", False, True), ("B", "VARCHAR(7) ASCII", True, False),
        ("C", "CHAR(2) UTF8", True, False), ("D", "BOOLEAN", True, False),
        ("E", "DATE", True, False), ("F", "TIMESTAMP(6)", True, False),
        ("G", "DOUBLE", True, False), ("H", "HASHTYPE(16 BYTE)", True, False),
        ("I", "DECIMAL(36,0)", True, False), ("J", "VARCHAR(2000000) UTF8", True, False),
    ]  # fmt: skip
    session.execute(
        "INSERT INTO ALL_TYPES VALUES (1.5, 'x', 'y', TRUE, DATE '2026-01-02',"
        " TIMESTAMP '2026-01-02 03:04:05.123456', 2, 'ab', 9, 'z')"
    )
    assert rows("SELECT * FROM ALL_TYPES") == [
        (Decimal("1.50"), "x", "y ", True, dt.date(2026, 1, 2),
         dt.datetime(2026, 1, 2, 3, 4, 5, 123456), 2.0, "ab", 9, "z")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "code", "text"),
    [
        ("INSERT INTO L VALUES ('abcd', 1, 1)", "22001", "right truncation"),
        ("UPDATE L SET A = 'abcd'", "22001", "right truncation"),
        ("MERGE INTO L USING (SELECT 'toolong' X) Q ON L.A = 'ab'"
         " WHEN MATCHED THEN UPDATE SET L.A = Q.X", "22001", "right truncation"),
        ("INSERT INTO L VALUES ('b', 1000, 1)", "22003", "numeric value out of range"),
        ("INSERT INTO L VALUES ('b', 'x', 1)", "22018", "invalid value for cast"),
        ("INSERT INTO L VALUES ('b', NULL, 2)", "27002", "constraint violation"),
        ("INSERT INTO L VALUES ('b', 1, 7)", "27001", "primary key"),
        ("UPDATE L SET K = 7", "27001", "primary key"),
        ("INSERT INTO L VALUES ('b', 1)", "42000", "not enough values"),
    ],
)  # fmt: skip
def test_a_row_that_does_not_fit_is_refused_and_nothing_stays(session, rows, statement, code, text):
    session.execute("CREATE TABLE L (A VARCHAR(3), B DECIMAL(3,0) NOT NULL, K INT PRIMARY KEY)")
    session.execute("INSERT INTO L VALUES ('ab', 1, 7), ('cd', 2, 8)")
    with pytest.raises(SqlError, match=text) as caught:
        session.execute(statement)
    assert caught.value.sql_code == code
    assert rows("SELECT * FROM L ORDER BY K") == [("ab", 1, 7), ("cd", 2, 8)]


def test_rows_are_counted_changed_and_merged(session, rows):
    assert session.execute("UPDATE T U SET U.X = U.X + 1 WHERE U.ID > 2") == RowCount(2)
    assert session.execute("DELETE FROM T WHERE G IS NULL") == RowCount(1)
    merge = (
        "MERGE INTO T USING (SELECT 3 AS I UNION ALL SELECT 9) N ON T.ID = N.I"
        " WHEN MATCHED THEN UPDATE SET T.G = 'm'"
        " WHEN NOT MATCHED THEN INSERT (ID, G) VALUES (N.I, 'new')"
    )
    assert session.execute(merge) == RowCount(2)
    assert rows("SELECT * FROM T ORDER BY ID") == [
        (1, "a", 1.0), (2, "a", 2.0), (3, "m", 4.0), (9, "new", None),
    ]  # fmt: skip
    assert session.execute("TRUNCATE TABLE T") == RowCount(4)


def test_a_primary_key_may_be_deleted_and_inserted_again_in_one_transaction(session, rows):
    session.execute("CREATE TABLE K (A INT PRIMARY KEY, B INT)")
    session.execute("INSERT INTO K VALUES (1, 1)")
    session.autocommit = False
    session.execute("DELETE FROM K")
    session.execute("INSERT INTO K VALUES (1, 2)")
    session.commit()
    assert rows("SELECT * FROM K") == [(1, 2)]


def test_defaults_fill_what_an_insert_leaves_out(session, rows):
    session.execute("CREATE TABLE D (A INT DEFAULT 2 + 3, B VARCHAR(9) DEFAULT 'x', C TIMESTAMP"
                    " DEFAULT SYSTIMESTAMP NOT NULL, E INT)")  # fmt: skip
    session.execute("INSERT INTO D (E) VALUES (1)")
    a, b, c, e = rows("SELECT * FROM D")[0]
    assert (a, b, e) == (5, "x", 1)
    clock = dt.datetime.now(zoneinfo.ZoneInfo("Europe/Berlin")).replace(tzinfo=None)
    assert abs(c - clock) < dt.timedelta(minutes=5)


def test_a_table_can_be_made_from_a_query_or_like_another(session, rows):
    assert session.execute("CREATE TABLE C AS SELECT G, COUNT(*) N FROM T GROUP BY G") == RowCount(
        3
    )
    session.execute("CREATE TABLE LK LIKE C")
    columns = "SELECT COLUMN_NAME, COLUMN_TYPE FROM EXA_ALL_COLUMNS WHERE COLUMN_TABLE = "
    assert rows(columns + "'C'") == rows(columns + "'LK'")
    session.execute("INSERT INTO LK SELECT * FROM C")
    session.execute("CREATE OR REPLACE TABLE C (Z INT)")
    assert rows("SELECT * FROM C") == []
    with pytest.raises(SqlError, match="already exists"):
        session.execute("CREATE TABLE C (Z INT)")
    session.execute("CREATE TABLE IF NOT EXISTS C (Y INT)")
    assert [c.name for c in session.execute("SELECT * FROM C").columns] == ["Z"]


def test_columns_can_be_added_renamed_and_dropped(session, rows):
    session.execute("ALTER TABLE T ADD COLUMN N INT DEFAULT 7")
    session.execute("ALTER TABLE T RENAME COLUMN N TO M")
    session.execute("ALTER TABLE T DROP COLUMN X")
    assert rows("SELECT * FROM T WHERE ID = 1") == [(1, "a", 7)]


def test_comments_are_kept_with_their_objects(session, rows, define):
    define("SCALAR F() RETURNS INT", "def run(ctx): return 1")
    session.execute("CREATE VIEW V (A COMMENT IS 'col', B) AS SELECT 1, 2 COMMENT IS 'view'")
    session.execute("COMMENT ON SCHEMA S IS 'schema'")
    session.execute("COMMENT ON TABLE T IS 'table' (ID IS 'key')")
    session.execute("COMMENT ON COLUMN S.T.G IS 'group'")
    session.execute("COMMENT ON SCRIPT F IS 'script'")
    define("SCALAR F() RETURNS INT", "def run(ctx): return 2")
    assert rows("SELECT TABLE_COMMENT FROM EXA_ALL_TABLES") == [("table",)]
    assert rows("SELECT VIEW_COMMENT FROM EXA_ALL_VIEWS") == [("view",)]
    assert rows("SELECT SCRIPT_COMMENT FROM EXA_ALL_SCRIPTS") == [("script",)]
    assert rows("SELECT SCHEMA_COMMENT FROM EXA_SCHEMAS") == [("schema",)]
    assert rows(
        "SELECT COLUMN_NAME, COLUMN_COMMENT FROM EXA_ALL_COLUMNS"
        " WHERE COLUMN_COMMENT IS NOT NULL ORDER BY 1"
    ) == [("A", "col"), ("G", "group"), ("ID", "key")]
    with pytest.raises(SqlError, match="longer than 2000"):
        session.execute(f"COMMENT ON TABLE T IS '{'x' * 2001}'")


def test_a_schema_with_objects_is_dropped_only_with_cascade(session, rows):
    with pytest.raises(SqlError, match="is not empty"):
        session.execute("DROP SCHEMA S")
    session.execute("DROP SCHEMA S CASCADE")
    session.execute("DROP SCHEMA IF EXISTS S")
    assert rows("SELECT * FROM EXA_ALL_OBJECTS") == []
    assert session.current_schema == ""


def test_views_see_new_rows_and_keep_the_schema_they_were_made_in(session, rows):
    session.execute("CREATE VIEW V AS SELECT ID AS I FROM T WHERE ID > 3")
    session.execute("CREATE OR REPLACE VIEW W (J) AS WITH Q AS (SELECT I FROM V) SELECT * FROM Q")
    session.execute("INSERT INTO T VALUES (5, NULL, NULL)")
    session.execute("CREATE SCHEMA OTHER")
    assert rows("SELECT X.J FROM S.W X ORDER BY 1") == [(4,), (5,)]
    assert rows("SELECT VIEW_TEXT FROM EXA_ALL_VIEWS WHERE VIEW_NAME = 'V'") == [
        ("CREATE VIEW V AS SELECT ID AS I FROM T WHERE ID > 3",)
    ]
    with pytest.raises(SqlError, match="cannot change rows of view"):
        session.execute("INSERT INTO S.V VALUES (1)")
    session.execute("DROP TABLE S.T")
    with pytest.raises(SqlError, match="object T not found"):
        rows("SELECT * FROM S.W")


def test_prepared_rows_are_inserted_at_once_and_converted(session, rows):
    session.execute("CREATE TABLE P (A INT, B VARCHAR(5), C TIMESTAMP, D DECIMAL(9,2), E BOOLEAN)")
    prepared = session.prepare("INSERT INTO P (A, B, C, D, E) VALUES (?, ?, ?, ?, ?)")
    assert [c.type.name for c in prepared.parameters] == [
        "DECIMAL", "VARCHAR", "TIMESTAMP", "DECIMAL", "BOOLEAN",
    ]  # fmt: skip
    many = [(n, "", "2026-01-01 00:00:00", "1.25", n % 2 == 0) for n in range(1000)]
    assert prepared.execute(many) == RowCount(1000)
    assert rows("SELECT COUNT(*), COUNT(B), SUM(D), MIN(C) FROM P") == [
        (1000, 0, Decimal("1250.00"), dt.datetime(2026, 1, 1))
    ]
    with pytest.raises(SqlError, match="right truncation"):
        prepared.execute([(1, "toolong", None, None, None)])
    with pytest.raises(SqlError, match="5 parameters expected, got 1"):
        prepared.execute([(1,)])


def test_prepared_queries_take_values_of_every_type(session):
    prepared = session.prepare("SELECT ? AS A, ID FROM T WHERE G = ? OR X > ? ORDER BY ID")
    assert [column.name for column in prepared.columns] == ["A", "ID"]
    assert prepared.execute([("it's ?", "b", 3.5)]).rows == [("it's ?", 3), ("it's ?", 4)]
    assert prepared.execute([(dt.date(2026, 1, 2), "b", 9)]).rows == [(dt.date(2026, 1, 2), 3)]
    update = session.prepare("UPDATE T SET G = ? WHERE ID = ?")
    assert update.execute([("x", 1), ("", 2)]) == RowCount(2)


def test_a_timestamp_keeps_milliseconds_unless_it_asks_for_more(session, rows, define):
    text = "TIMESTAMP '2026-01-02 03:04:05.123456'"
    session.execute("CREATE TABLE M (A TIMESTAMP, B TIMESTAMP(6), C TIMESTAMP(0))")
    session.execute(f"INSERT INTO M VALUES ({text}, {text}, {text})")
    body = "import datetime as dt\ndef run(ctx): return dt.datetime(2026, 1, 2, 3, 4, 5, 123456)"
    define("SCALAR NOW_() RETURNS TIMESTAMP", body)
    found = [moment.microsecond for moment in rows("SELECT A, B, C, NOW_() FROM M")[0]]
    assert found == [123000, 123456, 0, 123000]
