"""The three kinds of buckets, each opened as the product does, with what stands behind it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from exatrust.bucket import Bucket
from exatrust.bucketfs import BucketFS
from exatrust.credentials import Secret
from exatrust.mounted import MountedBucket
from exatrust.saas import SaasBucket
from exatrust.settings import BucketFSSettings
from exatrust_sandbox.database.certificate import server_context, signed_by
from exatrust_sandbox.mock_bucketfs.model import BucketSpec
from exatrust_sandbox.mock_bucketfs.service import BucketFS as Service

from ..saas_double import ACCOUNT, NAME, SaasDouble, saas_double

TOKEN = "exa_pat_planted-token"
PASSWORD = "planted-write-password"


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "private-ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def pauses() -> list[float]:
    """What the buckets slept."""
    return []


@pytest.fixture
def saas(authority: trustme.CA) -> Iterator[SaasDouble]:
    with saas_double(authority, TOKEN) as double:
        yield double


@pytest.fixture
def open_saas(
    saas: SaasDouble, ca_file: Path, pauses: list[float]
) -> Iterator[Callable[..., SaasBucket]]:
    """Opens the double's bucket, by default as it should be."""
    opened: list[SaasBucket] = []

    def connect(token: str = TOKEN, seconds: float = 10, **options: Any) -> SaasBucket:
        defaults: dict[str, Any] = {
            "saas_url": saas.url, "saas_account_id": ACCOUNT, "saas_database": NAME,
            "ca_file": ca_file,
        }  # fmt: skip
        opened.append(
            SaasBucket(
                BucketFSSettings(**defaults | options), Secret(token),
                timeout=httpx.Timeout(seconds), sleep=pauses.append,
            )
        )  # fmt: skip
        return opened[-1]

    yield connect
    for bucket in opened:
        bucket.close()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where a bucket is mounted."""
    path = tmp_path / "mounted"
    path.mkdir()
    return path


def _http(authority: trustme.CA, ca_file: Path, tmp_path: Path) -> Iterator[Bucket]:
    service = Service(
        tmp_path / "bucketfs", [], buckets=[BucketSpec("default", "read", PASSWORD, public=False)],
        sync_period=0.0, tls=server_context(signed_by(authority, "localhost")),
    )  # fmt: skip
    service.start(https_port=0)
    settings = BucketFSSettings(f"https://localhost:{service.https_port}", ca_file=ca_file)
    bucket = BucketFS(settings, Secret(PASSWORD), sleep=time.sleep)
    yield bucket
    bucket.close()
    service.stop()


@pytest.fixture(params=["url", "path", "saas_url"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bucket]:
    """An empty bucket of each kind, named by its setting."""
    if request.param == "url":
        fixtures = (request.getfixturevalue(name) for name in ("authority", "ca_file"))
        yield from _http(*fixtures, tmp_path)
    elif request.param == "path":
        yield MountedBucket(request.getfixturevalue("directory"))
    else:
        yield request.getfixturevalue("open_saas")()
