"""Which language aliases the database has, and which of them run a script."""

from __future__ import annotations

from collections.abc import Sequence

from exatrust import __version__
from exatrust.database import Database
from exatrust.errors import AliasBroken
from exatrust.languages import (
    NATIVE,
    PYTHON,
    Alias,
    Choice,
    check_aliases,
    choose,
    languages,
)
from exatrust.observe import probe, try_native
from exatrust.statements import Statements, script_name


def parameter(database: Database, statements: Statements) -> str:
    """SCRIPT_LANGUAGES, as it is in this session."""
    return str(database.rows(statements.query("languages"))[0][0] or "")


def survey(
    database: Database, statements: Statements, wanted: Sequence[str] = ()
) -> tuple[Alias, ...]:
    """All aliases in the order of SCRIPT_LANGUAGES. A script is tried in those that are Python,
    Java or R, only the `wanted` ones if any are named, and rolled back."""
    known = languages(parameter(database, statements))
    return tuple(
        _tried(database, statements, name, language)
        if name in (wanted or known)
        else Alias(name, language)
        for name, language in known.items()
    )


def _tried(database: Database, statements: Statements, name: str, language: str) -> Alias:
    if language in NATIVE:
        return Alias(name, language, try_native(database, statements, name, language), tried=True)
    if language != PYTHON:
        return Alias(name, language)
    try:
        probe(database, statements, name, version=__version__, release="", files="")
    except AliasBroken as error:
        return Alias(name, PYTHON, error.why)
    return Alias(name, PYTHON)


def decide(
    database: Database, statements: Statements, wanted: Sequence[str], recorded: Sequence[str]
) -> tuple[tuple[Alias, ...], Choice]:
    """All aliases, and which get scripts. Raises AliasError."""
    if wanted:
        check_aliases(wanted, parameter(database, statements))
    found = survey(database, statements, wanted)
    return found, choose(wanted, found, recorded)


def script_names(stems: Sequence[str], kept: Sequence[str]) -> frozenset[str]:
    """The scripts of aliases that are not the default one."""
    return frozenset(script_name(stem, alias, ("",)) for alias in kept for stem in stems)
