"""Faults that a test can order; all are off by default.

They are read at the start of each request, so that a test sets them while BucketFS runs.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass
class Faults:
    """What shall go wrong.

    failing_puts:  so many next PUTs are answered with 503
    failing_gets:  so many next GETs of files are answered with 500
    cut_put_after: the next PUT's connection is cut after so many bytes of its body
    disk_full:     every PUT is answered with 507 (inferred: what the real one says is unknown)
    delay:         seconds that every answer is held back
    """

    failing_puts: int = 0
    failing_gets: int = 0
    cut_put_after: int | None = None
    disk_full: bool = False
    delay: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def take_put(self) -> bool:
        """Whether this PUT is one of those to fail."""
        with self._lock:
            self.failing_puts, fails = max(0, self.failing_puts - 1), self.failing_puts > 0
        return fails

    def take_get(self) -> bool:
        """Whether this GET is one of those to fail."""
        with self._lock:
            self.failing_gets, fails = max(0, self.failing_gets - 1), self.failing_gets > 0
        return fails

    def take_cut(self) -> int | None:
        """After how many bytes to cut this PUT, None to let it through."""
        with self._lock:
            cut, self.cut_put_after = self.cut_put_after, None
        return cut
