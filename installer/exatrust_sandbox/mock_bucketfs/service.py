"""The BucketFS stand-in: buckets on disk, served over HTTP(S), replicated to nodes."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from exatrust_sandbox.mock_bucketfs.connections import Server
from exatrust_sandbox.mock_bucketfs.faults import Faults
from exatrust_sandbox.mock_bucketfs.http import handler_for
from exatrust_sandbox.mock_bucketfs.model import BucketSpec, Limits
from exatrust_sandbox.mock_bucketfs.operations import Operations
from exatrust_sandbox.mock_bucketfs.replication import Pace, Replicator
from exatrust_sandbox.mock_bucketfs.storage import BucketStore

_log = logging.getLogger(__name__)


class BucketFS:
    """One BucketFS service with its buckets.

    root:        master content and temporary files; on the same file system as `replicas`
    replicas:    one directory per node; files appear at `<replica>/<service>/<bucket>/<path>`
    sync_period: seconds after a DELETE in which a PUT to the path is refused
    replication_delay, unpack_delay: seconds until nodes see a change, and how much longer
                 archives take
    held:        numbers of the nodes that get nothing for now; asked again and again
    clock:       seconds that never go back
    tls:         server context for the HTTPS port
    faults:      may be changed or replaced at any time

    After stop(), start() goes on with what is on disk, as a new object on the same root does.
    """

    def __init__(
        self,
        root: Path,
        replicas: Sequence[Path],
        *,
        service: str = "bfsdefault",
        buckets: Sequence[BucketSpec],
        sync_period: float = 30.0,
        replication_delay: float = 0.3,
        unpack_delay: float = 0.2,
        held: Callable[[], Collection[int]] = frozenset,
        clock: Callable[[], float] = time.monotonic,
        tls: ssl.SSLContext | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.faults = Faults()
        self._root = root
        self._replicas = [path / service for path in replicas]
        self._buckets, self._tls = tuple(buckets), tls
        self._sync_period, self._limits = sync_period, limits or Limits()
        self._pace = Pace(
            replication_delay, unpack_delay, held, lambda: self.faults.publish_seconds, clock
        )
        self._servers: dict[str, Server] = {}
        self._replicator: Replicator | None = None

    @property
    def http_port(self) -> int | None:
        """Port in use; None when there is no plain HTTP."""
        server = self._servers.get("http")
        return server.server_port if server else None

    @property
    def https_port(self) -> int | None:
        """Port in use; None when there is no HTTPS."""
        server = self._servers.get("https")
        return server.server_port if server else None

    def start(self, http_port: int | None = None, https_port: int | None = None) -> None:
        """Serve on 127.0.0.1; 0 takes any free port, None leaves the protocol off.

        Confirmed: HTTPS on and HTTP off is today's default. Raises ValueError for no port at
        all or HTTPS without a context, OSError when a port is taken (nothing runs then).
        """
        if http_port is None and https_port is None:
            raise ValueError("BucketFS needs an HTTP port or an HTTPS port")
        if https_port is not None and self._tls is None:
            raise ValueError("an HTTPS port needs a TLS context")
        if self._replicator is not None:
            raise RuntimeError("BucketFS is running already")
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        stores = {bucket.name: self._open(bucket.name) for bucket in self._buckets}
        handler = handler_for(Operations(self._buckets, stores, lambda: self.faults))
        self._replicator = Replicator(
            stores, self._replicas, self._root / "incoming", self._pace, self._limits
        )
        try:
            self._replicator.start()
            if http_port is not None:
                self._servers["http"] = Server(http_port, handler, self._limits, None)
            if https_port is not None:
                self._servers["https"] = Server(https_port, handler, self._limits, self._tls)
            for server in self._servers.values():
                server.start()
        except BaseException:
            self._abandon()
            raise

    def stop(self) -> None:
        """End all connections and replication; may be called twice."""
        for server in self._servers.values():
            server.stop()
        self._servers.clear()
        if self._replicator is not None:
            self._replicator.stop()
            self._replicator = None

    def wait_idle(self, timeout: float) -> None:
        """Wait until all nodes but the held ones have everything; raises TimeoutError.

        timeout: seconds
        """
        if self._replicator is None:
            raise RuntimeError("BucketFS is not running")
        self._replicator.wait_idle(timeout)

    def _open(self, name: str) -> BucketStore:
        return BucketStore(
            name,
            self._root / "buckets" / name,
            sync_period=self._sync_period,
            clock=self._pace.clock,
        )

    def _abandon(self) -> None:
        for server in self._servers.values():
            server.server_close()
        self._servers.clear()
        if self._replicator is not None:
            self._replicator.stop()
            self._replicator = None
