"""Many endpoints, one handshake each, in one thread: an event loop over non-blocking sockets.

The dead must not hold up the living: each phase has its own deadline, and as many endpoints are in
flight as `Limits` and the file descriptors allow. Every handshake verifies.
"""

from __future__ import annotations

import selectors
import ssl
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush

from exatrust_udf.attempt import Attempt, Limits
from exatrust_udf.endpoint import BadEndpoint, Endpoint, is_address
from exatrust_udf.evidence import Evidence
from exatrust_udf.resolver import Lookup, Resolve, Resolver, system

__all__ = ["BadEndpoint", "Endpoint", "Evidence", "Limits", "client_context", "collect"]

_SPARE_DESCRIPTORS = 64

ContextFor = Callable[[Endpoint], ssl.SSLContext]

# ssl.VERIFY_X509_PARTIAL_CHAIN has its name since Python 3.10, but only where OpenSSL has it.
PARTIAL_CHAIN = int(getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0x80000))


def client_context(anchors: Iterable[bytes], names_agree: bool = True) -> ssl.SSLContext:
    """A context that trusts exactly `anchors` (DER) and otherwise is what this Python defaults to.

    `ssl.create_default_context()` without anchors would load the container's own; here no anchors
    means that nothing is trusted. Anchors that OpenSSL cannot read are left out.

    Python verifies the name that it announces. Where another one is to be verified, not
    `names_agree`, the handshake verifies the chain and proves the key; the caller must have OpenSSL
    verify the other name in memory before it trusts the endpoint.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = names_agree
    context.verify_flags |= default_flags()
    ders = tuple(anchors)
    try:
        if ders:
            context.load_verify_locations(cadata=b"".join(ders))
    except ssl.SSLError:
        for der in ders:
            _load_one(context, der)
    return context


def _load_one(context: ssl.SSLContext, der: bytes) -> None:
    try:
        context.load_verify_locations(cadata=der)
    except ssl.SSLError:
        return


def default_flags() -> ssl.VerifyFlags:
    """What `ssl.create_default_context()` adds to a context's own flags (since Python 3.13)."""
    if sys.version_info >= (3, 13):
        return ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    return ssl.VERIFY_X509_TRUSTED_FIRST


def collect(
    endpoints: Iterable[Endpoint],
    context: ssl.SSLContext | ContextFor,
    limits: Limits | None = None,
    *,
    resolve: Resolve = system,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Evidence]:
    """Connect to every endpoint and yield its evidence as it comes, in no particular order.

    `context` is one for all, or says which one an endpoint gets. Raises ValueError for a context
    that does not verify. Nothing else is raised for an endpoint.
    """

    def chosen(endpoint: Endpoint) -> ssl.SSLContext:
        found = context if isinstance(context, ssl.SSLContext) else context(endpoint)
        return verifying(found, endpoint.names_agree)

    loop = _Loop(chosen, limits or Limits(), Resolver(resolve), clock)
    try:
        yield from loop.run(deque(endpoints))
    finally:
        loop.close()


def verifying(context: ssl.SSLContext, names_agree: bool = True) -> ssl.SSLContext:
    """`context` itself. Raises ValueError for one that does not verify.

    Where not `names_agree` the name is verified in memory, see client_context.
    """
    checks_name = context.check_hostname or not names_agree
    if context.verify_mode != ssl.CERT_REQUIRED or not checks_name:
        raise ValueError("exatrust connects only with verification")
    return context


def _in_flight(limits: Limits) -> int:
    try:
        import resource  # not on Windows, from where an administrator may probe
    except ImportError:
        return limits.in_flight
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = limits.in_flight if soft == resource.RLIM_INFINITY else soft - _SPARE_DESCRIPTORS
    return max(1, min(limits.in_flight, room))


