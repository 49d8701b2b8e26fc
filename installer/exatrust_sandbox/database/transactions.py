"""Transactions over DuckDB that behave like Exasol's.

DuckDB gives up the whole transaction at any error; Exasol takes back the failed statement alone.
So the writes of a transaction are kept, and replayed after a failure. Exasol locks objects for
writing; `Locks` does that in memory, so that a collision shows at the same object every time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable
from typing import Any

import duckdb

from .errors import collision

_READS = ("SELECT", "WITH", "VALUES", "FROM", "DESCRIBE")


class StaleRead(Exception):
    """The statement, first of its transaction, read what another one has just changed: retry."""


class Locks:
    """Write locks of open transactions, and when each object was last changed."""

    def __init__(self, wait: float) -> None:
        self._wait = wait
        self._condition = threading.Condition()
        self._owners: dict[Hashable, int] = {}
        self._changed: dict[Hashable, int] = {}
        self.clock = 0

    def acquire(self, session: int, key: Hashable, snapshot: int) -> bool:
        """Locks the object, waiting for another's transaction for a bounded time. False when the
        object was changed after `snapshot`; raises the collision when the wait was in vain."""
        deadline = time.monotonic() + self._wait
        with self._condition:
            while self._owners.get(key, session) != session:
                if not self._condition.wait(deadline - time.monotonic()):
                    raise collision()
            self._owners[key] = session
            return self._changed.get(key, 0) <= snapshot

    def release(self, session: int, committed: bool) -> None:
        with self._condition:
            mine = [key for key, owner in self._owners.items() if owner == session]
            self.clock += committed and bool(mine)
            for key in mine:
                del self._owners[key]
                if committed:
                    self._changed[key] = self.clock
            self._condition.notify_all()


class Transaction:
    """The transaction of one session; starts by itself with the first statement."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, locks: Locks, session: int) -> None:
        self._cursor = cursor
        self._locks = locks
        self._session = session
        self._log: list[tuple[str, Any]] = []
        self._active = False
        self._snapshot = 0
        self._fresh = True

    def start_statement(self) -> int:
        """The mark to which `undo` goes back."""
        self._fresh = not self._active
        return len(self._log)

    def execute(self, sql: str, values: Any = None, /) -> duckdb.DuckDBPyConnection:
        """Runs one statement of DuckDB and remembers it when it writes. Raises duckdb.Error."""
        self._begin()
        result = self._cursor.execute(sql, values)
        if not sql.lstrip().upper().startswith(_READS):
            self._log.append((sql, values))
        return result

    def lock(self, *key: Hashable) -> None:
        """Before writing an object; raises SqlError 40001, or StaleRead."""
        self._begin()
        if not self._locks.acquire(self._session, key, self._snapshot):
            if self._fresh:
                raise StaleRead
            raise collision()

    def undo(self, mark: int) -> None:
        """Takes back what was written since the mark."""
        log = self._log[:mark]
        self._end("ROLLBACK")
        if not log:
            self._locks.release(self._session, committed=False)
            return
        for sql, values in log:
            self.execute(sql, values)

    def commit(self) -> None:
        """Raises duckdb.TransactionException when DuckDB sees a conflict; then all is undone."""
        committed = False
        try:
            self._end("COMMIT")
            committed = True
        finally:
            self._locks.release(self._session, committed)

    def rollback(self) -> None:
        self._end("ROLLBACK")
        self._locks.release(self._session, committed=False)

    def _begin(self) -> None:
        if not self._active:
            self._snapshot = self._locks.clock
            self._cursor.execute("BEGIN TRANSACTION")
            self._active = True

    def _end(self, how: str) -> None:
        self._log = []
        if self._active:
            self._active = False
            self._cursor.execute(how)
