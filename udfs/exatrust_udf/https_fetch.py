"""One request with everything that belongs to it: redirects, retries, credentials, an explanation.

Every hop is checked like the first one: its URL, its host, its address. What goes wrong becomes a
finding; nothing is raised for a request.
"""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import os
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from exatrust_udf import https_body
from exatrust_udf.endpoint import Endpoint, shown
from exatrust_udf.evidence import HANDSHAKE, VERIFY, Evidence
from exatrust_udf.findings import Finding, make
from exatrust_udf.https_allowed import AllowList, Rule
from exatrust_udf.https_arguments import Request
from exatrust_udf.https_body import BadEncoding, Body
from exatrust_udf.https_credentials import Credentials
from exatrust_udf.https_url import BadUrl, Url
from exatrust_udf.https_wire import (
    AddressRefused,
    HandshakeFailed,
    Network,
    NoConnection,
    TooMuch,
    Wire,
    connect,
)
from exatrust_udf.resolver import Address
from exatrust_udf.wording import sentence

_MAX_HEAD = 65536
# Chunks and packing cost bytes of their own; beyond this there is more wrapping than content.
_MAX_WIRE = 2 * https_body.MAX_BYTES
_CHUNK = 65536
_REDIRECTS = (301, 302, 303, 307, 308)
_PASSING = (429, 502, 503, 504)
_SAFE = ("GET", "HEAD", "OPTIONS")
# What tells another host nothing that is only for the first one.
_HARMLESS = ("accept", "accept-language", "user-agent")
_MAX_IDLE = 32
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 8.0

# Says why TLS with an address fails, as CHECK_ENDPOINT does; None where it does not fail.
Look = Callable[[Url, Address], Finding | None]


class Broken(Exception):
    """The conversation ended without a complete answer. `again` says whether the request may be
    sent once more, if it is one that does the same twice."""

    def __init__(self, finding: Finding, again: bool = False) -> None:
        super().__init__(finding.id)
        self.finding = finding
        self.again = again


_FAILURES = (Broken, NoConnection, HandshakeFailed, AddressRefused)
Failure = Broken | NoConnection | HandshakeFailed | AddressRefused


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Body = field(default_factory=Body)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request. `reply` is the last one, also where a finding says that it is not
    what was asked for. `attempts` counts all requests that were tried to send."""

    reply: Reply | None
    finding: Finding | None
    url: Url
    address: str | None
    attempts: int
    redirects: int
    duration_ms: float


class Idle:
    """Connections that wait for another request to the same host, with the same certificate."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wires: list[tuple[object, Wire]] = []

    def take(self, key: object) -> Wire | None:
        """The last one used; those that the server has closed are left out."""
        with self._lock:
            for place in range(len(self._wires) - 1, -1, -1):
                if self._wires[place][0] == key:
                    wire = self._wires.pop(place)[1]
                    if wire.idle:
                        return wire
                    wire.close()
        return None

    def put(self, key: object, wire: Wire) -> None:
        """Keep it; the one that waits longest goes where there are many."""
        with self._lock:
            self._wires.append((key, wire))
            if len(self._wires) > _MAX_IDLE:
                self._wires.pop(0)[1].close()

    def close(self) -> None:
        with self._lock:
            for _, wire in self._wires:
                wire.close()
            self._wires.clear()


@dataclass(frozen=True)
class Fetcher:
    """What all requests of a call have in common."""

    allowed: AllowList
    context: ssl.SSLContext
    look: Look
    network: Network = field(default_factory=Network)
    idle: Idle = field(default_factory=Idle)

    def fetch(
        self,
        request: Request,
        credentials: Credentials | None = None,
        client: ssl.SSLContext | None = None,
    ) -> Answer:
        """`client` is the context with the certificate of `credentials`, if they have one."""
        return _Trip(self, request, credentials, client).answer()


