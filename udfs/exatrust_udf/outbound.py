"""Text to endpoints: what a connection, a script or a view talks to. Pure, and linear in the text.

Only host, port, scheme and line leave this module. Values of password= and the like are blanked
before anything is read, user and password in front of an @ are dropped, and what is no host by the
rules of outbound_hosts.py is left out rather than shown. Left out as well:

- addresses that a program puts together (`'https://' || host`, `https://%s/`, `f"https://{h}/"`),
- names of XML namespaces: they look like `http://www.w3.org/...`, and nobody connects to them,
- whole lines that are comments, in scripts and views,
- `bucketfs:service/bucket`, `s3://bucket`, `file://` and other schemes that name no host.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from exatrust_udf import outbound_calls, outbound_jdbc
from exatrust_udf.outbound_hosts import (
    Address,
    NoAddress,
    addresses,
    is_explicit,
    parameters,
)
from exatrust_udf.outbound_schemes import SCHEMES, USUAL, Scheme, scheme_of
from exatrust_udf.source_text import Lines, without_comments

PROGRAMS = ("SCRIPT", "VIEW")  # where text is a program, and lines may be comments
MAX_ENDPOINTS = 1000  # of one object; no honest one comes near
_MAX_PLACES = 20_000  # of one object and grammar, before those that repeat are left out
_MAX_AUTHORITY = 1024
_MARK = re.compile(r"jdbc:|://", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*\Z")
_LONGEST_SCHEME = 24
_LONGEST_SECRET = 512
_TOKEN_END = re.compile(r"[\s'\"`<>]")
_AUTHORITY = re.compile(rf"[^\s'\"`<>|\\/?#]{{0,{_MAX_AUTHORITY}}}")
_PORT = re.compile(r"\d{1,5}(?:,.*)?")
_HOST = re.compile(r"(?:[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}|localhost)(?::\d{1,5})?", re.IGNORECASE)
_HOSTS_END = re.compile(r"[;)&*]")
# Neither runs into the next URL, so that no character is read twice.
_REST = re.compile(r"(?:(?!://)[^\s'\"`<>]){0,2048}")
_JDBC = re.compile(r"(?:(?!jdbc:)[^\s'\"`<>]){0,2048}", re.IGNORECASE)
_GOES_ON = re.compile(r"['\"]\s{0,8}(?:\+|\|\|)")
_MANY_HOSTS = frozenset(("mongodb", "amqp", "amqps", "redis", "rediss", "exa", "exasol", "nats"))
_NAMESPACES = frozenset((
    "www.w3.org", "schemas.xmlsoap.org", "schemas.microsoft.com", "schemas.openxmlformats.org",
    "schemas.android.com", "xmlns.oracle.com", "xmlns.jcp.org", "java.sun.com", "ns.adobe.com",
    "purl.org", "docs.oasis-open.org", "maven.apache.org", "json-schema.org", "www.opengis.net",
))  # fmt: skip
_SECRET = re.compile(
    r"(?:(?:password|passwd|passphrase|pwd|pass|secret|token|secret[_-]?key|access[_-]?key"
    r"|api[_-]?key|account[_-]?key|credential)['\"]?\s{0,4}[=:]\s{0,4}|identified\s{1,8}by\s{1,8})"
    r"('[^'\n]{0,512}|\"[^\"\n]{0,512}|\{[^}\n]{0,512}|[^\s&;,'\")]{1,512})",
    re.IGNORECASE,
)
_TNS = re.compile(
    r"\(\s{0,8}ADDRESS\s{0,8}=((?:\s{0,8}\(\s{0,8}\w{1,20}\s{0,8}=\s{0,8}[^()\s'\"]{1,255}"
    r"\s{0,8}\)){1,8})",
    re.IGNORECASE,
)
_HOST_PORT = r"[A-Za-z0-9\[][\w.:\]-]{0,253}"
_PLAIN = rf"{_HOST_PORT}(?:/(?:[0-9A-Fa-f]{{32,64}}|nocertcheck))?(?::\d{{2,5}})?"
_QUOTED = re.compile(
    rf"(['\"])({_PLAIN}(?:,{_PLAIN}){{0,63}})(?:/[\w.$#-]{{1,64}})?\1", re.IGNORECASE
)
_WHOLE_ITEM = r"[^,;/?\s'\"=@]{1,256}(?:/(?:[0-9A-Fa-f]{32,64}|nocertcheck)(?::\d{1,5})?)?"
_WHOLE = re.compile(
    rf"({_WHOLE_ITEM}(?:,{_WHOLE_ITEM}){{0,63}})(?:/[\w.$#-]{{1,128}})?(?:;.*)?",
    re.IGNORECASE | re.DOTALL,
)
_KAFKA = re.compile(
    r"bootstrap[._]servers['\"]?\s{0,4}[=:,]\s{0,4}([\w.:,'\"\[\] -]{3,1024})", re.IGNORECASE
)
_KAFKA_SECURITY = re.compile(
    r"security[._]protocol['\"]?\s{0,4}[=:,]\s{0,4}['\"]?(SASL_SSL|SSL|SASL_PLAINTEXT|PLAINTEXT)",
    re.IGNORECASE,
)
_FILES = frozenset((
    "py", "java", "r", "lua", "sql", "js", "ts", "txt", "log", "csv", "json", "xml", "yaml", "yml",
    "sh", "jar", "cpp", "go", "rs", "md",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """An endpoint. `line` counts from 1; `port` is None where it is not known.

    `encrypted` is None where the server, the driver or the program decides. `options` are those
    that ENDPOINT needs to meet TLS. `can_be_tls` is whether there is a certificate to watch.
    `pinned`: see Address.
    """

    line: int
    scheme: str | None
    host: str
    port: int | None
    encrypted: bool | None
    options: str | None
    can_be_tls: bool
    pinned: bool = False


def find(kind: str, text: str) -> tuple[Found, ...]:
    """The endpoints of one object's text, each once, at the first line that names it."""
    lines = Lines(text)
    seen: dict[tuple[object, ...], Found] = {}
    for at, item in sorted(_places(kind, text), key=lambda place: place[0]):
        key = (item.host, item.port, item.scheme, item.encrypted, item.pinned)
        if key not in seen:
            seen[key] = item.found(lines.number(at))
        if len(seen) >= MAX_ENDPOINTS:
            break
    return tuple(seen.values())


