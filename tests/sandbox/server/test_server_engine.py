"""The server with the real SQL engine behind it, as unmodified pyexasol sees the two."""

from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal

import pyexasol
import pytest
from pyexasol.data_types import convert_websocket_to_python

from exatrust_sandbox.database.engine import Engine

TYPES = (
    "I DECIMAL(18,0), D DECIMAL(12,4), F DOUBLE, B BOOLEAN, DAY_OF DATE, MOMENT TIMESTAMP,"
    " T VARCHAR(100), C CHAR(3)"
)
ROW = (
    7,
    Decimal("1.25"),
    0.5,
    True,
    dt.date(2026, 11, 24),
    dt.datetime(2026, 11, 24, 1, 2, 3, 456000),
    "zwölf €",
    "abc",
)
# pyexasol's own callbacks leave files and pipes to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")


@pytest.fixture
def engine(tmp_path):
    engine = Engine(
        tmp_path / "exasol.duckdb",
        containers=lambda alias, node: None,
        runtime=None,
        nodes=2,
        version="8.34.0",
        isolation="none",
        sys_password="exasol",
    )
    yield engine
    engine.close()


@pytest.fixture
def server(start):
    return start(heartbeat=0.3, nodes=2)


@pytest.fixture(params=[False, True], ids=["plain", "compressed"])
def connection(request, connect):
    connection = connect(
        compression=request.param, fetch_mapper=convert_websocket_to_python, socket_timeout=5
    )
    connection.execute("CREATE SCHEMA S")
    connection.execute("OPEN SCHEMA S")
    connection.execute(f"CREATE TABLE T ({TYPES})")
    return connection


def test_a_wrong_password_is_refused(server, certificate, refused):
    error = refused(dsn=f"127.0.0.1/{certificate.fingerprint}:{server.port}", password="wrong")
    assert error.code == "08004"


def test_all_types_survive_insert_multi_and_select(connection):
    row = tuple(str(value) if isinstance(value, (dt.date, Decimal)) else value for value in ROW)
    connection.ext.insert_multi("T", [row, (None,) * len(row)])
    assert connection.execute("SELECT * FROM T ORDER BY I").fetchall() == [
        ROW,
        (None,) * len(ROW),
    ]


def test_what_export_gives_import_takes(connection):
    row = tuple(str(value) if isinstance(value, (dt.date, Decimal)) else value for value in ROW)
    connection.ext.insert_multi("T", [row] * 3)
    exported = connection.export_to_list("SELECT I, T FROM T")
    assert exported == [["7", "zwölf €"]] * 3
    connection.execute("CREATE TABLE T2 (I DECIMAL(18,0), T VARCHAR(100))")
    connection.import_from_iterable(exported, "T2")
    assert connection.execute("SELECT * FROM T2").fetchall() == [(7, "zwölf €")] * 3


def test_many_rows_can_be_imported_and_fetched(connection):
    rows = [(number, f"text {number}") for number in range(20_000)]
    connection.execute("CREATE TABLE BIG (I DECIMAL(18,0), T VARCHAR(100))")
    connection.import_from_iterable(rows, "BIG")
    assert connection.execute("SELECT I, T FROM BIG ORDER BY I").fetchall() == rows


def test_more_than_a_hundred_thousand_rows_can_be_fetched(connection):
    statement = connection.execute("SELECT I FROM VALUES BETWEEN 1 AND 120000 AS V(I) ORDER BY I")
    assert statement.rowcount() == 120_000
    assert statement.fetchcol() == list(range(1, 120_001))


def test_a_transaction_can_be_rolled_back_and_another_session_never_sees_it(connection, connect):
    connection.set_autocommit(False)
    connection.execute("INSERT INTO T (I) VALUES (1)")
    other = connect()
    assert other.execute("SELECT COUNT(*) FROM S.T").fetchval() == 0
    connection.rollback()
    assert connection.execute("SELECT COUNT(*) FROM T").fetchval() == 0


def test_a_closed_connection_leaves_no_open_transaction(connection, connect):
    connection.set_autocommit(False)
    connection.execute("INSERT INTO T (I) VALUES (1)")
    connection.close()
    other = connect()
    other.execute("DROP TABLE S.T")
    assert not other.meta.table_exists(("S", "T"))


def test_pyexasol_finds_schemas_tables_and_views(connection):
    connection.execute("CREATE VIEW V AS SELECT I FROM T")
    assert connection.meta.schema_exists("S")
    assert not connection.meta.schema_exists("NOPE")
    assert connection.meta.table_exists("T")
    assert connection.meta.view_exists("V")
    assert not connection.meta.table_exists("V")


def test_the_columns_of_a_query_are_known_without_running_it(connection):
    columns = connection.meta.sql_columns("SELECT I, D, T FROM T")
    assert {name: column["type"] for name, column in columns.items()} == {
        "I": "DECIMAL",
        "D": "DECIMAL",
        "T": "VARCHAR",
    }


def test_errors_carry_the_codes_of_exasol(connection):
    for sql in ("SELEC 1", "SELECT * FROM NOPE", "SELECT NOPE FROM T"):
        with pytest.raises(pyexasol.ExaQueryError) as caught:
            connection.execute(sql)
        assert caught.value.code == "42000"
    assert connection.execute("SELECT COUNT(*) FROM T").fetchval() == 0


SLOW = (
    "SELECT COUNT(*) FROM VALUES BETWEEN 1 AND 100000 AS A(I), VALUES BETWEEN 1 AND 100000 AS B(J),"
    " VALUES BETWEEN 1 AND 1000 AS C(K) WHERE MOD(I * J + K, 7) = 3"
)


def test_a_long_query_can_be_aborted(connection):
    timer = threading.Timer(1.0, connection.abort_query)
    timer.start()
    with pytest.raises(pyexasol.ExaQueryAbortError):
        connection.execute(SLOW)
    timer.join()
    assert connection.execute("SELECT COUNT(*) FROM T").fetchval() == 0


def test_a_long_query_ends_at_its_time_limit(connection):
    connection.set_query_timeout(1)
    with pytest.raises(pyexasol.ExaQueryTimeoutError):
        connection.execute(SLOW)
    connection.set_query_timeout(0)
    assert connection.execute("SELECT COUNT(*) FROM T").fetchval() == 0


def test_an_aborted_statement_leaves_the_transaction_of_its_session_usable(connection):
    connection.set_autocommit(False)
    connection.execute("INSERT INTO T (I) VALUES (1)")
    timer = threading.Timer(1.0, connection.abort_query)
    timer.start()
    with pytest.raises(pyexasol.ExaQueryAbortError):
        connection.execute(SLOW)
    timer.join()
    connection.rollback()
    assert connection.execute("SELECT COUNT(*) FROM T").fetchval() == 0
