"""What a client receives: rows, types, row counts, errors, attributes."""

from __future__ import annotations

import datetime as dt
import json
import zlib
from decimal import Decimal

import pyexasol
import pytest
from pyexasol.data_types import convert_websocket_to_python

from exatrust_sandbox.database.model import DataType, ResultColumn, ResultSet

TYPES = [
    (DataType("DECIMAL", 36, 0), 123456789012345678901234567890123456, {"precision": 36}),
    (DataType("DECIMAL", 10, 4), Decimal("-12.5000"), {"precision": 10, "scale": 4}),
    (DataType("DECIMAL", 10, 2), Decimal("100.00"), {"scale": 2}),
    (DataType("DOUBLE"), -1.5e300, {"type": "DOUBLE"}),
    (DataType("BOOLEAN"), True, {"type": "BOOLEAN"}),
    (DataType("DATE"), dt.date(1, 2, 3), {"size": 4}),
    (DataType("TIMESTAMP", 6), dt.datetime(2026, 11, 24, 1, 2, 3, 45), {"size": 8}),
    (
        DataType("TIMESTAMP WITH LOCAL TIME ZONE", with_local_tz=True),
        dt.datetime(2026, 11, 24),
        {"withLocalTimeZone": True},
    ),
    (DataType("VARCHAR", size=20), 'ü€😀"\\\n', {"size": 20, "characterSet": "UTF8"}),
    (DataType("CHAR", size=3, character_set="ASCII"), "abc", {"characterSet": "ASCII"}),
    (DataType("HASHTYPE", size=32), "0123456789abcdef" * 2, {"size": 32}),
]


@pytest.fixture(params=[False, True], ids=["plain", "compressed"])
def connection(request, connect):
    return connect(compression=request.param)


def test_every_data_type_arrives_as_what_it_was(connect, engine):
    columns = tuple(ResultColumn(f"C{i}", data_type) for i, (data_type, _, _) in enumerate(TYPES))
    values = tuple(value for _, value, _ in TYPES)
    engine.results["TYPES"] = ResultSet(columns, [values, (None,) * len(values)])
    statement = connect(fetch_mapper=convert_websocket_to_python).execute("TYPES")
    assert statement.fetchall() == [values, (None,) * len(values)]
    for (data_type, _, expected), described in zip(TYPES, statement.col_types, strict=True):
        assert described == {**described, "type": data_type.name, **expected}


def test_decimals_travel_as_numbers_or_as_text_without_trailing_zeros(connect, engine):
    types = [DataType("DECIMAL", 18, 0), DataType("DECIMAL", 18, 4), DataType("DECIMAL", 18, 2)]
    columns = tuple(ResultColumn(f"C{i}", data_type) for i, data_type in enumerate(types))
    row = (7, Decimal("1.2500"), Decimal("10.00"))
    engine.results["DECIMALS"] = ResultSet(columns, [row])
    assert connect().execute("DECIMALS").fetchone() == (7, "1.25", "10")


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 120_000])
def test_all_rows_arrive_in_order(connection, count):
    rows = connection.execute(f"NUMBERS {count}").fetchall()
    assert rows == [(number, f"row {number}") for number in range(count)]


def test_a_small_fetch_size_means_many_chunks(connect, engine):
    connection = connect(fetch_size_bytes=1)
    before = connection.ws_req_count
    assert len(connection.execute("NUMBERS 1000").fetchall()) == 1000
    # One request each for the statement, every row, and closing the result set.
    assert connection.ws_req_count - before == 1 + 1000 + 1


def test_result_sets_are_closed_when_read_to_the_end(connect):
    connection = connect()
    statement = connection.execute("NUMBERS 1000")
    handle = statement.result_set_handle
    assert len(statement.fetchall()) == 1000
    with pytest.raises(pyexasol.ExaRequestError, match="not open"):
        connection.req({"command": "closeResultSet", "resultSetHandles": [handle]})


def test_two_result_sets_may_be_read_alternately(connect):
    connection = connect(fetch_size_bytes=1000)
    first, second = connection.execute("NUMBERS 2000"), connection.execute("NUMBERS 1500")
    pairs = [(next(first), next(second)) for _ in range(1500)]
    assert all(one == other for one, other in pairs)


def test_result_set_max_rows_cuts_the_result(connect):
    connection = connect()
    connection.set_attr({"resultSetMaxRows": 5})
    assert connection.execute("NUMBERS 2000").rowcount() == 5


