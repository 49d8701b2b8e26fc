"""Many endpoints, one handshake each, in one thread: an event loop over non-blocking sockets.

The dead must not hold up the living: each phase has its own deadline, and as many endpoints are in
flight as `Limits` and the file descriptors allow. Every handshake verifies.
"""

from __future__ import annotations

import resource
import selectors
import ssl
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from exatrust_udf.attempt import Attempt, Limits
from exatrust_udf.endpoint import BadEndpoint, Endpoint
from exatrust_udf.evidence import Evidence
from exatrust_udf.resolver import Resolve, Resolver, system

__all__ = ["BadEndpoint", "Endpoint", "Evidence", "Limits", "client_context", "collect"]

_SPARE_DESCRIPTORS = 64

# ssl.VERIFY_X509_PARTIAL_CHAIN has its name since Python 3.10, but only where OpenSSL has it.
PARTIAL_CHAIN = int(getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0x80000))


def client_context(anchors: Iterable[bytes]) -> ssl.SSLContext:
    """A context that trusts exactly `anchors` (DER) and otherwise is what this Python defaults to.

    `ssl.create_default_context()` without anchors would load the container's own; here no anchors
    means that nothing is trusted. Anchors that OpenSSL cannot read are left out.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
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
    context: ssl.SSLContext,
    limits: Limits | None = None,
    *,
    resolve: Resolve = system,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Evidence]:
    """Connect to every endpoint and yield its evidence as it comes, in no particular order.

    Raises ValueError for a context that does not verify. Nothing else is raised for an endpoint.
    """
    if context.verify_mode != ssl.CERT_REQUIRED or not context.check_hostname:
        raise ValueError("exatrust connects only with verification")
    loop = _Loop(context, limits or Limits(), Resolver(resolve), clock)
    try:
        yield from loop.run(deque(endpoints))
    finally:
        loop.close()


def _in_flight(limits: Limits) -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = limits.in_flight if soft == resource.RLIM_INFINITY else soft - _SPARE_DESCRIPTORS
    return max(1, min(limits.in_flight, room))


class _Loop:
    def __init__(
        self,
        context: ssl.SSLContext,
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
        self._registered: dict[Attempt, tuple[int, int]] = {}

    def run(self, waiting: deque[Endpoint]) -> Iterator[Evidence]:
        while waiting or self._active:
            while waiting and len(self._active) < self._room:
                self._begin(waiting.popleft())
            events = self._selector.select(self._until_next())
            now = self._clock()
            for key, _ in events:
                if key.data is not None:
                    key.data.ready(now)
            self._take_answers(now)
            self._expire(now)
            yield from self._finished()

    def close(self) -> None:
        for attempt in self._active:
            attempt.close()
        self._selector.close()
        self._resolver.close()

    def _begin(self, endpoint: Endpoint) -> None:
        attempt = Attempt(endpoint, self._context, self._limits, self._forget)
        self._active.add(attempt)
        attempt.begin(self._resolver.ask(*endpoint.target))

    def _take_answers(self, now: float) -> None:
        answers = {id(lookup): lookup for lookup in self._resolver.answers()}
        if not answers:
            return
        for attempt in self._active:
            if attempt.lookup is not None and id(attempt.lookup) in answers:
                attempt.resolved(attempt.lookup, now)

    def _expire(self, now: float) -> None:
        for attempt in self._active:
            lookup = attempt.lookup
            if lookup is not None:
                if lookup.started and now >= lookup.started + attempt.seconds_to_resolve():
                    self._resolver.abandon(lookup)
                    attempt.lookup_expired(now)
            elif attempt.evidence is None and attempt.deadline and now >= attempt.deadline:
                attempt.expired(now)

    def _until_next(self) -> float:
        """Seconds until the nearest deadline; look-ups start in other threads, so at most 0.25."""
        now = self._clock()
        deadlines = [a.deadline for a in self._active if a.deadline is not None]
        nearest = min(deadlines, default=now + 0.25) - now
        looking = any(a.lookup is not None for a in self._active)
        return max(0.0, min(nearest, 0.25) if looking else nearest)

    def _finished(self) -> Iterator[Evidence]:
        done = []
        for attempt in self._active:
            if attempt.evidence is not None:
                done.append(attempt)
            self._watch(attempt)
        for attempt in done:
            self._active.discard(attempt)
            assert attempt.evidence is not None
            yield attempt.evidence

    def _watch(self, attempt: Attempt) -> None:
        """Bring the selector up to date with what an attempt waits for."""
        if attempt.sock is None or not attempt.events:
            return
        wanted = (attempt.sock.fileno(), attempt.events)
        known = self._registered.get(attempt)
        if known is None:
            self._selector.register(*wanted, attempt)
        elif wanted != known:
            self._selector.modify(*wanted, attempt)
        self._registered[attempt] = wanted

    def _forget(self, attempt: Attempt) -> None:
        known = self._registered.pop(attempt, None)
        if known is not None:
            self._selector.unregister(known[0])
