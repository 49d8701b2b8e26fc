"""Look at what is there: the database's objects, the bucket's files, the nodes' reports."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from exatrust.bucket import Bucket
from exatrust.database import Database, Row
from exatrust.drift import Change, Names, sentences
from exatrust.errors import AliasBroken, SqlFailed, TableDamaged
from exatrust.nodes import Coverage, NodeReport, coverage, node_list, node_report
from exatrust.plan import FOREIGN, Desired, Observed
from exatrust.statements import (
    Statements,
    comment_digest,
    literal,
    pinned_hosts,
    script_alias,
    script_digest,
    script_name,
)

_SHOWN = 160  # characters of a sentence that is only a reason


@dataclass(frozen=True)
class Installed:
    """The last row of RELEASE_HISTORY. `files`: lines of SHA-256 and path as UDFs see it."""

    release: str
    aliases: tuple[str, ...]
    files: str
    activated_at: dt.datetime
    activated_by: str
    certificates: int
    scripts: str = ""  # lines of the SHA-256 of a script's body and its name

    @property
    def script_names(self) -> frozenset[str]:
        """The scripts that were installed."""
        return frozenset(line.partition(" ")[2] for line in self.scripts.splitlines())

    def digest(self, name: str) -> str | None:
        """The recorded SHA-256 of a file of the release."""
        for line in self.files.splitlines():
            digest, _, path = line.partition(" ")
            if path.rpartition("/")[2] == name:
                return digest
        return None

    def name(self, prefix: str, suffix: str) -> str | None:
        """The name of the file of the release that begins and ends so."""
        names = [line.rpartition("/")[2] for line in self.files.splitlines()]
        return next(
            (name for name in names if name.startswith(prefix) and name.endswith(suffix)), None
        )


def installed(database: Database, statements: Statements) -> Installed | None:
    """None where nothing is installed."""
    if "RELEASE_HISTORY" not in tables(database, statements):
        return None
    rows = table_rows(database, statements, "RELEASE_HISTORY", "current_release")
    return _installed(rows[0]) if rows else None


def history(database: Database, statements: Statements) -> tuple[Installed, ...]:
    """All activations of releases, the last one first."""
    if "RELEASE_HISTORY" not in tables(database, statements):
        return ()
    rows = table_rows(database, statements, "RELEASE_HISTORY", "history")
    return tuple(map(_installed, rows))


def table_rows(database: Database, statements: Statements, table: str, query: str) -> list[Row]:
    """The rows of a query over one table of ours. Raises TableDamaged where it lacks columns: what
    a plan needs to know must be readable before the plan could repair it."""
    try:
        return database.rows(statements.query(query))
    except SqlFailed as error:
        there = columns(database, statements).get(table, frozenset())
        wanted = next(item.columns for item in statements.tables() if item.name == table)
        lacking = [sql for name, sql in wanted.items() if name not in there]
        if not there or not lacking:
            raise
        raise TableDamaged(
            f"the table {statements.schema.upper()}.{table} lacks columns of its own",
            f"add them, then run the command again: {'; '.join(lacking)}",
        ) from error


def _installed(row: Row) -> Installed:
    release, aliases, *rest = row
    return Installed(release, tuple(aliases.split(",")), *rest)


def columns(database: Database, statements: Statements) -> Mapping[str, frozenset[str]]:
    """The columns of each table and view of the schema."""
    found: dict[str, set[str]] = {}
    for table, column in database.rows(statements.query("columns")):
        found.setdefault(table, set()).add(column)
    return {table: frozenset(names) for table, names in found.items()}


def schema_exists(database: Database, statements: Statements) -> bool:
    return bool(database.rows(statements.query("schema_exists"))[0][0])


def tables(database: Database, statements: Statements) -> Mapping[str, str]:
    rows = database.rows(statements.query("tables"))
    return {name: comment_digest(comment) for name, comment in rows}


def scripts(database: Database, statements: Statements) -> Mapping[str, str]:
    rows = database.rows(statements.query("scripts"))
    return {name: script_digest(text) for name, text in rows}


def scripts_hosts(database: Database, statements: Statements) -> Mapping[str, str]:
    """What scripts pin of the table ALLOWED_HOST, by their name."""
    rows = database.rows(statements.query("scripts"))
    found = {name: pinned_hosts(text) for name, text in rows}
    return {name: hosts for name, hosts in found.items() if hosts is not None}


def script_aliases(database: Database, statements: Statements) -> tuple[str, ...]:
    """The language aliases that scripts of ours are for, sorted."""
    rows = database.rows(statements.query("scripts"))
    found = (script_alias(text) for _, text in rows if script_digest(text) != FOREIGN)
    return tuple(sorted({alias for alias in found if alias}))


def views(database: Database, statements: Statements) -> Mapping[str, str]:
    rows = database.rows(statements.query("views"))
    return {name: comment_digest(comment) for name, comment in rows}


def node_count(database: Database, statements: Statements) -> int:
    return int(database.rows(statements.query("node_count"))[0][0])


def files(bucket: Bucket, there: Collection[str], paths: Sequence[str]) -> Mapping[str, str]:
    """The SHA-256 of those of the files that are `there`, the bucket's listing, by reading them."""
    contents = {path: bucket.read(path) for path in paths if path in there}
    return {
        path: hashlib.sha256(content).hexdigest()
        for path, content in contents.items()
        if content is not None
    }


