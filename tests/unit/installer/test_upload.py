"""Uploads are read back, and a stale answer is waited out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from exatrust import resources
from exatrust.apply import upload
from exatrust.bundle import Bundle, compose
from exatrust.distrust import Distrust
from exatrust.dsn import parse_dsn
from exatrust.errors import BucketFSFailed
from exatrust.intake import read_certificates
from exatrust.plan import Action
from exatrust.proposal import Proposal, desire, statements_for
from exatrust.release import build
from exatrust.settings import BucketFSSettings, DatabaseSettings, Settings


class StaleBucket:
    """Serves another content for the first reads after a write."""

    def __init__(self, stale_reads: int) -> None:
        self.files: dict[str, bytes] = {}
        self.order: list[str] = []
        self._stale = self._stale_reads = stale_reads

    def write(self, path: str, content: bytes) -> None:
        self.files[path] = content
        self.order.append(path)
        self._stale = self._stale_reads

    def read(self, path: str) -> bytes | None:
        self._stale -= 1
        return b"old" if self._stale >= 0 else self.files[path]


@pytest.fixture
def proposal(pem: Callable[..., bytes]) -> Proposal:
    settings = Settings(
        DatabaseSettings(parse_dsn("db"), "sys"), BucketFSSettings("https://bfs:2581")
    )
    bundle: Bundle = compose(read_certificates(pem("A"), "x"), "set", [], Distrust())
    release = build("1.0", resources.udf_sources(), bundle, Distrust())
    statements = statements_for(settings)
    desired = desire(settings, statements, release, Distrust())
    actions = tuple(Action("upload", "file", path, "new") for path in desired.files)
    return Proposal(settings, statements, release, bundle, desired, actions, frozenset())


def test_files_are_uploaded_in_order_with_the_manifest_last(proposal: Proposal) -> None:
    bucket = StaleBucket(0)
    upload(proposal, bucket, lambda text: None, sleep=lambda seconds: None)
    assert bucket.order == list(proposal.desired.files)
    assert bucket.order[-1].endswith("/manifest.json")
    assert [*bucket.files.values()] == [file.content for file in proposal.release.files]


def test_a_stale_answer_is_waited_out(proposal: Proposal) -> None:
    slept: list[float] = []
    upload(proposal, StaleBucket(2), lambda text: None, sleep=slept.append)
    assert slept == [0.0, 0.5, 1.0] * len(proposal.release.files)


def test_what_does_not_come_back_is_an_error_that_names_it(proposal: Proposal) -> None:
    with pytest.raises(BucketFSFailed, match=r"exatrust_udf-\w+\.pyz"):
        upload(proposal, StaleBucket(99), lambda text: None, sleep=lambda seconds: None)