class _Trip:
    """One request on its way."""

    def __init__(
        self,
        fetcher: Fetcher,
        request: Request,
        credentials: Credentials | None,
        client: ssl.SSLContext | None,
    ) -> None:
        self._fetcher = fetcher
        self._network = fetcher.network
        self._request = request
        self._credentials = credentials
        self._client = client
        self._started = self._network.clock()
        self._deadline = self._started + request.limits.timeout
        self._retries = request.limits.retries
        self._attempts = self._redirects = 0
        self._address: Address | None = None
        self._reply: Reply | None = None

    def answer(self) -> Answer:
        finding = None
        try:
            self._run()
        except _FAILURES as failure:
            finding = self._explained(failure)
        return Answer(
            reply=self._reply,
            finding=finding,
            url=self._request.url,
            address=str(self._address[1][0]) if self._address else None,
            attempts=self._attempts,
            redirects=self._redirects,
            duration_ms=(self._network.clock() - self._started) * 1000,
        )

    def _run(self) -> None:
        while True:
            rules = self._fetcher.allowed.about(self._request.url)
            if not rules:
                raise Broken(make("HTTP_HOST_NOT_ALLOWED", f"It is {self._where()}."))
            self._reply = self._persistently(rules)
            following = self._followed(self._reply)
            if following is None:
                return
            self._request = following
            self._redirects += 1

    def _where(self) -> str:
        return str(Endpoint(*self._request.url.origin))

    # -- trying

    def _persistently(self, rules: tuple[Rule, ...]) -> Reply:
        """One request, again while that may help and time is left."""
        while True:
            self._attempts += 1
            failure: Failure | None = None
            reply = None
            try:
                reply = self._exchange(rules)
            except _FAILURES as error:
                failure = error
            hopeless = not _again(failure) if failure else reply and reply.status not in _PASSING
            if hopeless or not self._request.idempotent or not self._paused(reply):
                break
        if failure is not None:
            raise failure
        assert reply is not None
        return reply

    def _paused(self, reply: Reply | None) -> bool:
        """Wait before the next attempt; False where there is none, or no time for it."""
        if self._retries <= 0:
            return False
        done = self._request.limits.retries - self._retries
        backing_off = min(_FIRST_PAUSE * 2**done, _LONGEST_PAUSE) * (1 + os.urandom(1)[0] / 255)
        wanted = _retry_after(reply, self._network.now()) if reply else 0.0
        pause = max(backing_off, wanted)
        if self._network.clock() + pause >= self._deadline:
            return False
        self._retries -= 1
        self._network.sleep(pause)
        return True

    def _exchange(self, rules: tuple[Rule, ...]) -> Reply:
        """One request and its answer, on a connection that is there already if it may be."""
        url = self._request.url
        with_certificate = self._client is not None and self._trusted_with_secrets
        key = (url.origin, self._credentials.name if with_certificate and self._credentials else "")
        wire = self._fetcher.idle.take(key) if self._request.idempotent else None
        if wire is not None:
            try:
                return self._talk(wire, key)
            except Broken as failure:
                # Closed without a word: the server had given it up meanwhile.
                if wire.heard or not failure.again:
                    raise
        context = self._client if with_certificate else None
        context = context or self._fetcher.context
        wire = connect(url, rules, context, self._deadline, self._network)
        return self._talk(wire, key)

    @property
    def _trusted_with_secrets(self) -> bool:
        return (
            self._credentials is not None and self._credentials.origin == self._request.url.origin
        )

    # -- talking

    def _talk(self, wire: Wire, key: object) -> Reply:
        """Send the request and read the answer. The connection is kept where it can be used again,
        else closed."""
        self._address = wire.address
        kept = False
        try:
            wire.begin(self._deadline, _MAX_HEAD)
            with contextlib.suppress(ConnectionError, ssl.SSLEOFError):
                wire.sendall(self._head() + (self._request.body or b""))
            # A server may answer before it has read everything, and refuse the rest.
            response = _begun(wire, self._request.method)
            reply = self._read(wire, response)
            kept = not response.will_close and not reply.body.cut and not wire.spoiled
            return reply
        except (OSError, http.client.HTTPException, TooMuch) as error:
            raise self._failure(error, wire) from None
        finally:
            if kept:
                self._fetcher.idle.put(key, wire)
            else:
                wire.close()

    def _head(self) -> bytes:
        url = self._request.url
        headers = {
            "Host": url.authority,
            "User-Agent": "exatrust",
            "Accept": "*/*",
            "Accept-Encoding": "gzip" if self._request.limits.gzip else "identity",
        }
        secrets: Mapping[str, str] = {}
        if self._credentials is not None and self._trusted_with_secrets:
            secrets = self._credentials.headers
        # The later ones replace the earlier ones, whatever the case they are written in.
        chosen: dict[str, tuple[str, str]] = {}
        for part in (headers, self._request.headers, secrets):
            chosen.update({name.lower(): (name, value) for name, value in part.items()})
        lines = [f"{name}: {value}" for name, value in chosen.values()]
        if self._request.body is not None:
            lines.append(f"Content-Length: {len(self._request.body)}")
        head = "\r\n".join([f"{self._request.method} {url.target} HTTP/1.1", *lines, "", ""])
        return head.encode("latin-1")

    def _read(self, wire: Wire, response: http.client.HTTPResponse) -> Reply:
        headers = _joined(response)
        if _ambiguous(response):
            raise Broken(make("HTTP_MALFORMED", f"{self._where()}: its length is given twice."))
        if response.status in _REDIRECTS and self._request.limits.redirects:
            response.will_close = True  # what else it says is not read
            return Reply(response.status, headers)
        wire.budget = _MAX_WIRE
        limits = self._request.limits
        if self._request.method == "HEAD":
            response.read()
            return Reply(response.status, headers)
        try:
            https_body.require_chunked(headers.get("transfer-encoding", "chunked"))
            encoding = headers.get("content-encoding", "")
            body = https_body.collected(_chunks(response), encoding, limits.gzip)
        except BadEncoding as error:
            self._reply = Reply(response.status, headers)
            raise Broken(make("HTTP_BODY_ENCODING", sentence(f"{error}"))) from None
        response.will_close = response.will_close or not response.isclosed()
        return Reply(response.status, headers, body)

    def _failure(self, error: Exception, wire: Wire) -> Failure:
        where = self._where()
        if isinstance(error, TimeoutError):
            seconds = self._request.limits.timeout
            words = f"{where}: the answer was not complete within {seconds:g} s"
            return Broken(make("TIMEOUT", sentence(f"{words} ({wire.heard} bytes of it received)")))
        closed = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError,
                  http.client.IncompleteRead)  # fmt: skip
        if isinstance(error, closed):
            return Broken(make("HTTP_INCOMPLETE", f"{where}: {wire.heard} bytes came."), True)
        if isinstance(error, ssl.SSLError):
            return HandshakeFailed(error, wire.address)
        if isinstance(error, TooMuch):
            return Broken(make("HTTP_TOO_LARGE", f"{where}: nothing of it is kept."))
        if isinstance(error, OSError):
            return Broken(make("HTTP_INCOMPLETE", sentence(f"{where}: {error.strerror}")), True)
        return Broken(make("HTTP_MALFORMED", f"{where}: {type(error).__name__}."))

    # -- going on

    def _followed(self, reply: Reply) -> Request | None:
        """The request that a redirect asks for; None for an answer. Raises Broken."""
        location = reply.headers.get("location")
        most = self._request.limits.redirects
        if reply.status not in _REDIRECTS or location is None or not most:
            return None
        if self._redirects >= most:
            raise _no_redirect(f"more than {most} redirects, the next one to {shown(location)}")
        try:
            url = self._request.url.redirected(_utf8(location))
        except BadUrl as error:
            raise _no_redirect(f"it leads to {shown(location)}: {error}") from None
        return self._redirected(url, reply.status)

    def _redirected(self, url: Url, status: int) -> Request:
        """RFC 9110 15.4: 303 makes a GET, and so, by custom, do 301 and 302 of a POST."""
        request = self._request
        to_get = request.method not in _SAFE and (
            status == 303 or (status in (301, 302) and request.method == "POST")
        )
        if to_get:
            headers = {k: v for k, v in request.headers.items() if k.lower() != "content-type"}
            request = replace(request, method="GET", body=None, headers=headers)
        if url.origin != request.url.origin:
            if request.method not in _SAFE:
                raise _no_redirect(f"a {request.method} is not sent on to another host, {url}")
            self._credentials = self._client = None  # for good, even if it leads back
            headers = {k: v for k, v in request.headers.items() if k.lower() in _HARMLESS}
            request = replace(request, headers=headers)
        return replace(request, url=url)

    # -- explaining

    def _explained(self, failure: Failure) -> Finding:
        if isinstance(failure, Broken):
            return failure.finding
        if isinstance(failure, AddressRefused):
            return make("HTTP_ADDRESS_NOT_ALLOWED", sentence(str(failure)))
        from exatrust_udf.obstacles import obstacle  # most requests meet none

        self._address = failure.address or self._address
        if isinstance(failure, HandshakeFailed):
            return self._untrusted(failure)
        reached = failure.problem.phase == HANDSHAKE
        evidence = Evidence(Endpoint(*self._request.url.origin), connected=reached)
        return obstacle(evidence, failure.problem)

    def _untrusted(self, failure: HandshakeFailed) -> Finding:
        """What CHECK_ENDPOINT says; but it has no client certificate to offer."""
        from exatrust_udf import tls
        from exatrust_udf.obstacles import obstacle

        refused = isinstance(failure.error, ssl.SSLCertVerificationError)
        ours = self._client is not None and not refused
        found = None if ours else self._fetcher.look(self._request.url, failure.address)
        if found is not None:
            return found
        problem = tls.classify(failure.error, tls.Record())
        if problem.finding == VERIFY:
            return make("VERIFY_ERROR", sentence(problem.detail))
        return obstacle(Evidence(Endpoint(*self._request.url.origin), connected=True), problem)


