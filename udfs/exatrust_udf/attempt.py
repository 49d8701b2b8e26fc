"""One endpoint's way through the phases, as a state machine that the event loop steps."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from exatrust_udf import upgrade
from exatrust_udf.endpoint import Endpoint
from exatrust_udf.evidence import CONNECT, HANDSHAKE, PROXY, RESOLVE, Evidence, Problem
from exatrust_udf.resolver import Address, Lookup
from exatrust_udf.talk import Closed, Injected, NotThisProtocol, Refused, TurnedAway
from exatrust_udf.tls import Record

_READ = selectors.EVENT_READ
_WRITE = selectors.EVENT_WRITE
_CHUNK = 65536
_SHOWN = 64
_LINGER = 0.25
_NO_ROUTE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES, errno.EPERM, errno.ENETDOWN,
             errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for each phase, counted from its own start; how many endpoints at a time."""

    resolve: float = 5.0
    connect: float = 5.0
    handshake: float = 5.0
    in_flight: int = 256


class Attempt:
    """One endpoint. `events` says what it waits for; `deadline` until when (monotonic seconds)."""

    def __init__(
        self,
        endpoint: Endpoint,
        context: ssl.SSLContext,
        limits: Limits,
        forget: Callable[[Attempt], None],
    ) -> None:
        self._forget = forget
        self.endpoint = endpoint
        self.sock: socket.socket | None = None
        self.events = 0
        self.deadline: float | None = None
        self.lookup: Lookup | None = None
        self.watched_until: float | None = None
        self.evidence: Evidence | None = None
        self._limits = limits
        self._record = Record()
        self._stage = upgrade.Stage()
        self._talk = upgrade.conversation(endpoint, context, self._record, self._stage)
        self._phase = RESOLVE
        self._addresses: list[Address] = []
        self._address: Address | None = None
        self._outgoing = b""
        self._heard = b""
        self._connected = False
        self._started: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._first_error: Problem | None = None

    def resolved(self, lookup: Lookup, now: float) -> None:
        """The name is known, or cannot be."""
        self.lookup = None
        self._started[RESOLVE] = lookup.started or now
        self._ended[RESOLVE] = lookup.finished or now
        if lookup.error is not None or not lookup.addresses:
            self._finish(Problem("DNS", RESOLVE, _dns_words(lookup)), now)
            return
        self._addresses = list(lookup.addresses)
        self._start_phase(CONNECT, now)
        self._connect_next(now)

    def ready(self, now: float) -> None:
        """The socket can be read from or written to."""
        if self._phase == CONNECT:
            self._connection_made(now)
        elif self.events & _WRITE:
            self._send(now)
        else:
            self._receive(now)

    def expired(self, now: float) -> None:
        """The deadline has passed."""
        if self._record.done:
            self._finish(None, now)  # the server had nothing more to say
        elif self._phase == CONNECT:
            self._connect_failed(Problem("TIMEOUT", CONNECT, self._waited(CONNECT)), now)
        else:
            self._finish(Problem("TIMEOUT", self._phase, self._waited(self._phase)), now)

    def lookup_expired(self, now: float) -> None:
        """The resolver did not answer in time."""
        self.lookup = None
        self._finish(Problem("TIMEOUT", RESOLVE, self._waited(RESOLVE)), now)

    def close(self) -> None:
        """Close the socket, after the loop has forgotten it: its number will be used again."""
        if self.sock is not None:
            self._forget(self)
            self.sock.close()
            self.sock = None

    # -- connecting

    def _connect_next(self, now: float) -> None:
        """Try the next address; each gets an equal share of the time left."""
        self._address = self._addresses.pop(0)
        end = self._started[CONNECT] + self._seconds(CONNECT)
        self.deadline = now + max(end - now, 0.05) / (len(self._addresses) + 1)
        family, address = self._address
        try:
            self.sock = socket.socket(family, socket.SOCK_STREAM)
            self.sock.setblocking(False)
            code = self.sock.connect_ex(address)
        except OSError as error:
            self._connect_failed(connect_problem(error.errno or 0), now)
            return
        if code in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
            self.events = _WRITE
        else:
            self._connect_failed(connect_problem(code), now)

    def _connection_made(self, now: float) -> None:
        assert self.sock is not None
        code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._connect_failed(connect_problem(code), now)
            return
        self._connected = True
        self._ended[CONNECT] = now
        self._step(None, now)

    def _connect_failed(self, problem: Problem, now: float) -> None:
        self.close()
        self._first_error = self._first_error or problem
        if self._addresses:
            self._connect_next(now)
        else:
            self._ended[CONNECT] = now
            self._finish(self._first_error, now)

    # -- talking

    def _step(self, data: bytes | None, now: float) -> None:
        """Resume the conversation with `data` and note what it wants to send."""
        try:
            self._outgoing = next(self._talk) if data is None else self._talk.send(data)
        except StopIteration:
            self._finish(self._record.problem, now)
            return
        except (Refused, NotThisProtocol, Closed) as error:
            self._follow_stage(now)
            self._finish(_upgrade_problem(error, self._stage.name), now)
            return
        self._follow_stage(now)
        self._note_end(now)
        self.events = _WRITE if self._outgoing else _READ
        if self._outgoing:
            self._send(now)

    def _note_end(self, now: float) -> None:
        if self._record.problem is not None or self._record.done:
            self._ended.setdefault(HANDSHAKE, now)
            connect = self._ended[CONNECT] - self._started[CONNECT]
            self.deadline = min(self.deadline or now, now + _LINGER + 2 * connect)

    def _send(self, now: float) -> None:
        assert self.sock is not None
        try:
            sent = self.sock.send(self._outgoing)
        except BlockingIOError:
            return
        except OSError:
            self._step(b"", now)
            return
        self._outgoing = self._outgoing[sent:]
        if not self._outgoing:
            self.events = _READ
            if self._record.problem is not None:
                self._finish(self._record.problem, now)

    def _receive(self, now: float) -> None:
        assert self.sock is not None
        try:
            data = self.sock.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._heard += data[: _SHOWN - len(self._heard)]
        self._step(data, now)

    # -- the end

    def _follow_stage(self, now: float) -> None:
        if self._stage.name != self._phase:
            self._start_phase(self._stage.name, now)

    def _start_phase(self, phase: str, now: float) -> None:
        self._phase = phase
        self._heard = b""
        self._started[phase] = now
        self.deadline = now + self._seconds(phase)

    def _seconds(self, phase: str) -> float:
        if self.endpoint.timeout is not None:
            return self.endpoint.timeout
        known = {RESOLVE: self._limits.resolve, CONNECT: self._limits.connect}
        return known.get(phase, self._limits.handshake)

    def seconds_to_resolve(self) -> float:
        """How long the look-up may take once it has a thread."""
        return self._seconds(RESOLVE)

    def _waited(self, phase: str) -> str:
        received = f", {self._record.total} bytes received" if phase == HANDSHAKE else ""
        return f"no answer within {self._seconds(phase):g} s ({phase}{received})"

    def _milliseconds(self, phase: str, now: float) -> float | None:
        start = self._started.get(phase)
        return None if start is None else max(self._ended.get(phase, now) - start, 0.0) * 1000

    def _finish(self, problem: Problem | None, now: float) -> None:
        self.close()
        self._talk.close()
        self.events = 0
        record = self._record
        self.evidence = Evidence(
            endpoint=self.endpoint,
            address=str(self._address[1][0]) if self._address else None,
            connected=self._connected,
            problem=record.problem or problem,
            verify_code=record.verify_code,
            verify_text=record.verify_text,
            received=record.received,
            verified=record.verified,
            tls_version=record.version,
            cipher=record.cipher,
            first_bytes=bytes(record.raw[:_SHOWN]) or self._heard,
            resolve_ms=self._milliseconds(RESOLVE, now),
            connect_ms=self._milliseconds(CONNECT, now),
            handshake_ms=self._milliseconds(HANDSHAKE, now),
        )


