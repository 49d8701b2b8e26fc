"""The arguments of HTTPS_GET, HTTPS_REQUEST and HTTPS_JSON, read into a request. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from exatrust_udf import json_pointer
from exatrust_udf.endpoint import BadEndpoint, shown
from exatrust_udf.https_url import Url

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
# Sent twice they do the same as once (RFC 9110 9.2.2).
IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE"))
OPTIONS = ("timeout", "retries", "redirects", "gzip")
_MAX_TIMEOUT, _MAX_RETRIES, _MAX_REDIRECTS = 300.0, 5, 10
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110 5.6.2
_VALUE = re.compile(r"(?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]*[!-~\x80-\xff])?)?")  # RFC 9110 5.5
_MAX_HEADERS = 32000
_MAX_NAME = 128  # of an identifier of Exasol
# Secrets belong into a CONNECTION; the rest decides how the message is framed or where it goes.
_SECRET = frozenset(
    ("authorization", "cookie", "proxy-authorization", "x-api-key", "api-key", "apikey",
     "x-auth-token", "private-token", "x-amz-security-token", "x-vault-token")
)  # fmt: skip
FRAMING = frozenset(
    ("accept-encoding", "connection", "content-length", "expect", "host", "keep-alive", "te",
     "trailer", "transfer-encoding", "upgrade")
)  # fmt: skip


class BadRequest(BadEndpoint):
    """The arguments describe no request; the message says which one and why."""

    hint = "compare the arguments with the documentation"


@dataclass(frozen=True, slots=True)
class Limits:
    """`timeout` is in seconds for the whole row, redirects and retries included."""

    timeout: float = 30.0
    retries: int = 2
    redirects: int = 5
    gzip: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One row. `connection` names the CONNECTION with the credentials, None for none."""

    method: str
    url: Url
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    connection: str | None = None
    limits: Limits = field(default_factory=Limits)
    pointer: tuple[str, ...] = ()

    @property
    def idempotent(self) -> bool:
        """Whether it may be sent again when nobody knows what became of it."""
        return self.method in IDEMPOTENT


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a script is called with: `names` in their order, of which `needed` must be given."""

    names: tuple[str, ...]
    needed: int

    def named(self, values: Sequence[object]) -> dict[str, Any]:
        """The arguments by their name, None for what is left out. Raises BadRequest."""
        if not self.needed <= len(values) <= len(self.names):
            raise BadRequest(
                f"{len(values)} arguments given, {self.needed} to {len(self.names)} expected: "
                + ", ".join(self.names)
            )
        return dict.fromkeys(self.names) | dict(zip(self.names, values, strict=False))


GET = Arguments(("url", "id", "options"), 1)
REQUEST = Arguments(("method", "url", "headers", "body", "connection_name", "id", "options"), 5)
JSON = Arguments(("url", "pointer", "connection_name", "id", "options"), 2)
BY_SCRIPT = {"https_get": GET, "https_request": REQUEST, "https_json": JSON}


def request(given: Mapping[str, Any]) -> Request:
    """The request that named arguments describe. Raises BadEndpoint."""
    method = _method(given.get("method"))
    body = _body(method, given.get("body"))
    headers = _headers(given.get("headers"))
    if "pointer" in given:
        headers = {"Accept": "application/json"}
    elif body is not None:
        headers = _with_type(headers, body)
    return Request(
        method=method,
        url=Url.parse(given["url"]),
        headers=headers,
        body=body,
        connection=_connection(given.get("connection_name")),
        limits=limits(given.get("options")),
        pointer=json_pointer.parts(given.get("pointer")),
    )


def valid_header(name: str, value: str) -> bool:
    """Whether a header can be sent: no line can be smuggled in by it."""
    return bool(_TOKEN.fullmatch(name) and _VALUE.fullmatch(value))


def limits(text: object) -> Limits:
    """Options such as 'timeout=10 gzip=yes'. Raises BadRequest."""
    found: dict[str, str] = {}
    for part in str(text or "").split():
        key, _, value = part.partition("=")
        if key not in OPTIONS:
            raise BadRequest(f"there is no option {shown(key)}; there are {', '.join(OPTIONS)}")
        if key in found:
            raise BadRequest(f"option {key} is given twice")
        found[key] = value
    plain = Limits()
    return Limits(
        timeout=_number(found, "timeout", plain.timeout, 0.1, _MAX_TIMEOUT),
        retries=int(_number(found, "retries", plain.retries, 0, _MAX_RETRIES)),
        redirects=int(_number(found, "redirects", plain.redirects, 0, _MAX_REDIRECTS)),
        gzip=_yes(found.get("gzip", "no")),
    )


def _number(found: Mapping[str, str], key: str, default: float, least: float, most: float) -> float:
    text = found.get(key)
    if text is None:
        return default
    shape = r"[0-9]{1,6}(\.[0-9]{1,6})?" if isinstance(default, float) else r"[0-9]{1,6}"
    number = float(text) if re.fullmatch(shape, text, re.ASCII) else -1.0
    if not least <= number <= most:
        raise BadRequest(f"option {key} is {shown(text)}, and may be {least:g} to {most:g}")
    return number


def _yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise BadRequest(f"option gzip is {shown(text)}, and may be yes or no")
    return text == "yes"


def _method(value: object) -> str:
    method = "GET" if value is None else str(value).strip().upper()
    if method not in METHODS:
        raise BadRequest(f"the method {shown(method)} is none of {', '.join(METHODS)}")
    return method


def _body(method: str, value: object) -> bytes | None:
    if value is None:
        return b"" if method in ("POST", "PUT", "PATCH") else None
    if method in ("GET", "HEAD", "OPTIONS"):
        raise BadRequest(f"a {method} request has no body")
    try:
        return str(value).encode("utf-8")
    except UnicodeEncodeError:
        raise BadRequest("the body holds half of a character (a lone surrogate)") from None


def _connection(value: object) -> str | None:
    name = "" if value is None else str(value).strip()
    if len(name) > _MAX_NAME:
        raise BadRequest(f"the name of a CONNECTION has at most {_MAX_NAME} characters")
    return name or None


def _headers(value: object) -> dict[str, str]:
    if value is None:
        return {}
    text = str(value)
    if len(text) > _MAX_HEADERS:
        raise BadRequest(f"the headers have {len(text)} characters, {_MAX_HEADERS} are allowed")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadRequest("""the headers are no JSON object such as {"Accept": "text/csv"}""")
    if len({name.lower() for name in found}) < len(found):
        raise BadRequest("a header is given twice")
    return {name: _header(name, value) for name, value in found.items()}


def _header(name: str, value: object) -> str:
    if name.lower() in _SECRET:
        raise BadRequest(f"the header {name} holds a secret: use a CONNECTION for it")
    if name.lower() in FRAMING:
        raise BadRequest(f"the header {name} is not the caller's to set")
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        raise BadRequest(f"the value of header {shown(name)} is no text")
    if not valid_header(name, str(value)):
        raise BadRequest(
            f"header {shown(name)} has characters that no header may have, such as a line break"
        )
    return str(value)


def _with_type(headers: dict[str, str], body: bytes) -> dict[str, str]:
    """Without a Content-Type the body is JSON where it is an object or array, else plain text."""
    if not body or any(name.lower() == "content-type" for name in headers):
        return headers
    try:
        is_json = body.lstrip()[:1] in (b"{", b"[") and json.loads(body) is not None
    except (ValueError, RecursionError):
        is_json = False
    kind = "application/json" if is_json else "text/plain; charset=utf-8"
    return {**headers, "Content-Type": kind}
