"""The protocol's commands after login: one function for each, request in, `responseData` out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from exatrust_sandbox.database import attributes, metadata
from exatrust_sandbox.database.encoding import describe_columns
from exatrust_sandbox.database.interruption import Interruption
from exatrust_sandbox.database.model import Prepared, Result, ResultSet, SqlError
from exatrust_sandbox.database.parameters import decode_rows
from exatrust_sandbox.database.ports import SessionPort
from exatrust_sandbox.database.results import ResultSets, chunk, header, inline
from exatrust_sandbox.database.transport import TunnelTransport

Request = dict[str, Any]
Data = dict[str, Any] | None
log = logging.getLogger(__name__)


@dataclass
class SessionState:
    """What a logged-in connection remembers between requests."""

    session: SessionPort
    settings: attributes.Settings
    transport: TunnelTransport
    interruption: Interruption
    nodes: tuple[str, ...]
    results: ResultSets = field(default_factory=ResultSets)
    prepared: dict[int, Prepared] = field(default_factory=dict)
    last_statement: int = 0

    def run(self, work: Callable[[], Result]) -> Result:
        """Runs a statement so that the client, the time limit and a lost connection can end it."""
        return self.interruption.run(work, self.abort, self.session.query_timeout)

    def abort(self) -> None:
        """Ends whatever the running statement waits for."""
        self.transport.interrupt()
        self.session.abort()

    def close(self) -> None:
        """Gives up everything; an open transaction is rolled back by the engine."""
        self.results.open.clear()
        self.prepared.clear()
        try:
            self.session.close()
        except Exception:
            log.exception("a session could not be closed")


def respond(state: SessionState, request: Request) -> dict[str, Any]:
    """The answer to a request; errors become answers, never exceptions."""
    try:
        before = attributes.read(state.session, state.settings)
        if "attributes" in request:
            attributes.write(state.session, state.settings, request["attributes"])
        data = _handler(request)(state, request)
        after = attributes.read(state.session, state.settings)
    except Exception as error:
        return failure(error, state.session.id)
    changed = attributes.changed(before, after)
    if request.get("command") == "getAttributes":
        changed = after
    return success(data, changed)


def success(data: Data, changed: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An answer with status ok."""
    answer: dict[str, Any] = {"status": "ok"}
    if data is not None:
        answer["responseData"] = data
    if changed:
        answer["attributes"] = dict(changed)
    return answer


def failure(error: Exception, session_id: int | None = None) -> dict[str, Any]:
    """An answer with status error. Texts end with the session, as those of Exasol do."""
    if isinstance(error, SqlError):
        text, code = error.text, error.sql_code
    else:
        log.error("a request failed inside the stand-in", exc_info=error)
        text, code = f"internal error of the stand-in: {type(error).__name__}: {error}", "00000"
    if session_id is not None and "(Session:" not in text:
        text = f"{text} (Session: {session_id})"
    return {"status": "error", "exception": {"text": text, "sqlCode": code}}


def _handler(request: Request) -> Callable[[SessionState, Request], Data]:
    command = request.get("command")
    if not isinstance(command, str):
        raise SqlError("the request has no command", "00000")
    if command in REFUSED:
        raise SqlError(f"{command} is not supported by this stand-in", "0A000")
    if command not in HANDLERS:
        raise SqlError(f"unknown command: {command[:100]}", "00000")
    return HANDLERS[command]


def _nothing(state: SessionState, request: Request) -> Data:
    return None


def _execute(state: SessionState, request: Request) -> Data:
    return _results(state, [_text(request, "sqlText")])


def _execute_batch(state: SessionState, request: Request) -> Data:
    texts = request.get("sqlTexts")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise SqlError("sqlTexts must be a list of statements", "00000")
    return _results(state, texts)


def _results(state: SessionState, statements: list[str]) -> Data:
    described = []
    for sql in statements:
        result = state.run(partial(state.session.execute, sql, state.transport))
        described.append(_describe(state, result))
    return {"numResults": len(described), "results": described}


def _describe(state: SessionState, result: Result) -> dict[str, Any]:
    return state.results.describe(result, state.settings.result_set_max_rows)


def _fetch(state: SessionState, request: Request) -> Data:
    result = state.results.get(request.get("resultSetHandle"))
    return chunk(result, _count(request, "startPosition"), _count(request, "numBytes"))


