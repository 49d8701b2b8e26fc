"""`exatrust sandbox` as a user runs it: in the background, stopped, started again."""

from __future__ import annotations

import json

import pytest

from exatrust_sandbox.endpoints import KINDS

from .commands import exatrust


@pytest.fixture
def directory(tmp_path):
    yield tmp_path / "box"
    exatrust(tmp_path, "sandbox", "stop", "--dir", "box")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """The directory of a sandbox of two nodes that does not run."""
    place = tmp_path_factory.mktemp("stopped")
    exatrust(place, "sandbox", "start", "--dir", "box", "--nodes", "2", "--detach")
    exatrust(place, "sandbox", "stop", "--dir", "box")
    return place / "box"


def assert_endpoints_have_names(directory, output):
    """Each endpoint is shown with the name that `exatrust sandbox endpoint` takes."""
    shown = [line.split()[1:3] for line in output.splitlines() if line.startswith("endpoint ")]
    assert len(shown) == len(KINDS)
    for address, kind in shown:
        asked = exatrust(directory, "sandbox", "endpoint", kind, "--dir", ".")
        assert asked.stdout.strip() == address


def test_a_sandbox_survives_stop_and_start(tmp_path, directory):
    started = exatrust(tmp_path, "sandbox", "start", "--dir", "box", "--nodes", "2", "--detach")
    assert started.status == 0, started.output
    for word in ("isolation", "database", "bucketfs", "CA file", "exatrust.toml"):
        assert word in started.output
    assert_endpoints_have_names(directory, started.stdout)
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


def test_a_container_is_updated_on_one_node_and_given_a_root(tmp_path, directory):
    exatrust(tmp_path, "sandbox", "start", "--dir", "box", "--nodes", "2", "--detach")
    exatrust(tmp_path, "sandbox", "stop", "--dir", "box")
    one = exatrust(
        directory, "sandbox", "update-container", "python-3.13", "--node", "1", "--dir", "."
    )
    assert one.status == 0, one.output
    assert "PYTHON3 on node 1: python-3.10 -> python-3.13" in one.output
    root = "pki/company-root.pem"
    planted = exatrust(
        directory, "sandbox", "plant-root", root, "--alias", "PYTHON312", "--dir", "."
    )
    assert planted.status == 0, planted.output
    status = exatrust(directory, "sandbox", "status", "--dir", ".", "--json")
    assert json.loads(status.stdout)["exceptions"] == {
        "PYTHON3": "node 1: python-3.13",
        "PYTHON312": "python-3.12 and 1 planted certificates",
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("update-container", "python-3.13", "--node", "2"), "no node 2"),
        (("update-container", "python-3.13", "--node", "-1"), "no node -1"),
        (("update-container", "python-9"), "no image python-9"),
        (("plant-root", "sandbox.json"), "no PEM file with certificates"),
        (("plant-root", "pki/company-root.pem", "--alias", "PYTHON9"), "no alias PYTHON9"),
        (("plant-root", "pki/company-root.pem", "--node", "7"), "the nodes 0 to 1"),
        (("plant-root", "nothing.pem"), "nothing.pem"),
    ],
)
def test_what_cannot_be_done_to_a_container_is_said(stopped, arguments, said):
    command, *rest = arguments
    refused = exatrust(stopped, "sandbox", command, *rest, "--dir", ".")
    assert refused.status == 2
    assert said in refused.output
    assert not (stopped / "state" / "containers.json").exists()


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
