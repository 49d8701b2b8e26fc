"""Does the user have the privileges of an install? Tried, in a transaction that is rolled back.

A trial says what the database does; the tables of privileges say what was granted, and the rules
in between (ownership, roles, CREATE ANY ...) would have to be repeated here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from exatrust.database import Database
from exatrust.errors import SqlFailed
from exatrust.languages import PYTHON, languages
from exatrust.observe import schema_exists
from exatrust.statements import Statements, language_alias


@dataclass(frozen=True)
class Trial:
    """A privilege, why it is needed, and why it was refused; None where it was not."""

    privilege: str
    purpose: str
    refused: str | None


def lacking(missing: Sequence[str], user: str) -> SqlFailed:
    """What an install would fail for."""
    return SqlFailed(
        "42500",
        f"user {user} lacks {', '.join(missing)}",
        "see docs/privileges.md for the whole list",
    )


DICTIONARY = "SELECT ANY DICTIONARY"


def trials(database: Database, statements: Statements, parameter: str) -> tuple[Trial, ...]:
    """Each privilege, tried in this order. `parameter` is SCRIPT_LANGUAGES.

    What needs a schema is not tried where that cannot be created.
    """
    return database.rolled_back(lambda: tuple(_trials(database, statements, parameter)))


def _trials(database: Database, statements: Statements, parameter: str) -> Iterator[Trial]:
    dictionary = statements.doctor("dictionary")
    purpose = "the views and checks that read EXA_DBA_ tables: what the database talks to"
    yield Trial(DICTIONARY, purpose, _refusal(database, dictionary))
    if not schema_exists(database, statements):
        created = Trial(
            "CREATE SCHEMA", f"schema {statements.schema.upper()}, which does not exist yet",
            _refusal(database, statements.create_schema()),
        )  # fmt: skip
        yield created
        if created.refused:
            return
    for kind, sql in _objects(statements, parameter).items():
        yield Trial(f"CREATE {kind}", f"the {kind.lower()}s of exatrust", _refusal(database, sql))


def _objects(statements: Statements, parameter: str) -> dict[str, str]:
    found = {"TABLE": statements.doctor("table"), "VIEW": statements.doctor("view")}
    python = next((a for a, kind in languages(parameter).items() if kind == PYTHON), None)
    if python is not None:
        found["SCRIPT"] = statements.doctor("script", alias=language_alias(python))
    return found


def _refusal(database: Database, sql: str) -> str | None:
    try:
        database.execute(sql)
    except SqlFailed as error:
        return error.text
    return None
