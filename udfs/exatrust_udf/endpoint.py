"""What to connect to, read from the arguments of a script or a command. Pure."""

from __future__ import annotations

import contextlib
import decimal
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# What the values of protocol= mean to a person.
SPOKEN = {
    "tls": "TLS",
    "smtp": "SMTP",
    "ldap": "LDAP",
    "postgres": "PostgreSQL's protocol",
    "mysql": "MySQL's protocol",
    "tds": "SQL Server's protocol (TDS)",
    "ftp": "FTP",
    "imap": "IMAP",
    "pop3": "POP3",
    "exasol": "Exasol's protocol",
}
PROTOCOLS = frozenset(SPOKEN)
# Where the protocols usually are that begin without TLS; no more than a hint in an action.
USUAL_PORTS = {
    21: "ftp", 25: "smtp", 110: "pop3", 143: "imap", 389: "ldap", 587: "smtp", 1433: "tds",
    3306: "mysql", 5432: "postgres",
}  # fmt: skip
OPTIONS = ("protocol", "sni", "name", "proxy", "store", "crl", "timeout")
REPEATABLE = ("store", "crl")
_MAX_HOST, _MAX_LABEL = 253, 63  # RFC 1035 2.3.4
_MAX_TIMEOUT = 120.0
_MAX_PATHS = 16


# What stands before an @ may be a password.
_PASSWORD = re.compile(r"[^\s=]*@")


class BadEndpoint(ValueError):
    """The arguments do not describe an endpoint; the message says which part and why.

    `hint` says how it is written.
    """

    hint = "write HOST:PORT, for example db.example:443"


class BadOption(BadEndpoint):
    """The options are wrong, whatever the rest is."""

    hint = "write options as key=value, divided by blanks: 'protocol=smtp timeout=10'"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server to verify.

    `name` is what its certificate must be for; `sni` what the client announces; both are `host`
    unless given. `proxy` is an HTTP proxy (host, port). `stores` are paths of truststores to judge
    beside the usual ones, `crls` paths of revocation lists that must answer for every certificate.
    `timeout` is in seconds for each phase, None for the default. `given` and `options` are the host
    and the options as they were written, by which rows are told apart.
    """

    host: str
    port: int
    protocol: str = "tls"
    sni: str = ""
    name: str = ""
    proxy: tuple[str, int] | None = None
    stores: tuple[str, ...] = ()
    crls: tuple[str, ...] = ()
    timeout: float | None = None
    given: str = ""
    options: str | None = None

    @property
    def announced(self) -> str:
        """The name the client announces to the server (SNI); an address has no zone here."""
        return (self.sni or self.host).partition("%")[0]

    @property
    def expected(self) -> str:
        """The name or address the certificate must be for."""
        return self.name.partition("%")[0] or self.announced

    @property
    def names_agree(self) -> bool:
        """Whether the name announced is the one that is to be verified."""
        return self.announced == self.expected

    @property
    def target(self) -> tuple[str, int]:
        """Where the TCP connection goes."""
        return self.proxy or (self.host, self.port)

    def __str__(self) -> str:
        return joined(self.host, self.port)

    @classmethod
    def parse(cls, *values: object) -> Endpoint:
        """Read ('host:port'), (host, port) or (host, port, 'key=value ...').

        Raises BadEndpoint. A port of None means that it is part of the first value, so that a
        table with separate columns and one with a single column use the same query.
        """
        if not 1 <= len(values) <= 3:
            raise BadEndpoint(f"{len(values)} arguments given, 1 to 3 expected")
        first, port, options = (*values, None, None)[:3]
        if not isinstance(first, str) or not first.strip():
            raise BadEndpoint("the host is missing")
        host, number = split_address(first) if port is None else (first.strip(), port)
        given = host if port is None else first
        text = None if options is None else str(options)
        return cls(_host(host), _port(number), given=given, options=text, **_options(options))


def as_given(values: Sequence[object]) -> tuple[str | None, int | None, str | None]:
    """Host, port and options of arguments that are no endpoint, as far as they can be told."""
    options = (
        None if len(values) < 3 or values[2] is None else _PASSWORD.sub("***@", str(values[2]))
    )
    with contextlib.suppress(BadEndpoint):
        # Most often it is the options that are wrong.
        told = Endpoint.parse(*values[:2])
        return told.given, told.port, options
    host = None if not values or values[0] is None else _PASSWORD.sub("***@", str(values[0]))
    with contextlib.suppress(BadEndpoint):
        return host, _port(values[1] if values[1:] else None), options
    return host, None, options


def joined(host: str, port: int) -> str:
    """'host:port' or '[IPv6]:port'."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def split_address(text: str) -> tuple[str, str]:
    """Split 'host:port' or '[IPv6]:port'. Raises BadEndpoint."""
    text = text.strip()
    if "/" in text:
        raise BadEndpoint(f"{shown(text)}: leave out scheme and path; write 'host:port'")
    if "@" in text:
        raise BadEndpoint(f"{shown(text)}: leave out user and password; write 'host:port'")
    host, colon, port = text.rpartition(":")
    if not colon:
        raise BadEndpoint(f"{shown(text)} has no port; write 'host:port'")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise BadEndpoint(f"{shown(text)}: write an IPv6 address as '[address]:port'")
    return host, port


