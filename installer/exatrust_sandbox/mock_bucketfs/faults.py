"""Faults a test can inject: plain data, all off by default.

Set fields on `BucketFS.faults`, or replace the object. Counters count down as they are used.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase


@dataclass
class Faults:
    """What goes wrong. Times in seconds, sizes in bytes.

    matching:          pattern (fnmatch) of the paths concerned by all but the last two
    fail_puts:         so many PUTs answer `put_status` before their body is read
    cut_puts:          so many PUTs lose their connection after `cut_put_after` body bytes
    drop_put_answers:  so many PUTs are stored, and their connection is cut before the answer
    full_after:        a PUT that is longer than this answers 507, as does a really full disk
    read_only:         PUT and DELETE answer 500
    fail_gets:         so many GETs of a file answer `get_status`
    cut_gets:          so many GETs of a file are cut after `cut_get_after` body bytes
    bytes_per_second:  speed of bodies, both directions
    stale_seconds:     after an overwrite, GET still serves the old file that long, and nodes
                       get the new one that much later (confirmed effect, exasol-testcontainers
                       issue 54; its real duration is unknown)
    publish_seconds:   pause before each file that appears on a node
    """

    matching: str = "*"
    fail_puts: int = 0
    put_status: int = 503
    cut_puts: int = 0
    cut_put_after: int = 0
    drop_put_answers: int = 0
    full_after: int | None = None
    read_only: bool = False
    fail_gets: int = 0
    get_status: int = 500
    cut_gets: int = 0
    cut_get_after: int = 0
    bytes_per_second: float | None = None
    stale_seconds: float = 0.0
    publish_seconds: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def concerns(self, path: str) -> bool:
        return fnmatchcase(path, self.matching)

    def take(self, counter: str, path: str) -> bool:
        """Use up one of a counter's faults; False when none is left or the path is another."""
        with self._lock:
            left: int = getattr(self, counter)
            if left <= 0 or not self.concerns(path):
                return False
            setattr(self, counter, left - 1)
            return True
