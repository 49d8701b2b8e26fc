"""HTTP transport: IMPORT and EXPORT through connections that the client opened.

The client connects to the database's port, sends three little-endian 32-bit numbers
(0x02212102, 1, 1) and gets 24 bytes: a number, a port and an address in 16 bytes of text. It names
that address in the AT clause of IMPORT or EXPORT and then acts as the HTTP server on its own
connection; the database is the HTTP client (read from pyexasol's `http_transport`).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import select
import socket
import ssl
import struct
from collections.abc import Iterator
from threading import Lock
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from exatrust_sandbox.database.compression import FormatError, pack, unpack
from exatrust_sandbox.database.limits import Limits
from exatrust_sandbox.database.model import SqlError

MAGIC = struct.pack("<iii", 0x02212102, 1, 1)
# From the documentation range of RFC 5737: nobody can mistake it for a reachable host. As in
# a cluster, the address means something to the database only.
TUNNEL_HOST = "192.0.2.11"
FIRST_PORT = 20000
LAST_PORT = 60000
CHUNK = 65524
ETL_CODE = "42636"
READ_FAILED = "ETL-5105: Following error occured while reading data from external connection"
WRITE_FAILED = "ETL-5106: Following error occured while writing data to external connection"


class Tunnels:
    """Connections that clients opened for transport, by the address they were given."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = Lock()
        self._open: dict[str, socket.socket] = {}
        self._port = FIRST_PORT

    def accept(self, sock: socket.socket) -> None:
        """Answers a client that has sent MAGIC and keeps its connection. Raises OSError when the
        client is gone or too many connections wait."""
        with self._lock:
            self._drop_dead()
            if len(self._open) >= self._limits.waiting_tunnels:
                raise OSError("too many transport connections are waiting")
            address = self._next_address()
            self._open[address] = sock
        try:
            sock.sendall(struct.pack("<ii16s", 0, int(address.split(":")[1]), TUNNEL_HOST.encode()))
        except OSError:
            self.take(address)
            raise

    def take(self, address: str) -> socket.socket | None:
        """The connection with this address, which is then the caller's to close."""
        with self._lock:
            return self._open.pop(address, None)

    def close(self) -> None:
        """Closes all that wait."""
        with self._lock:
            waiting = list(self._open.values())
            self._open.clear()
        for sock in waiting:
            sock.close()

    def _next_address(self) -> str:
        while True:
            self._port = self._port + 1 if self._port < LAST_PORT else FIRST_PORT
            address = f"{TUNNEL_HOST}:{self._port}"
            if address not in self._open:
                return address

    def _drop_dead(self) -> None:
        for address in [key for key, sock in self._open.items() if _hung_up(sock)]:
            self._open.pop(address).close()


class TunnelTransport:
    """The transport of one session: an HTTP client over the clients' connections."""

    def __init__(self, tunnels: Tunnels, limits: Limits) -> None:
        self._tunnels = tunnels
        self._limits = limits
        self._lock = Lock()
        self._active: set[socket.socket] = set()

    def fetch(self, address: str, file: str, public_key: str | None, *, secure: bool) -> bytes:
        """GETs a file and unpacks it by its suffix; raises SqlError (ETL-5105)."""
        with self._request(address, file, public_key, secure, READ_FAILED) as sock:
            sock.sendall(_head("GET", address, file))
            return unpack(file, _read_response(sock))

    def send(
        self, address: str, file: str, data: bytes, public_key: str | None, *, secure: bool
    ) -> None:
        """PUTs a file, chunked and packed by its suffix; raises SqlError (ETL-5106)."""
        with self._request(address, file, public_key, secure, WRITE_FAILED) as sock:
            sock.sendall(_head("PUT", address, file, "Transfer-Encoding: chunked"))
            packed = pack(file, data)
            for start in range(0, len(packed), CHUNK):
                block = packed[start : start + CHUNK]
                sock.sendall(b"%X\r\n%b\r\n" % (len(block), block))
            sock.sendall(b"0\r\n\r\n")
            _read_response(sock)

    def interrupt(self) -> None:
        """Breaks running transfers. Any thread."""
        with self._lock:
            active = list(self._active)
        for sock in active:
            # Not closed: its thread may be reading from it, and a closed number is soon reused.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    @contextlib.contextmanager
    def _request(
        self, address: str, file: str, public_key: str | None, secure: bool, failed: str
    ) -> Iterator[socket.socket]:
        url = f"{'https' if secure else 'http'}://{address}/{file}"
        sock = self._tunnels.take(address)
        if sock is None:
            raise SqlError(f"{failed} [{url}: no client waits at this address]", ETL_CODE)
        sock.settimeout(self._limits.transfer_time)
        connection = _wrapped(sock) if secure else sock
        try:
            with self._registered(connection):
                if isinstance(connection, ssl.SSLSocket):
                    _shake_hands(connection, public_key)
                yield connection
        except (OSError, http.client.HTTPException, FormatError) as error:
            raise SqlError(f"{failed} [{url} failed. [{error}]]", ETL_CODE) from error
        finally:
            connection.close()

    @contextlib.contextmanager
    def _registered(self, sock: socket.socket) -> Iterator[None]:
        with self._lock:
            self._active.add(sock)
        try:
            yield
        finally:
            with self._lock:
                self._active.discard(sock)


def pin_matches(pin: str, certificate_der: bytes) -> bool:
    """Whether a PUBLIC KEY text, `sha256//<Base64>` once or several times separated by `;`, names
    the certificate's key: SHA-256 over the DER of its SubjectPublicKeyInfo (curl's form)."""
    key = x509.load_der_x509_certificate(certificate_der).public_key()
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    expected = "sha256//" + base64.b64encode(hashlib.sha256(der).digest()).decode()
    return expected in pin.split(";")


def _wrapped(sock: socket.socket) -> ssl.SSLSocket:
    # The client made its certificate a moment ago, so no CA can vouch for it: PUBLIC KEY is what
    # identifies it. Without the clause Exasol 8.32 to 8.34 does not verify by default.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(sock, do_handshake_on_connect=False, suppress_ragged_eofs=False)


def _shake_hands(connection: ssl.SSLSocket, public_key: str | None) -> None:
    connection.do_handshake()
    certificate = connection.getpeercert(binary_form=True)
    if public_key is not None and (certificate is None or not pin_matches(public_key, certificate)):
        raise OSError("SSL: public key does not match pinned public key")


def _head(method: str, address: str, file: str, *headers: str) -> bytes:
    lines = [f"{method} /{quote(file)} HTTP/1.1", f"Host: {address}", "User-Agent: EXASolution"]
    return "\r\n".join([*lines, *headers, "", ""]).encode()


def _read_response(sock: socket.socket) -> bytes:
    response = http.client.HTTPResponse(sock)
    with response:
        response.begin()
        body = response.read()
        if response.status != http.HTTPStatus.OK:
            raise OSError(f"The requested URL returned error: {response.status}")
        return body


def _hung_up(sock: socket.socket) -> bool:
    try:
        readable, _, _ = select.select([sock], [], [], 0)
        return bool(readable) and sock.recv(1, socket.MSG_PEEK) == b""
    except (OSError, ValueError):
        return True
