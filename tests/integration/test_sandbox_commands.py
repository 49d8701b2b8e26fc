"""`exatrust sandbox` as a user runs it: in the background, stopped, started again."""

from __future__ import annotations

import json

import pytest

from .commands import exatrust


@pytest.fixture
def directory(tmp_path):
    yield tmp_path / "box"
    exatrust(tmp_path, "sandbox", "stop", "--dir", "box")


def test_a_sandbox_survives_stop_and_start(tmp_path, directory):
    started = exatrust(tmp_path, "sandbox", "start", "--dir", "box", "--nodes", "2", "--detach")
    assert started.status == 0, started.output
    for word in ("isolation", "database", "bucketfs", "CA file", "exatrust.toml"):
        assert word in started.output
    assert exatrust(directory, "install", "--yes").status == 0
    settings = (directory / "exatrust.toml").read_text()

    twice = exatrust(tmp_path, "sandbox", "start", "--dir", "box", "--detach")
    assert twice.status == 2
    assert "already runs" in twice.output

    assert exatrust(tmp_path, "sandbox", "stop", "--dir", "box").status == 0
    state = exatrust(tmp_path, "sandbox", "status", "--dir", "box", "--json")
    assert state.status == 1
    assert json.loads(state.stdout)["running"] is False
    assert exatrust(directory, "status").status == 3

    assert exatrust(tmp_path, "sandbox", "start", "--dir", "box", "--detach").status == 0
    assert (directory / "exatrust.toml").read_text() == settings
    assert exatrust(directory, "status").status == 0


def test_mistakes_are_named(tmp_path):
    missing = exatrust(tmp_path, "sandbox", "stop", "--dir", "none")
    assert missing.status == 2
    assert "no sandbox runs" in missing.output
    unknown = exatrust(tmp_path, "sandbox", "update-container", "python-9", "--dir", "none")
    assert unknown.status == 2
    assert "exatrust sandbox start" in unknown.output


def test_the_pytest_plugin_gives_a_project_a_running_cluster(pytester):
    pytester.makepyfile(
        """
        import pyexasol

        def test_the_cluster_answers(exatrust_sandbox):
            password = exatrust_sandbox.layout.password("sys")
            with pyexasol.connect(
                dsn=exatrust_sandbox.dsn, user="sys", password=password
            ) as connection:
                assert connection.execute("SELECT NPROC()").fetchval() == 4
        """
    )
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)