@dataclass(frozen=True, slots=True)
class _Item:
    """An endpoint before its line is known."""

    scheme: str | None
    host: str
    port: int | None
    encrypted: bool | None
    options: str | None
    tls: bool
    pinned: bool = False

    def found(self, line: int) -> Found:
        can_be_tls = self.tls and (self.encrypted is not False or self.options is not None)
        return Found(
            line, self.scheme, self.host, self.port, self.encrypted, self.options, can_be_tls,
            self.pinned,
        )  # fmt: skip


_Place = tuple[int, _Item]


def _places(kind: str, text: str) -> Iterator[_Place]:
    if kind in PROGRAMS:
        text = without_comments(text)
    text = _SECRET.sub(_blank, text)
    yield from islice(_urls(kind in PROGRAMS, text), _MAX_PLACES)
    yield from islice(_tns(text), _MAX_PLACES)
    yield from islice(_kafka(text), _MAX_PLACES)
    if kind in PROGRAMS:
        yield from islice(_called(text), _MAX_PLACES)
        text = outbound_calls.CALL.sub(_spaces, text)
    rest = _quoted(_without_kafka(text)) if kind in PROGRAMS else _whole(kind, text)
    yield from islice(rest, _MAX_PLACES)


def _blank(match: re.Match[str]) -> str:
    """As many stars, so that positions stay, and that the parameters behind it are still read."""
    value = match[1]
    quote = value[0] if value[0] in "'\"{" else ""
    return match[0][: -len(value)] + quote + "*" * (len(value) - len(quote))


