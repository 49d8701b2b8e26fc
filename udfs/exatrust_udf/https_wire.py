"""A verified TLS connection to an address that was allowed, with a deadline for every byte.

A name is resolved once, its addresses are checked, and the connection goes to one of those: DNS
that answers differently a moment later changes nothing.
"""

from __future__ import annotations

import io
import queue
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from exatrust_udf.endpoint import is_address
from exatrust_udf.evidence import CONNECT, HANDSHAKE, RESOLVE, Problem
from exatrust_udf.https_address import PRIVATE, PUBLIC, reach
from exatrust_udf.https_allowed import Rule, admitted
from exatrust_udf.https_url import Url
from exatrust_udf.resolver import MAX_THREADS, Address, Resolve, system

_CONNECT_SECONDS = 10.0
# Names that the resolver does not answer leave a thread behind each.
_looking_up = threading.BoundedSemaphore(MAX_THREADS)


class NoConnection(Exception):
    """There was no connection. `address` is where one was tried; `again` says whether trying once
    more may help."""

    def __init__(self, problem: Problem, address: Address | None = None) -> None:
        super().__init__(problem.finding)
        self.problem = problem
        self.address = address

    @property
    def again(self) -> bool:
        if self.problem.phase == HANDSHAKE:
            return self.problem.finding == "CLOSED"
        return self.problem.finding in ("REFUSED", "UNREACHABLE", "TIMEOUT", "CLOSED")


class AddressRefused(Exception):
    """The name leads to where no request may go; the message says to what."""


class HandshakeFailed(Exception):
    """TLS failed, before or after the request was sent: where, and OpenSSL's error."""

    def __init__(self, error: Exception, address: Address) -> None:
        super().__init__(str(error))
        self.error = error
        self.address = address


def is_own(address: Address) -> bool:
    """Whether the address is this machine's own, by the route to it. Sends nothing."""
    family, place = address
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as route:
            route.connect(place)
            return str(route.getsockname()[0]) == str(place[0])
    except OSError:
        return False


@dataclass(frozen=True)
class Network:
    """What the outside world is reached by. `own` says whether an address is this machine's."""

    resolve: Resolve = system
    own: Callable[[Address], bool] = is_own
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time


class Wire:
    """What `http.client.HTTPResponse` reads from instead of a socket.

    `deadline` (monotonic seconds) holds for everything; `budget` is how many bytes may still come.
    """

    def __init__(self, sock: ssl.SSLSocket, address: Address, network: Network) -> None:
        self._sock = sock
        self._network = network
        self.address = address
        self.deadline = 0.0
        self.budget = 0
        self.heard = 0
        self.spoiled = False

    def begin(self, deadline: float, budget: int) -> None:
        """Get ready for one request and its answer."""
        self.deadline, self.budget = deadline, budget
        self.heard, self.spoiled = 0, False

    def makefile(self, mode: str) -> io.BufferedReader:
        """A reader for one answer."""
        return _Buffered(_Reader(self))

    def sendall(self, data: bytes) -> None:
        """Raises TimeoutError and OSError."""
        view = memoryview(data)
        while view:
            self._sock.settimeout(self._left())
            view = view[self._sock.send(view[:65536]) :]

    def read_into(self, buffer: Any) -> int:
        """Raises TimeoutError, OSError, and TooMuch where more comes than the budget allows."""
        if self.budget <= 0:
            raise TooMuch
        view = memoryview(buffer)[: self.budget]
        self._sock.settimeout(self._left())
        count = self._sock.recv_into(view)
        self.budget -= count
        self.heard += count
        return count

    @property
    def idle(self) -> bool:
        """Whether nothing has come since the last answer, not even an end."""
        if self._sock.pending():
            return False
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        self._sock.close()

    def _left(self) -> float:
        left = self.deadline - self._network.clock()
        if left <= 0:
            raise TimeoutError
        return left


class TooMuch(Exception):
    """The server sends more than there is room for."""


