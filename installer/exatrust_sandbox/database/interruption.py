"""Ending a running statement from outside: by the client, by the time limit, by a lost connection.

An end that arrives between two statements of one request must not get lost, and one that arrives
after the request must not hit the next one. So the wish to end belongs to the request, and the
statement is told again while it still runs.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from enum import Enum
from threading import Lock
from typing import TypeVar

from exatrust_sandbox.database.model import SqlError

T = TypeVar("T")
log = logging.getLogger(__name__)
# Seconds before a statement that did not stop is told again.
REPEAT = 1.0
ENDED_FROM_OUTSIDE = frozenset({"R0001", "R0003", "R0004"})


class Ending(Enum):
    """Why a statement was ended, with the code and text that Exasol reports for it."""

    ABORTED = ("R0003", "Client requested execution abort.")
    TIMEOUT = ("R0001", "Query terminated because timeout has been reached.")
    DISCONNECTED = ("R0004", "The connection was lost.")

    def error(self) -> SqlError:
        """What the statement fails with."""
        code, text = self.value
        return SqlError(text, code)


class Interruption:
    """What may end the statements of one session. `run` is called by the worker, the rest by
    the owner of the connection."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._ending: Ending | None = None
        self._abort: Callable[[], None] | None = None
        self._deadline: float | None = None
        self._told = 0.0

    def begin_request(self) -> None:
        """Forgets an end that was meant for an earlier request, unless the connection is lost."""
        with self._lock:
            if self._ending is not Ending.DISCONNECTED:
                self._ending = None

    def end(self, ending: Ending) -> None:
        """Ends the running statement and the rest of its request; the first reason stays."""
        with self._lock:
            if self._ending is None or ending is Ending.DISCONNECTED:
                self._ending = ending
            self._tell()

    def check(self) -> None:
        """Ends a statement that has outlived its time, and insists on an earlier end."""
        with self._lock:
            now = self._clock()
            if self._ending is None and self._deadline is not None and now >= self._deadline:
                self._ending = Ending.TIMEOUT
                self._tell()
            elif self._ending is not None and now - self._told >= REPEAT:
                self._tell()

    def run(self, work: Callable[[], T], abort: Callable[[], None], seconds: float) -> T:
        """Runs a statement that `abort` can end; `seconds` is its time limit, 0 for none.

        A statement that succeeds in spite of having been ended counts as a success, as with
        Exasol. Raises SqlError.
        """
        with self._lock:
            if self._ending is not None:
                raise self._ending.error()
            self._abort = abort
            self._deadline = self._clock() + seconds if seconds > 0 else None
        try:
            return work()
        except Exception as error:
            ending = self._ending_of(error)
            if ending is not None:
                raise ending.error() from error
            raise
        finally:
            with self._lock:
                self._abort = self._deadline = None

    def _ending_of(self, error: Exception) -> Ending | None:
        # The engine watches the time limit as well, and may be the first to act.
        ended = isinstance(error, SqlError) and error.sql_code in ENDED_FROM_OUTSIDE
        late = self._deadline is not None and self._clock() >= self._deadline
        return Ending.TIMEOUT if self._ending is None and ended and late else self._ending

    def _tell(self) -> None:
        if self._abort is not None:
            self._told = self._clock()
            try:
                self._abort()
            except Exception:
                # Must not end the thread that keeps time; the statement is told again.
                log.exception("a statement could not be aborted")
