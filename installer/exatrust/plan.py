"""What an install would do, and why: desired and observed state in, actions out. Pure.

After the actions of a plan were applied, the plan is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from exatrust.errors import SettingsError

# What observation can say of an object instead of the digest in its marker.
ALTERED = "altered"  # it has our marker, and its text no longer fits it
FOREIGN = "foreign"  # it has no marker of ours
_OTHER_HOSTS = "the table ALLOWED_HOST has changed"

Kind = Literal["file", "schema", "table", "column", "script", "view", "release", "baseline"]
Verb = Literal["upload", "create", "add", "replace", "drop", "record"]


@dataclass(frozen=True)
class DatabaseObject:
    """A table, script or view as it shall be; `digest` is in its marker.

    `columns` maps those of a table to the statement that adds each.
    """

    name: str
    digest: str
    sql: str = field(repr=False)
    columns: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Desired:
    """`files` maps paths in the bucket to SHA-256, in the order of upload. `allowed_hosts` is what
    scripts pin of the table ALLOWED_HOST."""

    release: str
    schema: str
    aliases: tuple[str, ...]
    files: Mapping[str, str]
    tables: tuple[DatabaseObject, ...]
    scripts: tuple[DatabaseObject, ...]
    views: tuple[DatabaseObject, ...]
    allowed_hosts: str = ""
    create_schema: str = field(default="", repr=False)
    drop: Callable[[str, str], str] = field(default=lambda kind, name: "", repr=False)


@dataclass(frozen=True)
class Observed:
    """What is there. Scripts, views and tables map names to a digest, ALTERED or FOREIGN.

    `files` has the SHA-256 of those desired files that exist. `recorded` is the last row of
    RELEASE_HISTORY, release and aliases; `recorded_scripts` are the names in it. `baseline_gap`
    says why the stored baseline does not describe the cluster, None if it does. `pinned_hosts` maps
    scripts to what they pin of the table ALLOWED_HOST. `columns` maps tables to those they have.
    """

    files: Mapping[str, str]
    schema: bool
    tables: Mapping[str, str]
    scripts: Mapping[str, str]
    views: Mapping[str, str]
    recorded: tuple[str, tuple[str, ...]] | None
    baseline_gap: str | None
    recorded_scripts: frozenset[str] | None = None
    pinned_hosts: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Action:
    """One step. `sql` is the statement of a step in the database."""

    verb: Verb
    kind: Kind
    name: str
    reason: str
    sql: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.verb} {self.kind} {self.name}: {self.reason}"


def plan(desired: Desired, observed: Observed) -> tuple[Action, ...]:
    """The actions in the order in which they are applied. Raises SettingsError where a schema is
    somebody else's, or a name in it is taken."""
    refuse_foreign_schema(desired, observed)
    _refuse_taken_names(desired, observed)
    changes = (
        *_uploads(desired, observed),
        *_schema(desired, observed),
        *_tables(desired, observed),
        *_scripts(desired, observed),
        *_objects("view", desired.views, observed.views),
        *_drops(desired, observed),
        *_record(desired, observed),
    )
    return (*changes, *_baseline(changes, observed))


def refuse_foreign_schema(desired: Desired, observed: Observed) -> None:
    """An install replaces objects by name; it must not begin with those of somebody else."""
    if observed.recorded is not None:
        return
    taken = sorted(
        f"{kind} {item.name}"
        for kind, wanted, there in (
            ("table", desired.tables, observed.tables),
            ("script", desired.scripts, observed.scripts),
            ("view", desired.views, observed.views),
        )
        for item in wanted
        if there.get(item.name) == FOREIGN
    )
    if taken:
        raise SettingsError(
            f"schema {desired.schema} has objects that exatrust did not make: {', '.join(taken)}",
            "set database.schema to a schema of exatrust's own",
        )


def _refuse_taken_names(desired: Desired, observed: Observed) -> None:
    """Exasol may keep tables, scripts and views in one namespace: a name is there once."""
    kinds = {"table": observed.tables, "script": observed.scripts, "view": observed.views}
    wanted = {"table": desired.tables, "script": desired.scripts, "view": desired.views}
    taken = [
        f"{other} {item.name} stands where {kind} {item.name} shall be"
        for kind, items in wanted.items()
        for item in items
        for other, there in kinds.items()
        if other != kind and item.name in there
    ]
    if taken:
        raise SettingsError(
            f"schema {desired.schema}: {'; '.join(taken)}",
            "rename what exatrust did not make, or set database.schema to a schema of its own",
        )


