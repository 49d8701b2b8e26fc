"""An https URL, read strictly: what two programs may read differently is refused.

Pure. The rules are those of RFC 3986; a host that ends in a number must be a plain IPv4 address, as
in the URL standard of the WHATWG, since resolvers read 2130706433, 0x7f.1 and 017700000001 as
127.0.0.1.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin

from exatrust_udf.endpoint import BadEndpoint, joined, shown

_MAX_URL = 8000
_MAX_HOST, _MAX_LABEL = 253, 63  # RFC 1035 2.3.4
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_IPV4 = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})")
# What may stand in path and query; everything else in ASCII has to be written as %XX.
_TARGET = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?\[\]|-]|%[0-9A-Fa-f]{2})*")
# IDNA 2003 and IDNA 2008 make different names of these (UTS #46 4.1.2): only one can be meant.
_AMBIGUOUS = "ßẞς\u200c\u200d"


class BadUrl(BadEndpoint):
    """The text is no https URL that may be requested; the message says why."""

    hint = "write https://host/path, with %XX for what a URL must not hold"


@dataclass(frozen=True, slots=True)
class Url:
    """`host` is in lower case and ASCII, an IPv6 address without brackets; `target` is path and
    query, as the request line has it. A fragment is left out: it is never sent."""

    host: str
    port: int
    target: str

    @property
    def origin(self) -> tuple[str, int]:
        """What credentials belong to."""
        return self.host, self.port

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 443 else joined(self.host, self.port)

    def __str__(self) -> str:
        return f"https://{self.authority}{self.target}"

    @classmethod
    def parse(cls, text: object) -> Url:
        """Raises BadUrl."""
        if not isinstance(text, str) or not text:
            raise BadUrl("the URL is missing")
        if len(text) > _MAX_URL:
            raise BadUrl(f"a URL has at most {_MAX_URL} characters, not {len(text)}")
        rest = _after_scheme(text)
        end = next((i for i, char in enumerate(rest) if char in "/?#"), len(rest))
        host, port = _authority(rest[:end])
        return cls(host, port, _target(rest[end:]))

    def redirected(self, location: str) -> Url:
        """Where a Location header leads (RFC 9110 10.2.2). Raises BadUrl."""
        if not location.isprintable():
            raise BadUrl(f"{shown(location)} has control characters")
        try:
            return Url.parse(urljoin(str(self), location))
        except BadUrl:
            raise
        except ValueError:  # urljoin's, about brackets
            raise BadUrl(f"{shown(location)} is no URL") from None


def masked(text: object) -> str | None:
    """A URL as it was given, for a row; what stands before an @ of a bad one may be a password."""
    if text is None:
        return None
    try:
        Url.parse(text)
    except BadUrl:
        return re.sub(r".*@", "***@", str(text), flags=re.DOTALL)
    return str(text)


def _after_scheme(text: str) -> str:
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise BadUrl(f"{shown(text)} does not begin with https://")
    if scheme[1].lower() != "https":
        raise BadUrl(f"the scheme is {shown(scheme[1])}, and only https is spoken")
    rest = text[scheme.end() :]
    if not rest.startswith("//"):
        raise BadUrl(f"{shown(text)} does not begin with https://")
    return rest[2:]


def _authority(text: str) -> tuple[str, int]:
    if "@" in text:
        raise BadUrl("there is a user or password in the URL: use a CONNECTION for it")
    host, colon, port = _divided(text)
    return _host(host), _port(port) if colon else 443


def _port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if not 1 <= number <= 65535:
        raise BadUrl(f"the port must be a number from 1 to 65535, not {shown(text)}")
    return number


def _divided(text: str) -> tuple[str, str, str]:
    if not text.startswith("["):
        return text.partition(":")
    host, bracket, rest = text.partition("]")
    if not bracket or (rest and not rest.startswith(":")):
        raise BadUrl(f"{shown(text)} is no host: an IPv6 address is written [address]")
    return host + bracket, rest[:1], rest[1:]


def _host(text: str) -> str:
    if text.startswith("["):
        return _ipv6(text[1:-1])
    host = _ascii(text).lower().removesuffix(".")
    if not host or len(host) > _MAX_HOST:
        raise BadUrl(f"a host name has 1 to {_MAX_HOST} characters, not {len(host)}")
    labels = host.split(".")
    if not all(len(label) <= _MAX_LABEL and _LABEL.fullmatch(label) for label in labels):
        raise BadUrl(f"{shown(text)} is not a host name")
    return _ipv4(host) if _NUMBER.fullmatch(labels[-1]) else host


def _ipv6(text: str) -> str:
    if "%" in text:
        raise BadUrl(f"{shown(text)} has a zone, which means something to one machine only")
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        raise BadUrl(f"{shown(text)} is no IPv6 address") from None


def _ipv4(host: str) -> str:
    if not _IPV4.fullmatch(host) or any(int(part) > 255 for part in host.split(".")):
        raise BadUrl(
            f"{shown(host)} is no IPv4 address: write four decimal numbers without leading zeros"
        )
    return host


def _ascii(text: str) -> str:
    if text.isascii():
        return text
    if any(char in text for char in _AMBIGUOUS):
        raise BadUrl(f"{shown(text)} can mean two names: write the one meant as xn--...")
    try:
        return text.encode("idna").decode("ascii")
    except UnicodeError:
        raise BadUrl(f"{shown(text)} is not a host name (IDNA)") from None


def _target(text: str) -> str:
    """Path and query; what is not ASCII becomes the %XX of its UTF-8 (RFC 3987 3.1)."""
    path, _, _ = text.partition("#")
    path = path if path.startswith("/") else "/" + path
    if not path.isascii():
        try:
            path = "".join(char if char.isascii() else quote(char) for char in path)
        except UnicodeEncodeError:
            raise BadUrl("the URL holds half of a character (a lone surrogate)") from None
    good = _TARGET.match(path)
    assert good is not None  # it matches nothing, too
    if good.end() < len(path):
        raise BadUrl(f"{shown(path[good.end()])} must be written as %XX in a URL")
    return path
