"""`exatrust doctor`: every precondition in a row of its own, whatever became of the others."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from exatrust.commands import doctor as checkup
from exatrust.report import Report
from exatrust.settings import Settings, load
from exatrust.terminal import Terminal
from exatrust_sandbox.cluster import Sandbox

ABSENT = (
    "ABSENT=localzmq+protobuf:///bfsdefault/default/slc/ABSENT?lang=python"
    "#buckets/bfsdefault/default/slc/ABSENT/exaudf/exaudfclient"
)
BUILTIN = "PYTHON3=builtin_python3 R=builtin_r JAVA=builtin_java"
States = Callable[..., tuple[int, dict[str, dict[str, str]]]]


@pytest.fixture
def doctor(exatrust) -> States:
    """The status of a run, and its findings by name."""

    def run(*arguments: str) -> tuple[int, dict[str, dict[str, str]]]:
        done = exatrust("doctor", "--json", *arguments)
        findings = json.loads(done.out)["findings"]
        assert all(item["action"] for item in findings if item["state"] in ("FAILED", "warning"))
        return done.status, {item["name"]: item for item in findings}

    return run


def states(findings: dict[str, dict[str, str]]) -> dict[str, str]:
    return {name: item["state"] for name, item in findings.items()}


def change(old: str, new: str) -> None:
    """Edit the settings file of the test."""
    path = Path("exatrust.toml")
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))


@pytest.mark.usefixtures("languages")
def test_a_healthy_cluster_is_all_ok_and_nothing_is_touched(
    doctor: States, exatrust, query, schema: str
) -> None:
    status, found = doctor()
    assert status == 0, found
    assert set(states(found).values()) == {"ok", "skipped"}
    assert [name for name, state in states(found).items() if state == "skipped"] == ["bucket write"]
    assert found["alias JAVA"]["found"].startswith("JAVA is Java: it gets no scripts")
    assert found["nodes"]["found"] == "all 2 answer, in PYTHON3, PYTHON312"
    assert found["bucket in UDFs"]["found"] == "every node has /buckets/bfsdefault/default"
    assert "privilege CREATE SCHEMA" in found
    rows = query(f"SELECT COUNT(*) FROM SYS.EXA_SCHEMAS WHERE SCHEMA_NAME = '{schema}'")
    assert rows == [(0,)]
    shown = exatrust("doctor", "--write")
    assert shown.status == 0, shown.text
    assert "ok      bucket write: a file was written and deleted again\n" in shown.out


def test_without_settings_nothing_else_is_tried(doctor: States) -> None:
    change("[database]", "[databse]")
    status, found = doctor()
    assert (status, states(found)) == (2, {"settings": "FAILED"})


@pytest.mark.usefixtures("languages")
def test_an_unreachable_database_does_not_hide_what_bucketfs_says(
    doctor: States, sandbox: Sandbox
) -> None:
    change(f"127.0.0.1/{sandbox.fingerprint}:{sandbox.database.port}", "no.such.host.invalid:1")
    status, found = doctor()
    assert status == 3
    assert states(found)["database name"] == "FAILED"
    assert found["database port"]["found"] == "depends on: database name"
    assert found["aliases"]["found"] == "depends on: database login"
    assert states(found)["bucket"] == "ok"


def test_a_port_where_nobody_listens_and_a_host_that_is_down_are_told_apart(
    doctor: States, sandbox: Sandbox
) -> None:
    port = sandbox.database.port
    change(f"127.0.0.1/{sandbox.fingerprint}:{port}",
           f"127.0.0.1/{sandbox.fingerprint}:{port},127.0.0.1:1")  # fmt: skip
    status, found = doctor()
    assert (status, states(found)["database port"]) == (1, "warning")
    assert "not so 127.0.0.1:1: REFUSED" in found["database port"]["found"]
    assert states(found)["database login"] == "ok"


def test_certificates_are_looked_at_before_a_password_is_sent(
    doctor: States, sandbox: Sandbox
) -> None:
    change(sandbox.fingerprint, "ab" * 32)
    change("services-root.pem", "company-root.pem")
    status, found = doctor()
    assert status == 3
    assert "is not the pinned one" in found["database certificate"]["found"]
    assert "it presents SHA-256" in found["bucketfs certificate"]["found"]
    assert found["database login"]["state"] == found["bucket"]["state"] == "skipped"


def test_a_server_that_speaks_no_tls_is_named_as_such(doctor: States, sandbox: Sandbox) -> None:
    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = server.accept()
                client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                client.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        change(str(sandbox.bucketfs.https_port), str(server.getsockname()[1]))
        status, found = doctor()
        server.shutdown(socket.SHUT_RDWR)
    assert (status, states(found)["bucketfs port"]) == (3, "ok")
    assert ": no TLS: " in found["bucketfs certificate"]["found"]


def test_wrong_passwords_are_two_findings(doctor: States, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXATRUST_DATABASE_PASSWORD", "planted-wrong")
    monkeypatch.setenv("EXATRUST_BUCKETFS_PASSWORD", "planted-wrong")
    status, found = doctor("--write")
    assert status == 2
    assert states(found)["database login"] == states(found)["bucket"] == "FAILED"
    assert found["bucket write"]["found"] == "depends on: bucket"
    assert "planted" not in json.dumps(found)


@pytest.mark.usefixtures("languages", "one_alias")
def test_a_read_password_is_found_out_only_when_writing_is_asked_for(
    doctor: States, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXATRUST_BUCKETFS_USER", "r")
    monkeypatch.setenv("EXATRUST_BUCKETFS_PASSWORD", sandbox.layout.password("r"))
    assert doctor()[0] == 0
    status, found = doctor("--write")
    assert (status, states(found)["bucket write"]) == (1, "FAILED")
    assert "write password" in found["bucket write"]["action"]


def test_broken_aliases_say_why_and_are_a_warning_unless_they_are_named(
    doctor: States, languages, monkeypatch: pytest.MonkeyPatch
) -> None:
    languages(f"{BUILTIN} {ABSENT}")
    status, found = doctor()
    assert status == 1
    assert states(found)["alias ABSENT"] == "warning"
    assert "cannot be started" in found["alias ABSENT"]["found"]
    assert found["aliases"]["found"] == "scripts for PYTHON3; without suffix for PYTHON3"
    monkeypatch.setenv("EXATRUST_SCRIPTS_ALIASES", "ABSENT")
    status, found = doctor()
    assert status == 2
    assert states(found)["alias ABSENT"] == states(found)["aliases"] == "FAILED"
    assert found["nodes"]["found"] == "depends on: aliases"


@pytest.mark.usefixtures("languages", "one_alias")
def test_a_bucket_that_udfs_do_not_see_is_named_for_each_node(doctor: States) -> None:
    change('service = "bfsdefault"', 'service = "bfsother"')
    status, found = doctor()
    assert status == 1
    assert found["bucket in UDFs"]["found"] == (
        "node 0: missing: /buckets/bfsother/default; node 1: missing: /buckets/bfsother/default"
    )
    assert "GRANT CONNECTION" in found["bucket in UDFs"]["action"]
    assert states(found)["clocks"] == "ok"


@pytest.mark.usefixtures("languages", "one_alias", "schema")
@pytest.mark.parametrize(
    ("seconds", "state", "status"),
    [(5, "ok", 0), (-60, "warning", 1), (60, "warning", 1), (900, "FAILED", 1)],
)
def test_clocks_that_differ_are_said_with_their_direction(
    capsys: pytest.CaptureFixture[str], seconds: int, state: str, status: int
) -> None:
    def now() -> dt.datetime:
        return dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=seconds)

    def settings() -> Settings:
        return load(None, {"EXATRUST_SCRIPTS_ALIASES": "PYTHON3"}, {})

    done = checkup.run_doctor(settings, Terminal(Report(True), None, None), False, now)
    findings = json.loads(capsys.readouterr().out)["findings"]
    (clocks,) = (item for item in findings if item["name"] == "clocks")
    assert (done, clocks["state"]) == (status, state), clocks
    direction = "behind" if seconds > 0 else "ahead"
    assert state == "ok" or direction in clocks["found"]
