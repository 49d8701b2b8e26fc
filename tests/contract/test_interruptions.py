"""Killed at any step, or two at once: scripts point to a complete release at every moment."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exatrust import cli
from exatrust_sandbox.cluster import Sandbox

from .running import NEVER, SECONDS, new_ca, reader, run, start, steps

# Every step takes about ten minutes: KILL_AT_EVERY_STEP=1 asks for it.
EVERY = 1 if os.environ.get("KILL_AT_EVERY_STEP") else 8


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("cluster"), nodes=2, replication_delay=0.05) as cluster:
        yield cluster


@pytest.fixture
def added_ca(tmp_path: Path) -> Callable[[], tuple[str, ...]]:
    return new_ca(tmp_path)


@pytest.fixture(autouse=True)
def _one_alias(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sandbox.layout.directory)
    monkeypatch.setenv("EXATRUST_SCRIPTS_ALIASES", "PYTHON3")


def test_killed_at_every_step_the_next_run_completes_and_no_reader_ever_sees_an_error(
    sandbox: Sandbox,
    added_ca: Callable[[], tuple[str, ...]],
    record_property: Callable[[str, object], None],
) -> None:
    first = run(sandbox, NEVER, "install", *added_ca())
    assert first[0] == 0, first[1]
    count = steps(run(sandbox, NEVER, "install", *added_ca())[1])
    assert count > 20
    with reader(sandbox) as seen:
        for last in range(1, count + 1, EVERY):
            flags = added_ca()
            status, said = run(sandbox, last, "install", *flags)
            assert status == -signal.SIGKILL, (last, said)
            assert cli.main(("install", *flags)) == 0, last
        assert run(sandbox, NEVER, "plan")[0] == 0
    record_property(
        "counted",
        f"{len(range(1, count + 1, EVERY))} of {count} interruption points, "
        f"{seen.queries} queries of a reader, "
        f"{len(seen.errors)} errors",
    )
    assert seen.errors == []
    assert seen.queries > count


def test_a_first_install_killed_at_every_step_is_completed_by_the_next(
    sandbox: Sandbox, added_ca: Callable[[], tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def first(number: int) -> None:
        monkeypatch.setenv("EXATRUST_DATABASE_SCHEMA", f"FIRST{number}")
        monkeypatch.setenv("EXATRUST_BUCKETFS_PREFIX", f"first{number}")

    first(0)
    status, said = run(sandbox, NEVER, "install", *added_ca())
    assert status == 0, said
    for last in range(1, steps(said), 3 * EVERY):  # each is a whole installation
        first(last)
        flags = added_ca()
        assert run(sandbox, last, "install", *flags)[0] == -signal.SIGKILL
        assert run(sandbox, NEVER, "status")[0] == 1
        status, said = run(sandbox, NEVER, "install", *flags)
        assert status == 0, (last, said)
        assert run(sandbox, NEVER, "status")[0] == 0


def test_of_two_installers_at_once_one_wins_and_the_other_says_so(
    sandbox: Sandbox, added_ca: Callable[[], tuple[str, ...]]
) -> None:
    assert run(sandbox, NEVER, "install", *added_ca())[0] == 0
    sandbox.layout.hold(1, held=True)  # both wait for this node, so that both have planned
    try:
        both = [start(sandbox, NEVER, "install", *added_ca()) for _ in range(2)]
        time.sleep(6)
        assert [process.poll() for process in both] == [None, None]
    finally:
        sandbox.layout.hold(1, held=False)
    said = ["".join(process.communicate(timeout=SECONDS)) for process in both]
    outcomes = sorted((process.returncode, text) for process, text in zip(both, said, strict=True))
    assert [status for status, _ in outcomes] == [0, 1], said
    assert "another installer was quicker" in outcomes[1][1]
    assert "this one changed nothing in the database" in outcomes[1][1]
    assert run(sandbox, NEVER, "status")[0] == 0
