"""What an Exasol DSN names: hosts, a port, and perhaps the fingerprint that pins the server.

The grammar is the drivers': `host1..4.example/FINGERPRINT:8563,other:8564`; a port and a
fingerprint count for the parts before them that have none (pyexasol, `_process_dsn`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from exatrust.errors import SettingsError

DEFAULT_PORT = 8563
_PART = re.compile(
    r"(?P<prefix>[^:/\s]+?)(?:(?P<first>\d+)\.\.(?P<last>\d+)(?P<suffix>[^:/\s]*?))?"
    r"(?:/(?P<pin>[0-9A-Za-z]+))?(?::(?P<port>\d+))?"
)
_FORM = "HOST/SHA256-FINGERPRINT:8563, or HOST:8563 with ca_file"


@dataclass(frozen=True)
class Dsn:
    """`fingerprint` is 64 lower-case hex digits: the SHA-256 of the server certificate's DER."""

    hosts: tuple[tuple[str, int], ...]
    fingerprint: str | None

    def pyexasol(self) -> str:
        """The same hosts in the driver's spelling, ranges expanded, without the fingerprint."""
        return ",".join(f"{host}:{port}" for host, port in self.hosts)


def parse_dsn(text: str) -> Dsn:
    """Raises SettingsError for text that is no DSN, and for `nocertcheck`."""
    hosts: list[tuple[str, int]] = []
    pins: set[str] = set()
    port = DEFAULT_PORT
    for part in reversed([part.strip() for part in text.split(",") if part.strip()]):
        match = _PART.fullmatch(part)
        if match is None:
            raise SettingsError(f"database.dsn: cannot read {part!r}", f"write {_FORM}")
        port = int(match["port"] or port)
        if match["pin"]:
            pins.add(_pin(match["pin"]))
        hosts[:0] = [(host, port) for host in _expand(match)]
    if not hosts:
        raise SettingsError("database.dsn is empty", f"write {_FORM}")
    if len(pins) > 1:
        raise SettingsError(
            "database.dsn: the hosts have different fingerprints",
            "a cluster has one certificate on all nodes; give its fingerprint once",
        )
    return Dsn(tuple(hosts), pins.pop() if pins else None)


def with_fingerprint(text: str, pin: str) -> str:
    """The DSN with `pin` (64 hex digits) as its one fingerprint, otherwise as it was written."""
    parts = [_PART.fullmatch(part.strip()) for part in text.split(",") if part.strip()]
    bare = [_without_pin(match) for match in parts if match is not None]
    # It counts for the hosts before it, too.
    host, colon, port = bare[-1].partition(":")
    return ",".join([*bare[:-1], f"{host}/{pin}{colon}{port}"])


def _without_pin(match: re.Match[str]) -> str:
    return match[0].replace(f"/{match['pin']}", "") if match["pin"] else match[0]


def fingerprint(text: str, where: str) -> str:
    """64 lower-case hex digits; colons and spaces in `text` are allowed. Raises SettingsError."""
    digits = re.sub(r"[:\s]", "", text).lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise SettingsError(
            f"{where}: {text!r} is no SHA-256 fingerprint",
            "give the 64 hex digits of `openssl x509 -noout -fingerprint -sha256`",
        )
    return digits


def _pin(text: str) -> str:
    if text.lower() == "nocertcheck":
        raise SettingsError(
            "database.dsn: nocertcheck would accept any server and hand it your password",
            f"pin the server's certificate instead: {_FORM}",
        )
    return fingerprint(text, "database.dsn")


def _expand(match: re.Match[str]) -> list[str]:
    if match["first"] is None:
        return [match["prefix"]]
    first, last, width = int(match["first"]), int(match["last"]), len(match["first"])
    if not first <= last <= first + 1023:
        raise SettingsError(
            f"database.dsn: the range {match['first']}..{match['last']} is empty or too long",
            "write it as LOW..HIGH, for example 10.0.0.11..14",
        )
    before, after = match["prefix"], match["suffix"] or ""
    return [f"{before}{number:0{width}d}{after}" for number in range(first, last + 1)]