def _items(hosts: tuple[Address, ...], name: str | None, scheme: Scheme, encrypted: bool | None,
           options: str | None = None) -> Iterator[_Item]:  # fmt: skip
    for address in hosts:
        yield _Item(
            name, address.host, address.port, encrypted, options or scheme.options, scheme.tls,
            address.pinned,
        )  # fmt: skip


def _urls(program: bool, text: str) -> Iterator[_Place]:
    at = 0
    while (match := _MARK.search(text, at)) is not None:
        read = _url if match[0] == "://" else _jdbc
        items, end = read(program, text, match)
        for item in items:
            yield match.start(), item
        at = max(end, match.end())


def _jdbc(_program: bool, text: str, mark: re.Match[str]) -> tuple[tuple[_Item, ...], int]:
    match = _JDBC.match(text, mark.end())
    token = match[0].rstrip(").,") if match else ""
    found = outbound_jdbc.parse(token)
    if found is None:
        return (), mark.end()
    end = mark.end() + found.end
    if _GOES_ON.match(text, end):
        return (), end
    items = _items(found.hosts, f"jdbc:{found.driver}", found.scheme, found.encrypted)
    return tuple(items), end


def _url(program: bool, text: str, mark: re.Match[str]) -> tuple[tuple[_Item, ...], int]:
    match = _AUTHORITY.match(text, mark.end())
    end = match.end() if match else mark.end()
    known = _scheme_before(text, mark.start())
    if match is None or known is None or len(match[0]) == _MAX_AUTHORITY:
        return (), end
    if _GOES_ON.match(text, end):
        return (), end
    authority = match[0]
    if _is_user(authority):
        behind = _behind_user(text, end)
        if behind is None:
            return (), end
        authority, end = behind
    elif _may_be_user(program, authority, text[end : end + _LONGEST_SECRET]):
        return (), end
    rest = _REST.match(text, end)
    name, scheme = known
    try:
        items = _authority(name, scheme, authority, rest[0] if rest else "", text[end : end + 1])
    except NoAddress:
        items = ()
    return items, end


def _scheme_before(text: str, at: int) -> tuple[str, Scheme] | None:
    match = _SCHEME.search(text[max(0, at - _LONGEST_SCHEME) : at])
    return scheme_of(match[0]) if match else None


def _authority(
    name: str, scheme: Scheme, text: str, rest: str, following: str
) -> tuple[_Item, ...]:
    """`[user:password@]host[:port]` (RFC 3986 3.2). Raises NoAddress."""
    hosts = text.rpartition("@")[2]
    hosts = _HOSTS_END.split(hosts, maxsplit=1)[0]
    if "{" not in hosts:
        hosts = hosts.partition("}")[0]
    if name not in _MANY_HOSTS:
        hosts = hosts.partition(",")[0]
    if hosts.endswith(".") and not following.strip():
        hosts = hosts[:-1]  # the end of a sentence
    found = addresses(hosts, scheme.port, shared_port=name in ("exa", "exasol"))
    if name == "http" and found[0].host in _NAMESPACES:
        raise NoAddress
    given = parameters(rest)
    options = None if given.get("encrypt") == "strict" else scheme.options
    return tuple(_items(found, name, scheme, scheme.decide(given), options))


def _is_user(authority: str) -> bool:
    """Whether it is the start of `user:password@` for certain: what follows the : is no port."""
    host, colon, port = authority.partition(":")
    is_port = not port or port[0] in "{%$<" or bool(_PORT.fullmatch(port))
    return "@" not in authority and bool(colon and host) and "[" not in host and not is_port


def _behind_user(text: str, at: int) -> tuple[str, int] | None:
    """The authority behind a password with a sign that ends a host, and where it ends."""
    token = _TOKEN_END.split(text[at : at + _LONGEST_SECRET], maxsplit=1)[0]
    for sign in re.finditer("@", token):
        match = _AUTHORITY.match(text, at + sign.end())
        if match is not None and _HOST.fullmatch(match[0]):
            return match[0], match.end()
    return None


