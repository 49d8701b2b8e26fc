"""Which name breaks which CA's constraint (RFC 5280 4.2.1.10), in words. Pure.

OpenSSL gives the verdict; it does not say which name or which CA. Where nothing is found here, a
name is written in a way that only OpenSSL compares.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from exatrust_udf import oids
from exatrust_udf.certificate import Certificate
from exatrust_udf.der import (
    BOOLEAN,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    CertificateError,
    children,
    expect,
    oid,
    read,
)
from exatrust_udf.names import read_name, visible

_EMAIL, _DNS, _URI, _IP, _DIRECTORY = 0x81, 0x82, 0x86, 0x87, 0xA4
_KINDS = {_EMAIL: "e-mail", _DNS: "DNS name", _URI: "URI", _IP: "address", _DIRECTORY: "subject"}
_EXTENSIONS, _PERMITTED, _EXCLUDED = 0xA3, 0xA0, 0xA1
# A server chooses both sides of a quadratic comparison, which is for words alone.
_MOST = 300

Name = tuple[int, bytes]
"""Tag of a GeneralName and its content."""


@dataclass(frozen=True, slots=True)
class Violation:
    """`name` of the certificate is not allowed by `ca`; `rule` says why, with its subtrees."""

    ca: Certificate
    name: str
    rule: str


def violations(cert: Certificate, above: Sequence[Certificate]) -> list[Violation]:
    """Every name of a certificate that a CA above it forbids."""
    try:
        names = list(_names(cert))[:_MOST]
        return [found for ca in above if ca.name_constraints for found in _of(ca, names)]
    except (CertificateError, ValueError):
        return []


def _of(ca: Certificate, names: Sequence[Name]) -> Iterator[Violation]:
    permitted, excluded = _subtrees(ca)
    if len(permitted) + len(excluded) > _MOST:
        return
    for tag, value in names:
        allowed = [base for kind, base in permitted if kind == tag]
        against = [base for kind, base in excluded if kind == tag]
        shown = f"{_KINDS[tag]} {_text(tag, value)}"
        if allowed and not any(_matches(tag, value, base) for base in allowed):
            yield Violation(ca, shown, f"permits only {_list(tag, allowed)}")
        hit = [base for base in against if _matches(tag, value, base)]
        if hit:
            yield Violation(ca, shown, f"excludes {_list(tag, hit)}")


def _list(tag: int, bases: Sequence[bytes]) -> str:
    more = f" and {len(bases) - 5} more" if len(bases) > 5 else ""
    return ", ".join(_text(tag, base) or "everything" for base in bases[:5]) + more


def _subtrees(ca: Certificate) -> tuple[list[Name], list[Name]]:
    found: dict[int, list[Name]] = {_PERMITTED: [], _EXCLUDED: []}
    value = _extension(ca.der, oids.NAME_CONSTRAINTS)
    start, end = expect(value, 0, len(value), SEQUENCE, "nameConstraints")
    for side, _, inner, stop in children(value, start, end):
        for _, _, subtree, subtree_end in children(value, inner, stop):
            tag, base, base_end = read(value, subtree, subtree_end)
            if side in found and tag in _KINDS:
                found[side].append((tag, value[base:base_end]))
    return found[_PERMITTED], found[_EXCLUDED]


def _names(cert: Certificate) -> Iterator[Name]:
    """What OpenSSL compares: alternative names, the subject, and a CN that stands for a name."""
    value = _extension(cert.der, oids.SUBJECT_ALT_NAME)
    if value:
        start, end = expect(value, 0, len(value), SEQUENCE, "subjectAltName")
        for tag, _, inner, stop in children(value, start, end):
            if tag in _KINDS:
                yield tag, value[inner:stop]
    if not cert.dns_names and cert.common_name and not cert.is_ca:
        yield _DNS, cert.common_name.encode()
    if cert.subject:
        yield _DIRECTORY, cert.subject_der


def _extension(der: bytes, wanted: str) -> bytes:
    """The value of an extension, empty where there is none."""
    start, end = expect(der, 0, len(der), SEQUENCE, "a certificate")
    body, body_end = expect(der, start, end, SEQUENCE, "tbsCertificate")
    for tag, _, inner, stop in children(der, body, body_end):
        if tag != _EXTENSIONS:
            continue
        first, last = expect(der, inner, stop, SEQUENCE, "the extensions")
        for _, _, at, until in children(der, first, last):
            kind, kind_end = expect(der, at, until, OBJECT_IDENTIFIER, "the id")
            if oid(der, kind, kind_end) == wanted:
                return _value(der, kind_end, until)
    return b""


def _value(der: bytes, at: int, end: int) -> bytes:
    if der[at] == BOOLEAN:
        _, _, at = read(der, at, end)
    value, stop = expect(der, at, end, OCTET_STRING, "the value")
    return der[value:stop]


def _matches(tag: int, name: bytes, base: bytes) -> bool:
    if tag == _IP:
        return _in_network(name, base)
    if tag == _DIRECTORY:
        return _content(name).startswith(_content(base))
    text, limit = name.decode().lower(), base.decode().lower()
    if tag == _DNS:
        return not limit or text == limit or text.endswith("." + limit.lstrip("."))
    if tag == _URI:
        text = text.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
    elif "@" not in limit:
        text = text.rpartition("@")[2]
    return text.endswith(limit) if limit.startswith(".") else not limit or text == limit


def _in_network(name: bytes, base: bytes) -> bool:
    half = len(base) // 2
    return len(name) == half and all(
        octet & mask == net & mask
        for octet, net, mask in zip(name, base, base[half:], strict=False)
    )


def _content(name: bytes) -> bytes:
    _, start, end = read(name, 0, len(name))
    return name[start:end]


def _text(tag: int, value: bytes) -> str:
    if tag == _DIRECTORY:
        _, start, end = read(value, 0, len(value))
        return read_name(value, start, end).text
    if tag != _IP:
        return visible(value.decode("utf-8", "replace"))
    import ipaddress  # rare, and slow to load

    if len(value) in (4, 16):
        return str(ipaddress.ip_address(value))
    half = len(value) // 2
    mask = "".join(f"{octet:08b}" for octet in value[half:]).count("1")
    return f"{ipaddress.ip_address(value[:half])}/{mask}"
