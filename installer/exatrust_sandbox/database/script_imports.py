"""What `exa.import_script` gives a script: the text of another one.

After Exasol's own tests of it (script-languages, test/python3/all/script_import.py) and its change
log 4245: unquoted names fold to upper case, a name may have one, two or three parts, and a script
of another language is refused. *Inferred*: that a name of one part is looked for in the schema of
the script that asks, that language means alias, and the words of the errors but `wrong language`.
In a view the real one asks for the rights of the view's owner; the stand-in asks for the user's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exatrust_sandbox.containers.vm import ScriptError

from .catalog import CatalogObject
from .lexer import TokenStream
from .metadata import CATALOG
from .model import SqlError
from .world import World


@dataclass(frozen=True)
class _Found:
    item: CatalogObject
    allowed: bool


def importer(script: CatalogObject, world: World) -> Callable[[str], str]:
    """A function that raises ScriptError where a script may not be imported.

    All is read from the catalog now: questions come from other threads, during the statement.
    """
    known = {
        key: _Found(item, world.rights.may("EXECUTE", item))
        for key, item in world.objects.items()
        if item.kind == "SCRIPT"
    }

    def import_script(name: str) -> str:
        found = known.get(_key(name, script.schema))
        if found is None:
            raise ScriptError(f"script {name} not found")
        if not found.allowed:
            raise ScriptError(f"insufficient privileges for executing script {found.item.name}")
        alias = found.item.detail["alias"]
        if alias != script.detail["alias"]:
            raise ScriptError(f"script {found.item.name} has wrong language {alias}")
        return str(found.item.detail["code"])

    return import_script


def _key(name: str, schema: str) -> tuple[str, str]:
    """Schema and name; a first part of three is the database."""
    try:
        stream = TokenStream(name)
        parts = [stream.identifier()]
        while stream.accept("."):
            parts.append(stream.identifier())
    except SqlError as error:
        raise ScriptError(f"script {name} not found") from error
    if len(parts) > 3 or (len(parts) == 3 and parts[0] != CATALOG):
        raise ScriptError(f"script {name} not found")
    return (parts[-2] if len(parts) > 1 else schema), parts[-1]
