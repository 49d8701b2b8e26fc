"""JDBC URLs: `jdbc:<driver>:...`, each driver with a grammar of its own. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from exatrust_udf.outbound_hosts import Address, NoAddress, addresses, parameters, port_number
from exatrust_udf.outbound_schemes import DRIVERS, SCHEMES, Scheme

_NAMES = re.compile(r"((?:[a-z0-9][\w+-]{0,30}:){1,4})", re.IGNORECASE)
# Words between the driver and its hosts: thin, loadbalance, Tds, sqlserver.
_WORDS = re.compile(r"(?:[a-z][\w+-]{0,30}:){0,3}(?=//|@)", re.IGNORECASE)
_AUTHORITY = re.compile(r"//([^/;?]*)")
_PAIR = re.compile(r"\((host|port)=([^()]{1,255})\)", re.IGNORECASE)
_ORACLE = re.compile(r"(?:(tcps?):)?(?://)?([^/?;]*)", re.IGNORECASE)
_NESTED = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Jdbc:
    """What a URL names. `end`: how many characters were read as driver and hosts."""

    driver: str
    scheme: Scheme
    hosts: tuple[Address, ...]
    encrypted: bool | None
    end: int


def parse(text: str) -> Jdbc | None:
    """Read what follows `jdbc:`; None for drivers that are not known, and without a host.

    A URL inside (`jdbc:bigquery:https://...`) is left to those who read plain URLs.
    """
    found = _driver(text)
    if found is None:
        return None
    driver, at = found
    rest = text[at:]
    if _NESTED.match(rest):
        return None
    try:
        return _READERS.get(driver, _standard)(driver, text, at)
    except NoAddress:
        return None


def _driver(text: str) -> tuple[str, int] | None:
    """The first known name of the chain, so that `aws-wrapper:postgresql:` is PostgreSQL."""
    match = _NAMES.match(text)
    at = 0
    for name in match[1].split(":")[:-1] if match else ():
        at += len(name) + 1
        if name.lower() in DRIVERS:
            return name.lower(), at
    return None


def _standard(driver: str, text: str, at: int) -> Jdbc:
    """`//[user:password@]hosts` and parameters behind it."""
    words = _WORDS.match(text, at)
    match = _AUTHORITY.match(text, words.end() if words else at)
    if match is None:
        return _without_slashes(driver, text, at)
    given = parameters(text[match.end() :])
    scheme = _scheme(driver, given)
    authority = match[1].rpartition("@")[2]
    hosts = _pairs(authority, scheme) or addresses(authority or _named(given), scheme.port)
    return _finish(driver, scheme, hosts, given, match.end())


def _without_slashes(driver: str, text: str, at: int) -> Jdbc:
    """`sybase:Tds:host:port`, `dremio:direct=host:port`."""
    match = re.match(r"(?:Tds:|direct=)([^/;?]*)", text[at:], re.IGNORECASE)
    if match is None:
        raise NoAddress
    scheme, given = DRIVERS[driver], parameters(text[at + match.end() :])
    return _finish(driver, scheme, addresses(match[1], scheme.port), given, at + match.end())


def _pairs(authority: str, scheme: Scheme) -> tuple[Address, ...]:
    """`address=(host=h)(port=p)` of MySQL's and MariaDB's drivers."""
    found: list[Address] = []
    for key, value in _PAIR.findall(authority):
        if key.lower() == "host":
            found += addresses(value, scheme.port)
        elif found:
            found[-1] = Address(found[-1].host, port_number(value, scheme.port))
    return tuple(found)


def _named(given: Mapping[str, str]) -> str:
    """SQL Server's driver also takes the host as a parameter."""
    host = given.get("servername") or given.get("server") or ""
    port = given.get("portnumber") or given.get("port")
    return f"{host}:{port}" if port else host


def _scheme(driver: str, given: Mapping[str, str]) -> Scheme:
    """The driver's, as its parameters change port and protocol."""
    scheme = DRIVERS[driver]
    if driver == "sqlserver" and given.get("encrypt") == "strict":
        return replace(scheme, options=None)  # TDS 8.0: TLS begins at once
    if driver == "teradata":
        key, usual = (
            ("https_port", 443) if scheme.decide(given) is not False else ("dbs_port", 1025)
        )
        return replace(scheme, port=port_number(given.get(key), usual))
    if driver in ("trino", "presto") and scheme.decide(given):
        return replace(scheme, port=443)
    return scheme


def _finish(
    driver: str, scheme: Scheme, hosts: tuple[Address, ...], given: Mapping[str, str], end: int
) -> Jdbc:
    encrypted = scheme.decide(given)
    if encrypted is False and driver in ("sap", "trino", "presto") and "encrypt" not in given:
        # HANA Cloud and Trino: port 443 alone switches TLS on.
        encrypted = all(address.port == 443 for address in hosts)
    return Jdbc(driver, scheme, hosts, encrypted, end)


def _exasol(driver: str, text: str, at: int) -> Jdbc:
    """`exa:10.0.0.11..14/FINGERPRINT:8563;parameters` (Exasol documentation, "JDBC Driver")."""
    part = text[at:].partition(";")[0]
    scheme, given = DRIVERS[driver], parameters(text[at + len(part) :])
    hosts = addresses(part.removeprefix("//").rstrip("/"), scheme.port, shared_port=True)
    return _finish(driver, scheme, hosts, given, at + len(part))


def _oracle(driver: str, text: str, at: int) -> Jdbc:
    """`thin:[user/password]@host:port:sid`, `@//host:port/service`, `@tcps://host:port/service`.

    Oracle Database JDBC Developer's Guide, "Database URLs and Database Specifiers". Descriptions
    in brackets are read wherever they stand.
    """
    head = re.split(r"[(?]", text[at:], maxsplit=1)[0]
    before, sign, specifier = head.rpartition("@")
    match = _ORACLE.match(specifier)
    if not sign or match is None:
        raise NoAddress
    scheme = SCHEMES["tcps"] if (match[1] or "").lower() == "tcps" else DRIVERS[driver]
    items = [":".join(item.split(":")[:2]) for item in match[2].split(",")]
    hosts = addresses(",".join(items), scheme.port)
    end = at + len(before) + len(sign) + match.end()
    return Jdbc(driver, scheme, hosts, scheme.encrypted, end)


_READERS = {"exa": _exasol, "exa-debug": _exasol, "exa-worker": _exasol, "oracle": _oracle}
