"""The mock BucketFS service: its buckets, its ports, and the nodes that see its files.

bucketfs = BucketFS(root, replicas, buckets=[BucketSpec("default", "r-pw", "w-pw")], tls=...)
bucketfs.start(http_port=None, https_port=0)
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from exatrust_sandbox.mock_bucketfs.access import BucketSpec
from exatrust_sandbox.mock_bucketfs.faults import Faults
from exatrust_sandbox.mock_bucketfs.http import Server
from exatrust_sandbox.mock_bucketfs.replication import Replica, Replicator
from exatrust_sandbox.mock_bucketfs.storage import Storage

__all__ = ["BucketFS", "BucketSpec"]

SYNC_PERIOD = 30.0  # confirmed: SyncPeriod=30000 in EXAConf


def _nobody() -> Collection[int]:
    return ()


class BucketFS:
    """One BucketFS service.

    root:              where the master content lies; it survives stop and start
    replicas:          a directory for each node, mounted in its containers as /buckets
    sync_period:       seconds after a DELETE in which a PUT to the same path is refused
    replication_delay: seconds from a write until nodes see it
    stale_window:      seconds after an overwrite in which the old content is still served
    held:              gives the nodes that replication holds back, asked all the time
    """

    def __init__(
        self,
        root: Path,
        replicas: Sequence[Path],
        *,
        service: str = "bfsdefault",
        buckets: Sequence[BucketSpec],
        sync_period: float = SYNC_PERIOD,
        replication_delay: float = 0.3,
        stale_window: float = 1.0,
        held: Callable[[], Collection[int]] = _nobody,
        clock: Callable[[], float] = time.monotonic,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.specs = {bucket.name: bucket for bucket in buckets}
        self.faults = Faults()
        self._tls = tls
        self._servers: dict[str, Server] = {}
        self.storages = {
            name: Storage(
                root / name, sync_period=sync_period, stale_window=stale_window, clock=clock
            )
            for name in self.specs
        }
        self._replicator = Replicator(
            [
                [
                    Replica(
                        storage,
                        replica / service / name,
                        root / name / "ledgers" / f"node{node}.json",
                    )
                    for name, storage in self.storages.items()
                ]
                for node, replica in enumerate(replicas)
            ],
            delay=replication_delay,
            held=held,
            clock=clock,
        )

    def start(self, http_port: int | None, https_port: int | None) -> None:
        """Listen on loopback; None leaves a port out, 0 takes any free one. Raises OSError."""
        if https_port is not None:
            if self._tls is None:
                raise ValueError("HTTPS needs a TLS context")
            self._listen("https", https_port, self._tls)
        if http_port is not None:
            self._listen("http", http_port, None)
        self._replicator.start()

    def _listen(self, scheme: str, port: int, tls: ssl.SSLContext | None) -> None:
        server = Server(self, port, tls)
        self._servers[scheme] = server
        server.start()

    def stop(self) -> None:
        """Close the ports; what was not replicated yet is done after the next start."""
        for server in self._servers.values():
            server.stop()
        self._servers.clear()
        self._replicator.stop()

    @property
    def http_port(self) -> int:
        return self._servers["http"].port

    @property
    def https_port(self) -> int:
        return self._servers["https"].port

    def wait_idle(self, timeout: float = 10.0) -> None:
        """Return once every node that is not held back has everything; else TimeoutError."""
        deadline = time.monotonic() + timeout
        while not self._replicator.idle():
            if time.monotonic() > deadline:
                raise TimeoutError(f"replication was not done after {timeout} s")
            time.sleep(0.01)
