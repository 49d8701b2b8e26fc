"""Reading request bodies from hostile clients, block by block (RFC 9112 sections 6 and 7.1)."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from typing import Protocol

BLOCK = 64 * 1024
_LONGEST_LINE = 1024
_MOST_TRAILERS = 64


class Readable(Protocol):
    def read1(self, size: int = ..., /) -> bytes: ...
    def readline(self, size: int | None = ..., /) -> bytes: ...


class BodyError(Exception):
    """A body that is refused; the status code and text to answer with."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class TruncatedBodyError(Exception):
    """The client went away in the middle of a body: there is nobody to answer."""


def content_length(headers: Message, limit: int) -> int | None:
    """Announced length in bytes, None for a chunked body; raises BodyError (400, 411, 413, 501).

    A request with both framings, or two lengths, is refused: RFC 9112 6.3 calls it an attack.
    """
    encodings = headers.get_all("Transfer-Encoding", [])
    lengths = headers.get_all("Content-Length", [])
    if encodings:
        if lengths:
            raise BodyError(400, "both Transfer-Encoding and Content-Length")
        if [value.strip().lower() for value in encodings] != ["chunked"]:
            raise BodyError(501, "only the chunked transfer encoding is supported")
        return None
    if not lengths:
        raise BodyError(411, "neither Content-Length nor Transfer-Encoding")
    if len(set(lengths)) != 1 or not (lengths[0].isascii() and lengths[0].isdigit()):
        raise BodyError(400, "bad Content-Length")
    if len(lengths[0]) > 18 or int(lengths[0]) > limit:
        raise BodyError(413, "the body is too large")
    return int(lengths[0])


def blocks(source: Readable, length: int | None, limit: int) -> Iterator[bytes]:
    """The body's bytes as they arrive, at most `limit` of them.

    Raises BodyError for bad chunks and too many bytes, TruncatedBodyError for an early end.
    """
    return _exactly(source, length) if length is not None else _chunked(source, limit)


def _exactly(source: Readable, length: int) -> Iterator[bytes]:
    while length > 0:
        data = source.read1(min(BLOCK, length))
        if not data:
            raise TruncatedBodyError
        length -= len(data)
        yield data


def _chunked(source: Readable, limit: int) -> Iterator[bytes]:
    while size := _chunk_size(_line(source)):
        limit -= size
        if limit < 0:
            raise BodyError(413, "the body is too large")
        yield from _exactly(source, size)
        if _line(source):
            raise BodyError(400, "a chunk is longer than it says")
    for _ in range(_MOST_TRAILERS):
        if not _line(source):
            return
    raise BodyError(400, "too many trailers")


def _chunk_size(line: bytes) -> int:
    digits = line.partition(b";")[0].strip()
    if not digits or len(digits) > 15 or digits.strip(b"0123456789abcdefABCDEF"):
        raise BodyError(400, "bad chunk size")
    return int(digits, 16)


def _line(source: Readable) -> bytes:
    line = source.readline(_LONGEST_LINE + 1)
    if len(line) > _LONGEST_LINE:
        raise BodyError(400, "a chunk line is too long")
    if not line.endswith(b"\n"):
        raise TruncatedBodyError
    return line.rstrip(b"\r\n")
