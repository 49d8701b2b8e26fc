"""A threading HTTP(S) server on 127.0.0.1 that no client can hang.

Every connection has a deadline; a watchdog shuts down those that are over it, so that a client
which sends one byte now and then does not keep a thread for ever. Stopping shuts down all.
"""

from __future__ import annotations

import logging
import socket
import socketserver
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from exatrust_sandbox.mock_bucketfs.model import Limits

_log = logging.getLogger(__name__)
_WATCH_SECONDS = 0.1
_STOP_SECONDS = 10.0


class Server(ThreadingHTTPServer):
    """Serves with `handler`; TLS when a context is given. Begins to listen at once."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        port: int,
        handler: type[BaseHTTPRequestHandler],
        limits: Limits,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.limits = limits
        self._tls = tls
        self._deadlines: dict[socket.socket, float] = {}
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        super().__init__(("127.0.0.1", port), handler)
        name = f"bucketfs-{self.server_port}"
        self._thread = threading.Thread(
            target=self.serve_forever, args=(_WATCH_SECONDS,), name=name, daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop listening, shut all connections down and wait for their threads."""
        self._stopping.set()
        self.shutdown()
        self._thread.join()
        self.server_close()
        with self._changed:
            for connection in self._deadlines:
                _shut(connection)
            self._changed.wait_for(lambda: not self._deadlines, _STOP_SECONDS)

    def pause(self, seconds: float) -> None:
        """Let time pass, but no longer than until stop()."""
        self._stopping.wait(seconds)

    def allow(self, connection: socket.socket, seconds: float) -> None:
        """Give a connection so many seconds from now."""
        with self._changed:
            if connection in self._deadlines:
                self._deadlines[connection] = time.monotonic() + seconds

    def server_bind(self) -> None:
        # HTTPServer asks the name service for the host's name here, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.socket.getsockname()[1]

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        connection.settimeout(self.limits.stall_seconds)
        if self._tls is not None:
            # The handshake is left to the connection's own thread.
            try:
                connection = self._tls.wrap_socket(
                    connection, server_side=True, do_handshake_on_connect=False
                )
            except OSError:
                connection.close()
                raise
        return connection, address

    def verify_request(self, request: Any, client_address: Any) -> bool:
        with self._changed:
            if len(self._deadlines) >= self.limits.max_connections:
                return False
            self._deadlines[request] = time.monotonic() + self.limits.head_seconds
            return True

    def finish_request(self, request: Any, client_address: Any) -> None:
        if isinstance(request, ssl.SSLSocket):
            request.do_handshake()
        super().finish_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        try:
            super().shutdown_request(request)
        finally:
            with self._changed:
                self._deadlines.pop(request, None)
                self._changed.notify_all()

    def service_actions(self) -> None:
        now = time.monotonic()
        with self._changed:
            for connection, deadline in self._deadlines.items():
                if deadline < now:
                    _shut(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        _log.debug("connection ended", exc_info=True)


def _shut(connection: socket.socket) -> None:
    # Not SSLSocket.shutdown: it takes the TLS layer away under the thread that uses it.
    try:
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        _log.debug("already closed")
