"""What the server needs from the SQL engine; the engine is given to it, never imported."""

from __future__ import annotations

from typing import Protocol

from exatrust_sandbox.database.model import Prepared, Result, Transport


class SessionPort(Protocol):
    """One database session. All calls but `abort` come from one thread at a time."""

    autocommit: bool
    current_schema: str
    query_timeout: int

    @property
    def id(self) -> int: ...

    def execute(self, sql: str, transport: Transport | None = None) -> Result: ...

    def prepare(self, sql: str) -> Prepared: ...

    def abort(self) -> None:
        """Ends the running statement, which then raises SqlError; called from another thread."""
        ...

    def close(self) -> None: ...


class EnginePort(Protocol):
    """The part of the engine that the server uses."""

    def authenticate(self, user: str, password: str) -> bool: ...

    def open_session(self, user: str, client: str) -> SessionPort: ...
