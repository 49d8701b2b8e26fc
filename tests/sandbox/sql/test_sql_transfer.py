"""IMPORT and EXPORT of CSV, with a transport that keeps files in memory."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exatrust_sandbox.database.model import RowCount, SqlError

AT = "CSV AT 'https://192.0.2.11:20001' PUBLIC KEY 'sha256//abc='"


class Files:
    """Stands where the server's HTTP client is."""

    def __init__(self, **files):
        self.files = dict(files)
        self.calls = []

    def fetch(self, address, file, public_key, *, secure):
        self.calls.append((address, file, public_key, secure))
        return self.files[file]

    def send(self, address, file, data, public_key, *, secure):
        self.calls.append((address, file, public_key, secure))
        self.files[file] = data


def imported(session, data, options="", columns=""):
    files = Files(**{"000.csv": data})
    session.execute("TRUNCATE TABLE S.T")
    session.execute(f"IMPORT INTO S.T {columns} FROM {AT}\nFILE '000.csv'\n{options}", files)
    return session.execute("SELECT * FROM S.T ORDER BY ID").rows


def exported(session, source, options=""):
    files = Files()
    count = session.execute(f"EXPORT {source} INTO {AT}\nFILE '000.csv'\n{options}", files)
    return files.files["000.csv"].decode(), count


def test_the_addresses_and_keys_of_the_statement_reach_the_transport(session):
    files = Files(**{"000.csv": b"1,x,2\n", "001.csv": b"2,y,3\n"})
    sql = f"/* why */ IMPORT INTO T FROM {AT} FILE '000.csv'\nAT 'http://h:2' FILE '001.csv'"
    assert session.execute(sql, files) == RowCount(2)
    assert files.calls == [
        ("192.0.2.11:20001", "000.csv", "sha256//abc=", True), ("h:2", "001.csv", None, False),
    ]  # fmt: skip
    session.execute(f"EXPORT T INTO {AT} FILE 'a.csv' FILE 'b.csv'", files)
    assert files.files["a.csv"].count(b"\n") == files.files["b.csv"].count(b"\n") == 3


def test_fields_of_a_file_can_be_chosen_by_number(session):
    files = Files(**{"000.csv": b"x,1,y,a,2\n"})
    session.execute("TRUNCATE TABLE T")
    session.execute(f"IMPORT INTO T FROM {AT} FILE '000.csv' (2, 4..5)", files)
    assert session.execute("SELECT * FROM T").rows == [(1, "a", 2.0)]
    with pytest.raises(SqlError, match="row 1 has 5 columns only"):
        session.execute(f"IMPORT INTO T FROM {AT} FILE '000.csv' (2, 4, 6)", files)


@pytest.mark.parametrize(
    ("data", "options", "columns", "expected"),
    [
        (b"1,a,2.5\n2,,\n", "", "", [(1, "a", 2.5), (2, None, None)]),
        (b'1,"a,""b""",2\r\n', "ROW SEPARATOR = 'CRLF'", "", [(1, 'a,"b"', 2.0)]),
        (b"ID;G\n1;x\n", "SKIP = 1 COLUMN SEPARATOR = ';'", "(ID, G)", [(1, "x", None)]),
        (b"1,NIL, 3\n", "NULL = 'NIL' TRIM", "", [(1, None, 3.0)]),
        (b"1,'a',2\n", "COLUMN DELIMITER = ''''", "", [(1, "a", 2.0)]),
        ("1,zwölf,2\n".encode(), "ENCODING = 'UTF-8'", "", [(1, "zwölf", 2.0)]),
        (b'1,"two\nlines",2\n', "", "", [(1, "two\nlines", 2.0)]),
        (b"", "", "", []),
    ],
)
def test_csv_is_read_with_the_options_of_the_statement(session, data, options, columns, expected):
    assert imported(session, data, options, columns) == expected


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"1,a\n", "row 1 has 2 columns, expected 3"),
        (b"1,a,2\nx,b,3\n", r"Column=ID Row=2.*'x' failed"),
        (b"1,aaaaaaaaaaaaaa,2\n", "right truncation"),
    ],
)
def test_a_bad_file_is_refused_whole(session, data, text):
    with pytest.raises(SqlError, match=text):
        session.execute(f"IMPORT INTO T FROM {AT} FILE '000.csv'", Files(**{"000.csv": data}))
    assert session.execute("SELECT COUNT(*) FROM T").rows == [(4,)]


@pytest.mark.parametrize(
    ("source", "options", "text"),
    [
        ("S.T", "", "1,a,1.0\n2,a,2.0\n3,b,3.0\n4,,4.0\n"),
        ("T (ID)", "WITH COLUMN NAMES", "ID\n1\n2\n3\n4\n"),
        ("(SELECT ID, G FROM T WHERE ID < 2)", "DELIMIT = ALWAYS", '"1","a"\n'),
        ("(SELECT 'a;b', NULL)", "COLUMN SEPARATOR = ';' NULL = 'NIL'", '"a;b";NIL\n'),
        ("(SELECT TRUE, DATE '2026-01-02')", "", "TRUE,2026-01-02\n"),
    ],
)
def test_rows_are_written_with_the_options_of_the_statement(session, source, options, text):
    assert exported(session, source, options) == (
        text,
        RowCount(text.count("\n") - ("NAMES" in options)),
    )


def test_scripts_can_be_exported(session, define):
    define(
        "SCALAR SPLIT(n INT) EMITS (I INT)",
        "def run(ctx):\n    [ctx.emit(i) for i in range(ctx.n)]",
    )
    assert exported(session, "(SELECT SPLIT(2))")[0] == "0\n1\n"


@pytest.mark.parametrize(
    "sql",
    [
        "IMPORT INTO T FROM JDBC AT 'jdbc:x' STATEMENT 'SELECT 1'",
        "IMPORT INTO T FROM CSV AT 'ftp://h' FILE 'x'",
        "IMPORT INTO T FROM CSV AT C FILE 'x'",
        "IMPORT INTO T FROM CSV AT 'https://h:1' VERIFY CERTIFICATE FILE 'x'",
        "EXPORT T INTO CSV AT 'https://h:1' FILE 'x' (1)",
        "EXPORT T INTO CSV AT 'https://h:1' FILE 'x' ENCODING = 'LATIN1'",
    ],
)
def test_other_transfers_are_refused(session, sql):
    with pytest.raises(SqlError) as caught:
        session.execute(sql, Files())
    assert caught.value.sql_code == "0A000"


TEXTS = st.text(
    st.characters(blacklist_characters="\0\r", blacklist_categories=["Cs"]), max_size=10
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=st.lists(TEXTS, min_size=1, max_size=5))
def test_what_was_exported_is_imported_again_as_it_was(session, values):
    session.execute("CREATE OR REPLACE TABLE R (N INT, V VARCHAR(10), D DECIMAL(9,2), M TIMESTAMP)")
    moment = dt.datetime(2026, 1, 2, 3, 4, 5)
    rows = [(n, value or None, Decimal("1.25"), moment) for n, value in enumerate(values)]
    session.prepare("INSERT INTO R VALUES (?, ?, ?, ?)").execute(rows)
    text, _ = exported(session, "R")
    session.execute("TRUNCATE TABLE R")
    files = Files(**{"000.csv": text.encode()})
    session.execute(f"IMPORT INTO R FROM {AT} FILE '000.csv'", files)
    assert session.execute("SELECT * FROM R ORDER BY N").rows == rows
