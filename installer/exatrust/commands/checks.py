"""`exatrust check` without endpoints: all checks of the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from exatrust import checks, monitoring, status
from exatrust.errors import UsageError
from exatrust.proposal import statements_for
from exatrust.report import Report, one_line
from exatrust.settings import Settings
from exatrust.terminal import FINDINGS, OK, Terminal, now, open_database


@dataclass(frozen=True)
class Outputs:
    """Where the outcomes of checks go besides the terminal; None for nowhere."""

    junit: Path | None = None
    prometheus: Path | None = None


def run_checks(
    settings: Settings, terminal: Terminal, only: Sequence[str], outputs: Outputs
) -> int:
    """0 when every check ran and none found an error or a warning, 1 otherwise."""
    report, statements = terminal.report, statements_for(settings)
    wanted = checks.catalogue(only)
    shown = _Shown(report)
    with open_database(settings, terminal) as database:
        status.require_installed(database, statements)
        outcomes = checks.run(wanted, database, statements, shown.show)
    report.document({"checks": [asdict(item) | {"passed": item.passed} for item in outcomes]})
    _write(outputs.junit, monitoring.junit, outcomes)
    _write(outputs.prometheus, monitoring.prometheus, outcomes)
    failed = [item for item in outcomes if not item.passed]
    report.say(f"{len(outcomes)} checks, {len(failed)} with something to do")
    return FINDINGS if failed else OK


class _Shown:
    """Progress and result in one: a check may take a second on many nodes.

    One cause may break many checks, and is told in full once.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._errors: dict[str, str] = {}

    def show(self, outcome: checks.Outcome) -> None:
        word = "ok" if outcome.passed else "broken" if outcome.error else "FAILED"
        self._report.say(f"{word:<7} {outcome.check.id}  {one_line(self._text(outcome))}")
        for item in outcome.problems:
            self._report.say(f"  {item.severity:<7} {one_line(item.object_name)}")
            self._report.say(f"    {one_line(item.finding)}")
            self._report.say(f"    Action: {one_line(item.action)}")

    def _text(self, outcome: checks.Outcome) -> str:
        if outcome.error is None:
            return outcome.check.title
        first = self._errors.setdefault(outcome.error, outcome.check.id)
        return outcome.error if first == outcome.check.id else f"for the reason of {first}"


def _write(
    path: Path | None,
    form: Callable[[Sequence[checks.Outcome], dt.datetime], str],
    outcomes: Sequence[checks.Outcome],
) -> None:
    """Beside its place first: a monitoring system must never read half a file."""
    if path is None:
        return
    beside = path.with_name(path.name + ".new")
    try:
        beside.write_text(form(outcomes, now()), encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise UsageError(
            f"{path}: {error.strerror}", "name a file in a directory that can be written"
        ) from error