def connect_problem(code: int) -> Problem:
    """Which finding an errno of a failed connection is."""
    finding = "REFUSED" if code == errno.ECONNREFUSED else "UNREACHABLE"
    if code == errno.ETIMEDOUT:
        finding = "TIMEOUT"
    elif code not in _NO_ROUTE and finding == "UNREACHABLE":
        finding = "CLOSED" if code == errno.ECONNRESET else finding
    return Problem(finding, CONNECT, os.strerror(code) if code else "no such address family")


def _upgrade_problem(error: Exception, phase: str) -> Problem:
    if isinstance(error, Closed):
        return Problem("CLOSED", phase, f"closed in the phase {phase}")
    if phase == PROXY:
        words = "its answer is not HTTP: " if isinstance(error, NotThisProtocol) else ""
        return Problem("PROXY_REFUSED", phase, f"{words}{error}")
    if isinstance(error, NotThisProtocol):
        return Problem("NOT_TLS", phase, f"the answer is not of this protocol: {error}")
    if isinstance(error, TurnedAway):
        return Problem("TURNED_AWAY", phase, str(error))
    finding = "PLAINTEXT_INJECTED" if isinstance(error, Injected) else "UPGRADE_REFUSED"
    return Problem(finding, phase, str(error))


def _dns_words(lookup: Lookup) -> str:
    if lookup.error is None:
        return "no address"
    return str(lookup.error.strerror or lookup.error)
