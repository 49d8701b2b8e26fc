"""Bring analysts' scripts to the current release: the lines of theirs that name an older one.

A script's text is all there is of it, so it is created once more with these lines changed and
nothing else. That loses what hangs on the old one: the comment and the privileges are given again
in the same transaction, grants of connections restricted to the script only by who may grant them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exatrust.database import Database
from exatrust.errors import RepinRefused
from exatrust.observe import Installed
from exatrust.plan import FOREIGN
from exatrust.statements import Statements, literal, script_digest

# Comments and `--/` may stand before CREATE (Exasol's clients send them along).
_HEAD = re.compile(r"(\s*(?:(?:--[^\n]*\n|/\*.*?\*/)\s*)*CREATE)(\s+OR\s+REPLACE\b)?", re.I | re.S)
_QUOTED = re.compile(r'"((?:[^"]|"")+)"\."((?:[^"]|"")+)"')
_KINDS = (
    ("ca-bundle-", ".pem"), ("ca-bundle-", ".p12"), ("ca-additions-", ".pem"),
    ("exatrust_udf-", ".pyz"), ("manifest", ".json"),
)  # fmt: skip


@dataclass(frozen=True)
class Pinned:
    """A script of somebody's that names releases of ours. `releases`: without the current one."""

    schema: str
    name: str
    text: str
    comment: str | None
    releases: tuple[str, ...]

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Repin:
    """A script's new text. `changes`: line number from 1, old line, new line."""

    script: Pinned
    text: str
    changes: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True)
class Target:
    """The release to point to: `folder` is where UDFs see all releases, with a slash at its end;
    `names` are the files of the current one."""

    release: str
    folder: str
    names: frozenset[str]

    @property
    def paths(self) -> re.Pattern[str]:
        """A path of a release's file: the release, and the file."""
        return re.compile(re.escape(self.folder) + r"""([^/\s'";]+)/([^/\s'";]+)""")


def target(current: Installed) -> Target:
    """Raises ValueError where the recorded files are not in one directory of the release."""
    found = [line.partition(" ")[2] for line in current.files.splitlines()]
    folders = {path.rpartition("/")[0] for path in found}
    if len(folders) != 1 or not (only := folders.pop()).endswith(f"/{current.release}"):
        raise ValueError(f"the files of release {current.release} are in several directories")
    names = frozenset(path.rpartition("/")[2] for path in found)
    return Target(current.release, only.removesuffix(current.release), names)


def repinned(script: Pinned, to: Target) -> Repin:
    """The text with every path of another release changed. Pure.

    Raises RepinRefused where the current release has no such file.
    """
    lines = script.text.splitlines(keepends=True)
    new = [to.paths.sub(lambda found: _moved(found, script, to), line) for line in lines]
    changes = tuple(
        (number, before.rstrip("\r\n"), after.rstrip("\r\n"))
        for number, (before, after) in enumerate(zip(lines, new, strict=True), 1)
        if before != after
    )
    return Repin(script, "".join(new), changes)


def _moved(found: re.Match[str], script: Pinned, to: Target) -> str:
    release, name = found[1], found[2]
    if release == to.release:
        return found[0]
    for begins, ends in _KINDS:
        if name.startswith(begins) and name.endswith(ends):
            now = [n for n in to.names if n.startswith(begins) and n.endswith(ends)]
            if len(now) == 1:
                return f"{to.folder}{to.release}/{now[0]}"
    raise RepinRefused(
        f"script {script.full_name}: release {to.release} has nothing like {name}",
        f"take {found[0]} out of the script by hand",
    )


def replacing(repin: Repin) -> str:
    """The statement that creates the script in the place of the old one. Raises RepinRefused."""
    head = _HEAD.match(repin.text)
    if head is None:
        raise RepinRefused(
            f"script {repin.script.full_name}: its text does not begin with CREATE",
            "create it anew by hand, for the current release",
        )
    return f"{head[1]}{head[2] or ' OR REPLACE'}{repin.text[head.end() :]}"