def _may_be_user(program: bool, authority: str, rest: str) -> bool:
    """Whether what stands where a host should is the start of `user:password@`.

    A password with a sign that ends a host (it should be written %2F) cuts what is before the @.
    Whole connection strings have no other text behind; hosts of the internet have a dot.
    """
    if "@" in authority:
        return False
    if rest and rest[0] not in "/?#":
        return not program and "@" in rest
    token = _TOKEN_END.split(rest, maxsplit=1)[0] if program else rest
    return "." not in authority and "@" in token


def _tns(text: str) -> Iterator[_Place]:
    """Addresses of an Oracle connect descriptor (Net Services Reference, "Local Naming")."""
    for match in _TNS.finditer(text):
        given = parameters(match[1].replace(")", ";").replace("(", ";"))
        name = "tcps" if given.get("protocol") == "tcps" else "oracle"
        scheme = SCHEMES[name]
        try:
            hosts = addresses(f"{given.get('host', '')}:{given.get('port', '')}", scheme.port)
        except NoAddress:
            continue
        for item in _items(hosts, name, scheme, scheme.encrypted):
            yield match.start(), item


def _kafka(text: str) -> Iterator[_Place]:
    """Apache Kafka's bootstrap.servers; security.protocol is PLAINTEXT unless written."""
    match = _KAFKA_SECURITY.search(text)
    encrypted = match is not None and match[1].upper().endswith("SSL")
    scheme = Scheme(None, encrypted)
    for found in _KAFKA.finditer(text):
        for part in found[1].split(","):
            try:
                hosts = addresses(part.strip(" '\"[]"), None)
            except NoAddress:
                break
            if hosts[0].port is None:
                break  # the next argument of the same call
            for item in _items(hosts, "kafka", scheme, encrypted):
                yield found.start(), item


def _without_kafka(text: str) -> str:
    """Its lists are not to be read once more as addresses without scheme."""
    return _KAFKA.sub(_spaces, text)


def _spaces(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _called(text: str) -> Iterator[_Place]:
    """Hosts given to classes of Python's standard library, and to grpc."""
    for at, name, scheme, encrypted, hosts in outbound_calls.find(text):
        for item in _items(hosts, name, scheme, encrypted):
            yield at, item


def _quoted(text: str) -> Iterator[_Place]:
    """'host:port' and Exasol addresses in quotes, for `IMPORT FROM EXA AT` and drivers' DSNs."""
    for match in _QUOTED.finditer(text):
        explicit = is_explicit(match[2])
        if not explicit and not all(map(_is_dotted, match[2].split(","))):
            continue
        for item in _bare(match[2], explicit):
            yield match.start(), item


def _is_dotted(item: str) -> bool:
    """Whether an address without scheme looks like one: a host with a dot, and a port."""
    host, _, port = item.rpartition(":")
    return "." in host and bool(port) and host.rpartition(".")[2].lower() not in _FILES


def _whole(kind: str, text: str) -> Iterator[_Place]:
    """A connection string, property or parameter that is nothing but an address."""
    stripped = text.strip()
    match = _WHOLE.fullmatch(stripped) if len(stripped) <= 4096 else None
    if match is None or "://" in stripped:
        return
    explicit = is_explicit(match[1])
    named = kind == "CONNECTION" and all(":" in item for item in match[1].split(",")[-1:])
    if explicit or named or all(map(_is_dotted, match[1].split(","))):
        for item in _bare(match[1], explicit):
            yield 0, item


def _bare(text: str, explicit: bool) -> Iterator[_Item]:
    try:
        hosts = addresses(text, 8563 if explicit else None, shared_port=True)
    except NoAddress:
        return
    for address in hosts:
        name = "exa" if explicit else USUAL.get(address.port or 0)
        scheme = SCHEMES[name] if name else Scheme(None, None)
        yield from _items((address,), name, scheme, scheme.encrypted)