def observe(
    database: Database,
    bucket: Bucket,
    there: Collection[str],
    statements: Statements,
    current: Installed | None,
    desired: Desired,
) -> Observed:
    """Everything that a plan depends on. `there` is the bucket's listing."""
    return Observed(
        files=files(bucket, there, tuple(desired.files)),
        schema=schema_exists(database, statements),
        tables=tables(database, statements),
        scripts=scripts(database, statements),
        views=views(database, statements),
        recorded=(current.release, current.aliases) if current else None,
        recorded_scripts=current.script_names if current else frozenset(),
        baseline_gap=baseline_gap(database, statements, current),
        pinned_hosts=scripts_hosts(database, statements),
        columns=columns(database, statements),
    )


@dataclass(frozen=True)
class Look:
    """What one alias answers: its nodes, or why it cannot be asked."""

    alias: str
    reports: tuple[NodeReport, ...] = ()
    broken: str | None = None


def look(database: Database, statements: Statements, current: Installed, alias: str) -> Look:
    """Ask the installed PROBE_NODE of one alias on all nodes."""
    try:
        return Look(alias, node_reports(database, statements, current, alias))
    except SqlFailed as error:
        return Look(alias, broken=error.text)


def node_reports(
    database: Database, statements: Statements, current: Installed, alias: str
) -> tuple[NodeReport, ...]:
    statements = replace(statements, aliases=current.aliases)
    values = {"release": literal(current.release), "files": literal(current.files)}
    rows = database.rows(statements.rows("node_status", alias, **values))
    return tuple(node_report(row) for row in rows)


def drift(
    database: Database, statements: Statements, current: Installed, aliases: Sequence[str]
) -> tuple[str, ...] | None:
    """What changed since the baseline for aliases that answer; None where there is no baseline.

    Raises SqlFailed where scripts cannot be run.
    """
    if not database.rows(statements.query("baselines"))[0][0]:
        return None
    statements = replace(statements, aliases=current.aliases)
    values = {"release": literal(current.release), "files": literal(current.files)}
    changes = [
        Change(*row)
        for alias in aliases
        for row in database.rows(statements.rows("drift", alias, **values))
    ]
    names = [
        Names(*row)
        for alias in dict.fromkeys(c.language_alias for c in changes if c.kind == "TRUSTSTORE")
        for row in database.rows(statements.rows("drift_names", alias))
    ]
    return sentences(changes, names, node_count(database, statements))


def baseline_gap(
    database: Database, statements: Statements, current: Installed | None
) -> str | None:
    """Why the baseline does not describe the cluster as it is, None when it does."""
    if current is None:
        return "there is none"
    try:
        reports = [
            report
            for a in current.aliases
            for report in node_reports(database, statements, current, a)
        ]
        found = drift(database, statements, current, current.aliases)
    except SqlFailed:
        return "the installed scripts cannot be run"
    if behind := {report.node_id for report in reports if not report.intact}:
        return f"{node_list(tuple(behind))} cannot see every file of the release"
    if found is None:
        return "there is none"
    more = f"; and {len(found) - 2} more changes" if len(found) > 2 else ""
    shown = (text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…" for text in found[:2])
    return "; ".join(shown) + more if found else None


def probe(
    database: Database,
    statements: Statements,
    alias: str,
    *,
    version: str,
    release: str,
    files: str,
) -> Coverage:
    """Which nodes have the files of a release, asked as `ask_nodes` does. Raises AliasBroken."""
    reports, nodes = ask_nodes(
        database, statements, alias, version=version, release=release, files=files
    )
    return coverage(alias, reports, nodes)


def try_native(database: Database, statements: Statements, alias: str, language: str) -> str | None:
    """Why no script runs in a Java or R alias, None where one does; it is rolled back."""
    name = script_name("EXATRUST_LOOK", alias, ("",))
    create, call = statements.trial(language, alias, name)

    def ask() -> str | None:
        if not schema_exists(database, statements):
            database.execute(statements.create_schema())
        try:
            database.execute(create)
            database.rows(call)
        except SqlFailed as error:
            if error.forbidden:  # it is the user's fault, and not the container's
                raise
            return error.text
        return None

    return database.rolled_back(ask)


def ask_nodes(
    database: Database,
    statements: Statements,
    alias: str,
    *,
    version: str,
    release: str,
    files: str,
) -> tuple[tuple[NodeReport, ...], int]:
    """What every node says, and how many there are, through a script that is rolled back after it.

    Works before anything is installed, and leaves nothing. Raises AliasBroken when the alias
    cannot run a script.
    """
    name = script_name("EXATRUST_LOOK", alias, ("",))
    values = {"release": literal(release), "files": literal(files)}
    query = statements.rows("node_status", alias, script=name, **values)

    def ask() -> tuple[tuple[NodeReport, ...], int]:
        if not schema_exists(database, statements):  # where it does, the user may lack the right
            database.execute(statements.create_schema())
        try:
            database.execute(statements.probe(alias, name, version))
            rows = database.rows(query)
        except SqlFailed as error:
            if error.forbidden:  # it is the user's fault, and not the container's
                raise
            raise AliasBroken(alias, error.text) from error
        return tuple(map(node_report, rows)), node_count(database, statements)

    return database.rolled_back(ask)