def _again(failure: Failure) -> bool:
    if isinstance(failure, HandshakeFailed):
        return isinstance(failure.error, (ssl.SSLEOFError, ConnectionError))
    return isinstance(failure, (Broken, NoConnection)) and failure.again


def _no_redirect(why: str) -> Broken:
    return Broken(make("HTTP_REDIRECT", sentence(f"{why[:1].upper()}{why[1:]}")))


def _begun(wire: Wire, method: str) -> http.client.HTTPResponse:
    """The answer up to the end of its headers. Interim ones (RFC 9110 15.2) are passed over."""
    response = http.client.HTTPResponse(wire, method=method)  # type: ignore[arg-type]
    response.begin()
    while 100 <= response.status < 200:
        if response.status == 101:
            raise http.client.UnknownProtocol("101")
        response.headers = response.msg = None  # type: ignore[assignment]
        response.begin()
    return response


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Raises IncompleteRead where the connection ends before the body does."""
    while chunk := response.read(_CHUNK):
        yield chunk
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)


def _joined(response: http.client.HTTPResponse) -> dict[str, str]:
    """Headers of the same name as one (RFC 9110 5.3); Set-Cookie cannot be joined with commas."""
    found: dict[str, str] = {}
    for name, value in response.getheaders():
        key = name.lower()
        between = "\n" if key == "set-cookie" else ", "
        found[key] = f"{found[key]}{between}{value}" if key in found else value
    return found


def _ambiguous(response: http.client.HTTPResponse) -> bool:
    """Whether the headers give more than one length (RFC 9112 6.3): what one program takes for the
    end of an answer is then the middle of it for another."""
    lengths = set(response.headers.get_all("content-length", ()))
    return len(lengths) > 1 or bool(lengths and response.headers.get("transfer-encoding"))


def _utf8(location: str) -> str:
    """http.client takes headers for Latin-1; servers that send more send UTF-8."""
    try:
        return location.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return location


def _retry_after(reply: Reply, now: float) -> float:
    """Seconds that the server wants to be left alone (RFC 9110 10.2.3); 0 if it does not say."""
    text = reply.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(email.utils.parsedate_to_datetime(text).timestamp() - now, 0.0)
    except (TypeError, ValueError, OverflowError):
        return 0.0
