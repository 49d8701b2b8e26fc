"""What changed in the containers since the baseline, in sentences. Pure."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from exatrust.nodes import node_list

_NAMES_SHOWN = 3


@dataclass(frozen=True)
class Change:
    """A row of sql/rows/drift.sql, fields in its order."""

    since: dt.datetime
    node_id: int
    language_alias: str
    kind: str
    object_name: str
    change: str
    value_before: str | None
    value_now: str | None
    certificates_before: int | None
    certificates_now: int | None
    moved_from: str | None = None


@dataclass(frozen=True)
class Names:
    """A row of sql/rows/drift_names.sql: subjects, one a line, of a truststore on a node."""

    node_id: int
    language_alias: str
    path: str
    added: str | None
    removed: str | None


_FACTS: Mapping[str, str] = {
    "ALIAS": "its definition in SCRIPT_LANGUAGES",
    "BUILD": "the container's build information",
    "CERTIFI": "certifi",
    "DATABASE": "the database",
    "OPENSSL": "OpenSSL",
    "PYTHON": "Python",
    "SYSTEM": "the operating system",
}


def sentences(changes: Iterable[Change], names: Iterable[Names], nodes: int) -> tuple[str, ...]:
    """One sentence a change and alias, naming nodes only where not all of them changed alike."""
    known = {(item.node_id, item.language_alias, item.path): item for item in names}
    where: dict[tuple[str, str], set[int]] = defaultdict(set)
    for change in changes:
        key = (change.node_id, change.language_alias, change.object_name)
        where[change.language_alias, _sentence(change, known.get(key))].add(change.node_id)
    return tuple(
        f"{alias}: {sentence}{_on(affected, nodes)}"
        for (alias, sentence), affected in where.items()
    )


def _on(affected: set[int], nodes: int) -> str:
    return "" if len(affected) >= nodes else f" (on {node_list(sorted(affected))})"


def _sentence(change: Change, names: Names | None) -> str:
    if change.kind == "TRUSTSTORE":
        return _store(change) + _named(names)
    if change.object_name == "NODE":
        return f"a node {'is new' if change.change == 'APPEARED' else 'no longer answers'}"
    text = f"{_FACTS[change.object_name]} changed"
    if change.object_name != "BUILD":  # a digest, which tells nobody anything
        text += f" from {change.value_before or 'none'} to {change.value_now or 'none'}"
    return text


def _store(change: Change) -> str:
    before, now = _count(change.certificates_before), _count(change.certificates_now)
    if change.change == "APPEARED":
        return f"truststore {change.object_name} appeared ({now})"
    if change.change == "VANISHED":
        return f"truststore {change.object_name} vanished ({before})"
    if change.change == "MOVED":
        same = change.value_before == change.value_now
        what = "unchanged" if same else f"{before} before, {now} now"
        return f"truststore {change.object_name} moved there from {change.moved_from}, {what}"
    return f"truststore {change.object_name} changed, {before} before, {now} now"


def _named(names: Names | None) -> str:
    if names is None:
        return ""
    lists = (("it gained", names.added), ("it lost", names.removed))
    return "".join(f"; {verb} {_some(text.splitlines())}" for verb, text in lists if text)


def _some(subjects: list[str]) -> str:
    more = len(subjects) - _NAMES_SHOWN
    shown = ", ".join(f"'{subject}'" for subject in subjects[:_NAMES_SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown


def _count(certificates: int | None) -> str:
    if certificates == 1:
        return "1 certificate"
    return f"{certificates if certificates is not None else 'unknown'} certificates"
