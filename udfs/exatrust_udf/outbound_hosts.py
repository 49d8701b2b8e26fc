"""Hosts and ports as connection strings write them. Pure, and linear in the text.

Lists (`h1:9092,h2:9092`), Exasol's ranges (`10.0.0.11..14`) and fingerprints (`host/AB12..:8563`;
Exasol documentation, "Connection String", and pyexasol, "DSN"), IPv6 in brackets (RFC 3986 3.2.2).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

MAX_HOSTS = 256  # of one text; a range like 1..999999 must not fill a result
_MAX_TEXT = 2048
_FINGERPRINT = r"(?:[0-9A-Fa-f]{32,64}|(?i:nocertcheck))"
_ITEM = re.compile(
    rf"(\[[^\[\]]*\]|[^:/\[\]\\]+)(?:\\[^:/]*)?(/{_FINGERPRINT})?(?::([^/]*))?(/{_FINGERPRINT})?"
)
_RANGE = re.compile(r"(.*?)(\d{1,9})\.\.(\d{1,9})(.*)")
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
# With these a program fills a port in: the host is known, the port is not.
_PLACEHOLDERS = ("{", "%", "$", "<")
_PARAMETER = re.compile(r"(?<![\w.-])([\w.-]{1,64})\s{0,4}=\s{0,4}([^&;,\s'\"]{0,64})")


class NoAddress(ValueError):
    """The text names no host that a program could connect to; it is not shown."""


@dataclass(frozen=True, slots=True)
class Address:
    """`port` is None where none is written and the scheme has no usual one.

    `pinned`: a fingerprint names the one certificate that is accepted, whoever signed it.
    """

    host: str
    port: int | None
    pinned: bool = False


def addresses(text: str, default: int | None, *, shared_port: bool = False) -> tuple[Address, ...]:
    """Every host of a list, ranges written out, at most 256. Raises NoAddress.

    `shared_port`: a port also holds for the hosts before it that have none, as in Exasol's DSNs.
    """
    if not text or len(text) > _MAX_TEXT:
        raise NoAddress
    items: list[Address] = []
    port = default
    for item in reversed(text.split(",")):
        found = _item(item.strip(), port if shared_port else default)
        port = found.port
        _check(found.host)
        items.insert(0, found)
    return tuple(islice(_expanded(items), MAX_HOSTS))


def _expanded(items: Iterable[Address]) -> Iterator[Address]:
    for item in items:
        for host in _expand(item.host):
            yield replace(item, host=host_name(host))


def is_explicit(text: str) -> bool:
    """Whether a range or a fingerprint shows that a text is an Exasol address."""
    items = [_ITEM.fullmatch(item.strip()) for item in text.split(",")]
    return all(items) and any(
        item is not None and (item[2] or item[4] or _RANGE.fullmatch(item[1])) for item in items
    )


def _item(text: str, default: int | None) -> Address:
    """As it is written, perhaps with a range."""
    match = _ITEM.fullmatch(text)
    if match is None:
        raise NoAddress
    fingerprint = (match[2] or match[4] or "/nocertcheck")[1:]
    pinned = fingerprint.lower() != "nocertcheck"
    return Address(match[1], port_number(match[3], default), pinned)


def _expand(text: str) -> Iterator[str]:
    """`n08..10` is n08, n09, n10: numbers keep the width of the first one, as in pyexasol."""
    match = _RANGE.fullmatch(text)
    if match is None:
        yield text
        return
    before, first, last, after = match.groups()
    for number in range(int(first), min(int(last), int(first) + MAX_HOSTS - 1) + 1):
        yield f"{before}{number:0{len(first)}}{after}"


def _check(text: str) -> None:
    """Both ends of a range, or the host, so that no range is written out in vain."""
    match = _RANGE.fullmatch(text)
    if match is None:
        host_name(text)
        return
    before, first, last, after = match.groups()
    if int(last) < int(first):
        raise NoAddress
    for number in (first, last):
        host_name(f"{before}{number}{after}")


def port_number(text: str | None, default: int | None) -> int | None:
    """The port, `default` without one, None where a program fills it in. Raises NoAddress."""
    if not text:
        return default
    if text.startswith(_PLACEHOLDERS):
        return None
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0
    if not 1 <= number <= 65535:
        raise NoAddress
    return number


def host_name(text: str) -> str:
    """`text` in lower case, in ASCII. Raises NoAddress for what is no name and no address.

    RFC 1123 2.1, with the underscore that internal names have; a name whose last label is a
    number is an IPv4 address or nothing (WHATWG URL, 3.5).
    """
    if len(text) > 255:
        raise NoAddress
    if text.startswith("["):
        return _ipv6(text[1:-1])
    name = _ascii(text).lower()
    labels = name.split(".")
    if len(name) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise NoAddress
    if labels[-1].isdigit() and not _is_ipv4(labels):
        raise NoAddress
    return name


def _ascii(text: str) -> str:
    if text.isascii():
        return text
    try:
        return text.encode("idna").decode("ascii")
    except UnicodeError:
        raise NoAddress from None


def _is_ipv4(labels: list[str]) -> bool:
    return len(labels) == 4 and all(x.isdigit() and len(x) < 4 and int(x) < 256 for x in labels)


def _ipv6(text: str) -> str:
    import ipaddress  # slow to load, and rarely needed

    try:
        return str(ipaddress.IPv6Address(text.partition("%")[0]))
    except ValueError:
        raise NoAddress from None


def parameters(text: str) -> Mapping[str, str]:
    """`key=value` pairs, both in lower case, whatever divides them; the first of a key counts.

    They decide whether TLS is used, and are never shown.
    """
    found: dict[str, str] = {}
    for match in _PARAMETER.finditer(text[:_MAX_TEXT]):
        found.setdefault(match[1].lower(), match[2].lower())
    return found
