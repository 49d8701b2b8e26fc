"""Is what was installed still there, on every node, and what changed around it?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from exatrust import allowed_hosts, resources
from exatrust.database import Database
from exatrust.errors import NotInstalled, SettingsError, SqlFailed
from exatrust.nodes import Coverage, coverage
from exatrust.observe import (
    Installed,
    Look,
    drift,
    installed,
    look,
    node_count,
    scripts,
    scripts_hosts,
    views,
)
from exatrust.plan import ALTERED, FOREIGN
from exatrust.statements import VIEWS, Statements, script_name


@dataclass(frozen=True)
class Status:
    """`coverages`: one for each alias that answers. `broken`: alias and why it cannot be asked.
    `objects`: scripts and views that are not as installed. `changes`: since the baseline; None
    where there is none to compare with."""

    current: Installed
    nodes: int
    looks: tuple[Look, ...]
    coverages: tuple[Coverage, ...]
    broken: tuple[tuple[str, str], ...]
    objects: tuple[str, ...]
    changes: tuple[str, ...] | None

    @property
    def bundle_intact(self) -> bool:
        return not self.broken and all(item.complete for item in self.coverages)

    @property
    def in_order(self) -> bool:
        return self.bundle_intact and not self.objects and self.changes == ()

    def sentences(self) -> tuple[str, ...]:
        """Everything a human should know, the most important first."""
        return tuple(self._sentences())

    def _sentences(self) -> Iterator[str]:
        if self.bundle_intact:
            yield (
                f"release {self.current.release} is intact on every node "
                f"({self.nodes} of {self.nodes}), in {', '.join(self.current.aliases)}"
            )
        for alias, why in self.broken:
            yield f"{alias}: is broken: {why}"
        for item in self.coverages:
            yield from item.sentences()
        yield from self.objects
        if self.changes is None:
            yield "there is no baseline to compare with"
        elif self.changes:
            yield from self.changes
        else:
            yield "no container changed since the baseline"
        if not self.in_order:
            yield "run `exatrust install` to put things in order and to take a new baseline"


def read_status(database: Database, statements: Statements) -> Status:
    """Raises NotInstalled."""
    current = require_installed(database, statements)
    nodes = node_count(database, statements)
    looks = tuple(look(database, statements, current, alias) for alias in current.aliases)
    answered = [item for item in looks if item.broken is None]
    return Status(
        current=current,
        nodes=nodes,
        looks=looks,
        coverages=tuple(coverage(item.alias, item.reports, nodes) for item in answered),
        broken=tuple((item.alias, item.broken) for item in looks if item.broken is not None),
        objects=(
            *_objects(database, statements, current),
            *_other_hosts(database, statements),
        ),
        changes=_changes(database, statements, current, answered),
    )


def require_installed(database: Database, statements: Statements) -> Installed:
    """Raises NotInstalled, also where an uninstall left the tables alone."""
    schema, action = statements.schema.upper(), "run `exatrust plan`, then `exatrust install`"
    current = installed(database, statements)
    if current is None:
        raise NotInstalled(f"nothing is installed in schema {schema}", action)
    if not database.rows(statements.query("scripts_exist"))[0][0]:
        raise NotInstalled(f"schema {schema} has no scripts, only the history of earlier", action)
    return current


def _objects(database: Database, statements: Statements, current: Installed) -> Iterator[str]:
    stems = resources.script_names()
    python = {
        script_name(stem, alias, current.aliases) for alias in current.aliases for stem in stems
    }
    wanted_scripts = sorted(python | current.script_names)
    wanted_views = [view.upper() for view in VIEWS]
    for kind, wanted, there in (
        ("script", wanted_scripts, scripts(database, statements)),
        ("view", wanted_views, views(database, statements)),
    ):
        for name in wanted:
            if name not in there:
                yield f"{kind} {name} is missing"
            elif there[name] in (ALTERED, FOREIGN):
                yield f"{kind} {name} was changed by hand"


def _other_hosts(database: Database, statements: Statements) -> Iterator[str]:
    try:
        wanted = allowed_hosts.read(database, statements)
    except SettingsError as error:
        yield error.message
        return
    pinned = scripts_hosts(database, statements)
    stale = sorted(name for name, hosts in pinned.items() if hosts != wanted)
    if stale:
        yield f"the table ALLOWED_HOST has changed, which is not yet in {', '.join(stale)}"


def _changes(
    database: Database, statements: Statements, current: Installed, looks: Sequence[Look]
) -> tuple[str, ...] | None:
    """Aliases that are broken are said elsewhere, and left out of the comparison."""
    try:
        return drift(database, statements, current, [item.alias for item in looks])
    except SqlFailed as error:
        return (f"the truststores cannot be listed: {error.text}",)
