"""HTTPS servers on loopback that answer as a test says, byte by byte where that matters."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import trustme


@dataclass(frozen=True)
class Asked:
    """A request as it came; names of headers are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


# Writes its answer; gives False where the connection is to be closed.
Manner = Callable[[Asked, ssl.SSLSocket], bool]


def answer(status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """An answer in one piece: in two it would wait for a delayed acknowledgement."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def sending(data: bytes, keep: bool = True) -> Manner:
    """Always the same answer."""

    def send(asked: Asked, sock: ssl.SSLSocket) -> bool:
        sock.sendall(data)
        return keep

    return send


@dataclass
class Web:
    """A running server: what was asked, and how many connections there were."""

    port: int
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    at_once: int = 0
    most_at_once: int = 0
    client: str | None = None

    def url(self, path: str = "/", host: str = "localhost") -> str:
        return f"https://{host}:{self.port}{path}"


def server_context(leaf: trustme.LeafCert, client_ca: trustme.CA | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        client_ca.configure_trust(context)
    return context


@contextlib.contextmanager
def serving(manner: Manner, context: ssl.SSLContext, address: str = "127.0.0.1") -> Iterator[Web]:
    """A server in threads that serves until the block ends."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, 0), family=family, backlog=256)
    web = Web(listener.getsockname()[1])
    lock = threading.Lock()
    open_ones: set[socket.socket] = set()

    def serve(connection: socket.socket) -> None:
        # A client that distrusts the certificate, or waits no longer, hangs up: that is its right.
        with contextlib.suppress(OSError), connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with context.wrap_socket(connection, server_side=True) as tls:
                open_ones.add(tls)
                while asked := _read(tls):
                    web.client = dict(
                        x[0] for x in (tls.getpeercert() or {}).get("subject", ())
                    ).get("commonName", web.client)
                    with lock:
                        web.asked.append(asked)
                        web.at_once += 1
                        web.most_at_once = max(web.most_at_once, web.at_once)
                    try:
                        go_on = manner(asked, tls)
                    finally:
                        with lock:
                            web.at_once -= 1
                    if not go_on:
                        return

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                web.connections += 1
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield web
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        for tls in open_ones:
            with contextlib.suppress(OSError):
                tls.close()


def _read(tls: ssl.SSLSocket) -> Asked | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = tls.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += tls.recv(65536)
    return Asked(method, target, headers, body)
