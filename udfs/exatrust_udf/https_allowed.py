"""Which hosts and addresses may be asked: the rows of the table ALLOWED_HOST, as scripts pin them.

Pure. One line for each row, `host port addresses`, with `*` for any. Without rows every host may be
asked, but not this machine and its surroundings.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from exatrust_udf.https_address import LOCAL, PRIVATE, PUBLIC, reach
from exatrust_udf.https_url import BadUrl, Url

ANY = "*"
# What `addresses` may be, each with all before it.
SCOPES = (PUBLIC, PRIVATE, LOCAL)
_MAX_PORT = 65535


class BadRule(ValueError):
    """A row of ALLOWED_HOST means nothing, or too much; the message says why."""


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """`host` is a name, an address, `*.suffix` for all names below one, or `*`; `port` None is any.

    `addresses` says where the host may be: PUBLIC, PRIVATE (these and a company's own), or LOCAL
    (these, loopback, link-local and cloud metadata).
    """

    host: str
    port: int | None = None
    addresses: str = PRIVATE

    @classmethod
    def of(cls, host: object, port: object, addresses: object) -> Rule:
        """A row of the table. Raises BadRule."""
        name = _host(host)
        scope = PRIVATE if addresses is None else str(addresses).strip().upper()
        if scope not in SCOPES:
            raise BadRule(f"ADDRESSES is {addresses!r}, and may be {', '.join(SCOPES)}")
        if scope == LOCAL and name.startswith(ANY):
            raise BadRule(
                f"ADDRESSES LOCAL with HOST {host!r}: whoever has a name there could lead to this "
                "machine; name the one host that is meant"
            )
        return cls(name, _port(port), scope)

    def covers(self, host: str, port: int) -> bool:
        """Whether the rule is about this host and port."""
        if self.port not in (None, port):
            return False
        if self.host.startswith("*."):
            return host.endswith(self.host[1:])
        return self.host in (ANY, host)

    def admits(self, address: str, own: bool = False) -> bool:
        """Whether the host may be at this address; `own` is one of this machine's."""
        scope = reach(address).scope
        if own and scope in SCOPES:
            scope = LOCAL
        return scope in SCOPES[: SCOPES.index(self.addresses) + 1]

    @property
    def _line(self) -> str:
        return f"{self.host} {self.port or ANY} {self.addresses}"


@dataclass(frozen=True, slots=True)
class AllowList:
    """The rules of a script; none means that every host may be asked, at no LOCAL address."""

    rules: tuple[Rule, ...] = ()

    @classmethod
    def parse(cls, text: str) -> AllowList:
        """What `text()` gave. Raises BadRule."""
        lines = (line.split(" ") for line in text.splitlines())
        return cls(tuple(Rule.of(h, None if p == ANY else int(p), a) for h, p, a in lines))

    def text(self) -> str:
        """The rules in an order of their own, each once: equal lists have equal texts."""
        return "\n".join(sorted({rule._line for rule in self.rules}))

    def about(self, url: Url) -> tuple[Rule, ...]:
        """The rules that allow the URL's host and port; none where it is not allowed."""
        rules = self.rules or (Rule(ANY),)
        return tuple(rule for rule in rules if rule.covers(*url.origin))


def admitted(rules: Iterable[Rule], address: str, own: bool = False) -> bool:
    """Whether one of the rules that allow a host admits this address of it."""
    return any(rule.admits(address, own) for rule in rules)


def _host(value: object) -> str:
    text = str(value or "").strip().lower()
    if text == ANY:
        return text
    suffix = text.startswith("*.")
    name = text[2:] if suffix else text
    try:
        url = Url.parse(
            f"https://[{name}]/" if name.count(":") > 1 and name[0] != "[" else f"https://{name}/"
        )
    except BadUrl as error:
        raise BadRule(f"HOST is {value!r}: {error}") from None
    if str(url) != f"https://{url.authority}/" or url.port != 443 or name.endswith(":443"):
        raise BadRule(f"HOST is {value!r}: give the name alone, without port and path")
    if suffix and (":" in url.host or url.host[-1:].isdigit()):
        raise BadRule(f"HOST is {value!r}: an address has no names below it")
    return f"*.{url.host}" if suffix else url.host


def _port(value: object) -> int | None:
    if value is None:
        return None
    number = int(str(value)) if str(value).isascii() and str(value).isdigit() else 0
    if not 1 <= number <= _MAX_PORT:
        raise BadRule(f"PORT is {value}, and may be 1 to {_MAX_PORT}, or NULL for any")
    return number
