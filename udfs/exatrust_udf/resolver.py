"""Names to addresses without waiting: blocking look-ups in a few daemon threads.

A thread that hangs in the system's resolver cannot be stopped, so it is left behind and another
takes its place, up to a limit: hung names must not starve the good ones.
"""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

Address = tuple[int, tuple[object, ...]]
Resolve = Callable[[str, int], list[Address]]

# They only wait: a name server that is dead must not be waited for in a hundred turns.
WORKERS = 32
MAX_THREADS = 64


@dataclass(slots=True, eq=False)
class Lookup:
    """One question; `started` is None while it waits for a thread (monotonic seconds)."""

    host: str
    port: int
    started: float | None = None
    addresses: list[Address] = field(default_factory=list)
    error: OSError | None = None
    finished: float | None = None
    abandoned: bool = False


def system(host: str, port: int) -> list[Address]:
    """Ask the system's resolver; each address once, in its order. Raises OSError."""
    # bytes, because a str would load the IDNA codec; endpoints hold ASCII names.
    found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


class Resolver:
    """Answers appear in `finished`; `wake` is a readable descriptor whenever there are some."""

    def __init__(self, resolve: Resolve = system) -> None:
        self._resolve = resolve
        self._questions: queue.SimpleQueue[Lookup | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Lookup] = queue.SimpleQueue()
        self._threads = 0
        self._busy = 0
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._lock = threading.Lock()
        self._closed = False

    @property
    def wake(self) -> int:
        """Descriptor to select on."""
        return self._read

    def ask(self, host: str, port: int) -> Lookup:
        """Put a question."""
        lookup = Lookup(host, port)
        self._busy += 1
        self._questions.put(lookup)
        if self._threads < min(self._busy, WORKERS):
            self._start()
        return lookup

    def at_once(self, host: str, port: int) -> Lookup:
        """The answer for an address, which needs no asking and cannot hang."""
        lookup = Lookup(host, port, started=time.monotonic())
        self._answer(lookup)
        return lookup

    def abandon(self, lookup: Lookup) -> None:
        """Give up on a question; its thread, if it has one, is replaced."""
        lookup.abandoned = True
        self._busy -= 1
        if lookup.started is not None and self._threads < MAX_THREADS:
            self._start()

    def answers(self) -> list[Lookup]:
        """The questions answered since the last call, without the abandoned ones."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._read, 4096)
        found: list[Lookup] = []
        while not self._answers.empty():
            lookup = self._answers.get()
            if not lookup.abandoned:
                self._busy -= 1
                found.append(lookup)
        return found

    def close(self) -> None:
        """Let idle threads end; hung ones end with the process."""
        with self._lock:
            self._closed = True
            os.close(self._read)
            os.close(self._write)
        for _ in range(self._threads):
            self._questions.put(None)

    def _start(self) -> None:
        self._threads += 1
        threading.Thread(target=self._work, name="resolver", daemon=True).start()

    def _work(self) -> None:
        while (lookup := self._questions.get()) is not None:
            if lookup.abandoned:
                continue
            lookup.started = time.monotonic()
            self._answer(lookup)
            self._answers.put(lookup)
            self._notify()

    def _answer(self, lookup: Lookup) -> None:
        try:
            lookup.addresses = self._resolve(lookup.host, lookup.port)
        except OSError as error:
            lookup.error = error
        except UnicodeError as error:  # a label longer than 63 characters
            lookup.error = OSError(str(error))
        lookup.finished = time.monotonic()

    def _notify(self) -> None:
        with self._lock:
            if not self._closed:
                # A full pipe holds unread notices: the loop will wake anyway.
                with contextlib.suppress(BlockingIOError):
                    os.write(self._write, b"\0")
