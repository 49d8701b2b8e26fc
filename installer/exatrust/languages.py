"""Language aliases, as the parameter SCRIPT_LANGUAGES lists them, and which get scripts. Pure.

`PYTHON3=builtin_python3 OWN=localzmq+protobuf:///...?lang=python#buckets/...` (Exasol
documentation, "Adding new packages to existing script languages").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from exatrust.errors import AliasBroken, AliasError

PYTHON = "python"
NATIVE: Mapping[str, str] = {"java": "Java", "r": "R"}  # languages with scripts of their own
BUILTIN = "PYTHON3"
GONE = "it is no longer in SCRIPT_LANGUAGES"
_REASON_LENGTH = 1000
_PASSING = re.compile(r"\s*\(Session: \d+\)|0x[0-9a-fA-F]+|\d{5,}")


@dataclass(frozen=True)
class Alias:
    """`language` is lower case; `broken` says why a probe script fails, None where none did.

    `tried` is whether one ran in Java or R; in Python one always is, where the alias matters.
    """

    name: str
    language: str
    broken: str | None = None
    tried: bool = False

    @property
    def native(self) -> bool:
        """Whether it runs scripts in Java or R."""
        return self.language in NATIVE and self.tried and self.broken is None

    @property
    def sentence(self) -> str:
        """What an administrator should know of it."""
        if self.language not in (PYTHON, *NATIVE):
            return f"{self.name} is of no language that exatrust knows ({self.language})"
        if self.language != PYTHON:
            kind = NATIVE[self.language]
            if self.native:
                return f"{self.name} is {kind}, and runs scripts in {kind}"
            why = f" (no script runs in it: {self.broken})" if self.broken else ""
            return f"{self.name} is {kind}: it gets no scripts, truststore files serve it{why}"
        if self.broken is not None:
            return f"{self.name} is broken: {self.broken}"
        return f"{self.name} is Python, and runs scripts"


@dataclass(frozen=True)
class Choice:
    """`aliases` get scripts, the default one first; `native` get some in their own language, to
    which they are mapped. `kept` maps aliases that have scripts of an earlier install, and cannot
    run them now, to the reason: those scripts stay as they are."""

    aliases: tuple[str, ...]
    kept: Mapping[str, str]
    native: Mapping[str, str] = field(default_factory=dict)


def languages(parameter: str) -> Mapping[str, str]:
    """Aliases and their languages, lower case: python, java, r, or what a URL names."""
    found = {}
    for definition in parameter.split():
        alias, equals, target = definition.partition("=")
        if equals:
            found[alias.upper()] = _language(target)
    return found


def _language(target: str) -> str:
    match = re.search(r"[?&]lang=(\w+)", target) or re.match(r"builtin_([a-z]+)", target)
    return match[1].lower() if match else "unknown"


def broken_reasons(found: Iterable[Alias]) -> Mapping[str, str]:
    """Why a probe script fails, for each alias in which it does.

    Without numbers of sessions, processes and the like: what is said stays the same as long as
    the reason does, so that an install that is repeated finds nothing to do.
    """
    return {
        alias.name: "no script runs in it, said the last install: "
        + _PASSING.sub("", alias.broken)[:_REASON_LENGTH]
        for alias in found
        if alias.broken is not None and alias.language == PYTHON
    }


def check_aliases(wanted: Sequence[str], parameter: str) -> None:
    """Raise AliasError for an alias that is not defined, or in which no script of ours can run."""
    known = languages(parameter)
    python = ", ".join(alias for alias, kind in known.items() if kind == PYTHON) or "none"
    for alias in wanted:
        if alias not in known:
            raise AliasError(
                f"no language alias {alias}; SCRIPT_LANGUAGES has: {', '.join(known) or 'none'}",
                f"set scripts.aliases to Python aliases of this database: {python}",
            )
        if known[alias] != PYTHON and known[alias] not in NATIVE:
            raise AliasError(
                f"language alias {alias} is {known[alias]}, and the scripts are Python, Java or R",
                f"set scripts.aliases to aliases of this database, Python first: {python}",
            )
    if wanted and known[wanted[0]] != PYTHON:
        raise AliasError(
            f"language alias {wanted[0]} is {known[wanted[0]]}, and the default one must be Python",
            f"name a Python alias of this database first in scripts.aliases: {python}",
        )


def choose(wanted: Sequence[str], found: Sequence[Alias], recorded: Sequence[str]) -> Choice:
    """Which aliases get scripts. `wanted` is the setting, empty for all that run Python;
    `recorded` are those of the last install. Raises AliasError."""
    if wanted:
        for alias in found:
            if alias.broken is not None and alias.name in wanted:
                raise AliasBroken(alias.name, alias.broken)
        native = {item.name: item.language for item in found if item.native}
        return Choice(tuple(name for name in wanted if name not in native), {}, native)
    working = [a.name for a in found if a.language == PYTHON and a.broken is None]
    reasons = {alias.name: alias.broken or "" for alias in _broken(found)}
    lost = {name: reasons.get(name, GONE) for name in recorded if name not in working}
    _require_default(recorded, lost)
    if not working:
        raise _none_works(found)
    native = {item.name: item.language for item in found if item.native}
    return Choice(_ordered(working, recorded), lost, native)


def _broken(found: Sequence[Alias]) -> Iterator[Alias]:
    return (item for item in found if item.broken is not None and item.language == PYTHON)


def _ordered(working: Sequence[str], recorded: Sequence[str]) -> tuple[str, ...]:
    """Those of the last install as they were, since the first one's scripts have no suffix;
    further ones by name, since an administrator may write SCRIPT_LANGUAGES in any order."""
    known = [name for name in recorded if name in working]
    new = sorted(set(working) - set(known), key=lambda name: (name != BUILTIN, name))
    return (*known, *new)


def _require_default(recorded: Sequence[str], lost: Mapping[str, str]) -> None:
    if recorded and recorded[0] in lost:
        raise AliasError(
            f"the default language alias {recorded[0]}, whose scripts have no suffix, does not "
            f"work any more: {lost[recorded[0]]}",
            "repair it; or name the aliases in scripts.aliases, another one first: the scripts "
            "without suffix are that one's then",
        )


def _none_works(found: Sequence[Alias]) -> AliasError:
    known = "; ".join(alias.sentence for alias in found) or "SCRIPT_LANGUAGES is empty"
    return AliasError(
        f"no Python language alias works: {known}",
        "repair a language container, or define an alias for one in SCRIPT_LANGUAGES",
    )
