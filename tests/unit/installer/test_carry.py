"""CAs that were added survive the next install, whatever became of the files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from exatrust import resources
from exatrust.bundle import Anchor, Removal, compose, pem_block
from exatrust.carry import Carried, carried_over
from exatrust.distrust import Distrust
from exatrust.errors import BundleRejected
from exatrust.intake import read_certificates
from exatrust.observe import Installed
from exatrust.release import Release, build
from exatrust.statements import Statements, files_text
from exatrust_udf.certificate import Certificate

STATEMENTS = Statements("exatrust", ("PYTHON3",), resources.sql, resources.udf_text)


class Files:
    """A bucket in memory."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)


class Ledger:
    """A database that has nothing but CA_DECISION."""

    def __init__(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._rows = rows

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        assert "CA_DECISION" in sql
        return list(self._rows)


@pytest.fixture(scope="module")
def corp(pem: Callable[..., bytes]) -> Certificate:
    return read_certificates(pem("Corp"), "corp.pem")[0]


@pytest.fixture(scope="module")
def release(corp: Certificate, pem: Callable[..., bytes]) -> Release:
    roots = read_certificates(pem("A") + pem("B"), "roots")
    gone = Removal(roots[0].sha256, roots[0].subject)
    bundle = compose(roots, "set", [Anchor(corp, "added", "corp.pem")], Distrust(), [gone])
    return build("1.0", {"a.py": b""}, bundle, Distrust())


@pytest.fixture
def current(release: Release) -> Installed:
    files = files_text(release, f"/buckets/b/d/exatrust/releases/{release.id}")
    return Installed(release.id, ("PYTHON3",), files, dt.datetime(2026, 1, 1), "SYS", 3)


@pytest.fixture
def bucket(release: Release) -> Files:
    return Files({f"r/{release.id}/{file.name}": file.content for file in release.files})


@pytest.fixture
def decided(corp: Certificate, pem: Callable[..., bytes]) -> Carried:
    """What the release says that humans decided."""
    gone = read_certificates(pem("A"), "roots")[0]
    return Carried(
        (Anchor(corp, "added", "corp.pem"),), (Removal(gone.sha256, gone.subject, gone),)
    )


def row(
    kind: str, sha256: str, subject: str, source: str | None = None, pem: str | None = None
) -> tuple[Any, ...]:
    """A row of the query decisions.sql."""
    return kind, sha256, subject, source, "why", dt.datetime(2026, 1, 1), "SYS", pem


def carry(
    current: Installed | None, bucket: Files, rows: Sequence[tuple[Any, ...]] = ()
) -> tuple[Carried, list[str]]:
    warned: list[str] = []
    found = carried_over(Ledger(rows), bucket, STATEMENTS, current, "r", warned.append)
    return found, warned


def test_before_the_first_install_there_is_nothing_to_carry_over() -> None:
    assert carry(None, Files({})) == (Carried(), [])


def test_exactly_the_added_and_removed_cas_are_carried_over(
    current: Installed, bucket: Files, decided: Carried
) -> None:
    found, warned = carry(current, bucket)
    assert ((found.added, found.removed), warned) == ((decided.added, decided.removed), [])


def test_all_that_udfs_trust_until_now_is_known(current: Installed, bucket: Files) -> None:
    assert {item.subject for item in carry(current, bucket)[0].held} >= {"CN=B", "CN=Corp"}


@pytest.mark.parametrize("damage", ["missing", "altered"])
@pytest.mark.parametrize("suffix", ["manifest.json", ".pem"])
def test_where_bucketfs_lost_the_release_the_ledger_has_the_certificates(
    current: Installed, bucket: Files, corp: Certificate, decided: Carried, damage: str, suffix: str
) -> None:
    path = next(path for path in bucket.files if path.endswith(suffix))
    if damage == "missing":
        del bucket.files[path]
    else:
        bucket.files[path] += b"\n"
    (gone,) = decided.removed
    rows = [
        row("ADDED", corp.sha256, corp.subject, "corp.pem", pem_block(corp.der).decode()),
        row("REMOVED", gone.sha256, gone.subject),
        row("LEFT_OUT", "ab" * 32, "CN=Distrusted", "set"),
    ]
    found, warned = carry(current, bucket, rows)
    assert found == decided
    assert "CA_DECISION" in warned[0]


def test_a_ledger_whose_certificate_is_another_one_is_not_believed(
    current: Installed, corp: Certificate
) -> None:
    rows = [row("ADDED", "ab" * 32, "CN=Corp", "corp.pem", pem_block(corp.der).decode())]
    with pytest.raises(BundleRejected, match="is another one"):
        carry(current, Files({}), rows)
