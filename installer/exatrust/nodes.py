"""What nodes report, and whether that covers the cluster. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exatrust.errors import NodesBehind


@dataclass(frozen=True)
class NodeReport:
    """One row of NODE_STATUS, fields in the order of sql/rows/node_status.sql.

    Times are naive UTC. `problems` has one file a line, None when all files are intact.
    """

    node_id: int
    language_alias: str
    release: str
    checked_at: dt.datetime
    node_count: int
    files_expected: int
    files_intact: int
    problems: str | None
    database_version: str | None
    python_version: str | None
    openssl_version: str | None
    certifi_version: str | None
    container_build: str | None
    operating_system: str | None
    machine_time: dt.datetime | None

    @property
    def intact(self) -> bool:
        return self.problems is None and self.files_intact == self.files_expected


@dataclass(frozen=True)
class Coverage:
    """For one alias: nodes that must answer, those that did not, those that miss files (why)."""

    alias: str
    expected: int
    missing: tuple[int, ...]
    behind: Mapping[int, str]

    @property
    def complete(self) -> bool:
        return not self.missing and not self.behind

    def sentences(self) -> tuple[str, ...]:
        found = []
        if self.missing:
            found.append(f"{self.alias}: no answer from {node_list(self.missing)}")
        for node, problems in sorted(self.behind.items()):
            found.append(f"{self.alias}: node {node}: {problems}")
        return tuple(found)


def coverage(alias: str, reports: Iterable[NodeReport], expected: int) -> Coverage:
    """Compare the reports of an alias with NPROC(): nodes count from 0."""
    seen = {report.node_id: report for report in reports if report.language_alias == alias}
    missing = tuple(node for node in range(expected) if node not in seen)
    behind = {
        node: _told((report.problems or "not all files are there").splitlines())
        for node, report in seen.items()
        if not report.intact
    }
    return Coverage(alias, expected, missing, behind)


def _told(problems: Sequence[str]) -> str:
    """`missing: /dir/a`, `missing: /dir/b` as `missing: /dir/{a, b}`: a path may be long."""
    groups: dict[str, list[str]] = {}
    for problem in problems:
        start, slash, name = problem.rpartition("/")
        groups.setdefault(f"{start}{slash}", []).append(name)
    return "; ".join(
        start + (names[0] if len(names) == 1 else f"{{{', '.join(names)}}}")
        for start, names in groups.items()
    )


def require_complete(coverages: Iterable[Coverage], seconds: float, consequence: str) -> None:
    """Raise NodesBehind, naming every node that is missing or behind.

    `consequence` says what that means for scripts.
    """
    sentences = [text for item in coverages for text in item.sentences()]
    if sentences:
        raise NodesBehind(
            f"after {seconds:.0f} s not every node sees the release: {'; '.join(sentences)}",
            f"{consequence}; look into the node's BucketFS log, then run the command again",
        )


def node_list(nodes: Sequence[int]) -> str:
    """`node 2`, `nodes 0, 2`."""
    return f"node{'s' if len(nodes) > 1 else ''} {', '.join(map(str, sorted(nodes)))}"


def node_report(row: Sequence[Any]) -> NodeReport:
    return NodeReport(*row)
