"""What the clients talk to: real servers on loopback, all with a certificate of one CA."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import trustme
from real_servers import PROGRAMS, Program, running

from exatrust_sandbox.cluster import Sandbox
from exatrust_sandbox.containers import interpreters
from exatrust_sandbox.database.certificate import ServerCertificate, server_context, signed_by
from exatrust_sandbox.database.server import DatabaseServer

ECHO = Path(__file__).with_name("echo_server.py")
BUCKETS = b"""<?xml version="1.0" encoding="UTF-8"?>
<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>1</ID></Owner>
<Buckets><Bucket><Name>reports</Name><CreationDate>2026-01-01T00:00:00Z</CreationDate></Bucket>
</Buckets></ListAllMyBucketsResult>"""
PROTOCOLS = {"postgres": "postgres", "ldap": "ldap", "smtp": "smtp"}


@dataclass(frozen=True)
class Chain:
    """A server's key and all certificates that it sends, as `running` takes them."""

    pem: bytes
    key_pem: bytes


class Handler(BaseHTTPRequestHandler):
    """Answers every GET as S3 answers ListBuckets."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(BUCKETS)))
        self.end_headers()
        self.wfile.write(BUCKETS)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class HttpsServer(ThreadingHTTPServer):
    """Each handshake is made in the connection's own thread."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that distrusts the certificate hangs up: that is its right."""


@contextmanager
def serving(sandbox: Sandbox, authority: trustme.CA, packages: Path) -> Iterator[dict[str, int]]:
    """The ports, by what CALLS names; a server that cannot run here is missing, see `absent`."""
    certificate = signed_by(authority, "localhost")
    with ExitStack() as stack:
        yield {
            "https": stack.enter_context(_https(certificate)),
            "database": stack.enter_context(_database(sandbox, certificate)),
            "grpc": stack.enter_context(_grpc(certificate, packages)),
            **_real(stack, certificate),
        }


def absent() -> Mapping[str, str]:
    """The servers that cannot run on this machine, and why."""
    return dict(_absent)


_absent: dict[str, str] = {}


def _real(stack: ExitStack, certificate: ServerCertificate) -> dict[str, int]:
    chain = [Chain(certificate.chain_pem, certificate.key_pem)]
    ports = {}
    for server, protocol in PROTOCOLS.items():
        program: Program = next(p for p in PROGRAMS if p.protocol == protocol)
        try:
            ports[server] = stack.enter_context(running(program, chain))
        except pytest.skip.Exception as reason:
            _absent[server] = str(reason)
    return ports


@contextmanager
def _https(certificate: ServerCertificate) -> Iterator[int]:
    server = HttpsServer(("127.0.0.1", 0), Handler)
    server.socket = server_context(certificate).wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _database(sandbox: Sandbox, certificate: ServerCertificate) -> Iterator[int]:
    """The stand-in's own database once more, with a certificate that has a name."""
    server = DatabaseServer(sandbox.engine, server_context(certificate))
    server.start()
    try:
        yield server.port
    finally:
        server.stop()


@contextmanager
def _grpc(certificate: ServerCertificate, packages: Path) -> Iterator[int]:
    python, _ = interpreters.find("3.12")
    with tempfile.TemporaryDirectory() as made:
        key, chain = Path(made, "key.pem"), Path(made, "chain.pem")
        certificate.write(chain, key)
        process = subprocess.Popen(
            [python.executable, "-W", "ignore", str(ECHO), str(key), str(chain)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": str(packages)},
            text=True,
        )
        with process:
            assert process.stdout is not None
            yield int(process.stdout.readline())
            process.kill()
