"""The file names under which OpenSSL finds certificates in a directory (pure).

X509_NAME_hash: the first four bytes, little-endian, of the SHA-1 over the canonical subject. That
form keeps each RDN, with its strings as UTF-8 in lower case (ASCII letters only), trimmed, and with
runs of blanks as one (x509_name_canon in OpenSSL's crypto/x509/x_name.c).
"""

from __future__ import annotations

import hashlib

from exatrust_udf.ber import wrap
from exatrust_udf.der import SEQUENCE, SET, children, read
from exatrust_udf.names import decode

_UTF8_STRING = 0x0C
# The string types that OpenSSL makes canonical; values of other types stay as they are.
_CANONICAL = frozenset((0x0C, 0x13, 0x14, 0x16, 0x1A, 0x1C, 0x1E))
_LOWER = bytes(range(256)).lower()


def subject_hash(name_der: bytes) -> str:
    """Return the hash of a subject, eight hex digits; `name_der` is a name that was read before."""
    _, start, end = read(name_der, 0, len(name_der))
    parts = (_part(name_der, inner, stop) for _, _, inner, stop in children(name_der, start, end))
    digest = hashlib.sha1(b"".join(parts), usedforsecurity=False).digest()
    return digest[3::-1].hex()


def _part(data: bytes, start: int, end: int) -> bytes:
    attributes = [_attribute(data, inner, stop) for _, _, inner, stop in children(data, start, end)]
    return wrap(SET, b"".join(sorted(attributes)))


def _attribute(data: bytes, start: int, end: int) -> bytes:
    _, _, value = read(data, start, end)
    tag, inner, stop = read(data, value, end)
    text = decode(data, tag, inner, stop) if tag in _CANONICAL else None
    if text is None:
        return wrap(SEQUENCE, data[start:end])
    plain = b" ".join(text.encode().translate(_LOWER).split())
    return wrap(SEQUENCE, data[start:value] + wrap(_UTF8_STRING, plain))
