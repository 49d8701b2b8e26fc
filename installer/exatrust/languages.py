"""Language aliases, as the parameter SCRIPT_LANGUAGES lists them. Pure.

`PYTHON3=builtin_python3 OWN=localzmq+protobuf:///...?lang=python#buckets/...` (Exasol
documentation, "Adding new packages to existing script languages").
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from exatrust.errors import AliasError


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


def check_aliases(wanted: Sequence[str], parameter: str) -> None:
    """Raise AliasError for an alias that is not defined, or is not Python."""
    known = languages(parameter)
    python = ", ".join(alias for alias, kind in known.items() if kind == "python") or "none"
    for alias in wanted:
        if alias not in known:
            raise AliasError(
                f"no language alias {alias}; SCRIPT_LANGUAGES has: {', '.join(known) or 'none'}",
                f"set scripts.aliases to Python aliases of this database: {python}",
            )
        if known[alias] != "python":
            raise AliasError(
                f"language alias {alias} is {known[alias]}, and the scripts are Python",
                f"set scripts.aliases to Python aliases of this database: {python}",
            )
