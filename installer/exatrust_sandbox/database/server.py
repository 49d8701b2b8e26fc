"""The database's port: one socket for WebSocket sessions over TLS and for transport connections.

The first byte tells them apart, and is only looked at, so that TLS sees it again: a TLS handshake
record starts with 0x16 (RFC 8446 section 5.1), a transport connection with Exasol's magic number.
Anything else, unencrypted WebSockets among it, is turned away: Exasol 8 accepts TLS only.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
import time
from types import TracebackType

from exatrust_sandbox.database.channel import Channel, handshake
from exatrust_sandbox.database.connection import Connection, Service
from exatrust_sandbox.database.limits import Limits
from exatrust_sandbox.database.login import Database, LoginKey
from exatrust_sandbox.database.ports import EnginePort
from exatrust_sandbox.database.transport import MAGIC, Tunnels

TLS_HANDSHAKE_RECORD = 0x16
HEARTBEAT = 10.0
ACCEPT_TIME = 1.0
log = logging.getLogger(__name__)


class DatabaseServer:
    """The stand-in's database server.

    `tls` is the server context (see `certificate.server_context`), `port` 0 takes any free one.
    `heartbeat` is the default `feedbackInterval` in seconds: pyexasol gives up after 30 seconds of
    silence. `nodes` is what `getHosts` reports. `start` raises OSError when the port is taken; a
    server starts once.
    """

    def __init__(
        self,
        engine: EnginePort,
        tls: ssl.SSLContext,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        nodes: int = 1,
        heartbeat: float = HEARTBEAT,
        release_version: str = "8.34.0",
        database_name: str = "EXATRUST_SANDBOX",
        limits: Limits | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._tls = tls
        self._address = (host, port)
        self._tunnels = Tunnels(self._limits)
        self._service = Service(
            engine,
            LoginKey(),
            self._tunnels,
            self._limits,
            heartbeat,
            (host,) * nodes,
            Database(release_version, database_name, self._limits.message),
        )
        self._listener: socket.socket | None = None
        self._lock = threading.Lock()
        self._stopping = False
        self._threads: dict[threading.Thread, Connection | socket.socket] = {}
        self._acceptor = threading.Thread(target=self._accept, name="exatrust-accept", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on; RuntimeError before `start`."""
        if self._listener is None:
            raise RuntimeError("the database server has not been started")
        port: int = self._address[1]
        return port

    def start(self) -> None:
        """Listens; returns when connections are accepted."""
        self._listener = socket.create_server(self._address, backlog=128)
        # Not every system wakes accept() when its socket is closed.
        self._listener.settimeout(ACCEPT_TIME)
        self._address = self._listener.getsockname()[:2]
        self._acceptor.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Ends all sessions and waits for their threads, at most `timeout` seconds in all."""
        deadline = time.monotonic() + timeout
        with self._lock:
            self._stopping = True
            running = dict(self._threads)
        self._close_listener()
        for owner in running.values():
            self._end(owner)
        self._tunnels.close()
        for thread in running:
            thread.join(max(0.0, deadline - time.monotonic()))

    def __enter__(self) -> DatabaseServer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _close_listener(self) -> None:
        if self._listener is None:
            return
        # On Linux this wakes accept(), which closing alone does not.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join()

    @staticmethod
    def _end(owner: Connection | socket.socket) -> None:
        if isinstance(owner, Connection):
            owner.stop()
            return
        with contextlib.suppress(OSError):
            socket.socket.shutdown(owner, socket.SHUT_RDWR)

    def _accept(self) -> None:
        assert self._listener is not None
        while True:
            try:
                client, _ = self._listener.accept()
            except (ConnectionError, TimeoutError):
                if self._stopping:
                    return
                continue
            except OSError:
                if self._stopping:
                    return
                # Out of file descriptors, say: wait for one to become free.
                time.sleep(0.05)
                continue
            self._take_in(client)

    def _take_in(self, client: socket.socket) -> None:
        thread = threading.Thread(
            target=self._serve, args=(client,), name="exatrust-connection", daemon=True
        )
        with self._lock:
            welcome = not self._stopping and len(self._threads) < self._limits.connections
            if welcome:
                self._threads[thread] = client
        if welcome:
            thread.start()
        else:
            client.close()

    def _serve(self, client: socket.socket) -> None:
        kept = False
        try:
            kept = self._recognize(client)
        except OSError as error:
            log.debug("a connection ended early: %s", error)
        except Exception:
            log.exception("a connection failed inside the stand-in")
        finally:
            if not kept:
                client.close()
            with self._lock:
                self._threads.pop(threading.current_thread(), None)

    def _recognize(self, client: socket.socket) -> bool:
        """Serves a connection by its first byte; True when its socket now belongs to a tunnel."""
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        client.settimeout(self._limits.handshake_time)
        first = client.recv(1, socket.MSG_PEEK)
        if first and first[0] == TLS_HANDSHAKE_RECORD:
            self._serve_session(client)
        elif first == MAGIC[:1] and _receive(client, len(MAGIC)) == MAGIC:
            self._tunnels.accept(client)
            return True
        return False

    def _serve_session(self, client: socket.socket) -> None:
        client.setblocking(False)
        with self._tls.wrap_socket(
            client, server_side=True, do_handshake_on_connect=False
        ) as secured:
            self._register(secured)
            handshake(secured, time.monotonic() + self._limits.handshake_time)
            connection = Connection(Channel(secured, self._limits), self._service)
            self._register(connection)
            connection.run()

    def _register(self, owner: Connection | socket.socket) -> None:
        """Makes `owner` what `stop` ends for this thread."""
        with self._lock:
            self._threads[threading.current_thread()] = owner
            stopping = self._stopping
        if stopping:
            self._end(owner)


def _receive(client: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (more := client.recv(count - len(data))):
        data += more
    return data
