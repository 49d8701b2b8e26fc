"""BER to DER, as far as PKCS#12 files need it (X.690 8.1.3.6, 8.7).

NSS, Windows and old Java write indefinite lengths and octet strings in pieces. Rewriting them once
lets everything else read DER alone.
"""

from __future__ import annotations

from exatrust_udf.der import OCTET_STRING, CertificateError

_CONSTRUCTED = 0x20
_MAX_DEPTH = 32


def to_der(data: bytes) -> bytes:
    """Return the first element of `data` with definite, shortest lengths; the rest is dropped.

    Raises CertificateError where the nesting exceeds 32 levels or the data is cut off. Work and
    memory are bounded by the size of the input times that depth.
    """
    content, _ = _element(data, 0, 0)
    return content


def _element(data: bytes, at: int, depth: int) -> tuple[bytes, int]:
    """Return (the element at `at` as DER, where it ends)."""
    if depth > _MAX_DEPTH:
        raise CertificateError(at, f"more than {_MAX_DEPTH} levels of nesting")
    if len(data) - at < 2:
        raise CertificateError(at, "the data ends where an element should begin")
    tag = data[at]
    start, length = _length(data, at)
    if not tag & _CONSTRUCTED:
        if length is None:
            raise CertificateError(at, "indefinite length on a primitive element")
        return wrap(tag, data[start : start + length]), start + length
    parts, end = _parts(data, start, length, depth)
    if tag == OCTET_STRING | _CONSTRUCTED:
        return wrap(OCTET_STRING, b"".join(_pieces(parts, start))), end
    return wrap(tag, b"".join(parts)), end


def _length(data: bytes, at: int) -> tuple[int, int | None]:
    """Return (start of the content, its length; None for an indefinite one)."""
    first = data[at + 1]
    if first == 0x80:
        return at + 2, None
    octets = first & 0x7F if first & 0x80 else 0
    start = at + 2 + octets
    length = int.from_bytes(data[at + 2 : start], "big") if octets else first
    if octets > 8 or start + length > len(data):
        raise CertificateError(at, f"an element claims {length} bytes, too few are left")
    return start, length


def _parts(data: bytes, start: int, length: int | None, depth: int) -> tuple[list[bytes], int]:
    parts = []
    at = start
    while length is not None or data[at : at + 2] != b"\0\0":
        if length is not None and at >= start + length:
            break
        part, at = _element(data, at, depth + 1)
        parts.append(part)
    if length is not None and at != start + length:
        raise CertificateError(at, "an element reaches beyond the one that holds it")
    return parts, at if length is not None else at + 2


def _pieces(parts: list[bytes], at: int) -> list[bytes]:
    """Return the contents of the primitive pieces of an octet string, already in DER."""
    if any(part[0] != OCTET_STRING for part in parts):
        raise CertificateError(at, "a piece of an octet string is something else")
    return [part[2 + (part[1] & 0x7F if part[1] & 0x80 else 0) :] for part in parts]


def wrap(tag: int, content: bytes) -> bytes:
    """Return an element in DER."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content
