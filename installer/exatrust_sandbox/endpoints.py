"""HTTPS servers on loopback: what an outbound TLS client meets in a company.

Each kind is a real server with a real certificate. One is signed by the "public" authority;
the others by the company's, and three of those are wrong in the ways that fill support queues.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import trustme

from exatrust_sandbox.pki import Authorities

HOST = "localhost"
HANDSHAKE_SECONDS = 10.0
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"


def _issuing(authorities: Authorities) -> tuple[trustme.CA, ...]:
    return (authorities.issuing,)


def _none(_: Authorities) -> tuple[trustme.CA, ...]:
    return ()


@dataclass(frozen=True)
class Kind:
    """A sort of endpoint: its name, what is special about it, and how it gets a certificate."""

    name: str
    story: str
    issue: Callable[[Authorities], trustme.LeafCert]
    intermediates: Callable[[Authorities], tuple[trustme.CA, ...]] = _issuing

    def __str__(self) -> str:
        """The name that `exatrust sandbox endpoint` takes, and the story, in columns."""
        width = max(len(kind.name) for kind in KINDS)
        return f"{self.name:<{width}}  {self.story}"


def _expired(authorities: Authorities) -> trustme.LeafCert:
    # Fixed dates keep the story the same whenever the sandbox runs.
    return authorities.issuing.issue_cert(
        HOST,
        not_before=dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc),
        not_after=dt.datetime(2025, 1, 1, tzinfo=dt.timezone.utc),
    )


KINDS = (
    Kind("public", "signed by the public CA", lambda a: a.public.issue_cert(HOST), _none),
    Kind("company", "signed by the company's CA", lambda a: a.issuing.issue_cert(HOST)),
    Kind("expired", "the company's CA, out of date since 2025", _expired),
    Kind(
        "wrong-name",
        "the company's CA, issued for another name",
        lambda a: a.issuing.issue_cert("payroll.company.example"),
    ),
    Kind(
        "no-intermediate",
        "the company's CA, the server omits its intermediate",
        lambda a: a.issuing.issue_cert(HOST),
        _none,
    ),
)


class TlsServer:
    """One HTTPS server on a loopback port; answers any request with 200."""

    def __init__(self, context: ssl.SSLContext, port: int = 0) -> None:
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="endpoint", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        # Closing alone does not wake a thread that sits in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(HANDSHAKE_SECONDS)
        # A client that distrusts the certificate hangs up in the handshake: that is its right.
        with (
            contextlib.suppress(OSError),
            connection,
            self._context.wrap_socket(connection, server_side=True) as tls,
        ):
            if tls.recv(65536):
                tls.sendall(_ANSWER)


class Endpoints:
    """The running endpoints of all KINDS, by name."""

    def __init__(self, authorities: Authorities, ports: Mapping[str, int] | None = None) -> None:
        wanted = ports or {}
        self.servers = {
            kind.name: TlsServer(server_context(kind, authorities), wanted.get(kind.name, 0))
            for kind in KINDS
        }

    @property
    def ports(self) -> dict[str, int]:
        return {name: server.port for name, server in self.servers.items()}

    def start(self) -> None:
        for server in self.servers.values():
            server.start()

    def stop(self) -> None:
        for server in self.servers.values():
            server.stop()


def server_context(kind: Kind, authorities: Authorities) -> ssl.SSLContext:
    """The TLS context of an endpoint's server side, with exactly the chain it is to send."""
    leaf = kind.issue(authorities)
    chain = [leaf.cert_chain_pems[0], *(ca.cert_pem for ca in kind.intermediates(authorities))]
    return context_of(leaf.private_key_pem.bytes(), b"".join(pem.bytes() for pem in chain))


def context_of(key_pem: bytes, chain_pem: bytes) -> ssl.SSLContext:
    """A server-side TLS context from PEM texts, through a file only its owner can read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(key_pem + chain_pem)
        context.load_cert_chain(file.name)
    return context
