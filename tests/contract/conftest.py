"""What the tests of one cluster share; each file says which cluster, and which schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from exatrust import cli
from exatrust.database import Database, Row
from exatrust_sandbox.cluster import Sandbox

from .running import Exatrust, Rows, Run, connect


@pytest.fixture
def exatrust(schema: str, capsys: pytest.CaptureFixture[str]) -> Exatrust:
    """Runs a command as a script would: no terminal to ask at."""

    def run(*arguments: str) -> Run:
        capsys.readouterr()
        status = cli.main(arguments)
        shown = capsys.readouterr()
        return Run(status, shown.out, shown.err)

    return run


@pytest.fixture
def database(sandbox: Sandbox) -> Iterator[Database]:
    """A session of SYS."""
    with closing(connect(sandbox)) as found:
        yield found


@pytest.fixture
def rows(database: Database) -> Rows:
    """The rows of a query; other statements are committed."""

    def ask(sql: str) -> list[Row]:
        if sql.startswith("SELECT"):
            found = database.rows(sql)
            database.rollback()
            return found
        database.transaction(lambda: database.execute(sql))
        return []

    return ask
