"""The roles for those who read and those who operate, and what is granted to them.

Reading and running is granted on the schema: Exasol drops the privileges of a view that is replaced
(its documentation, CREATE VIEW), and those of the schema hold for whatever comes into it.

The schema's comment says which roles exatrust made; only those are dropped again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from exatrust.database import Database
from exatrust.errors import SqlFailed
from exatrust.statements import Statements, identifier, literal

KINDS = ("reader", "operator")
_MARK = re.compile(r"exatrust roles: (\w+ \((?:made|found)\)(?:, \w+ \((?:made|found)\))*)")
MADE, FOUND = "made", "found"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Roles:
    """Names to MADE or FOUND, and the schema's comment without the mark."""

    known: Mapping[str, str]
    other_text: str


def names(statements: Statements) -> dict[str, str]:
    """The kinds to the names: EXATRUST_READER and EXATRUST_OPERATOR in schema EXATRUST."""
    return {kind: f"{statements.schema}_{kind}".upper() for kind in KINDS}


def read(database: Database, statements: Statements) -> Roles:
    """The roles that exatrust grants to, by the mark."""
    rows = database.rows(statements.roles("schema_comment"))
    text = str(rows[0][0] or "") if rows else ""
    mark = _MARK.search(text)
    if mark is None:
        return Roles({}, text)
    known = dict(re.findall(r"(\w+) \((made|found)\)", mark[1]))
    return Roles(known, (text[: mark.start()] + text[mark.end() :]).rstrip(" ;"))


def grants(statements: Statements) -> tuple[str, ...]:
    """What is granted to both roles."""
    return tuple(
        sql
        for kind, role in names(statements).items()
        for sql in _split(statements.roles(kind, role=identifier(role)))
    )


def script(statements: Statements) -> tuple[str, ...]:
    """All statements, for a DBA who runs them."""
    roles = [identifier(role) for role in names(statements).values()]
    return (
        *(statements.roles("create", role=role) for role in roles),
        *(statements.roles("usage", role=role) for role in roles),
        *grants(statements),
    )


def make(database: Database, statements: Statements, say: Say) -> Roles:
    """Create the roles that are not there, and grant. Raises SqlFailed, with nothing changed."""
    roles = database.transaction(lambda: _make(database, statements))
    for name, how in roles.known.items():
        say(f"role {name}: {'created' if how == MADE else 'it exists'}, all is granted")
    _grant_usage(database, statements, say)
    return roles


def _make(database: Database, statements: Statements) -> Roles:
    before = read(database, statements)
    there = {name for (name,) in database.rows(statements.roles("existing"))}
    known = {}
    for name in names(statements).values():
        if name not in there:
            database.execute(statements.roles("create", role=identifier(name)))
        known[name] = MADE if name not in there else before.known.get(name, FOUND)
    for sql in grants(statements):
        database.execute(sql)
    roles = Roles(known, before.other_text)
    _mark(database, statements, roles)
    return roles


def _grant_usage(database: Database, statements: Statements, say: Say) -> None:
    """Apart from the rest: it exists since Exasol 7, and by default everybody may use schemas."""

    def work() -> None:
        for role in names(statements).values():
            database.execute(statements.roles("usage", role=identifier(role)))

    try:
        database.transaction(work)
    except SqlFailed as error:
        say(
            f"USAGE on the schema is not granted: {error.text}; it is needed only where USE ANY "
            "SCHEMA was taken from PUBLIC"
        )


def refresh(database: Database, statements: Statements) -> None:
    """Grant again what a newer release needs, if roles were asked for before: it may have brought
    tables."""
    if not read(database, statements).known:
        return

    def work() -> None:
        for sql in grants(statements):
            database.execute(sql)

    database.transaction(work)


def drop(database: Database, statements: Statements, say: Say) -> None:
    """Drop the roles that exatrust made; one that may not be dropped is said."""
    roles = read(database, statements)
    if not roles.known:
        return
    made = [name for name, how in roles.known.items() if how == MADE]

    def work() -> None:
        for name in made:
            database.execute(statements.roles("drop", role=identifier(name)))
        _mark(database, statements, Roles({}, roles.other_text))

    try:
        database.transaction(work)
    except SqlFailed as error:
        say(f"roles {', '.join(made)} stay, a DBA has to drop them: {error.text}")
        return
    for name in made:
        say(f"dropped role {name}")


def _mark(database: Database, statements: Statements, roles: Roles) -> None:
    mark = ", ".join(f"{name} ({how})" for name, how in roles.known.items())
    parts = [roles.other_text, f"exatrust roles: {mark}" if mark else ""]
    comment = "; ".join(part for part in parts if part)
    database.execute(statements.roles("mark", comment=literal(comment)))


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]