class _Loop:
    """Only attempts that something happened to are looked at: thousands may be waiting."""

    def __init__(
        self,
        context: ContextFor,
        limits: Limits,
        resolver: Resolver,
        clock: Callable[[], float],
    ) -> None:
        self._context = context
        self._limits = limits
        self._resolver = resolver
        self._clock = clock
        self._room = _in_flight(limits)
        self._selector = selectors.DefaultSelector()
        self._selector.register(resolver.wake, selectors.EVENT_READ, None)
        self._active: set[Attempt] = set()
        self._looking: dict[Lookup, Attempt] = {}
        self._registered: dict[Attempt, int] = {}
        # (deadline, number to break ties, attempt); entries that no longer hold are skipped.
        self._deadlines: list[tuple[float, int, Attempt]] = []
        self._pushed = 0

    def run(self, waiting: deque[Endpoint]) -> Iterator[Evidence]:
        while waiting or self._active:
            touched: dict[Attempt, None] = {}
            while waiting and len(self._active) < self._room:
                touched[self._begin(waiting.popleft())] = None
            events = self._selector.select(0 if touched else self._until_next())
            now = self._clock()
            for key, _ in events:
                if key.data is not None:
                    key.data.ready(now)
                    touched[key.data] = None
            touched.update(dict.fromkeys([*self._answered(now), *self._expired(now)]))
            yield from self._settle(touched)

    def close(self) -> None:
        for attempt in self._active:
            attempt.close()
        self._selector.close()
        self._resolver.close()

    def _begin(self, endpoint: Endpoint) -> Attempt:
        attempt = Attempt(endpoint, self._context(endpoint), self._limits, self._forget)
        self._active.add(attempt)
        host, port = endpoint.target
        if is_address(host):
            attempt.resolved(self._resolver.at_once(host, port), self._clock())
        else:
            attempt.lookup = self._resolver.ask(host, port)
            self._looking[attempt.lookup] = attempt
        return attempt

    def _answered(self, now: float) -> Iterator[Attempt]:
        for lookup in self._resolver.answers():
            attempt = self._looking.pop(lookup)
            attempt.resolved(lookup, now)
            yield attempt

    def _expired(self, now: float) -> Iterator[Attempt]:
        for lookup, attempt in list(self._looking.items()):
            if lookup.started and now >= lookup.started + attempt.seconds_to_resolve():
                del self._looking[lookup]
                self._resolver.abandon(lookup)
                attempt.lookup_expired(now)
                yield attempt
        while self._deadlines and self._deadlines[0][0] <= now:
            deadline, _, attempt = heappop(self._deadlines)
            if attempt.evidence is None and attempt.deadline == deadline:
                attempt.expired(now)
                yield attempt

    def _until_next(self) -> float:
        """Seconds until the nearest deadline; look-ups start in other threads, so at most 0.25."""
        nearest = self._deadlines[0][0] - self._clock() if self._deadlines else 0.25
        return max(0.0, min(nearest, 0.25) if self._looking else nearest)

    def _settle(self, touched: Iterable[Attempt]) -> Iterator[Evidence]:
        for attempt in touched:
            if attempt.evidence is None:
                self._watch(attempt)
            elif attempt in self._active:
                self._active.discard(attempt)
                yield attempt.evidence

    def _watch(self, attempt: Attempt) -> None:
        """Bring selector and deadlines up to date with what an attempt waits for."""
        if attempt.deadline is not None and attempt.deadline != attempt.watched_until:
            attempt.watched_until = attempt.deadline
            self._pushed += 1
            heappush(self._deadlines, (attempt.deadline, self._pushed, attempt))
        if attempt.sock is None or self._registered.get(attempt) == attempt.events:
            return
        if attempt in self._registered:
            self._selector.modify(attempt.sock, attempt.events, attempt)
        else:
            self._selector.register(attempt.sock, attempt.events, attempt)
        self._registered[attempt] = attempt.events

    def _forget(self, attempt: Attempt) -> None:
        if self._registered.pop(attempt, None) is not None and attempt.sock is not None:
            self._selector.unregister(attempt.sock)
