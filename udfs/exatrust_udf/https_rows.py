"""The rows of HTTPS_GET, HTTPS_REQUEST and HTTPS_JSON: many requests at a time, rows as they come.

The database is spoken to by one thread, requests are made by others. What is in flight is bounded,
in all and for each host, so that memory is, however many rows a call has.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from exatrust_udf import https_arguments, https_body, https_credentials, json_pointer, rows
from exatrust_udf.endpoint import BadEndpoint
from exatrust_udf.findings import ERROR, WARNING, Finding, make
from exatrust_udf.https_allowed import AllowList
from exatrust_udf.https_arguments import Arguments, BadRequest, Request
from exatrust_udf.https_credentials import BadCredentials, Connection, Credentials
from exatrust_udf.https_fetch import Answer, Fetcher
from exatrust_udf.https_look import Looker
from exatrust_udf.https_pool import Pool
from exatrust_udf.https_url import masked
from exatrust_udf.wording import sentence

IN_FLIGHT = 16
# A document takes many times its size while it is parsed, so that one is at a time. Threads would
# not parse several any faster.
_parsing = threading.Lock()
_MAX_KNOWN = 1000
_MAX_ID = 2000  # as long as its column
_contexts: dict[str, ssl.SSLContext] = {}
# What a request may need while its body is unpacked, decoded and emitted.
_MEMORY_EACH = 64 << 20


class Exa(rows.Exa, Protocol):
    """The part of `exa` that gives credentials."""

    def get_connection(self, name: str) -> Connection: ...


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the three scripts; each has the columns that its SQL file declares. `duration_ms` is
    from the beginning of the first attempt to the end of the last one."""

    id: str | None = None
    url: str | None = None
    http_method: str | None = None
    status: int | None = None
    headers: str | None = field(default=None, repr=False)
    body: str | None = field(default=None, repr=False)
    pointer: str | None = None
    value_text: str | None = field(default=None, repr=False)
    value_type: str | None = None
    finding: str | None = None
    severity: str | None = None
    cause: str | None = None
    action: str | None = None
    final_url: str | None = None
    resolved_ip: str | None = None
    attempts: int = 0
    redirects: int = 0
    duration_ms: float | None = None

    def told(self, finding: Finding) -> Row:
        """The row with a finding."""
        return replace(
            self, finding=finding.id, severity=finding.severity, cause=finding.cause,
            action=finding.action,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Job:
    """An input row that describes a request; `row` is what is known before it is made."""

    row: Row
    request: Request
    credentials: Credentials | None = None
    client: ssl.SSLContext | None = None

    @property
    def host(self) -> str:
        return self.request.url.host

    @property
    def size(self) -> int:
        return len(self.request.body or b"")


def run(
    ctx: rows.Context,
    exa: Exa,
    pin: Mapping[str, str],
    arguments: Arguments,
    finish: Callable[[Row, Request, Answer], Row],
    fetcher: Fetcher | None = None,
) -> None:
    """Make the request of every input row and emit a row for each, in the order they end."""
    fetcher = fetcher or _fetcher(pin)
    purse = _Purse(exa)
    try:
        for row in _all(ctx, exa, arguments, purse, fetcher, finish):
            rows.emit(ctx, exa, row, pin, checked_at=rows.utc_now())
    finally:
        fetcher.idle.close()


def _fetcher(pin: Mapping[str, str]) -> Fetcher:
    """Raises RuntimeError where the bundle is missing or altered: nothing could be trusted."""
    bundle = pin["bundle_sha256"]
    if bundle not in _contexts:  # a call has as many groups as it likes
        _contexts[bundle] = _context()
    return Fetcher(AllowList.parse(pin["allowed_hosts"]), _contexts[bundle], Looker(pin))


def _context() -> ssl.SSLContext:
    import exatrust_udf

    context = exatrust_udf.ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class _Purse:
    """The CONNECTIONs of a call, each asked for once."""

    def __init__(self, exa: Exa) -> None:
        self._exa = exa
        self._known: dict[str, tuple[Credentials, ssl.SSLContext | None] | BadCredentials] = {}

    def pay(self, request: Request) -> tuple[Credentials | None, ssl.SSLContext | None]:
        """The credentials of a request, and a context with their certificate, if it has any.

        Raises BadCredentials, also where they are for another host.
        """
        if request.connection is None:
            return None, None
        credentials, client = self._get(request.connection)
        if credentials.origin != request.url.origin:
            host, port = credentials.origin
            raise BadCredentials(
                f"those of CONNECTION {credentials.name} are for {host}:{port}, its address, and "
                f"not for {request.url.host}:{request.url.port}"
            )
        return credentials, client

    def _get(self, name: str) -> tuple[Credentials, ssl.SSLContext | None]:
        if name not in self._known:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            try:
                self._known[name] = self._read(name)
            except BadCredentials as error:
                self._known[name] = error
        found = self._known[name]
        if isinstance(found, BadCredentials):
            raise found
        return found

    def _read(self, name: str) -> tuple[Credentials, ssl.SSLContext | None]:
        try:
            connection = self._exa.get_connection(name)
        except Exception as error:  # the client's own, of another class in each language version
            raise BadCredentials(f"the database does not give CONNECTION {name}: {error}") from None
        credentials = https_credentials.read(name, connection)
        if credentials.pem is None:
            return credentials, None
        return credentials, https_credentials.client_context(_context(), credentials)


def _all(
    ctx: rows.Context,
    exa: Exa,
    arguments: Arguments,
    purse: _Purse,
    fetcher: Fetcher,
    finish: Callable[[Row, Request, Answer], Row],
) -> Iterator[Row]:
    """The finished rows. Input rows are read only as far ahead as there is room."""
    pool: Pool[_Job, Row] = Pool(_in_flight(exa), lambda job: _done(job, fetcher, finish))
    inputs = rows.inputs(ctx, exa)
    more = True
    try:
        while more or pool.busy:
            while more and pool.has_room:
                values = next(inputs, None)
                more = values is not None
                job = _job(values, arguments, purse) if values is not None else None
                if isinstance(job, Row):
                    yield job
                elif job is not None:
                    pool.add(job)
            if pool.busy:
                yield pool.next()
    finally:
        pool.close()


def _in_flight(exa: Exa) -> int:
    limit = int(getattr(exa.meta, "memory_limit", 0) or 0)
    return max(1, min(IN_FLIGHT, limit // _MEMORY_EACH)) if limit else IN_FLIGHT


def _job(values: Sequence[object], arguments: Arguments, purse: _Purse) -> _Job | Row:
    """What an input row asks for, or the row that says why it cannot be asked."""
    row = Row()
    try:
        given = arguments.named(values)
        row = _asked(given)
        request = https_arguments.request(given)
        row = replace(row, http_method=request.method)
        return _Job(row, request, *purse.pay(request))
    except BadEndpoint as error:
        return row.told(_because("HTTP_BAD_REQUEST", error))
    except BadCredentials as error:
        return row.told(_because("HTTP_CREDENTIALS", error))


def _asked(given: Mapping[str, Any]) -> Row:
    """The columns that repeat the arguments. Raises BadRequest."""
    named = {key: None if given.get(key) is None else str(given[key]) for key in ("id", "pointer")}
    if len(named["id"] or "") > _MAX_ID:
        raise BadRequest(f"the id has more than {_MAX_ID} characters")
    return Row(id=named["id"], url=masked(given["url"]), pointer=named["pointer"])


def _because(kind: str, error: Exception) -> Finding:
    reason = str(error)
    return make(kind, sentence(f"{reason[:1].upper()}{reason[1:]}"))


def _done(job: _Job, fetcher: Fetcher, finish: Callable[[Row, Request, Answer], Row]) -> Row:
    answer = fetcher.fetch(job.request, job.credentials, job.client)
    return finish(answered(job.row, answer), job.request, answer)


def answered(row: Row, answer: Answer) -> Row:
    """The columns that all three scripts fill in the same way."""
    reply = answer.reply
    row = replace(
        row,
        status=reply.status if reply else None,
        headers=json.dumps(dict(reply.headers), ensure_ascii=False) if reply else None,
        final_url=str(answer.url) if reply else None,
        resolved_ip=answer.address,
        attempts=answer.attempts,
        redirects=answer.redirects,
        duration_ms=answer.duration_ms,
    )
    if answer.finding is not None:
        return row.told(answer.finding)
    if reply is not None and reply.status >= 400:
        return row.told(make("HTTP_STATUS", f"It answered {reply.status}."))
    return row


def with_body(row: Row, request: Request, answer: Answer) -> Row:
    """The row of HTTPS_GET and HTTPS_REQUEST."""
    reply = answer.reply
    if reply is None or answer.finding is not None:
        return row
    try:
        kind = reply.headers.get("content-type", "")
        text, cut = https_body.text(reply.body, kind)
    except https_body.NotText as error:
        return _unless_told(row, make("HTTP_BODY_NOT_TEXT", sentence(f"{error}")))
    row = replace(row, body=text)
    if cut:
        finding = make("HTTP_TOO_LARGE", f"BODY is its first {len(text)} characters.")
        return _unless_told(row, replace(finding, severity=WARNING))
    return row


def with_value(row: Row, request: Request, answer: Answer) -> Row:
    """The row of HTTPS_JSON."""
    reply = answer.reply
    if reply is None or row.finding is not None:
        return row
    if reply.body.cut:
        return row.told(make("HTTP_TOO_LARGE", "Half of a JSON document has no values."))
    try:
        with _parsing:
            found = json_pointer.value(reply.body.data, request.pointer)
    except json_pointer.NotThere as error:
        return row.told(make("HTTP_JSON_NOTHING_THERE", sentence(f"{error}")))
    except json_pointer.BadJson as error:
        return row.told(make("HTTP_BODY_NOT_JSON", sentence(f"{error}")))
    if found.text is not None and len(found.text) > https_body.MAX_CHARACTERS:
        return row.told(make("HTTP_TOO_LARGE", f"The value has {len(found.text)} characters."))
    return replace(row, value_text=found.text, value_type=found.kind)


def _unless_told(row: Row, finding: Finding) -> Row:
    """An error of the server's own is the reason of what its body is like."""
    return row if row.severity == ERROR else row.told(finding)
