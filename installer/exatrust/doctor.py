"""A list of preconditions, each looked at whatever became of those before it.

What depends on a step that failed is skipped, and says on which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from exatrust.errors import ExatrustError, Unreachable, UsageError

GOOD, WARNING, FAILED, SKIPPED = "ok", "warning", "FAILED", "skipped"
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Finding:
    """One precondition. `exit_code` is what a command ends with that meets it as an error."""

    name: str
    state: str
    found: str
    action: str = ""
    exit_code: int = field(default=1, repr=False)


@dataclass(frozen=True)
class Seen(Generic[_Result]):
    """What a step found. With an `action` it is a warning: not all is well, and it can go on."""

    found: str
    result: _Result
    action: str = ""


class Doctor:
    """Runs steps and keeps what they find; `show` is told at once."""

    def __init__(self, show: Callable[[Finding], None]) -> None:
        self.findings: list[Finding] = []
        self._show = show

    def add(self, finding: Finding) -> None:
        self.findings.append(finding)
        self._show(finding)

    def step(
        self, name: str, needs: Iterable[str], look: Callable[[], Seen[_Result]]
    ) -> _Result | None:
        """The result of `look`; None if it raises, or if a step in `needs` did not go well."""
        lacking = [item for item in needs if not self.went_well(item)]
        if lacking:
            self.add(Finding(name, SKIPPED, f"depends on: {', '.join(lacking)}"))
            return None
        try:
            seen = look()
        except ExatrustError as error:
            self.add(Finding(name, FAILED, error.message, error.action, error.exit_code))
            return None
        state = WARNING if seen.action else GOOD
        self.add(Finding(name, state, seen.found, seen.action))
        return seen.result

    def went_well(self, name: str) -> bool:
        return any(item.name == name and item.state in (GOOD, WARNING) for item in self.findings)


def exit_status(findings: Iterable[Finding]) -> int:
    """0 when nothing failed and nobody was warned, otherwise bad input before unreachable before
    everything else."""
    bad = [item for item in findings if item.state in (FAILED, WARNING)]
    codes = {item.exit_code for item in bad if item.state == FAILED}
    for code in (UsageError.exit_code, Unreachable.exit_code):
        if code in codes:
            return code
    return int(bool(bad))
