"""PEM, RFC 7468: text with `-----BEGIN CERTIFICATE-----` blocks (pure, linear in the input)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass

_BEGIN = b"-----BEGIN "
_DASHES = b"-----"

# The labels under which OpenSSL's PEM_read_bio_X509_AUX takes a certificate.
CERTIFICATE_LABELS = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")


@dataclass(frozen=True, slots=True)
class Block:
    """One block: `position` counts from 1, `offset` is where BEGIN stands, in bytes.

    `data` is the decoded content; it is None, and `problem` says why, where there is none.
    """

    position: int
    offset: int
    label: str
    data: bytes | None
    problem: str | None


def pem_blocks(text: bytes | str) -> Iterator[Block]:
    """Yield every block of `text` in its order, the broken ones too; text between is ignored."""
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    before, *chunks = data.split(_BEGIN)
    offset = len(before)
    for position, chunk in enumerate(chunks, 1):
        yield _block(position, offset, chunk)
        offset += len(_BEGIN) + len(chunk)


def _block(position: int, offset: int, chunk: bytes) -> Block:
    head, dashes, rest = chunk.partition(_DASHES)
    label = head.decode("ascii", "replace")
    if not dashes or len(head) > 64 or b"\n" in head:
        return Block(position, offset, label[:64], None, "the BEGIN line is broken")
    body, end, _ = rest.partition(_DASHES + b"END " + head + _DASHES)
    if not end:
        return Block(position, offset, label, None, f"no END {label} follows")
    try:
        return Block(position, offset, label, _decode(body), None)
    except (binascii.Error, ValueError) as error:
        return Block(position, offset, label, None, f"not base64: {error}")


def _decode(body: bytes) -> bytes:
    # Headers (RFC 1421, still written by some tools) end at an empty line.
    if b":" in body:
        body = body.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    return base64.b64decode(body.translate(None, b" \t\r\n"), validate=True)
