"""The database: the only module that imports pyexasol.

Its connections verify the server with a context of ours: the driver itself would not verify at
all when the DSN has a fingerprint (it compares the certificate after the handshake), and would
look an alias of the host up before it checks the name.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import time
from collections.abc import Callable
from typing import Any, TypeVar

# An administrator's tool must not call a third host; the driver reads this when it is imported.
os.environ["EXASOL_TELEMETRY_DISABLE"] = "1"

import pyexasol
from pyexasol.data_types import convert_websocket_to_python

from exatrust import __version__
from exatrust.credentials import Secret
from exatrust.errors import (
    CertificateRefused,
    Collision,
    DatabaseUnreachable,
    SqlFailed,
    WrongPassword,
)
from exatrust.log import logger, statement_head
from exatrust.pinning import context_for_ca, pinned_context, received, unknown
from exatrust.settings import DatabaseSettings

CONNECT_SECONDS = 10
QUERY_SECONDS = 600
COLLISION = "40001"
ATTEMPTS = 5
_Result = TypeVar("_Result")
Row = tuple[Any, ...]


class Database:
    """One session without autocommit. Numbers come as int or Decimal, times as datetime."""

    def __init__(
        self,
        settings: DatabaseSettings,
        password: Secret,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sleep = sleep
        self._name = settings.dsn.pyexasol()
        self._connection = _connect(settings, password, self._name)
        logger.info("connected to the database %s as %s", self._name, settings.user)

    def close(self) -> None:
        self._connection.close()

    def rows(self, sql: str) -> list[Row]:
        """The rows of a query. Raises SqlFailed."""
        return [tuple(row) for row in self._execute(sql).fetchall()]

    def execute(self, sql: str) -> int:
        """Run a statement; the number of rows it changed. Raises SqlFailed."""
        return int(self._execute(sql).rowcount())

    def rollback(self) -> None:
        self._guarded("rollback", self._connection.rollback)
        logger.info("SQL ROLLBACK")

    def transaction(self, work: Callable[[], _Result]) -> _Result:
        """Run `work` and commit; after a collision (SQL state 40001) again from its start.

        Raises Collision when other transactions win every time, SqlFailed otherwise; nothing of
        `work` remains then.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                result = work()
                self._guarded("commit", self._connection.commit)
                logger.info("SQL COMMIT")
            except Collision:
                self.rollback()
                if attempt == ATTEMPTS:
                    raise
                self._sleep(0.2 * 2**attempt)
            except Exception:
                self._abandon()
                raise
            except BaseException:  # Ctrl-C, perhaps in the middle of an answer
                self._connection.close(disconnect=False)
                raise
            else:
                return result
        raise AssertionError("the last attempt returns or raises")

    def rolled_back(self, work: Callable[[], _Result]) -> _Result:
        """Run `work`, and undo all it did to the database."""
        try:
            return work()
        finally:
            self._abandon()

    def _abandon(self) -> None:
        """Roll back if anybody still listens; a lost session is rolled back by the database."""
        if not self._connection.is_closed:
            with contextlib.suppress(DatabaseUnreachable):
                self.rollback()

    def _execute(self, sql: str) -> Any:
        head = statement_head(sql)
        result = self._guarded(f"a statement ({head})", lambda: self._connection.execute(sql))
        logger.info("SQL %s: %d rows", head, result.rowcount())
        return result

    def _guarded(self, task: str, call: Callable[[], _Result]) -> _Result:
        try:
            return call()
        except pyexasol.ExaRequestError as error:
            logger.warning("SQL %s: refused, SQL state %s: %s", task, error.code, error.message)
            raise _sql_failed(str(error.code), str(error.message)) from error
        except pyexasol.ExaError as error:
            raise DatabaseUnreachable(
                f"the connection to {self._name} broke during {task}: {error.message}",
                "run the command again: an unfinished transaction is rolled back",
            ) from error


def _sql_failed(code: str, text: str) -> SqlFailed:
    text = " ".join(text.split())
    if code == COLLISION:
        return Collision(code, text, "another session changes the same objects; try again later")
    failed = SqlFailed(code, text, "nothing was changed; correct the cause and run it again")
    if failed.forbidden:
        return SqlFailed(code, text, "grant the missing privilege to database.user")
    return failed


def _connect(settings: DatabaseSettings, password: Secret, name: str) -> Any:
    try:
        context = _context(settings)
        return pyexasol.connect(
            dsn=name,
            user=settings.user,
            password=password.reveal(),
            autocommit=False,
            encryption=True,
            compression=True,
            resolve_hostnames=False,
            connection_timeout=CONNECT_SECONDS,
            query_timeout=QUERY_SECONDS,
            fetch_mapper=convert_websocket_to_python,
            client_name="exatrust",
            client_version=__version__,
            verbose_error=False,
            websocket_sslopt={
                "context": context,
                "cert_reqs": ssl.CERT_REQUIRED,
                "check_hostname": context.check_hostname,
            },
        )
    except pyexasol.ExaAuthError as error:
        error.connection.close(disconnect=False)  # the driver leaves the socket open
        raise WrongPassword(
            f"the database {name} refused user {settings.user}: {_one_line(error.message)}",
            "check database.user and its password",
        ) from error
    except (pyexasol.ExaError, OSError) as error:
        raise _no_connection(error, settings, name) from error


def _context(settings: DatabaseSettings) -> ssl.SSLContext:
    if settings.dsn.fingerprint is None:
        return context_for_ca(settings.ca_file, "database.ca_file")
    return pinned_context(settings.dsn.hosts, settings.dsn.fingerprint, "database")


def _no_connection(
    error: Exception, settings: DatabaseSettings, name: str
) -> DatabaseUnreachable | CertificateRefused:
    reason = _one_line(getattr(error, "message", error))
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return unknown(received(settings.dsn.hosts), "database", settings.ca_file, name, reason)
    return DatabaseUnreachable(
        f"the database {name} does not answer: {reason}",
        "check database.dsn, that the database runs, and the firewall",
    )


def _one_line(message: object) -> str:
    return " ".join(str(message).split())
