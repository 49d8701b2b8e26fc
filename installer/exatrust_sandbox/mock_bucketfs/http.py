"""BucketFS's HTTP side: listing, GET, HEAD, PUT, DELETE.

Confirmed: `/` lists bucket names, `/bucket` and `/bucket/` list all full paths, one a line, flat;
success is 200. Inferred: HEAD is answered like GET; a PUT without a length and without chunked
framing is refused with 411.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote, urlsplit

from exatrust_sandbox.mock_bucketfs.access import BucketSpec, may_read, may_write, safe_path
from exatrust_sandbox.mock_bucketfs.storage import CHUNK, RecentlyDeleted, Storage

if TYPE_CHECKING:
    from exatrust_sandbox.mock_bucketfs.service import BucketFS

REQUEST_SECONDS = 30
LINGER_SECONDS = 2.0
MAX_BODY = 4 << 30


_Permission = Callable[[BucketSpec, str | None], bool]


class BrokenRequest(Exception):
    """The body did not arrive as its framing promised."""


class CutConnection(Exception):
    """An ordered fault: the connection ends here."""


class Handler(BaseHTTPRequestHandler):
    """One connection. The service is the server's `bucketfs`."""

    protocol_version = "HTTP/1.1"
    server_version = "BucketFS"
    sys_version = ""
    timeout = REQUEST_SECONDS
    server: Server

    def setup(self) -> None:
        """Start TLS in this connection's own thread, so that a silent client stops nobody."""
        self.request.settimeout(REQUEST_SECONDS)
        if self.server.tls is not None:
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        """Close what setup wrapped; the server closes only the socket it accepted."""
        with contextlib.suppress(OSError):
            super().finish()
        self.request.close()

    def do_GET(self) -> None:
        self._read(with_body=True)

    def do_HEAD(self) -> None:
        self._read(with_body=False)

    def do_PUT(self) -> None:
        with contextlib.suppress(CutConnection):
            self._put()
            return
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def do_DELETE(self) -> None:
        found = self._target(may_write)
        if found is not None:
            storage, path = found
            storage.delete(path)
            self._answer(200)

    def _read(self, *, with_body: bool) -> None:
        bucket_name, path = self._parts()
        if not bucket_name:
            names = sorted(self.server.bucketfs.storages)
            self._answer(200, _lines(names), with_body=with_body)
        elif not path:
            self._list(bucket_name, with_body=with_body)
        else:
            self._send_file(with_body=with_body)

    def _list(self, name: str, *, with_body: bool) -> None:
        bucket = self.server.bucketfs.specs.get(name)
        if bucket is None:
            self._answer(404, b"Bucket not found\n", with_body=with_body)
        elif not may_read(bucket, self.headers.get("Authorization")):
            self._answer(403, b"Access denied\n", with_body=with_body)
        else:
            paths = self.server.bucketfs.storages[name].paths()
            self._answer(200, _lines(paths), with_body=with_body)

    def _send_file(self, *, with_body: bool) -> None:
        found = self._target(may_read)
        if found is None:
            return
        if self.server.bucketfs.faults.take_get():
            self._answer(500, b"Internal error\n")
            return
        content = found[0].open(found[1])
        if content is None:
            self._answer(404, b"File not found\n", with_body=with_body)
            return
        with content:
            self._stream(content, with_body=with_body)

    def _stream(self, content: BinaryIO, *, with_body: bool) -> None:
        self._delay()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(content.seek(0, 2)))
        self.end_headers()
        content.seek(0)
        if with_body:
            shutil.copyfileobj(content, self.wfile, CHUNK)

    def _put(self) -> None:
        found = self._target(may_write)
        if found is None:
            return
        storage, path = found
        if refusal := self._refusal(storage, path):
            self._refuse(*refusal)
            return
        self._receive(storage, path)

    def _refusal(self, storage: Storage, path: str) -> tuple[int, bytes] | None:
        faults = self.server.bucketfs.faults
        if faults.take_put():
            return 503, b"Service unavailable\n"
        if faults.disk_full:
            return 507, b"No space left on device\n"
        if storage.refuses(path):
            return 403, b"Access denied\n"
        return None

    def _receive(self, storage: Storage, path: str) -> None:
        draft = storage.draft()
        try:
            self._receive_body(draft)
            storage.commit(path, draft)
        except BrokenRequest as error:
            self.close_connection = True
            self._answer(400, f"{error}\n".encode())
        except RecentlyDeleted:
            self._answer(403, b"Access denied\n")
        else:
            self._answer(200)
            return
        finally:
            if path not in storage.entries() or storage.entries()[path].content != draft:
                draft.unlink(missing_ok=True)

    def _receive_body(self, draft: Path) -> None:
        cut = self.server.bucketfs.faults.take_cut()
        received = 0
        with draft.open("wb") as file:
            for piece in self._body():
                received += len(piece)
                if cut is not None and received >= cut:
                    raise CutConnection
                if received > MAX_BODY:
                    raise BrokenRequest("the file is too large")
                file.write(piece)

    def _body(self) -> Iterator[bytes]:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            yield from self._chunks()
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            raise BrokenRequest("Content-Length is missing or not a number")
        yield from self._exactly(int(length))

    def _exactly(self, left: int) -> Iterator[bytes]:
        while left:
            piece = self.rfile.read(min(left, CHUNK))
            if not piece:
                raise BrokenRequest("the body ended early")
            left -= len(piece)
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        while size := self._chunk_size():
            yield from self._exactly(size)
            self.rfile.readline(3)
        while self.rfile.readline(CHUNK) not in (b"\r\n", b"\n", b""):
            pass

    def _chunk_size(self) -> int:
        text = self.rfile.readline(1026).split(b";")[0].strip()
        try:
            return int(text, 16)
        except ValueError:
            raise BrokenRequest("a chunk has no size") from None

    def _target(self, allowed: _Permission) -> tuple[Storage, str] | None:
        """Storage and path of the request; None after it has been answered with an error."""
        name, raw_path = self._parts()
        bucket = self.server.bucketfs.specs.get(name)
        path = safe_path(raw_path)
        if bucket is None:
            refusal = 404, b"Bucket not found\n"
        elif not allowed(bucket, self.headers.get("Authorization")):
            refusal = 403, b"Access denied\n"
        elif path is None:
            refusal = 400, b"Not a path inside a bucket\n"
        else:
            return self.server.bucketfs.storages[name], path
        self._refuse(*refusal)
        return None

    def _refuse(self, status: int, body: bytes) -> None:
        """Answer before the request's body is read; the connection cannot be used again.

        Closing with unread bytes would reset the connection and lose the answer, so what the
        client still sends is taken for a short while.
        """
        self.close_connection = True
        self._answer(status, body, with_body=self.command != "HEAD")
        self.wfile.flush()
        self.connection.settimeout(LINGER_SECONDS)
        deadline = time.monotonic() + LINGER_SECONDS
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            while time.monotonic() < deadline and self.connection.recv(CHUNK):
                pass

    def _parts(self) -> tuple[str, str]:
        path = unquote(urlsplit(self.path).path).lstrip("/")
        name, _, rest = path.partition("/")
        return name, rest

    def _answer(self, status: int, body: bytes = b"", *, with_body: bool = True) -> None:
        self._delay()
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="BucketFS"')
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def _delay(self) -> None:
        if self.server.bucketfs.faults.delay:
            time.sleep(self.server.bucketfs.faults.delay)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the terminal free of requests."""


class Server(ThreadingHTTPServer):
    """One listening port of the service, HTTP or HTTPS."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, bucketfs: BucketFS, port: int, tls: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.bucketfs = bucketfs
        self.tls = tls
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.05,), name="bucketfs", daemon=True
        )

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join(timeout=5)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that breaks off, or fails the handshake, is no event of the service."""


def _lines(names: list[str]) -> bytes:
    return "".join(f"{name}\n" for name in names).encode()