class _Reader(io.RawIOBase):
    """`dry` means that nothing more may be read: as from a socket that would block."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.dry = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        return None if self.dry else self.wire.read_into(buffer)


class _Buffered(io.BufferedReader):
    """Notes when it is closed whether more had come than the answer: the next one would begin with
    that, so that the connection is spoiled."""

    def close(self) -> None:
        raw = self.raw
        if not self.closed and isinstance(raw, _Reader):
            raw.dry = True
            raw.wire.spoiled = raw.wire.spoiled or bool(self.peek(1))
        super().close()


def connect(
    url: Url,
    rules: Iterable[Rule],
    context: ssl.SSLContext,
    deadline: float,
    network: Network,
) -> Wire:
    """A verified connection. Raises NoConnection, AddressRefused, HandshakeFailed, and ValueError
    for a context that does not verify."""
    if context.verify_mode != ssl.CERT_REQUIRED or not context.check_hostname:
        raise ValueError("exatrust connects only with verification")
    addresses = _admitted(_resolved(url, deadline, network), rules, url, network)
    sock, address = _connected(addresses, deadline, network)
    return Wire(_secured(sock, url, context, address, deadline, network), address, network)


def _resolved(url: Url, deadline: float, network: Network) -> list[Address]:
    if is_address(url.host):
        return network.resolve(url.host, url.port)
    left = deadline - network.clock()
    try:
        return _within(left, lambda: network.resolve(url.host, url.port))
    except TimeoutError:
        words = f"no answer within {max(left, 0):.3g} s (resolve)"
        raise NoConnection(Problem("TIMEOUT", RESOLVE, words)) from None
    except UnicodeError as error:
        raise NoConnection(Problem("DNS", RESOLVE, str(error))) from None
    except OSError as error:
        raise NoConnection(Problem("DNS", RESOLVE, error.strerror or str(error))) from None


def _within(seconds: float, ask: Callable[[], list[Address]]) -> list[Address]:
    """`ask()`, which may hang. Raises TimeoutError and what it raises."""
    answers: queue.SimpleQueue[list[Address] | Exception] = queue.SimpleQueue()
    if seconds <= 0 or not _looking_up.acquire(timeout=seconds):
        raise TimeoutError
    threading.Thread(target=_ask, args=(ask, answers), name="resolver", daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _ask(
    ask: Callable[[], list[Address]], answers: queue.SimpleQueue[list[Address] | Exception]
) -> None:
    try:
        answers.put(ask())
    except Exception as error:
        answers.put(error)
    finally:
        _looking_up.release()


def _admitted(
    found: list[Address], rules: Iterable[Rule], url: Url, network: Network
) -> list[Address]:
    allowed = tuple(rules)
    good = [a for a in found if admitted(allowed, str(a[1][0]), network.own(a))]
    if found and not good:
        first = str(found[0][1][0])
        name = "" if first == url.host else f"{url.host} leads to "
        scope, words = reach(first)
        # Of a loopback address its range says more.
        if scope in (PUBLIC, PRIVATE) and network.own(found[0]):
            words = "an address of this machine"
        raise AddressRefused(f"{name}{first}, {words}")
    if not good:
        raise NoConnection(Problem("DNS", RESOLVE, "no address"))
    return good


def _connected(
    addresses: list[Address], deadline: float, network: Network
) -> tuple[socket.socket, Address]:
    """The first address that answers; each gets an equal share of the time left."""
    first: NoConnection | None = None
    for position, address in enumerate(addresses):
        left = min(deadline - network.clock(), _CONNECT_SECONDS)
        share = max(left, 0.05) / (len(addresses) - position)
        try:
            return _connected_to(address, share), address
        except NoConnection as error:
            first = first or error
    assert first is not None
    raise first


def _connected_to(address: Address, seconds: float) -> socket.socket:
    family, place = address
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise NoConnection(_problem(error), address) from None
    try:
        sock.settimeout(seconds)
        sock.connect(place)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except TimeoutError:
        sock.close()
        words = f"no answer within {seconds:.3g} s (connect)"
        raise NoConnection(Problem("TIMEOUT", CONNECT, words), address) from None
    except OSError as error:
        sock.close()
        raise NoConnection(_problem(error), address) from None
    return sock


def _problem(error: OSError) -> Problem:
    from exatrust_udf.attempt import connect_problem  # most connections come about

    return connect_problem(error.errno or 0)


def _secured(
    sock: socket.socket,
    url: Url,
    context: ssl.SSLContext,
    address: Address,
    deadline: float,
    network: Network,
) -> ssl.SSLSocket:
    seconds = max(deadline - network.clock(), 0.001)
    # bytes, because a str would load the IDNA codec; hosts are ASCII.
    name: str = url.host.encode("ascii")  # type: ignore[assignment]
    try:
        sock.settimeout(seconds)
        # An end that is none of TLS's own (close_notify) must show: somebody may have cut it off.
        return context.wrap_socket(sock, server_hostname=name, suppress_ragged_eofs=False)
    except TimeoutError:
        sock.close()
        words = f"no answer within {seconds:.3g} s (handshake)"
        raise NoConnection(Problem("TIMEOUT", HANDSHAKE, words), address) from None
    except OSError as error:
        sock.close()
        raise HandshakeFailed(error, address) from error
