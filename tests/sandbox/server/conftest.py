"""A server with a scripted engine behind it, and clients that are closed after each test."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import trustme

from exatrust_sandbox.database.certificate import ServerCertificate, default_style, server_context
from exatrust_sandbox.database.model import (
    DataType,
    Result,
    ResultColumn,
    ResultSet,
    Row,
    RowCount,
    SqlError,
    Transport,
)
from exatrust_sandbox.database.server import DatabaseServer

# Read when pyexasol is imported: without it every connect() talks to a telemetry host.
os.environ["EXASOL_TELEMETRY_DISABLE"] = "1"

import pyexasol

INTEGER = DataType("DECIMAL", 18, 0)
TEXT = DataType("VARCHAR", size=2000, character_set="UTF8")
TARGET = re.compile(
    r"AT '(https?)://([^']+)'(?: PUBLIC KEY '([^']+)')? FILE '([^']+)'", re.IGNORECASE
)


@dataclass
class ScriptedPrepared:
    """Remembers the rows it was run with."""

    engine: ScriptedEngine
    parameters: tuple[ResultColumn, ...]
    columns: tuple[ResultColumn, ...] | None = None

    def execute(self, rows: Sequence[Row]) -> Result:
        self.engine.inserted += rows
        return RowCount(len(rows))


class ScriptedSession:
    """Understands NUMBERS n, WAIT seconds, FAIL code, RAISE, OPEN SCHEMA x, IMPORT and EXPORT."""

    def __init__(self, engine: ScriptedEngine, number: int) -> None:
        self.engine = engine
        self.id = number
        self.autocommit = True
        self.current_schema = ""
        self.query_timeout = 0
        self._aborted = threading.Event()

    def execute(self, sql: str, transport: Transport | None = None) -> Result:
        self.engine.statements.append(sql)
        word, _, rest = sql.partition(" ")
        if sql in self.engine.results:
            return self.engine.results[sql]
        return getattr(self, f"_{word.lower()}")(rest, transport)

    def prepare(self, sql: str) -> ScriptedPrepared:
        return ScriptedPrepared(self.engine, self.engine.parameters)

    def abort(self) -> None:
        self.engine.aborts += 1
        self._aborted.set()

    def close(self) -> None:
        self.engine.closed.append(self.id)

    def _numbers(self, count: str, _: Transport | None) -> Result:
        rows: list[Row] = [(number, f"row {number}") for number in range(int(count))]
        return ResultSet((ResultColumn("N", INTEGER), ResultColumn("T", TEXT)), rows)

    def _wait(self, seconds: str, _: Transport | None) -> Result:
        self._aborted.clear()
        self.engine.waiting.set()
        if self._aborted.wait(float(seconds)):
            raise SqlError("stopped", "R0003")
        return RowCount(0)

    def _fail(self, code: str, _: Transport | None) -> Result:
        raise SqlError("it was meant to fail", code)

    def _raise(self, text: str, _: Transport | None) -> Result:
        raise LookupError(text)

    def _open(self, schema: str, _: Transport | None) -> Result:
        self.current_schema = schema.removeprefix("SCHEMA ")
        return RowCount(0)

    def _import(self, sql: str, transport: Transport | None) -> Result:
        assert transport is not None
        for scheme, address, key, file in TARGET.findall(sql):
            data = transport.fetch(address, file, key or None, secure=scheme == "https")
            self.engine.files.append((file, data))
        return RowCount(len(self.engine.files))

    def _export(self, sql: str, transport: Transport | None) -> Result:
        assert transport is not None
        for scheme, address, key, file in TARGET.findall(sql):
            secure = scheme == "https"
            transport.send(address, file, self.engine.export, key or None, secure=secure)
        return RowCount(1)


@dataclass
class ScriptedEngine:
    """An engine that does what the statement says and remembers what it was asked."""

    results: dict[str, Result] = field(default_factory=dict)
    parameters: tuple[ResultColumn, ...] = ()
    export: bytes = b""
    statements: list[str] = field(default_factory=list)
    inserted: list[Row] = field(default_factory=list)
    files: list[tuple[str, bytes]] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    aborts: int = 0
    sessions: int = 0
    waiting: threading.Event = field(default_factory=threading.Event)

    def authenticate(self, user: str, password: str) -> bool:
        return (user, password) == ("sys", "exasol")

    def open_session(self, user: str, client: str) -> ScriptedSession:
        self.sessions += 1
        return ScriptedSession(self, 1_700_000_000_000_000_000 + self.sessions)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def certificate() -> ServerCertificate:
    return default_style()


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
def start(
    engine: ScriptedEngine, certificate: ServerCertificate
) -> Iterator[Callable[..., DatabaseServer]]:
    """Starts servers, which are stopped after the test; options go to DatabaseServer."""
    running: list[DatabaseServer] = []

    def start(given: ServerCertificate = certificate, **options: Any) -> DatabaseServer:
        server = DatabaseServer(engine, server_context(given), **options)
        server.start()
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def server(start: Callable[..., DatabaseServer]) -> DatabaseServer:
    return start()


@pytest.fixture
def connect(
    server: DatabaseServer, certificate: ServerCertificate
) -> Iterator[Callable[..., pyexasol.ExaConnection]]:
    """Connects with pyexasol, by default with the right fingerprint and password."""
    connections: list[pyexasol.ExaConnection] = []

    def connect(**options: Any) -> pyexasol.ExaConnection:
        dsn = f"127.0.0.1/{certificate.fingerprint}:{server.port}"
        defaults: dict[str, Any] = {"dsn": dsn, "user": "sys", "password": "exasol"}
        connection = pyexasol.connect(**{**defaults, "socket_timeout": 20, **options})
        connections.append(connection)
        return connection

    yield connect
    for connection in connections:
        connection.close()


@pytest.fixture
def refused(server: DatabaseServer) -> Callable[..., pyexasol.ExaError]:
    """Tries to connect, expects to be refused, and returns the error."""

    def refused(**options: Any) -> pyexasol.ExaError:
        with pytest.raises(pyexasol.ExaError) as caught:
            pyexasol.connect(**{"user": "sys", "password": "exasol", **options})
        if hasattr(caught.value.connection, "_ws"):
            caught.value.connection.close()
        return caught.value

    return refused
