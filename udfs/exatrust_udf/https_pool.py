"""Threads that work on jobs for hosts: a bounded number of them, and fewer for each host.

Whoever adds jobs looks first whether there is room, and takes a result before it adds more: so
memory is bounded, too.
"""

from __future__ import annotations

import queue
import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

PER_HOST = 4
# Jobs read ahead, so that one slow host does not hold up the others.
_AHEAD = 64
_AHEAD_BYTES = 1 << 24


class Job(Protocol):
    """`size` is in bytes."""

    @property
    def host(self) -> str: ...
    @property
    def size(self) -> int: ...


Work = TypeVar("Work", bound=Job)
Result = TypeVar("Result")


class Pool(Generic[Work, Result]):
    """At most `size` threads, and no more than PER_HOST for a host, call `work` with the jobs."""

    def __init__(self, size: int, work: Callable[[Work], Result]) -> None:
        self._size = size
        self._work = work
        self._waiting: deque[Work] = deque()
        self._running: Counter[str] = Counter()
        self._threads = 0
        self._jobs: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[tuple[Work, Result | BaseException]] = queue.SimpleQueue()

    @property
    def busy(self) -> bool:
        return bool(self._waiting or self._running.total())

    @property
    def has_room(self) -> bool:
        """Whether another job should be added now."""
        few = len(self._waiting) < _AHEAD
        return few and sum(job.size for job in self._waiting) < _AHEAD_BYTES

    def add(self, job: Work) -> None:
        self._waiting.append(job)
        self._start()

    def next(self) -> Result:
        """Wait for the next one that ends. Raises what its work raised: that is a bug."""
        job, result = self._ended.get()
        self._running -= Counter((job.host,))
        self._start()
        if isinstance(result, BaseException):
            raise result
        return result

    def close(self) -> None:
        for _ in range(self._threads):
            self._jobs.put(None)

    def _start(self) -> None:
        """Start what waits and may, the first come first."""
        still: deque[Work] = deque()
        while self._waiting and self._running.total() < self._size:
            job = self._waiting.popleft()
            if self._running[job.host] >= PER_HOST:
                still.append(job)
                continue
            self._running[job.host] += 1
            if self._threads < min(self._running.total(), self._size):
                self._threads += 1
                threading.Thread(target=self._serve, name="request", daemon=True).start()
            self._jobs.put(job)
        self._waiting.extendleft(reversed(still))

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self._ended.put((job, self._work(job)))
            except BaseException as error:  # raised again where somebody hears it
                self._ended.put((job, error))
