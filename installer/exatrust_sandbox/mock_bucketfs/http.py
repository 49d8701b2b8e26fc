"""HTTP/1.1 framing around the operations: heads, bodies in both directions, faults on the wire."""

from __future__ import annotations

import logging
import socket
import struct
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar, cast

from exatrust_sandbox.mock_bucketfs.body import (
    BLOCK,
    BodyError,
    Readable,
    TruncatedBodyError,
    blocks,
    content_length,
)
from exatrust_sandbox.mock_bucketfs.connections import Server
from exatrust_sandbox.mock_bucketfs.faults import Faults
from exatrust_sandbox.mock_bucketfs.operations import (
    Answer,
    Operations,
    RefusedError,
    Request,
    write_block,
)

_log = logging.getLogger(__name__)
_LINGER_SECONDS = 5.0
_LINGER_BYTES = 64 * 1024**2


class CutError(Exception):
    """A fault wants the connection cut, without an answer."""


class Handler(BaseHTTPRequestHandler):
    """One connection. A subclass made by `handler_for` knows the operations."""

    operations: ClassVar[Operations]
    protocol_version = "HTTP/1.1"
    server_version = "BucketFS"
    sys_version = ""
    disable_nagle_algorithm = True  # head and body are two writes

    @property
    def _server(self) -> Server:
        return cast(Server, self.server)

    @property
    def _faults(self) -> Faults:
        return self.operations.faults

    def do_GET(self) -> None:
        self._read(send_body=True)

    def do_HEAD(self) -> None:
        self._read(send_body=False)

    def do_DELETE(self) -> None:
        self._begin()
        try:
            answer = self.operations.delete(self._request())
        except RefusedError as refused:
            answer = refused.answer
        self._send(answer)

    def do_PUT(self) -> None:
        self._begin()
        # Until the body has been read to its end, the connection is of no further use.
        close_afterwards, self.close_connection = self.close_connection, True
        try:
            answer = self._put()
        except RefusedError as refused:
            self._send(refused.answer)
            self._linger()
        except BodyError as error:
            self._send(Answer(error.status, f"{error}\n"))
            self._linger()
        except TruncatedBodyError:
            _log.debug("upload of %s ended early", self.path)
        except CutError:
            self._cut()
        else:
            self.close_connection = close_afterwards
            self._send(answer)

    def _put(self) -> Answer:
        store, path = self.operations.begin_put(self._request())
        limit = self._server.limits.body_bytes
        length = content_length(self.headers, limit)
        cut_after = self._faults.cut_put_after if self._faults.take("cut_puts", path) else None
        if self._wants_continue:
            self.send_response_only(100)
            self.end_headers()
        with store.draft() as draft:
            for data in blocks(cast(Readable, self.rfile), length, limit):
                write_block(draft, data, self._faults, path)
                if cut_after is not None and draft.size > cut_after:
                    raise CutError
                self._slow_down(len(data), path)
            if cut_after is not None:
                raise CutError
            answer = self.operations.finish_put(store, path, draft)
        if self._faults.take("drop_put_answers", path):
            raise CutError
        return answer

    def _read(self, *, send_body: bool) -> None:
        self._begin()
        try:
            answer = self.operations.read(self._request())
        except RefusedError as refused:
            answer = refused.answer
        try:
            self._send(answer, send_body=send_body)
        except CutError:
            self._cut()
        finally:
            if answer.file is not None:
                answer.file.close()

    def _send(self, answer: Answer, *, send_body: bool = True) -> None:
        text = answer.text.encode()
        kind = "application/octet-stream" if answer.file else "text/plain; charset=utf-8"
        self.send_response(answer.status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(answer.size if answer.file else len(text)))
        if answer.status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="BucketFS"')
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if send_body and answer.file is not None:
            self._send_file(answer)
        elif send_body:
            self.wfile.write(text)

    def _send_file(self, answer: Answer) -> None:
        assert answer.file is not None
        cut = self._faults.take("cut_gets", answer.path)
        left = min(self._faults.cut_get_after, answer.size) if cut else answer.size
        block = max(1, min(BLOCK, int((self._faults.bytes_per_second or BLOCK * 10) / 10)))
        while left > 0 and (data := answer.file.read(min(block, left))):
            self.wfile.write(data)
            left -= len(data)
            self._slow_down(len(data), answer.path)
        if cut:
            raise CutError

    def _request(self) -> Request:
        authorization = self.headers.get("Authorization")
        return Request(self.command, self.path, authorization)

    def _begin(self) -> None:
        self._server.allow(self.connection, self._server.limits.body_seconds)
        if "Content-Length" in self.headers or "Transfer-Encoding" in self.headers:
            # Whoever does not read this body must not take it for the next request.
            self.close_connection = self.close_connection or self.command != "PUT"

    def _slow_down(self, size: int, path: str) -> None:
        speed = self._faults.bytes_per_second
        if speed and self._faults.concerns(path):
            self._server.pause(size / speed)

    @property
    def _wants_continue(self) -> bool:
        return self.headers.get("Expect", "").strip().lower() == "100-continue"

    def handle_expect_100(self) -> bool:
        # Sent by _put, when nothing but the body itself can refuse the request any more.
        return True

    def handle_one_request(self) -> None:
        self._server.allow(self.connection, self._server.limits.head_seconds)
        super().handle_one_request()

    def _linger(self) -> None:
        """Let the client finish sending, within limits, so that it gets to read the answer.

        Closing with unread data resets the connection, and the client may never see the answer.
        """
        self._server.allow(self.connection, _LINGER_SECONDS)
        self.wfile.flush()
        socket.socket.shutdown(self.connection, socket.SHUT_WR)
        left = _LINGER_BYTES
        while left > 0 and (data := cast(Readable, self.rfile).read1(BLOCK)):
            left -= len(data)

    def _cut(self) -> None:
        """End the connection with a reset, as a crashed peer or a middlebox would."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        # Dropping the file objects is not enough: the reset goes out at close().
        socket.socket.close(self.connection)

    def log_message(self, format: str, *args: Any) -> None:
        _log.debug("%s %s", self.client_address[0], format % args)


def handler_for(operations: Operations) -> type[Handler]:
    """The handler class of one service."""
    return type("BucketFSHandler", (Handler,), {"operations": operations})
