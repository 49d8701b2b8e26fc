"""The body of an answer: unpacked within a bound, decoded by its charset, cut to a column. Pure."""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

# A VARCHAR of Exasol has at most this many characters, of at most 4 bytes in UTF-8.
MAX_CHARACTERS = 2_000_000
MAX_BYTES = 4 * MAX_CHARACTERS
_CHUNK = 65536
_CHARSET = re.compile(r""";\s*charset\s*=\s*"?([A-Za-z0-9._:+-]{1,40})"?""", re.IGNORECASE)
# Codecs of Python that no server means.
_NO_CHARSETS = frozenset(("idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"))


class BadEncoding(ValueError):
    """The body is packed in a way that was not asked for, or damaged; the message says how."""


class NotText(ValueError):
    """The body cannot be decoded to text; the message says why."""


@dataclass(frozen=True, slots=True)
class Body:
    """`cut` says that the server had more."""

    data: bytes = field(default=b"", repr=False)
    cut: bool = False


def collected(chunks: Iterable[bytes], encoding: str, gzip: bool) -> Body:
    """The chunks as one body, unpacked if `gzip` was asked for. Raises BadEncoding.

    `encoding` is the Content-Encoding. No more than MAX_BYTES is kept, whatever it unpacks to.
    """
    packed = encoding.strip().lower()
    if packed in ("", "identity"):
        return _limited(chunks)
    if packed not in ("gzip", "x-gzip") or not gzip:
        asked = "gzip was asked for" if gzip else "it was asked for as it is"
        raise BadEncoding(f"the body is packed as {packed[:40]!r}, and {asked}")
    return _limited(_unpacked(chunks))


def require_chunked(coding: str) -> None:
    """Raises BadEncoding for a Transfer-Encoding beside chunks (RFC 9112 6.1).

    http.client would not take the chunks apart then, and hand them out as content.
    """
    if coding.strip().lower() not in ("chunked", "identity"):
        raise BadEncoding(f"the body is transferred as {coding[:40]!r}, which was not asked for")


def _limited(chunks: Iterable[bytes]) -> Body:
    data = bytearray()
    for chunk in chunks:
        data += chunk[: MAX_BYTES + 1 - len(data)]
        if len(data) > MAX_BYTES:
            return Body(bytes(data[:MAX_BYTES]), cut=True)
    return Body(bytes(data))


def _unpacked(chunks: Iterable[bytes]) -> Iterable[bytes]:
    """A gzip stream (RFC 1952) in pieces of bounded size, so that a bomb does not go off."""
    inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
    begun = False
    try:
        for chunk in chunks:
            begun = True
            yield inflate.decompress(chunk, _CHUNK)
            while inflate.unconsumed_tail:
                yield inflate.decompress(inflate.unconsumed_tail, _CHUNK)
            if inflate.eof:
                return
        yield inflate.flush(_CHUNK)
    except zlib.error:
        raise BadEncoding("the body is no gzip stream, though it says so") from None
    if begun and not inflate.eof:  # no body at all is no damaged one
        raise BadEncoding("the gzip stream ends too early")


def charset(content_type: str) -> str:
    """The charset that a Content-Type names, UTF-8 without one (RFC 9110 8.3.2)."""
    named = _CHARSET.search(content_type)
    return named[1].lower() if named else "utf-8"


def text(body: Body, content_type: str) -> tuple[str, bool]:
    """The body as text, and whether it was cut, here or before. Raises NotText."""
    name = charset(content_type)
    try:
        codec = codecs.lookup(name)
        if not codec._is_text_encoding or codec.name in _NO_CHARSETS:
            raise LookupError
        # What was cut may end in half a character, which is then left out.
        found = codec.incrementaldecoder().decode(body.data, final=not body.cut)
    except LookupError:
        raise NotText(f"the charset {name!r} is not known here") from None
    except UnicodeError:
        raise NotText(f"it is not {name}: no text, or the server names a wrong charset") from None
    found = found.removeprefix("\ufeff")
    if "\0" in found:
        raise NotText("it holds NUL characters, which text does not")
    return found[:MAX_CHARACTERS], body.cut or len(found) > MAX_CHARACTERS
