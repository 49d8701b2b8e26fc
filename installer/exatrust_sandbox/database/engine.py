"""The stand-in's SQL engine: Exasol's SQL over a DuckDB file, scripts in containers.

engine = Engine(path, containers=..., runtime=..., nodes=4, isolation="none", sys_password="...")
session = engine.open_session("SYS", "my client")
session.execute("SELECT 1")
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from pathlib import Path

import duckdb

from exatrust_sandbox.containers.image import Image

from .catalog import Catalog
from .names import fold
from .placement import Policy
from .scripts import RunsScripts
from .session import Session
from .transactions import Locks
from .world import Cluster

FIRST_SESSION = 1_700_000_000_000_000_001


class Engine:
    """`containers` gives the image of a language alias on a node (KeyError when there is none) and
    is asked for every statement that runs a script. `lock_wait` (seconds) is how long a statement
    waits for another transaction's lock before it counts as a collision."""

    def __init__(
        self,
        path: Path,
        *,
        containers: Callable[[str, int], Image],
        runtime: RunsScripts,
        nodes: int,
        sys_password: str,
        version: str = "8.34.0",
        isolation: str = "none",
        placement: Policy = "spread",
        lock_wait: float = 1.0,
        languages: str | None = None,
        host_stores: Callable[[int], Path] | None = None,
    ) -> None:
        self.images = containers
        self.runtime = runtime
        self.cluster = Cluster(nodes, version, isolation, placement, host_stores)
        self.locks = Locks(lock_wait)
        self._sessions: dict[int, Session] = {}
        self._numbers = itertools.count(FIRST_SESSION)
        self._guard = threading.Lock()
        self._database = duckdb.connect(
            str(path),
            config={"python_enable_replacements": "false", "enable_external_access": "false"},
        )
        self._database.execute("SET TimeZone = 'UTC'")
        Catalog.create(self._database, sys_password)
        if languages is not None and "SCRIPT_LANGUAGES" not in Catalog(self._database).parameters():
            Catalog(self._database).set_parameter("SCRIPT_LANGUAGES", languages)

    def authenticate(self, user: str, password: str) -> bool:
        """Whether the password is the user's; user names fold to upper case."""
        with self._database.cursor() as cursor:
            return Catalog(cursor).password_fits(_user(user), password)

    def open_session(self, user: str, client: str) -> Session:
        """A session of a user who has been authenticated."""
        with self._guard:
            session = Session(self, next(self._numbers), _user(user), client)
            self._sessions[session.id] = session
        return session

    def close(self) -> None:
        """Ends all sessions and closes the file."""
        for session in list(self._sessions.values()):
            session.abort()
            session.close()
        self._database.close()

    # for sessions

    def cursor(self) -> duckdb.DuckDBPyConnection:
        cursor = self._database.cursor()
        cursor.execute("SET TimeZone = 'UTC'")
        return cursor

    def forget(self, session: Session) -> None:
        with self._guard:
            self._sessions.pop(session.id, None)

    def listed(self) -> dict[int, tuple[str, str]]:
        """User and client of every open session."""
        with self._guard:
            return {number: (s.user, s.client) for number, s in self._sessions.items()}


def _user(name: str) -> str:
    return name[1:-1] if name.startswith('"') and name.endswith('"') else fold(name)
