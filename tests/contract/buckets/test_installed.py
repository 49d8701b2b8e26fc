"""Installs through a mounted bucket and through Exasol SaaS, with the nodes' own proof."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exatrust import cli
from exatrust_sandbox.cluster import Sandbox

from ..saas_double import ACCOUNT, NAME, SaasDouble
from .conftest import TOKEN

NODES = 2
SETTINGS = """\
[database]
dsn = "{dsn}"
user = "sys"
password_file = "passwords/sys"
schema = "{schema}"

[bucketfs]
{bucketfs}
replication_timeout = {seconds}

[bundle]
roots = "pki/public-roots.pem"

[scripts]
aliases = ["PYTHON3"]
"""
Exatrust = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("cluster"), nodes=NODES) as cluster:
        yield cluster


@pytest.fixture
def configure(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """Writes the settings, beside the sandbox's own files, and has commands read them."""

    def write(schema: str, bucketfs: str, seconds: int = 30) -> None:
        file = sandbox.layout.directory / f"{schema}.toml"
        file.write_text(
            SETTINGS.format(dsn=sandbox.dsn, schema=schema, bucketfs=bucketfs, seconds=seconds)
        )
        monkeypatch.setenv("EXATRUST_CONFIG", str(file))
        monkeypatch.setenv("EXATRUST_BUCKETFS_PREFIX", schema.lower())
        monkeypatch.chdir(tmp_path)

    return write


@pytest.fixture
def exatrust(capsys: pytest.CaptureFixture[str]) -> Exatrust:
    """Runs a command with a log file; its status, and what it said."""

    def run(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        status = cli.main([*arguments, "--log-file", "all.log"])
        shown = capsys.readouterr()
        return status, shown.out + shown.err

    return run


def files(directory: Path) -> set[str]:
    found = directory.rglob("*")
    return {str(path.relative_to(directory)) for path in found if path.is_file()}


@contextlib.contextmanager
def synchronised(source: Path, target: Path) -> Iterator[None]:
    """What keeps the other nodes like the one whose directory is mounted: files come and go."""
    ended = threading.Event()

    def once() -> None:
        for name in files(source) - files(target):
            if not name.endswith(".part"):
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / name, target / f"{name}.new")
                (target / f"{name}.new").rename(target / name)
        for name in files(target) - files(source):
            (target / name).unlink()

    def work() -> None:
        while not ended.wait(0.1):
            with contextlib.suppress(FileNotFoundError):  # it changes while one looks
                once()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        once()


def buckets(sandbox: Sandbox, service: str) -> list[Path]:
    return [sandbox.layout.replica(n) / service / "default" for n in range(NODES)]


def test_an_install_through_a_mount_is_proven_by_every_node_and_leaves_nothing(
    sandbox: Sandbox, configure: Callable[..., None], exatrust: Exatrust
) -> None:
    mounted, other = buckets(sandbox, "bfsdefault")
    before = files(mounted)
    configure("MOUNTED", f'path = "{mounted}"')
    with synchronised(mounted, other):
        status, said = exatrust("doctor", "--write")
        assert "bucket write: a file was written" in said, said
        assert "bucketfs certificate" not in said
        assert exatrust("plan")[0] == 1
        status, said = exatrust("install", "--yes")
        assert (status, "verified on every node" in said) == (0, True), said
        assert exatrust("status")[0] == 0
        assert exatrust("plan")[0] == 0
        assert len(files(mounted) - before) == 4  # code, bundle twice, manifest
        status, said = exatrust("uninstall", "--yes")
        assert (status, "deleted 4 files" in said) == (0, True), said
    assert files(mounted) == before
    assert not (mounted / "mounted").exists()
    assert "write " in Path("all.log").read_text()


def test_a_mount_that_reaches_one_node_alone_is_found_out(
    sandbox: Sandbox, configure: Callable[..., None], exatrust: Exatrust
) -> None:
    configure("ALONE", f'path = "{buckets(sandbox, "bfsdefault")[0]}"', seconds=2)
    status, said = exatrust("install", "--yes")
    assert status == 1
    assert "node 1" in said
    assert "point to release" not in said
    assert exatrust("uninstall", "--yes")[0] == 0


def test_a_mounted_bucket_has_no_certificate_to_pin(
    sandbox: Sandbox, configure: Callable[..., None], exatrust: Exatrust
) -> None:
    configure("PINNED", f'path = "{buckets(sandbox, "bfsdefault")[0]}"')
    status, said = exatrust("trust-server", "bucketfs")
    assert (status, "bucketfs has no server" in said) == (2, True), said
    status, said = exatrust("trust-server")
    assert (status, "trusted already" in said) == (0, True), said


def test_an_install_through_saas_is_proven_by_every_node_and_shows_no_secret(
    sandbox: Sandbox, configure: Callable[..., None], exatrust: Exatrust, saas: SaasDouble,
    ca_file: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    nodes = buckets(sandbox, "uploads")

    def replicate(key: str, content: bytes | None) -> None:
        for node in nodes:
            if content is None:
                (node / key).unlink(missing_ok=True)
            else:
                (node / key).parent.mkdir(parents=True, exist_ok=True)
                (node / key).write_bytes(content)

    saas.changed = replicate
    monkeypatch.setenv("EXATRUST_BUCKETFS_PASSWORD", TOKEN)
    lines = (
        f'saas_url = "{saas.url}"', f'saas_account_id = "{ACCOUNT}"', f'saas_database = "{NAME}"',
        f'ca_file = "{ca_file}"',
    )  # fmt: skip
    configure("CLOUD", "\n".join(lines))
    shown = ""
    for expected, *command in (
        (0, "trust-server"), (1, "plan"), (0, "install", "--yes"), (0, "status"), (0, "plan"),
        (0, "install", "--yes"), (0, "prune", "--yes"), (0, "uninstall", "--yes"),
    ):  # fmt: skip
        status, said = exatrust(*command)
        assert status == expected, said
        shown += said
    assert "verified on every node" in shown
    assert saas.files == {}
    shown += Path("all.log").read_text()
    assert [secret for secret in (TOKEN, "X-Amz", *saas.signatures) if secret in shown] == []
    assert "(presigned): 200" in shown


def test_a_certificate_of_saas_is_never_pinned(
    configure: Callable[..., None], exatrust: Exatrust, saas: SaasDouble
) -> None:
    lines = f'saas_url = "{saas.url}"', f'saas_account_id = "{ACCOUNT}"', 'saas_database = "x"'
    configure("UNPINNED", "\n".join(lines))
    status, said = exatrust("trust-server", "bucketfs", "--trust-on-first-use")
    assert (status, "cannot be pinned" in said, "bucketfs.ca_file" in said) == (2, True, True), said
    assert saas.api_requests == []


def test_doctor_looks_at_saas_and_says_what_is_wrong_with_the_token(
    configure: Callable[..., None], exatrust: Exatrust, saas: SaasDouble, ca_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("EXATRUST_BUCKETFS_PASSWORD", "planted-wrong-token")
    lines = (
        f'saas_url = "{saas.url}"', f'saas_account_id = "{ACCOUNT}"', f'saas_database = "{NAME}"',
        f'ca_file = "{ca_file}"',
    )  # fmt: skip
    configure("DOCTOR", "\n".join(lines))
    status, said = exatrust("doctor", "--write")
    assert status == 2
    assert "bucketfs certificate: is verified by a CA" in said
    assert "FAILED  bucket: Exasol SaaS" in said
    assert "planted" not in said + Path("all.log").read_text()