def test_the_header_of_an_open_result_set_can_be_read_again(connect):
    connection = connect()
    statement = connection.execute("NUMBERS 1000")
    request = {
        "command": "getResultSetHeader",
        "resultSetHandles": [statement.result_set_handle],
    }
    header = connection.req(request)["responseData"]["results"][0]["resultSet"]
    assert (header["numRows"], header["numRowsInMessage"]) == (1000, 0)
    assert [column["name"] for column in header["columns"]] == ["N", "T"]


def test_an_sql_error_carries_its_code_and_the_session(connect):
    connection = connect()
    with pytest.raises(pyexasol.ExaQueryError) as caught:
        connection.execute("FAIL 42500")
    assert caught.value.code == "42500"
    session = connection.session_id()
    assert caught.value.message == f"it was meant to fail (Session: {session})"


def test_an_error_inside_the_engine_is_an_answer_and_not_the_end(connect, caplog):
    connection = connect()
    with pytest.raises(pyexasol.ExaQueryError, match="internal error of the stand-in: LookupError"):
        connection.execute("RAISE surprise")
    assert "surprise" in caplog.text
    assert connection.execute("NUMBERS 1").fetchval() == 0


def test_a_value_that_does_not_fit_its_column_is_an_error_and_not_data(connect, engine, caplog):
    column = ResultColumn("D", DataType("DATE"))
    engine.results["WRONG"] = ResultSet((column,), [(dt.datetime(2026, 1, 1),)])
    with pytest.raises(pyexasol.ExaQueryError, match="a datetime was found in a column of DATE"):
        connect().execute("WRONG")
    assert "TypeError" in caplog.text


def test_attributes_can_be_set_and_read(connect, engine):
    connection = connect(autocommit=False, query_timeout=7, schema="SOME")
    assert connection.attr["autocommit"] is False
    assert connection.attr["queryTimeout"] == 7
    assert connection.current_schema() == "SOME"
    connection.set_autocommit(True)
    connection.open_schema("OTHER")
    assert (connection.attr["autocommit"], connection.current_schema()) == (True, "OTHER")


def test_a_statement_that_changes_the_schema_tells_the_client(connect):
    connection = connect()
    connection.execute("OPEN SCHEMA NEXT")
    assert connection.current_schema() == "NEXT"


