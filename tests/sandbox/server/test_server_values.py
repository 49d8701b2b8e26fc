"""Values on the wire, without a server."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exatrust_sandbox.database.attributes import SETTERS, Settings
from exatrust_sandbox.database.commands import HANDLERS, SessionState, respond
from exatrust_sandbox.database.encoding import encode_rows
from exatrust_sandbox.database.interruption import Interruption
from exatrust_sandbox.database.limits import Limits
from exatrust_sandbox.database.metadata import schemas_query, tables_query
from exatrust_sandbox.database.model import DataType, ResultColumn, ResultSet, RowCount, SqlError
from exatrust_sandbox.database.parameters import decode_rows
from exatrust_sandbox.database.results import chunk
from exatrust_sandbox.database.transport import Tunnels, TunnelTransport

VALUES = {
    DataType("DECIMAL", 36, 0): st.integers(-(10**36) + 1, 10**36 - 1),
    DataType("DECIMAL", 20, 5): st.decimals(-(10**14), 10**14, places=5),
    DataType("DOUBLE"): st.floats(allow_nan=False, allow_infinity=False),
    DataType("BOOLEAN"): st.booleans(),
    DataType("DATE"): st.dates(),
    DataType("TIMESTAMP", 6): st.datetimes(),
    DataType("VARCHAR", size=2000): st.text(min_size=1),
}
COLUMNS = tuple(ResultColumn(data_type.name, data_type) for data_type in VALUES)


@given(rows=st.lists(st.tuples(*(st.none() | values for values in VALUES.values()))))
def test_what_is_encoded_comes_back_as_the_same_values(rows):
    encoded = json.loads(json.dumps(encode_rows(COLUMNS, rows)))
    assert decode_rows(COLUMNS, encoded) == rows


@given(
    size=st.integers(1, 400),
    texts=st.lists(st.text(max_size=100), min_size=1, max_size=50),
)
def test_chunks_follow_each_other_without_gap_or_overlap(size, texts):
    result = ResultSet((ResultColumn("T", DataType("VARCHAR")),), [(text,) for text in texts])
    received = []
    while len(received) < len(texts):
        data = chunk(result, len(received), size)
        assert data["numRows"] == len(data["data"][0]) > 0
        received += data["data"][0]
    assert received == texts


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DECIMAL", True),
        ("DECIMAL", 1.5),
        ("DECIMAL", Decimal("1.5")),
        ("DOUBLE", "1"),
        ("BOOLEAN", 1),
        ("DATE", dt.datetime(2026, 1, 1)),
        ("TIMESTAMP", dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)),
        ("TIMESTAMP", dt.date(2026, 1, 1)),
        ("VARCHAR", b"bytes"),
        ("HASHTYPE", 5),
    ],
)
def test_a_value_of_another_type_is_not_encoded(name, value):
    with pytest.raises(TypeError, match="was found in a column of"):
        encode_rows([ResultColumn("C", DataType(name, scale=0))], [(value,)])


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_double_that_json_cannot_carry_is_out_of_range(value):
    with pytest.raises(SqlError, match="out of range"):
        encode_rows([ResultColumn("C", DataType("DOUBLE"))], [(value,)])


def test_search_patterns_are_quoted():
    query = tables_query({"schema": "O'X", "table": None, "tableTypes": ["VIEW"]})
    assert "TABLE_SCHEM LIKE 'O''X' ESCAPE" in query
    assert "EXA_ALL_TABLES" not in query
    assert "FALSE" in schemas_query({"schema": ""})


@pytest.mark.parametrize(
    "request_",
    [{"tableTypes": ["SYSTEM TABLE"]}, {"tableTypes": True}, {"tableTypes": [{}]}, {"schema": 5}],
)
def test_a_search_that_is_not_supported_is_refused(request_):
    with pytest.raises(SqlError):
        tables_query(request_)


class Session:
    """A session that takes everything and returns one row."""

    id = 1
    autocommit = True
    current_schema = ""
    query_timeout = 0

    def execute(self, sql, transport=None):
        return ResultSet((ResultColumn("T", DataType("VARCHAR", size=9)),), [(sql,)])

    def prepare(self, sql):
        return Prepared()

    def abort(self):
        raise AssertionError("nothing runs that could be aborted")

    def close(self):
        self.closed = True


class Prepared:
    parameters = COLUMNS[:2]
    columns = None

    def execute(self, rows):
        return RowCount(len(rows))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.floats() | st.sampled_from(["", "x", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
FIELDS = [
    "sqlText",
    "sqlTexts",
    "resultSetHandle",
    "resultSetHandles",
    "startPosition",
    "numBytes",
    "statementHandle",
    "data",
    "columns",
    "schema",
    "table",
    "tableTypes",
]
ATTRIBUTES = st.dictionaries(st.sampled_from([*SETTERS, "other"]), JSON)


@given(
    command=st.sampled_from(sorted(HANDLERS)),
    fields=st.dictionaries(st.sampled_from(FIELDS), JSON),
    attributes=st.none() | ATTRIBUTES | JSON,
)
def test_every_request_gets_an_answer_that_json_can_carry(command, fields, attributes):
    limits = Limits()
    transport = TunnelTransport(Tunnels(limits), limits)
    state = SessionState(Session(), Settings(10.0), transport, Interruption(), ("127.0.0.1",))
    state.prepared[1] = Prepared()
    request = {"command": command, **fields}
    if attributes is not None:
        request["attributes"] = attributes
    answer = json.loads(json.dumps(respond(state, request), allow_nan=False))
    assert answer["status"] in ("ok", "error")
    assert ("exception" in answer) == (answer["status"] == "error")
    assert "internal error" not in answer.get("exception", {}).get("text", "")