def read(database: Database, statements: Statements, to: Target) -> tuple[Pinned, ...]:
    """Everybody's scripts that name a release of ours, but those of exatrust itself."""
    rows = database.rows(statements.query("pinned_scripts", folder=literal(to.folder)))
    return tuple(
        Pinned(schema, name, text, comment, releases)
        for schema, name, text, comment in rows
        if script_digest(text) == FOREIGN
        if (releases := _others(text, to)) is not None
    )


def _others(text: str, to: Target) -> tuple[str, ...] | None:
    found = dict.fromkeys(match[1] for match in to.paths.finditer(text))
    return tuple(release for release in found if release != to.release) if found else None


def chosen(scripts: Sequence[Pinned], names: Sequence[str]) -> tuple[Pinned, ...]:
    """Those of the names, SCHEMA.SCRIPT: as they are, in upper case, or in SQL's quotes.

    Raises RepinRefused.
    """
    known = {script.full_name: script for script in scripts}
    found = []
    for name in names:
        script = known.get(name) or known.get(name.upper()) or known.get(_unquoted(name))
        if script is None:
            raise RepinRefused(
                f"script {name}: there is none that names a release of exatrust",
                "`exatrust repin` without a name lists those that do",
            )
        found.append(script)
    return tuple(dict.fromkeys(found))


def _unquoted(name: str) -> str:
    parts = _QUOTED.fullmatch(name)
    return ".".join(part.replace('""', '"') for part in parts.groups()) if parts else name


def carry_out(
    database: Database, statements: Statements, repins: Sequence[Repin]
) -> tuple[str, ...]:
    """Replace the scripts in one transaction; the grants that somebody else has to repeat.

    Raises SqlFailed and RepinRefused, with nothing changed.
    """
    return database.transaction(
        lambda: tuple(sql for repin in repins for sql in _replace(database, statements, repin))
    )


def _replace(database: Database, statements: Statements, repin: Repin) -> tuple[str, ...]:
    """Replace one script; the grants of connections that somebody else has to repeat."""
    place = _place(repin.script)
    before = _grants(database, statements, place)
    # The text may name the script without its schema, as it was typed.
    database.execute(statements.query("open_named_schema", of=_quoted(repin.script.schema)))
    statement = replacing(repin)
    database.execute(statement)
    _check(database, statements, repin, statement, place)
    if comment := repin.script.comment:
        database.execute(statements.query("comment_script", comment=literal(comment), **place))
    after = _grants(database, statements, place)
    for privilege, grantee in sorted(before.granted - after.granted):
        values = {"privilege": privilege, "grantee": _quoted(grantee), **place}
        database.execute(statements.query("grant_script", **values))
    return tuple(
        statements.query(
            "grant_connection", connection=_quoted(name), grantee=_quoted(grantee), **place
        ).strip()
        for name, grantee in sorted(before.connections - after.connections)
    )


def _place(script: Pinned) -> dict[str, str]:
    """A script as a statement names it, and as system tables do."""
    return {
        "script": f"{_quoted(script.schema)}.{_quoted(script.name)}",
        "of_schema": literal(script.schema),
        "of_script": literal(script.name),
    }


@dataclass(frozen=True)
class _Grants:
    """Pairs of privilege and grantee, and of connection and grantee."""

    granted: frozenset[tuple[str, str]]
    connections: frozenset[tuple[str, str]]


def _grants(database: Database, statements: Statements, place: Mapping[str, str]) -> _Grants:
    return _Grants(
        frozenset((p, g) for p, g in database.rows(statements.query("script_grants", **place))),
        frozenset(
            (c, g) for c, g in database.rows(statements.query("script_connections", **place))
        ),
    )


def _check(
    database: Database,
    statements: Statements,
    repin: Repin,
    statement: str,
    place: Mapping[str, str],
) -> None:
    """The text may have created something else: whoever wrote it, wrote the name in it, too."""
    rows = database.rows(statements.query("script_text", **place))
    if [_HEAD.sub("", text, count=1).strip() for (text,) in rows] != [
        _HEAD.sub("", statement, count=1).strip()
    ]:
        raise RepinRefused(
            f"script {repin.script.full_name}: its text creates another one, or not the same",
            "nothing was changed; create it anew by hand, with the lines that are shown",
        )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
