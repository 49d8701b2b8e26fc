"""Identifiers, reserved words, and what is said when a name is not found."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exatrust_sandbox.database.model import SqlError
from exatrust_sandbox.database.names import RESERVED, quote

NAMES = st.text("abAB_1é ~$\"'", min_size=1, max_size=8)


def test_unquoted_names_fold_and_quoted_names_do_not(session, rows):
    session.execute('CREATE TABLE "t" ("id" INT, ID INT, iD2 INT)')
    session.execute('INSERT INTO "t" VALUES (1, 2, 3)')
    assert rows('SELECT id, "id", ID2 FROM "t"') == [(2, 1, 3)]
    assert [c.name for c in session.execute('SELECT * FROM "t"').columns] == ["id", "ID", "ID2"]
    with pytest.raises(SqlError, match="object Id not found"):
        rows('SELECT "Id" FROM "t"')
    assert len(rows("SELECT * FROM t")) == 4


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(names=st.lists(NAMES, min_size=1, max_size=4, unique=True))
def test_any_quoted_names_can_be_tables_and_columns_side_by_side(session, names):
    columns = ", ".join(f"{quote(name)} INT" for name in names)
    for name in names:
        session.execute(f"CREATE OR REPLACE TABLE {quote(name)} ({columns})")
    session.execute(f"INSERT INTO {quote(names[0])} VALUES ({', '.join('7' for _ in names)})")
    result = session.execute(f"SELECT {', '.join(map(quote, names))} FROM {quote(names[0])}")
    assert [column.name for column in result.columns] == names
    assert result.rows == [(7,) * len(names)]
    for name in names[1:]:
        assert session.execute(f"SELECT * FROM {quote(name)}").rows == []
    for name in names:
        session.execute(f"DROP TABLE {quote(name)}")


@pytest.mark.parametrize("word", ["PATH", "RELEASE", "KEY_TYPE", "CHAIN", "FORMAT", "SOURCE"])
def test_a_reserved_word_is_a_name_only_in_quotes(session, word):
    assert word in RESERVED
    with pytest.raises(SqlError, match=f"syntax error, unexpected {word}_"):
        session.execute(f"CREATE TABLE Q ({word} INT)")
    session.execute(f'CREATE TABLE Q ("{word}" INT)')
    with pytest.raises(SqlError, match=f"syntax error, unexpected {word}_"):
        session.execute(f"SELECT {word} FROM Q")
    assert session.execute(f'SELECT "{word}" FROM Q').rows == []


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("SELECT * FROM X.Y", "object X.Y not found [line 1, column 15]"),
        ("SELECT *\nFROM y", "object Y not found [line 2, column 6]"),
        ("SELECT ID, NOPE FROM T", "object NOPE not found [line 1, column 12]"),
        ("DROP TABLE NOPE", "object NOPE not found [line 1, column 12]"),
        ("DROP SCRIPT NOPE", "script NOPE not found [line 1, column 13]"),
        ("OPEN SCHEMA NOPE", "schema NOPE not found [line 1, column 13]"),
        ("SELECT X.F(1)", "function or script X.F not found [line 1, column 8]"),
        ("INSERT INTO T (NOPE) VALUES (1)", "object NOPE not found [line 1, column 16]"),
    ],
)
def test_what_is_not_found_is_named_with_its_place(session, sql, text):
    with pytest.raises(SqlError) as caught:
        session.execute(sql)
    assert (caught.value.text, caught.value.sql_code) == (text, "42000")


def test_scripts_tables_and_views_share_one_namespace(session, define):
    define("SCALAR F() RETURNS INT", "def run(ctx): return 1")
    for statement in ("CREATE TABLE F (A INT)", "CREATE OR REPLACE VIEW F AS SELECT 1 AS A"):
        with pytest.raises(SqlError, match=r"object S\.F already exists"):
            session.execute(statement)
    with pytest.raises(SqlError, match=r"object S\.T already exists"):
        define("SCALAR T() RETURNS INT", "def run(ctx): return 1")


def test_names_without_a_schema_need_an_open_one(engine):
    session = engine.open_session("sys", "tests")
    with pytest.raises(SqlError, match="no schema specified"):
        session.execute("CREATE TABLE A (B INT)")
    session.execute("CREATE SCHEMA ONE")
    session.execute("CREATE SCHEMA TWO")
    assert session.current_schema == "TWO"
    session.execute("OPEN SCHEMA ONE")
    session.execute("CREATE TABLE A (B INT)")
    session.execute("CLOSE SCHEMA")
    assert session.execute("SELECT * FROM ONE.A").rows == []
