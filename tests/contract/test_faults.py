"""Whatever goes wrong in an install: it says what, nothing is half done, the next completes.

Each fault hits an install that would move scripts from one release to another.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyexasol
import pytest

from exatrust import cli
from exatrust_sandbox.cluster import Sandbox
from exatrust_sandbox.mock_bucketfs.faults import Faults

from .running import new_ca

Install = Callable[[], tuple[int, str]]
RECOVERED = [
    ("an upload that was cut once", Faults(cut_puts=1, cut_put_after=5000)),
    ("BucketFS that is busy for a while", Faults(fail_puts=3, fail_gets=2)),
    ("an answer that never came", Faults(drop_put_answers=2)),
    ("a download that was cut", Faults(cut_gets=2, cut_get_after=100)),
    ("slow replication", Faults(publish_seconds=0.3)),
    ("a slow line", Faults(bytes_per_second=400_000)),
]
FAILED = [
    ("every upload is cut", Faults(cut_puts=99, cut_put_after=10), 3, "does not answer"),
    ("BucketFS answers 503 for ever", Faults(fail_puts=99), 1, "HTTP 503"),
    ("the disk is full", Faults(full_after=5000), 1, "HTTP 507"),
    ("the bucket is read-only", Faults(read_only=True), 1, "HTTP 500"),
    ("BucketFS cannot be read", Faults(fail_gets=99), 1, "HTTP 500"),
]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("cluster"), nodes=2, replication_delay=0.05) as cluster:
        config = str(cluster.layout.settings_file)
        assert cli.main(("install", "--config", config, "--aliases", "PYTHON3")) == 0
        yield cluster


@pytest.fixture
def install(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Install:  # fmt: skip
    """An install that adds one CA, the same each time it is called: its status, and its errors."""
    flags = new_ca(tmp_path)()
    monkeypatch.chdir(sandbox.layout.directory)
    monkeypatch.setenv("EXATRUST_SCRIPTS_ALIASES", "PYTHON3")
    monkeypatch.setenv("EXATRUST_BUCKETFS_REPLICATION_TIMEOUT", "10")

    def run() -> tuple[int, str]:
        capsys.readouterr()
        status = cli.main(("install", *flags))
        return status, capsys.readouterr().err

    return run


@pytest.fixture
def status(capsys: pytest.CaptureFixture[str]) -> Callable[[], dict[str, Any]]:
    def read() -> dict[str, Any]:
        capsys.readouterr()
        cli.main(("status", "--json"))
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return read


@pytest.mark.parametrize(
    "fault", [fault for _, fault in RECOVERED], ids=[name for name, _ in RECOVERED]
)
def test_what_passes_is_tried_again_until_it_works(
    fault: Faults, sandbox: Sandbox, install: Install, status: Callable[[], dict[str, Any]]
) -> None:
    sandbox.bucketfs.faults = fault
    try:
        ended, said = install()
        assert (ended, "error" in said.lower()) == (0, False), said
    finally:
        sandbox.bucketfs.faults = Faults()
    assert status()["in_order"]


def refused_and_completed(
    install: Install, status: Callable[[], dict[str, Any]], code: int, message: str,
    undo: Callable[[], object],
) -> None:  # fmt: skip
    """The install fails and says why, scripts stay where they were, and the next one completes."""
    before = status()
    assert before["in_order"]
    try:
        ended, said = install()
    finally:
        undo()
    assert (ended, message in said) == (code, True), said
    after = status()
    assert (after["release"], after["in_order"]) == (before["release"], True)
    assert install()[0] == 0
    done = status()
    assert done["in_order"]
    assert done["release"] != before["release"]


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [row[1:] for row in FAILED],
    ids=[row[0] for row in FAILED],
)
def test_what_does_not_pass_is_said_within_bounds_and_changes_nothing(
    fault: Faults, code: int, message: str, sandbox: Sandbox, install: Install,
    status: Callable[[], dict[str, Any]],
) -> None:  # fmt: skip
    sandbox.bucketfs.faults = fault

    def undo() -> None:
        sandbox.bucketfs.faults = Faults()

    refused_and_completed(install, status, code, message, undo)


def test_a_node_that_is_held_back_for_ever_is_named(
    sandbox: Sandbox, install: Install, status: Callable[[], dict[str, Any]]
) -> None:
    sandbox.layout.hold(1, held=True)
    refused_and_completed(
        install, status, 1, "PYTHON3: node 1: missing", lambda: sandbox.layout.hold(1, held=False)
    )


def test_a_statement_that_fails_in_the_middle_takes_all_others_back(
    install: Install, status: Callable[[], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that Exasol has taken for another object, at the third script."""
    execute = pyexasol.ExaConnection.execute
    seen: list[str] = []

    def third_fails(self: pyexasol.ExaConnection, query: str, *args: Any) -> Any:
        if query.startswith("CREATE OR REPLACE PYTHON3"):
            seen.append(query)
            if len(seen) == 3:
                query = query.replace("EMITS (", "EMITS ((", 1)
        return execute(self, query, *args)

    monkeypatch.setattr(pyexasol.ExaConnection, "execute", third_fails)
    refused_and_completed(install, status, 1, "the database refused a statement", lambda: None)


def test_a_database_connection_that_is_lost_in_the_middle_takes_all_statements_back(
    install: Install, status: Callable[[], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = pyexasol.ExaConnection.execute
    views: list[str] = []

    def cut(self: pyexasol.ExaConnection, query: str, *args: Any) -> Any:
        if query.startswith("CREATE OR REPLACE VIEW"):
            views.append(query)
            if len(views) == 2:
                self._ws.sock.shutdown(socket.SHUT_RDWR)
        return execute(self, query, *args)

    monkeypatch.setattr(pyexasol.ExaConnection, "execute", cut)
    refused_and_completed(
        install, status, 3, "broke during a statement",
        lambda: monkeypatch.setattr(pyexasol.ExaConnection, "execute", execute),
    )  # fmt: skip


def test_a_file_that_was_deleted_just_now_is_uploaded_as_soon_as_bucketfs_allows(
    sandbox: Sandbox, install: Install, status: Callable[[], dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert install()[0] == 0
    release = status()["release"]
    assert cli.main(("rollback", "--yes")) == 0
    assert cli.main(("prune", "--keep", "1", "--yes")) == 0
    assert f"deleted release {release}" in capsys.readouterr().out
    assert install()[0] == 0
    assert status()["release"] == release
