"""A BucketFS on loopback, and a real HTTP client that trusts its certificate."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
import trustme

from exatrust_sandbox.database.certificate import server_context, signed_by
from exatrust_sandbox.mock_bucketfs.model import BucketSpec
from exatrust_sandbox.mock_bucketfs.service import BucketFS

WRITE, READ = ("w", "write-secret"), ("r", "read-secret")


@dataclass
class Running:
    """A service under test; `held` may be changed while it runs."""

    bucketfs: BucketFS
    root: Path
    nodes: list[Path]
    held: set[int] = field(default_factory=set)
    ca_file: Path = Path()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.bucketfs.https_port}"

    def seen(self, node: int, path: str) -> bytes | None:
        """What a container on the node reads, None where there is nothing."""
        file = self.nodes[node] / "bfsdefault" / "default" / path
        return file.read_bytes() if file.is_file() else None


@pytest.fixture
def start(tmp_path):
    """Start services on the same directory, one after the other or at once."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = server_context(signed_by(authority, "localhost", "127.0.0.1"))
    started = []

    def _start(**options):
        held: set[int] = options.pop("held", set())
        nodes = [tmp_path / f"node{i}" for i in range(3)]
        options = {"replication_delay": 0.0, "unpack_delay": 0.0, **options}
        buckets = [
            BucketSpec("default", READ[1], WRITE[1], public=False),
            BucketSpec("open", READ[1], WRITE[1], public=True),
        ]
        bucketfs = BucketFS(
            tmp_path / "master", nodes, buckets=buckets, held=lambda: held, tls=tls, **options
        )
        bucketfs.start(None, 0)
        started.append(bucketfs)
        return Running(bucketfs, tmp_path / "master", nodes, held, tmp_path / "ca.pem")

    yield _start
    for bucketfs in started:
        bucketfs.stop()


@pytest.fixture
def running(start):
    return start()


@pytest.fixture
def http(running):
    return client(running)


def client(running: Running) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.verify = str(running.ca_file)
    return session
