"""Reading DER (ITU-T X.690): tag, length, value; nothing about certificates.

Every function takes the whole message and offsets into it, so that an error can say where in the
file the trouble is, and nothing is copied before it is needed. Each element is visited once:
reading is linear in the size of the input, whatever its lengths claim.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import lru_cache

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30
SET = 0x31

UTC = dt.timezone.utc

# No certificate or keystore comes near 2 GB; a longer length field is an attack or noise.
_MAX_LENGTH_OCTETS = 4

# An arc of an object identifier has no limit in X.690; 2.25 arcs (UUIDs) need 128 bits.
_MAX_OID_OCTETS = 128


class CertificateError(ValueError):
    """Bytes that are not what they should be; `offset` counts from the start of the input."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"offset {offset}: {reason}")
        self.offset = offset
        self.reason = reason


def read(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Return (tag, start of the content, end of the content) of the element at `at`.

    Raises CertificateError where the element does not fit before `end`, or where its length is
    not in DER's shortest definite form (X.690 10.1).
    """
    if end - at < 2:
        raise CertificateError(at, "the data ends where an element should begin")
    tag = data[at]
    length = data[at + 1]
    start = at + 2
    if length > 0x7F:
        start, length = _long_length(data, at, end)
    stop = start + length
    if stop > end:
        raise CertificateError(
            at, f"the element claims {length} bytes of content, {end - start} are left"
        )
    if tag & 0x1F == 0x1F:
        raise CertificateError(at, "tag numbers above 30 do not occur in certificates")
    return tag, start, stop


def _long_length(data: bytes, at: int, end: int) -> tuple[int, int]:
    octets = data[at + 1] & 0x7F
    start = at + 2 + octets
    if octets == 0:
        raise CertificateError(at, "indefinite length is not DER")
    if octets > _MAX_LENGTH_OCTETS:
        raise CertificateError(at, f"a length of {octets} octets is refused")
    if start > end:
        raise CertificateError(at, "the data ends inside a length")
    length = int.from_bytes(data[at + 2 : start], "big")
    if length < 0x80 or length >> (8 * (octets - 1)) == 0:
        raise CertificateError(at, "the length is not in its shortest form")
    return start, length


def expect(data: bytes, at: int, end: int, tag: int, what: str) -> tuple[int, int]:
    """Return (start, end) of the content of the element at `at`, which must carry `tag`."""
    # Two thirds of all reading comes through here: the usual case does without a second call.
    if end - at > 1 and data[at] == tag and data[at + 1] < 0x80:
        stop = at + 2 + data[at + 1]
        if stop <= end:
            return at + 2, stop
    try:
        found, start, stop = read(data, at, end)
    except CertificateError as error:
        raise CertificateError(error.offset, f"{what}: {error.reason}") from None
    if found != tag:
        raise CertificateError(at, f"{what}: tag 0x{tag:02x} expected, 0x{found:02x} found")
    return start, stop


def children(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield (tag, offset of the element, start, end) for each element between `start` and `end`."""
    at = start
    while at < end:
        tag, inner, stop = read(data, at, end)
        yield tag, at, inner, stop
        at = stop


def integer(data: bytes, start: int, end: int) -> int:
    """Return the INTEGER whose content lies between `start` and `end`; it may be negative."""
    if start == end:
        raise CertificateError(start, "an INTEGER without content")
    if end - start > 1 and (data[start], data[start + 1] >> 7) in ((0x00, 0), (0xFF, 1)):
        raise CertificateError(start, "the INTEGER is not in its shortest form")
    return int.from_bytes(data[start:end], "big", signed=True)


def boolean(data: bytes, start: int, end: int) -> bool:
    """Return the BOOLEAN between `start` and `end`; DER writes TRUE as 0xFF (X.690 11.1)."""
    if end - start != 1 or data[start] not in (0x00, 0xFF):
        raise CertificateError(start, "a BOOLEAN must be one byte, 00 or FF")
    return data[start] == 0xFF


def bit_string(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Return (unused bits, start of the octets) of the BIT STRING between `start` and `end`."""
    if start == end or data[start] > 7 or (data[start] and end - start == 1):
        raise CertificateError(start, "a BIT STRING with an impossible count of unused bits")
    return data[start], start + 1


def oid(data: bytes, start: int, end: int) -> str:
    """Return the OBJECT IDENTIFIER between `start` and `end` in dotted form."""
    if not 0 < end - start <= _MAX_OID_OCTETS:
        raise CertificateError(start, f"an object identifier of {end - start} bytes")
    text = dotted(data[start:end])
    if text is None:
        raise CertificateError(start, "malformed object identifier")
    return text


@lru_cache(maxsize=512)
def dotted(content: bytes) -> str | None:
    """Return the dotted form of an object identifier's content; None where it is malformed."""
    if not content or content[-1] & 0x80:
        return None
    arcs: list[int] = []
    value = 0
    for byte in content:
        if value == 0 and byte == 0x80:
            return None  # padding, X.690 8.19.2
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def time(data: bytes, tag: int, start: int, end: int) -> dt.datetime:
    """Return a UTCTime or GeneralizedTime as an aware datetime in UTC.

    RFC 5280 4.1.2.5 allows `YYMMDDHHMMSSZ` (years 1950 to 2049) and `YYYYMMDDHHMMSSZ` only. Old
    certificates also leave the seconds out or give an offset (X.680 46 and 47); these are read
    too, since OpenSSL reads some of them. Fractions of a second are refused.
    """
    text = data[start:end]
    if tag == UTC_TIME:
        year, rest = _two_digit_year(text), text[2:]
    elif tag == GENERALIZED_TIME:
        year, rest = _number(text[:4], 4), text[4:]
    else:
        raise CertificateError(start, f"a time expected, tag 0x{tag:02x} found")
    try:
        return _moment(year, rest)
    except (ValueError, OverflowError) as error:
        raise CertificateError(start, f"not a time: {text[:32]!r}") from error


def _two_digit_year(text: bytes) -> int:
    year = _number(text[:2], 2)
    return year if year < 0 else year + (1900 if year >= 50 else 2000)


def _number(text: bytes, digits: int) -> int:
    # int() alone would take signs, blanks and underscores. -1 is refused by datetime.
    return int(text) if len(text) == digits and text.isdigit() else -1


def _moment(year: int, rest: bytes) -> dt.datetime:
    if len(rest) != 11 or rest[10] != 0x5A or not rest[:10].isdigit():
        return _odd_moment(year, rest)
    number = int(rest[:10])
    minutes, second = divmod(number, 100)
    hours, minute = divmod(minutes, 100)
    days, hour = divmod(hours, 100)
    return dt.datetime(year, days // 100, days % 100, hour, minute, second, tzinfo=UTC)


def _odd_moment(year: int, rest: bytes) -> dt.datetime:
    clock, offset = (rest[:-1], b"+0000") if rest[-1:] == b"Z" else (rest[:-5], rest[-5:])
    if offset[:1] not in (b"+", b"-") or len(clock) not in (8, 10):
        raise ValueError("neither Z nor an offset follows")
    fields = [_number(clock[i : i + 2], 2) for i in range(0, len(clock), 2)]
    hours, minutes = _number(offset[1:3], 2), _number(offset[3:5], 2)
    if not (0 <= hours < 24 and 0 <= minutes < 60):
        raise ValueError("impossible offset")
    shift = dt.timedelta(hours=hours, minutes=minutes)
    month, day, hour, minute, second = (*fields, 0)[:5]
    moment = dt.datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    return moment - shift if offset[:1] == b"+" else moment + shift
