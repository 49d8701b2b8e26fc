"""The X.509 extensions that decide whether a certificate can anchor a chain (RFC 5280 4.2).

An extension that cannot be read does not make the certificate unreadable: it leaves its fields
empty and is named in `malformed`. A person who asks why a handshake fails needs the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from exatrust_udf import oids
from exatrust_udf.der import (
    BIT_STRING,
    BOOLEAN,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    CertificateError,
    bit_string,
    boolean,
    children,
    expect,
    integer,
    oid,
    read,
)
from exatrust_udf.names import visible

_DNS_NAME = 0x82
_URI = 0x86
_IP_ADDRESS = 0x87
_KEY_IDENTIFIER = 0x80


@dataclass(slots=True)
class Facts:
    """What the extensions say; the defaults are what their absence means."""

    is_ca: bool = False
    path_length: int | None = None
    key_usage: frozenset[str] | None = None
    extended_key_usage: tuple[str, ...] | None = None
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    ski: str | None = None
    aki: str | None = None
    aia_issuers: tuple[str, ...] = ()
    name_constraints: bool = False
    present: tuple[tuple[str, bool], ...] = ()
    malformed: tuple[str, ...] = ()


def read_extensions(data: bytes, start: int, end: int) -> Facts:
    """Read the Extensions SEQUENCE whose content lies between `start` and `end`.

    Raises CertificateError where the list itself is broken, so that not even the extensions' names
    can be told.
    """
    facts = Facts()
    present: dict[str, bool] = {}
    repeated: dict[str, str] = {}
    at = start
    while at < end:
        inner, at = expect(data, at, end, SEQUENCE, "an extension")
        kind, critical, value = _envelope(data, inner, at)
        if kind in present:
            repeated[kind] = f"{kind} occurs more than once"
            continue
        present[kind] = critical
        reader = _READERS.get(kind)
        if reader is not None:
            _apply(reader, facts, data, value, at, kind)
    facts.present = tuple(present.items())
    facts.malformed += tuple(repeated.values())
    return facts


def _envelope(data: bytes, start: int, end: int) -> tuple[str, bool, int]:
    """Return (id, critical, start of the value, which reaches to `end`)."""
    kind_start, at = expect(data, start, end, OBJECT_IDENTIFIER, "the id of an extension")
    kind = oid(data, kind_start, at)
    critical = False
    if at < end and data[at] == BOOLEAN:
        inner, at = expect(data, at, end, BOOLEAN, "the critical mark")
        critical = boolean(data, inner, at)
    value, value_end = expect(data, at, end, OCTET_STRING, "the value of an extension")
    if value_end != end:
        raise CertificateError(value_end, "bytes after the value of an extension")
    return kind, critical, value


Reader = Callable[[Facts, bytes, int, int], None]


def _apply(reader: Reader, facts: Facts, data: bytes, start: int, end: int, kind: str) -> None:
    try:
        reader(facts, data, start, end)
    except CertificateError as error:
        facts.malformed += (f"{_LABELS[kind]}: {error}",)


def _whole(data: bytes, start: int, end: int, tag: int, what: str) -> tuple[int, int]:
    inner, stop = expect(data, start, end, tag, what)
    if stop != end:
        raise CertificateError(stop, f"{what}: bytes after the end")
    return inner, stop


def _basic_constraints(facts: Facts, data: bytes, start: int, end: int) -> None:
    at, stop = _whole(data, start, end, SEQUENCE, "basicConstraints")
    is_ca, path_length = False, None
    if at < stop and data[at] == BOOLEAN:
        _, inner, at = read(data, at, stop)
        is_ca = boolean(data, inner, at)
    if at < stop:
        inner, at = _whole(data, at, stop, INTEGER, "pathLenConstraint")
        path_length = integer(data, inner, at)
        if not 0 <= path_length < 1 << 31:
            raise CertificateError(inner, "pathLenConstraint is out of range")
    facts.is_ca, facts.path_length = is_ca, path_length


def _key_usage(facts: Facts, data: bytes, start: int, end: int) -> None:
    inner, stop = _whole(data, start, end, BIT_STRING, "keyUsage")
    _, octets = bit_string(data, inner, stop)
    facts.key_usage = _usages(data[octets : min(stop, octets + 2)])


@lru_cache(maxsize=256)
def _usages(octets: bytes) -> frozenset[str]:
    bits = int.from_bytes(octets.ljust(2, b"\0"), "big")
    return frozenset(name for i, name in enumerate(oids.KEY_USAGES) if bits >> (15 - i) & 1)


def _extended_key_usage(facts: Facts, data: bytes, start: int, end: int) -> None:
    inner, stop = _whole(data, start, end, SEQUENCE, "extKeyUsage")
    if inner == stop:
        raise CertificateError(inner, "extKeyUsage is empty")
    found = []
    for tag, at, value, value_end in children(data, inner, stop):
        if tag != OBJECT_IDENTIFIER:
            raise CertificateError(at, f"a purpose has tag 0x{tag:02x}")
        found.append(oid(data, value, value_end))
    facts.extended_key_usage = tuple(found)


def _subject_alt_name(facts: Facts, data: bytes, start: int, end: int) -> None:
    inner, stop = _whole(data, start, end, SEQUENCE, "subjectAltName")
    if inner == stop:
        raise CertificateError(inner, "subjectAltName is empty")
    names, addresses = [], []
    for tag, _, value, value_end in children(data, inner, stop):
        if tag == _DNS_NAME:
            names.append(_ascii(data, value, value_end))
        elif tag == _IP_ADDRESS:
            addresses.append(_address(data, value, value_end))
    facts.dns_names, facts.ip_addresses = tuple(names), tuple(addresses)


def _ascii(data: bytes, start: int, end: int) -> str:
    """Return an IA5String; where it holds more than ASCII, what its maker probably meant."""
    try:
        return visible(data[start:end].decode("utf-8"))
    except UnicodeDecodeError:
        return visible(data[start:end].decode("latin-1"))


def _address(data: bytes, start: int, end: int) -> str:
    octets = data[start:end]
    if len(octets) == 4:
        return ".".join(map(str, octets))
    if len(octets) != 16:
        raise CertificateError(start, f"an IP address of {len(octets)} bytes")
    import ipaddress  # rare, and slow to load

    return str(ipaddress.IPv6Address(octets))


def _subject_key_identifier(facts: Facts, data: bytes, start: int, end: int) -> None:
    inner, stop = _whole(data, start, end, OCTET_STRING, "subjectKeyIdentifier")
    facts.ski = data[inner:stop].hex()


def _authority_key_identifier(facts: Facts, data: bytes, start: int, end: int) -> None:
    inner, stop = _whole(data, start, end, SEQUENCE, "authorityKeyIdentifier")
    for tag, _, value, value_end in children(data, inner, stop):
        if tag == _KEY_IDENTIFIER:
            facts.aki = data[value:value_end].hex()


def _authority_information_access(facts: Facts, data: bytes, start: int, end: int) -> None:
    inner, stop = _whole(data, start, end, SEQUENCE, "authorityInfoAccess")
    found = []
    for _, _, value, value_end in children(data, inner, stop):
        kind, kind_end = expect(data, value, value_end, OBJECT_IDENTIFIER, "an access method")
        tag, location, location_end = read(data, kind_end, value_end)
        if tag == _URI and oid(data, kind, kind_end) == oids.AIA_CA_ISSUERS:
            found.append(_ascii(data, location, location_end))
    facts.aia_issuers = tuple(found)


def _name_constraints(facts: Facts, data: bytes, start: int, end: int) -> None:
    facts.name_constraints = True
    _whole(data, start, end, SEQUENCE, "nameConstraints")


_READERS: dict[str, Reader] = {
    oids.BASIC_CONSTRAINTS: _basic_constraints,
    oids.KEY_USAGE: _key_usage,
    oids.EXTENDED_KEY_USAGE: _extended_key_usage,
    oids.SUBJECT_ALT_NAME: _subject_alt_name,
    oids.SUBJECT_KEY_IDENTIFIER: _subject_key_identifier,
    oids.AUTHORITY_KEY_IDENTIFIER: _authority_key_identifier,
    oids.AUTHORITY_INFORMATION_ACCESS: _authority_information_access,
    oids.NAME_CONSTRAINTS: _name_constraints,
}
_LABELS = {
    oids.BASIC_CONSTRAINTS: "basicConstraints",
    oids.KEY_USAGE: "keyUsage",
    oids.EXTENDED_KEY_USAGE: "extKeyUsage",
    oids.SUBJECT_ALT_NAME: "subjectAltName",
    oids.SUBJECT_KEY_IDENTIFIER: "subjectKeyIdentifier",
    oids.AUTHORITY_KEY_IDENTIFIER: "authorityKeyIdentifier",
    oids.AUTHORITY_INFORMATION_ACCESS: "authorityInfoAccess",
    oids.NAME_CONSTRAINTS: "nameConstraints",
}
