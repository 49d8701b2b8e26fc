"""From one release to another and back, on four nodes, while somebody reads; and pruning."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exatrust_sandbox.cluster import Sandbox

from .running import NEVER, Rows, new_ca, reader, run


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("cluster"), nodes=4, replication_delay=0.05) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def prefix(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A schema and a prefix of the test's own."""
    name = f"t{abs(hash(tmp_path)) % 10**8}"
    monkeypatch.setenv("EXATRUST_DATABASE_SCHEMA", name)
    monkeypatch.setenv("EXATRUST_BUCKETFS_PREFIX", name)
    return name


def exatrust(sandbox: Sandbox, *arguments: str, status: int = 0) -> str:
    ended, said = run(sandbox, NEVER, *arguments)
    assert ended == status, said
    return said


def release(sandbox: Sandbox) -> str:
    said = exatrust(sandbox, "status", "--json")
    return str(json.loads(said[said.index("{") : said.rindex("}") + 1])["release"])


def files(sandbox: Sandbox, prefix: str) -> set[str]:
    """The releases that have files on the first node."""
    folder = sandbox.nodes[0].buckets / "bfsdefault" / "default" / prefix / "releases"
    return {path.parent.name for path in folder.glob("*/manifest.json")}


@pytest.fixture
def one_alias(monkeypatch: pytest.MonkeyPatch) -> None:
    """For speed, where aliases are not what a test is about."""
    monkeypatch.setenv("EXATRUST_SCRIPTS_ALIASES", "PYTHON3")


@pytest.fixture
def company(sandbox: Sandbox) -> tuple[str, ...]:
    path = sandbox.layout.pki / "company-root.pem"
    return ("--yes", "--ca", str(path), "--confirm", sandbox.company_fingerprint())


def test_an_upgrade_and_a_rollback_never_show_a_reader_an_error(
    sandbox: Sandbox, company: tuple[str, ...], rows: Rows, prefix: str,
    record_property: Callable[[str, object], None],
) -> None:  # fmt: skip
    exatrust(sandbox, "install", "--yes")
    first = release(sandbox)
    endpoint = sandbox.endpoint("company")
    with reader(sandbox, prefix) as seen:
        exatrust(sandbox, "install", *company)
        second = release(sandbox)
        exatrust(sandbox, "check", endpoint)
        said = exatrust(sandbox, "rollback", "--yes")
        assert f"Rolled back: release {first}" in said
        assert "the bundle no longer trusts OU=Example Company Root CA" in said
        exatrust(sandbox, "check", endpoint, status=1)
        exatrust(sandbox, "rollback", "--yes", second)
        exatrust(sandbox, "check", endpoint)
    record_property(
        "counted", f"upgrade and back on 4 nodes: {seen.queries} queries, {len(seen.errors)} errors"
    )
    assert seen.errors == []
    assert seen.queries > 3
    assert release(sandbox) == second
    decisions = rows(f"SELECT DECISION, REASON FROM {prefix}.CA_DECISION ORDER BY DECIDED_AT")
    assert [kind for kind, _ in decisions] == ["ADDED", "REMOVED", "ADDED"]
    assert decisions[1][1] == f"rolled back to release {first}"
    exatrust(sandbox, "plan")


@pytest.mark.usefixtures("one_alias")
def test_a_rollback_names_the_releases_there_are_and_needs_their_files(
    sandbox: Sandbox, company: tuple[str, ...], prefix: str
) -> None:
    assert "nothing is installed" in exatrust(sandbox, "rollback", "--yes", status=1)
    exatrust(sandbox, "install", "--yes")
    only = release(sandbox)
    assert f"the only one is {only}" in exatrust(sandbox, "rollback", "--yes", status=2)
    exatrust(sandbox, "install", *company)
    assert f", {only}" in exatrust(sandbox, "rollback", "0.0", status=2)
    assert "nobody is there to agree" in exatrust(sandbox, "rollback", status=2)
    exatrust(sandbox, "prune", "--keep", "1", "--yes")
    said = exatrust(sandbox, "rollback", "--yes", only, status=2)
    assert "is missing or altered in BucketFS" in said


@pytest.mark.usefixtures("one_alias")
def test_pruning_keeps_the_newest_and_those_with_a_ca_that_an_endpoint_depends_on(
    sandbox: Sandbox, company: tuple[str, ...], rows: Rows, prefix: str, tmp_path: Path
) -> None:
    added_ca = new_ca(tmp_path)
    exatrust(sandbox, "install", "--yes")
    oldest = release(sandbox)
    exatrust(sandbox, "install", *company)
    with_company = release(sandbox)
    host, _, port = sandbox.endpoint("company").rpartition(":")
    rows(f"INSERT INTO {prefix}.ENDPOINT (HOST, PORT) VALUES ('{host}', {port})")
    exatrust(sandbox, "snapshot")
    said = exatrust(sandbox, "rollback", "--yes", oldest, status=2)
    assert f"its removal would break {host}:{port}" in said
    assert release(sandbox) == with_company
    exatrust(sandbox, "rollback", "--yes", "--force", oldest)
    exatrust(sandbox, "install", *added_ca())
    current = release(sandbox)
    said = exatrust(sandbox, "prune", "--keep", "1", "--yes")
    assert f"release {with_company} stays: an endpoint depends on" in said
    assert f"deleted release {oldest}" in said
    sandbox.bucketfs.wait_idle(20)
    assert files(sandbox, prefix) == {with_company, current}
    rows(f"DELETE FROM {prefix}.ENDPOINT")
    rows(
        f"CREATE PYTHON3 SCALAR SCRIPT {prefix}.MINE() RETURNS INT AS\n%env SSL_CERT_FILE="
        f"/buckets/bfsdefault/default/{prefix}/releases/{with_company}/ca-bundle.pem;\n"
        "def run(ctx):\n    return 1\n"
    )
    said = exatrust(sandbox, "prune", "--keep", "1", "--yes")
    assert f"release {with_company} stays: script {prefix.upper()}.MINE reads it" in said
    rows(f"DROP SCRIPT {prefix}.MINE")
    exatrust(sandbox, "prune", "--keep", "1", "--yes")
    assert "Nothing to prune" in exatrust(sandbox, "prune", "--keep", "1", "--yes")
    sandbox.bucketfs.wait_idle(20)
    assert files(sandbox, prefix) == {current}