def _host(text: str) -> str:
    host = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if "://" in host or "/" in host:
        raise BadEndpoint(f"{shown(host)} is not a host name; leave out scheme and path")
    if not host or len(host) > _MAX_HOST:
        raise BadEndpoint(f"a host name has 1 to {_MAX_HOST} characters, not {len(host)}")
    if any(c.isspace() or not c.isprintable() or c in '@,;"<>?#[]' for c in host):
        raise BadEndpoint(f"{shown(host)} is not a host name")
    if ":" in host:
        return _ipv6(host)
    if host.startswith(".") or ".." in host or "%" in host:
        raise BadEndpoint(f"{shown(host)} has an empty part or '%', so it is not a host name")
    if any(len(label) > _MAX_LABEL for label in host.split(".")):
        raise BadEndpoint(f"a part of a host name has at most {_MAX_LABEL} characters")
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise BadEndpoint(f"{shown(host)} is not a host name (IDNA)") from None


def _ipv6(text: str) -> str:
    """An IPv6 address, with its zone (RFC 4007 11) if it has one: no name has a colon."""
    import ipaddress  # slow to load, and rarely needed

    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        raise BadEndpoint(f"{shown(text)} is neither a host name nor an IPv6 address") from None
    return text


def _port(value: object) -> int:
    number = _digits(value.strip()) if isinstance(value, str) else _whole(value)
    if not 1 <= number <= 65535:
        raise BadEndpoint(f"the port must be a number from 1 to 65535, not {shown(str(value))}")
    return number


def _digits(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _whole(value: object) -> int:
    """The whole number that a DECIMAL, DOUBLE or BIGINT column holds; 0 for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, decimal.Decimal)):
        return 0
    return int(value) if 0 <= value <= 65535 and value == int(value) else 0


def _options(text: object) -> dict[str, Any]:
    if text is None:
        return {}
    if not isinstance(text, str):
        raise BadOption("the options must be a text of key=value pairs")
    found: dict[str, Any] = {}
    paths: dict[str, list[str]] = {key: [] for key in REPEATABLE}
    for part in text.split():
        key, value = _key_and_value(part)
        if key in paths:
            paths[key].append(value)
        elif key in found:
            raise BadOption(f"option {key} is given twice; only {' and '.join(paths)} may be")
        else:
            found[key] = _option(key, value)
    return {**found, **{f"{key}s": _paths(key, given) for key, given in paths.items()}}


def _key_and_value(part: str) -> tuple[str, str]:
    key, _, value = part.partition("=")
    if key not in OPTIONS:
        raise BadOption(f"there is no option {shown(key)}; there are {', '.join(OPTIONS)}")
    if not value:
        raise BadOption(f"option {key} has no value")
    return key, value


def _option(key: str, value: str) -> object:
    try:
        return _value(key, value)
    except BadEndpoint as error:
        raise BadOption(f"option {key}: {error}") from None


def _value(key: str, value: str) -> object:
    if key == "protocol" and value not in PROTOCOLS:
        raise BadOption(f"{shown(value)} is none of {', '.join(sorted(PROTOCOLS))}")
    if key == "proxy":
        host, port = split_address(value.removeprefix("http://").rstrip("/"))
        return _host(host), _port(port)
    if key == "timeout":
        return _timeout(value)
    return value if key == "protocol" else _host(value)


def _timeout(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _MAX_TIMEOUT:
        raise BadOption(f"{shown(value)} is no number of seconds above 0, at most {_MAX_TIMEOUT:g}")
    return seconds


def _paths(key: str, paths: Sequence[str]) -> tuple[str, ...]:
    if len(paths) > _MAX_PATHS:
        raise BadOption(f"option {key} is given {len(paths)} times, at most {_MAX_PATHS} are read")
    for path in paths:
        if not path.startswith("/"):
            raise BadOption(f"option {key}: {shown(path)} is no absolute path")
    return tuple(dict.fromkeys(paths))


def shown(text: str, limit: int = 80) -> str:
    """`text` in quotes, with control characters escaped, cut to `limit` characters.

    What stands before an @ may be a password, and is not repeated.
    """
    before, at, rest = text.rpartition("@")
    text = f"***@{rest}" if before and at else text
    return ascii(text if len(text) <= limit else text[:limit] + "...")


def is_address(host: str) -> bool:
    """Whether `host` is an IPv4 or IPv6 address rather than a name (names have no colon)."""
    parts = host.split(".")
    return ":" in host or (len(parts) == 4 and all(p.isdigit() and int(p) < 256 for p in parts))
