"""One database session: statements one after the other, in its own transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import duckdb

from .catalog import Catalog
from .ddl import parse_statement
from .errors import from_duckdb
from .model import Prepared, Result, SqlError, Transport
from .perform import Performer
from .prepared import PreparedStatement
from .scripts import Machines
from .temporary import Temporaries
from .transactions import StaleRead, Transaction
from .world import Who, World

if TYPE_CHECKING:
    from .engine import Engine

T = TypeVar("T")
TIMED_OUT = "Query terminated because timeout has been reached."
ABORTED = "Client requested execution abort."


class Session:
    """Made by Engine.open_session. All calls but `abort` come from one thread at a time."""

    def __init__(self, engine: Engine, number: int, user: str, client: str) -> None:
        self.id = number
        self.user = user
        self.client = client
        self.autocommit = True
        self.current_schema = ""
        self.query_timeout = 0
        self.parameters: dict[str, str] = {}
        self._engine = engine
        self._statements = 0
        self._cursor = engine.cursor()
        self.work = Transaction(self._cursor, engine.locks, number)
        self._cancelled = threading.Event()
        self._reason = (ABORTED, "R0003")
        self._running = threading.Lock()
        self._guard = threading.Lock()
        self._working = False

    def execute(self, sql: str, transport: Transport | None = None) -> Result:
        """Runs one statement. Raises SqlError; what the statement wrote is then undone."""
        statement = parse_statement(sql)
        return self.run(sql, lambda performer: performer.perform(statement, transport))

    def prepare(self, sql: str) -> Prepared:
        """A statement with `?` for values. Raises SqlError."""
        return PreparedStatement(self, sql)

    def commit(self) -> None:
        """Raises SqlError 40001 on a conflict; everything is then undone."""
        try:
            self.work.commit()
        except duckdb.Error as error:
            raise from_duckdb(error) from error

    def rollback(self) -> None:
        self.work.rollback()

    def abort(self) -> None:
        """Ends the running statement, which raises SqlError; from any thread."""
        self._stop(ABORTED, "R0003")

    def close(self) -> None:
        """Rolls back and forgets the session."""
        with suppress(duckdb.Error):
            self.work.rollback()
        self._engine.forget(self)
        self._cursor.close()

    def run(self, text: str, action: Callable[[Performer], T]) -> T:
        """One statement's life: time limit, world, undo on failure, autocommit."""
        with self._running:
            self._cancelled.clear()
            timer = self._timer()
            try:
                return self._attempt(text, action)
            except StaleRead:
                self.work.rollback()
                return self._attempt(text, action)
            finally:
                if timer is not None:
                    timer.cancel()

    def _attempt(self, text: str, action: Callable[[Performer], T]) -> T:
        self._statements += 1
        mark = self.work.start_statement()
        temporaries = Temporaries(self.work)
        try:
            performer = Performer(self, self._world(text, temporaries), self._machines())
            result = self._interruptible(lambda: action(performer))
            temporaries.drop()
            if self.autocommit:
                self.work.commit()
            return result
        except duckdb.Error as error:
            raise self._failed(from_duckdb(error), mark) from error
        except SqlError as error:
            raise self._failed(error, mark) from error.__cause__
        except BaseException:
            self._undo(mark)
            raise

    def _interruptible(self, work: Callable[[], T]) -> T:
        """Run work that `_stop` may interrupt; what follows it, a ROLLBACK say, must not be."""
        with self._guard:
            self._working = True
        try:
            return work()
        finally:
            with self._guard:
                self._working = False

    def _failed(self, error: SqlError, mark: int) -> SqlError:
        collided = error.sql_code == "40001"
        self._undo(0 if collided or self.autocommit else mark)
        return SqlError(*self._reason) if self._cancelled.is_set() else error

    def _undo(self, mark: int) -> None:
        try:
            self.work.undo(mark)
        except duckdb.Error:
            # What was written before can no longer be written again: another one changed it.
            self.work.rollback()

    def _timer(self) -> threading.Timer | None:
        if self.query_timeout <= 0:
            return None
        timer = threading.Timer(self.query_timeout, self._stop, (TIMED_OUT, "R0001"))
        timer.daemon = True
        timer.start()
        return timer

    def _stop(self, text: str, code: str) -> None:
        with self._guard:
            self._reason = (text, code)
            self._cancelled.set()
            if self._working:
                self._cursor.interrupt()

    def _machines(self) -> Machines:
        return Machines(self._engine.runtime, self._engine.images, self._cancelled)

    def _world(self, text: str, temporaries: Temporaries) -> World:
        who = Who(
            self.id, self._statements, self.user, self.current_schema, self.client,
            dict(self.parameters),
        )  # fmt: skip
        catalog = Catalog(self.work)
        return World(catalog, temporaries, self._engine.cluster, who, self._engine.listed(), text)