def _close_result_set(state: SessionState, request: Request) -> Data:
    state.results.close(_list(request, "resultSetHandles"))
    return None


def _result_set_header(state: SessionState, request: Request) -> Data:
    handles = _list(request, "resultSetHandles")
    described = [
        {"resultType": "resultSet", "resultSet": header(state.results.get(handle), handle)}
        for handle in handles
    ]
    return {"numResults": len(described), "results": described}


def _create_prepared(state: SessionState, request: Request) -> Data:
    sql = _text(request, "sqlText")
    prepared = state.session.prepare(sql)
    state.last_statement += 1
    state.prepared[state.last_statement] = prepared
    data: dict[str, Any] = {"statementHandle": state.last_statement, "numResults": 1}
    if prepared.parameters:
        columns = describe_columns(prepared.parameters)
        data["parameterData"] = {"numColumns": len(columns), "columns": columns}
    if prepared.columns is None:
        data["results"] = [{"resultType": "rowCount", "rowCount": 0}]
    else:
        empty = inline(ResultSet(prepared.columns, []))
        data["results"] = [{"resultType": "resultSet", "resultSet": empty}]
    return data


def _execute_prepared(state: SessionState, request: Request) -> Data:
    prepared = _prepared(state, request)
    data = _list(request, "data") if "data" in request else []
    if not all(isinstance(column, list) for column in data):
        raise SqlError("data must be a list of columns", "00000")
    # A statement without parameters runs once: one row of no values.
    rows = decode_rows(prepared.parameters, data) if prepared.parameters or data else [()]
    if not rows:
        raise SqlError("no rows were given for the parameters of the statement", "00000")
    result = state.run(lambda: prepared.execute(rows))
    return {"numResults": 1, "results": [_describe(state, result)]}


def _close_prepared(state: SessionState, request: Request) -> Data:
    _prepared(state, request)
    del state.prepared[request["statementHandle"]]
    return None


def _prepared(state: SessionState, request: Request) -> Prepared:
    handle = request.get("statementHandle")
    if not isinstance(handle, int) or handle not in state.prepared:
        raise SqlError(f"prepared statement handle {handle} is not open", "00000")
    return state.prepared[handle]


def _hosts(state: SessionState, request: Request) -> Data:
    return {"numNodes": len(state.nodes), "nodes": list(state.nodes)}


def _schemas(state: SessionState, request: Request) -> Data:
    return _results(state, [metadata.schemas_query(request)])


def _tables(state: SessionState, request: Request) -> Data:
    return _results(state, [metadata.tables_query(request)])


def _text(request: Request, name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str):
        raise SqlError(f"{name} must be text", "00000")
    return value


def _count(request: Request, name: str) -> int:
    value = request.get(name)
    if type(value) is not int or value < 0:
        raise SqlError(f"{name} must be a number of 0 or more", "00000")
    return value


def _list(request: Request, name: str) -> list[Any]:
    value = request.get(name)
    if not isinstance(value, list):
        raise SqlError(f"{name} must be a list", "00000")
    return value


HANDLERS: Mapping[str, Callable[[SessionState, Request], Data]] = {
    "closePreparedStatement": _close_prepared,
    "closeResultSet": _close_result_set,
    "createPreparedStatement": _create_prepared,
    "disconnect": _nothing,
    "execute": _execute,
    "executeBatch": _execute_batch,
    "executePreparedStatement": _execute_prepared,
    "fetch": _fetch,
    "getAttributes": _nothing,
    "getHosts": _hosts,
    "getResultSetHeader": _result_set_header,
    "getSchemas": _schemas,
    "getTables": _tables,
    "setAttributes": _nothing,
}
# Known to Exasol, not here: refused by name rather than as unknown.
REFUSED = frozenset(
    {
        "enterParallel",
        "getCatalogs",
        "getColumnPrivileges",
        "getColumns",
        "getConnections",
        "getDbMetadata",
        "getFunctions",
        "getKeywords",
        "getOffset",
        "getPrimaryKeys",
        "getProcedureColumns",
        "getProcedures",
        "getProperties",
        "getRoles",
        "getScripts",
        "getTablePrivileges",
        "getTableTypes",
        "getTypeInfo",
        "getUsers",
        "login",
        "loginToken",
        "requestParallelConnections",
        "subLogin",
        "subLoginToken",
    }
)