@pytest.mark.parametrize(
    "attributes",
    [
        {"autocommit": "yes"},
        {"queryTimeout": -1},
        {"feedbackInterval": 0},
        {"feedbackInterval": True},
        {"numericCharacters": ",."},
        {"timestampUtcEnabled": True},
        {"dateFormat": "DD.MM.YYYY"},
        {"currentSchema": None},
        {"nonsense": 1},
    ],
)
def test_a_wrong_attribute_is_refused(connect, attributes):
    with pytest.raises(pyexasol.ExaRequestError):
        connect().set_attr(attributes)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"command": "nonsense"}, "00000"),
        ({}, "00000"),
        ({"command": 7}, "00000"),
        ({"command": "enterParallel", "numRequestedConnections": 2}, "0A000"),
        ({"command": "getColumns"}, "0A000"),
        ({"command": "execute", "sqlText": 5}, "00000"),
        ({"command": "executeBatch", "sqlTexts": "NUMBERS 1"}, "00000"),
        ({"command": "fetch", "resultSetHandle": 99, "startPosition": 0, "numBytes": 1}, "00000"),
        ({"command": "closePreparedStatement", "statementHandle": 99}, "00000"),
        ({"command": "executePreparedStatement", "statementHandle": None}, "00000"),
        ({"command": "getAttributes", "attributes": []}, "00000"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_and_the_session_goes_on(connect, request_, code):
    connection = connect()
    with pytest.raises(pyexasol.ExaRequestError) as caught:
        connection.req(request_)
    assert caught.value.code == code
    assert connection.execute("NUMBERS 2").rowcount() == 2


@pytest.mark.parametrize("text", ["{", "[]", "", "[" * 100_000, "7", '{"command": "execute"'])
def test_malformed_json_is_answered_with_an_error(connect, text):
    connection = connect()
    connection._ws.send(text)
    answer = json.loads(connection._ws.recv())
    assert answer["status"] == "error"
    assert connection.execute("NUMBERS 2").rowcount() == 2


def test_malformed_compression_is_answered_with_an_error(connect):
    connection = connect(compression=True)
    for send in (lambda: connection._ws.send("{}"), lambda: connection._ws.send_binary(b"{}")):
        send()
        assert b"error" in zlib.decompress(connection._ws.recv())
    assert connection.execute("NUMBERS 2").rowcount() == 2


def test_a_batch_gives_one_result_for_each_statement(connect):
    request = {"command": "executeBatch", "sqlTexts": ["NUMBERS 2", "OPEN SCHEMA X"]}
    data = connect().req(request)["responseData"]
    assert data["numResults"] == 2
    assert [result["resultType"] for result in data["results"]] == ["resultSet", "rowCount"]


def test_a_batch_stops_at_the_first_error(connect, engine):
    connection = connect()
    request = {"command": "executeBatch", "sqlTexts": ["FAIL 42000", "OPEN SCHEMA X"]}
    with pytest.raises(pyexasol.ExaRequestError):
        connection.req(request)
    assert engine.statements == ["FAIL 42000"]


def test_get_nodes_lists_one_address_for_each_node(start, certificate):
    server = start(nodes=3)
    with pyexasol.connect(
        dsn=f"127.0.0.1/{certificate.fingerprint}:{server.port}", user="sys", password="exasol"
    ) as connection:
        nodes = connection.get_nodes()
    assert [node["ipaddr"] for node in nodes] == ["127.0.0.1"] * 3
    assert {node["port"] for node in nodes} == {server.port}


PARAMETERS = (
    ResultColumn("", DataType("DECIMAL", 18, 0)),
    ResultColumn("", DataType("DECIMAL", 9, 2)),
    ResultColumn("", DataType("DOUBLE")),
    ResultColumn("", DataType("VARCHAR", size=10)),
    ResultColumn("", DataType("BOOLEAN")),
    ResultColumn("", DataType("DATE")),
    ResultColumn("", DataType("TIMESTAMP")),
)


def test_insert_multi_delivers_values_in_the_types_of_the_parameters(connect, engine):
    engine.parameters = PARAMETERS
    rows = [
        (1, "1.50", 2, "text", True, "2026-01-02", "2026-01-02 03:04:05.000006"),
        (None, 2.25, "3.5", "", "false", None, "2026-01-02"),
        ("3", 4, None, 5, None, None, None),
    ]
    statement = connect().ext.insert_multi("T", rows)
    assert statement.rowcount() == 3
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, 6)
    assert engine.inserted == [
        (1, Decimal("1.5"), 2.0, "text", True, dt.date(2026, 1, 2), moment),
        (None, Decimal("2.25"), 3.5, None, False, None, dt.datetime(2026, 1, 2)),
        (3, 4, None, "5", None, None, None),
    ]


@pytest.mark.parametrize(
    ("position", "value"),
    [(0, "x"), (0, "NaN"), (2, "x"), (4, "perhaps"), (5, "1.1.2026"), (6, "soon"), (3, [1])],
)
def test_a_parameter_that_does_not_fit_is_refused(connect, engine, position, value):
    engine.parameters = PARAMETERS
    row = [None] * len(PARAMETERS)
    row[position] = value
    statement = connect().create_prepared_statement("INSERT INTO T VALUES (?)")
    with pytest.raises(pyexasol.ExaRequestError):
        statement.execute_prepared([tuple(row)])
    assert engine.inserted == []


def test_a_prepared_statement_can_run_again_until_it_is_closed(connect, engine):
    engine.parameters = PARAMETERS[:1]
    connection = connect()
    statement = connection.create_prepared_statement("INSERT INTO T VALUES (?)")
    handle = statement.statement_handle
    for number in range(3):
        statement.execute_prepared([(number,)])
    statement.close()
    assert engine.inserted == [(0,), (1,), (2,)]
    with pytest.raises(pyexasol.ExaRequestError, match="not open"):
        connection.req({"command": "closePreparedStatement", "statementHandle": handle})


def test_a_prepared_statement_without_parameters_runs_once(connect, engine):
    statement = connect().create_prepared_statement("DELETE FROM T")
    statement.execute_prepared()
    assert engine.inserted == [()]


@pytest.mark.parametrize("data", [[], [[1], [2]], [[]], "x", [1]])
def test_parameters_of_the_wrong_shape_are_refused(connect, engine, data):
    engine.parameters = PARAMETERS[:1]
    connection = connect()
    handle = connection.create_prepared_statement("INSERT INTO T VALUES (?)").statement_handle
    request = {"command": "executePreparedStatement", "statementHandle": handle, "data": data}
    with pytest.raises(pyexasol.ExaRequestError):
        connection.req(request)
