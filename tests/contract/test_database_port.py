"""The database port against the stand-in's real server: TLS, login, transactions, errors."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trustme
from exasol.telemetry.client import config

from exatrust.credentials import Secret
from exatrust.database import Database
from exatrust.dsn import parse_dsn
from exatrust.errors import (
    CertificateRefused,
    Collision,
    DatabaseUnreachable,
    SettingsError,
    SqlFailed,
    WrongPassword,
)
from exatrust.settings import DatabaseSettings
from exatrust_sandbox.database.certificate import (
    ServerCertificate,
    default_style,
    server_context,
    signed_by,
)
from exatrust_sandbox.database.model import (
    DataType,
    Prepared,
    Result,
    ResultColumn,
    ResultSet,
    RowCount,
    SqlError,
    Transport,
)
from exatrust_sandbox.database.server import DatabaseServer

PASSWORD = "planted-database-password"


@dataclass
class ScriptedEngine:
    """Remembers statements; COLLIDE fails with 40001 as often as told, FAIL always."""

    statements: list[str] = field(default_factory=list)
    collisions: int = 0

    def authenticate(self, user: str, password: str) -> bool:
        return (user, password) == ("sys", PASSWORD)

    def open_session(self, user: str, client: str) -> ScriptedSession:
        return ScriptedSession(self)


class ScriptedSession:
    autocommit = True
    current_schema = ""
    query_timeout = 0
    id = 1

    def __init__(self, engine: ScriptedEngine) -> None:
        self._engine = engine

    def execute(self, sql: str, transport: Transport | None = None) -> Result:
        self._engine.statements.append(sql)
        if sql == "COLLIDE" and self._engine.collisions > 0:
            self._engine.collisions -= 1
            raise SqlError("GlobalTransactionRollback: Collision", "40001")
        if sql == "FAIL":
            raise SqlError("object X\nnot found", "42000")
        if sql == "SELECT":
            columns = (
                ResultColumn("I", DataType("DECIMAL", 18, 0)),
                ResultColumn("D", DataType("DECIMAL", 18, 2)),
                ResultColumn("T", DataType("VARCHAR", size=10, character_set="UTF8")),
            )
            return ResultSet(columns, [(1, Decimal("1.50"), None)])
        return RowCount(3)

    def prepare(self, sql: str) -> Prepared:
        raise SqlError("not scripted", "0A000")

    def abort(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture(scope="module")
def default_certificate() -> ServerCertificate:
    return default_style()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def serve(engine: ScriptedEngine) -> Iterator[Callable[[ServerCertificate], int]]:
    """Starts servers with a certificate; their port."""
    running: list[DatabaseServer] = []

    def start(certificate: ServerCertificate) -> int:
        server = DatabaseServer(engine, server_context(certificate))
        server.start()
        running.append(server)
        return server.port

    yield start
    for server in running:
        server.stop()


def open_database(dsn: str, password: str = PASSWORD, **options: Any) -> Database:
    settings = DatabaseSettings(parse_dsn(dsn), "sys", **options)
    return Database(settings, Secret(password), sleep=lambda seconds: None)


@pytest.fixture
def database(
    serve: Callable[[ServerCertificate], int], default_certificate: ServerCertificate
) -> Iterator[Database]:
    port = serve(default_certificate)
    with closing(open_database(f"127.0.0.1/{default_certificate.fingerprint}:{port}")) as found:
        yield found


def test_a_pinned_default_certificate_is_accepted_and_values_come_typed(
    database: Database,
) -> None:
    assert database.rows("SELECT") == [(1, Decimal("1.5"), None)]


def test_another_certificate_than_the_pinned_one_gets_no_password(
    serve: Callable[[ServerCertificate], int],
    default_certificate: ServerCertificate,
    engine: ScriptedEngine,
) -> None:
    port = serve(default_style())
    with pytest.raises(CertificateRefused, match="not the pinned one") as refused:
        open_database(f"127.0.0.1/{default_certificate.fingerprint}:{port}")
    assert default_certificate.fingerprint.lower() in refused.value.message
    assert "renewed" in refused.value.action
    assert engine.statements == []


def test_a_certificate_of_the_given_ca_is_accepted_by_name(
    serve: Callable[[ServerCertificate], int], authority: trustme.CA, tmp_path: Path
) -> None:
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    port = serve(signed_by(authority, "localhost"))
    with closing(open_database(f"localhost:{port}", ca_file=ca_file)) as database:
        assert database.execute("INSERT") == 3
    with pytest.raises(CertificateRefused, match="not accepted"):
        open_database(f"127.0.0.1:{port}", ca_file=ca_file)


def test_without_pin_and_ca_file_the_systems_roots_decide(
    serve: Callable[[ServerCertificate], int], authority: trustme.CA
) -> None:
    port = serve(signed_by(authority, "localhost"))
    with pytest.raises(CertificateRefused) as refused:
        open_database(f"localhost:{port}")
    assert "database.ca_file" in refused.value.action


def test_a_ca_file_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("no PEM")
    with pytest.raises(SettingsError, match=r"database\.ca_file: .*ca\.pem: no PEM file"):
        open_database("localhost:1", ca_file=path)


def test_a_wrong_password_is_said_without_repeating_it(
    serve: Callable[[ServerCertificate], int],
    default_certificate: ServerCertificate,
    caplog: pytest.LogCaptureFixture,
) -> None:
    port = serve(default_certificate)
    dsn = f"127.0.0.1/{default_certificate.fingerprint}:{port}"
    with caplog.at_level(logging.DEBUG), pytest.raises(WrongPassword) as refused:
        open_database(dsn, "planted-wrong-password")
    assert "user sys" in refused.value.message
    assert "planted" not in f"{refused.value} {refused.value.action} {caplog.text}"


@pytest.mark.parametrize("pin", ["", "/" + "ab" * 32])
def test_nobody_listening_is_unreachable_and_named(pin: str) -> None:
    with socket.socket() as placeholder:
        placeholder.bind(("127.0.0.1", 0))
        port = placeholder.getsockname()[1]
        with pytest.raises(DatabaseUnreachable, match=f"127.0.0.1:{port} does not answer"):
            open_database(f"127.0.0.1{pin}:{port}")


def test_a_host_that_does_not_exist_is_unreachable() -> None:
    with pytest.raises(DatabaseUnreachable, match=r"no-such-host\.invalid:8563 does not answer"):
        open_database("no-such-host.invalid")


def test_the_databases_own_words_reach_the_human_in_one_line(database: Database) -> None:
    with pytest.raises(SqlFailed, match=r"SQL state 42000.: object X not found"):
        database.execute("FAIL")


def test_a_collision_is_tried_again_from_the_start_of_the_transaction(
    database: Database, engine: ScriptedEngine
) -> None:
    engine.collisions = 2
    engine.statements.clear()

    def work() -> None:
        database.execute("FIRST")
        database.execute("COLLIDE")

    database.transaction(work)
    assert engine.statements == [
        "FIRST", "COLLIDE", "ROLLBACK", "FIRST", "COLLIDE", "ROLLBACK", "FIRST", "COLLIDE",
        "COMMIT",
    ]  # fmt: skip


def test_endless_collisions_end_in_an_error_that_says_why(
    database: Database, engine: ScriptedEngine
) -> None:
    engine.collisions = 1000
    with pytest.raises(Collision) as lost:
        database.transaction(lambda: database.execute("COLLIDE"))
    assert "another session" in lost.value.action
    assert engine.statements[-1] == "ROLLBACK"


def test_a_failed_statement_rolls_the_transaction_back(
    database: Database, engine: ScriptedEngine
) -> None:
    with pytest.raises(SqlFailed):
        database.transaction(lambda: database.execute("FAIL"))
    assert engine.statements[-1] == "ROLLBACK"
    assert "COMMIT" not in engine.statements


def test_a_look_is_rolled_back_even_when_it_succeeds(
    database: Database, engine: ScriptedEngine
) -> None:
    assert database.rolled_back(lambda: database.execute("CREATE")) == 3
    assert engine.statements[-1] == "ROLLBACK"


def test_the_drivers_telemetry_is_off() -> None:

    assert os.environ[config.ENV_DISABLE] == "1"