def _uploads(desired: Desired, observed: Observed) -> Iterator[Action]:
    for path, digest in desired.files.items():
        found = observed.files.get(path)
        if found is None:
            yield Action("upload", "file", path, "it is not in the bucket")
        elif found != digest:
            yield Action("upload", "file", path, f"its content was altered (SHA-256 {found[:12]})")


def _schema(desired: Desired, observed: Observed) -> Iterator[Action]:
    if not observed.schema:
        reason = "it does not exist"
        yield Action("create", "schema", desired.schema, reason, desired.create_schema)


def _tables(desired: Desired, observed: Observed) -> Iterator[Action]:
    for table in desired.tables:
        if table.name not in observed.tables:
            yield Action("create", "table", table.name, "it does not exist", table.sql)
            continue
        there = observed.columns.get(table.name, table.columns)
        for column, sql in table.columns.items():
            if column not in there:
                name = f"{table.name}.{column}"
                yield Action("add", "column", name, "the table lacks it", sql)


def _scripts(desired: Desired, observed: Observed) -> Iterator[Action]:
    stale = _with_other_hosts(desired, observed)
    for action in _objects("script", desired.scripts, observed.scripts):
        by_hand = observed.scripts.get(action.name) in (ALTERED, FOREIGN)
        other = action.name in stale and not by_hand
        yield replace(action, reason=_OTHER_HOSTS) if other else action


def _with_other_hosts(desired: Desired, observed: Observed) -> frozenset[str]:
    """Scripts of this release that pin other hosts than the table ALLOWED_HOST has."""
    if observed.recorded is None or observed.recorded[0] != desired.release:
        return frozenset()
    return frozenset(
        item.name
        for item in desired.scripts
        if observed.pinned_hosts.get(item.name, desired.allowed_hosts) != desired.allowed_hosts
    )


def _objects(
    kind: Kind, wanted: tuple[DatabaseObject, ...], there: Mapping[str, str]
) -> Iterator[Action]:
    for item in wanted:
        found = there.get(item.name)
        if found is None:
            yield Action("create", kind, item.name, "it does not exist", item.sql)
        elif found != item.digest:
            yield Action("replace", kind, item.name, _difference(found), item.sql)


def _difference(found: str) -> str:
    if found in (ALTERED, FOREIGN):
        return "somebody changed it by hand"
    return "it belongs to another release"


def _drops(desired: Desired, observed: Observed) -> Iterator[Action]:
    """Views first: they use the scripts."""
    groups: tuple[tuple[Kind, Mapping[str, str], tuple[DatabaseObject, ...]], ...] = (
        ("view", observed.views, desired.views),
        ("script", observed.scripts, desired.scripts),
    )
    for kind, there, wanted in groups:
        names = {item.name for item in wanted}
        for name, found in sorted(there.items()):
            if name not in names and found != FOREIGN:
                reason = "no configured alias or release needs it"
                yield Action("drop", kind, name, reason, desired.drop(kind, name))


def _record(desired: Desired, observed: Observed) -> Iterator[Action]:
    if observed.recorded != (desired.release, desired.aliases):
        before = observed.recorded[0] if observed.recorded else "nothing"
        yield Action("record", "release", desired.release, f"the history ends with {before}")
    elif observed.recorded_scripts not in (None, {item.name for item in desired.scripts}):
        yield Action("record", "release", desired.release, "the history tells of other scripts")
    elif _with_other_hosts(desired, observed):
        yield Action("record", "release", desired.release, _OTHER_HOSTS)


def _baseline(changes: tuple[Action, ...], observed: Observed) -> Iterator[Action]:
    if changes:
        yield Action("record", "baseline", "of all nodes", "the installation changes")
    elif observed.baseline_gap is not None:
        yield Action("record", "baseline", "of all nodes", observed.baseline_gap)
