"""The checks of sql/checks: each a query that returns rows only when something is wrong.

Every file runs in any SQL client after OPEN SCHEMA, and always gives the same five columns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from exatrust import resources
from exatrust.database import Database, Row
from exatrust.errors import SqlFailed, UsageError
from exatrust.statements import Statements
from exatrust.stored_views import StoredViews

# What makes other checks fail comes first: a missing file breaks every view.
_CAUSES = ("NODES_MISSING", "RELEASE_ALTERED")
BAD = ("ERROR", "WARNING")  # INFO is worth knowing, and no reason to be woken


@dataclass(frozen=True)
class Check:
    """`title` is the file's first line, `sql` its whole text."""

    id: str
    title: str
    sql: str


@dataclass(frozen=True)
class Problem:
    """A row of a check, fields in the order of its columns."""

    check_id: str
    severity: str
    object_name: str
    finding: str
    action: str


@dataclass(frozen=True)
class Outcome:
    """What a check found, or why it could not be run (`error`)."""

    check: Check
    problems: tuple[Problem, ...]
    error: str | None
    seconds: float

    @property
    def passed(self) -> bool:
        return self.error is None and not any(item.severity in BAD for item in self.problems)


def catalogue(only: Sequence[str] = ()) -> tuple[Check, ...]:
    """All checks by name, or those named. Raises UsageError for one that is not there."""
    known = {name.upper(): name for name in resources.check_names()}
    for name in only:
        if name.upper() not in known:
            raise UsageError(f"there is no check {name}", f"the checks are: {', '.join(known)}")
    wanted = {name.upper() for name in only} or set(known)
    order = [*_CAUSES, *(id for id in known if id not in _CAUSES)]
    return tuple(_read(known[id]) for id in order if id in wanted)


def _read(name: str) -> Check:
    sql = resources.sql(f"checks/{name}.sql")
    return Check(name.upper(), sql.partition("\n")[0].removeprefix("--").strip(), sql)


def _problem(row: Row) -> Problem:
    """A cell may be NULL where a certificate or an endpoint has no such thing."""
    return Problem(*("-" if cell is None else str(cell) for cell in row))


def run(
    checks: Sequence[Check],
    database: Database,
    statements: Statements,
    tell: Callable[[Outcome], None],
    *,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[Outcome, ...]:
    """Run one after another, telling each outcome; one that is refused is not the end.

    What nodes and endpoints say is asked once for all checks, and rolled back after them.
    """

    def work() -> tuple[Outcome, ...]:
        database.execute(statements.query("open_schema"))
        views = StoredViews(database, statements)
        outcomes = []
        for check in checks:
            outcomes.append(_outcome(check, database, views, clock))
            tell(outcomes[-1])
        return tuple(outcomes)

    return database.rolled_back(work)


def _outcome(
    check: Check, database: Database, views: StoredViews, clock: Callable[[], float]
) -> Outcome:
    start = clock()
    try:
        problems = tuple(map(_problem, database.rows(views.sql(check.sql))))
    except SqlFailed as failure:
        return Outcome(check, (), failure.text, clock() - start)
    return Outcome(check, problems, None, clock() - start)
