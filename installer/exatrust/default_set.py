"""The default set of the bundle: certifi's roots, those of a file, or of a language container."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from exatrust import resources
from exatrust.additions import read_file
from exatrust.database import Database, Row
from exatrust.errors import AliasBroken, BundleRejected, SqlFailed
from exatrust.intake import read_certificates
from exatrust.nodes import node_list
from exatrust.statements import Statements, identifier, language_alias
from exatrust_udf.certificate import Certificate
from exatrust_udf.stores import parse_store

CERTIFI, CONTAINER = "certifi", "container"
_SCRIPT = identifier("EXATRUST_ROOTS")
_INSTEAD = 'set bundle.roots to "certifi", or to a PEM file'

Roots = tuple[tuple[Certificate, ...], str]


def named_roots(roots: str) -> Roots:
    """The set and its name, for bundle.roots that is certifi or a path."""
    if roots == CERTIFI:
        pem, name = resources.certifi_roots()
        return read_certificates(pem, name), name
    path = Path(roots)
    return read_certificates(read_file(path), str(path)), path.name


def container_roots(
    database: Database, statements: Statements, alias: str, warn: Callable[[str], None]
) -> Roots:
    """What OpenSSL trusts by default in the containers of an alias; the same on every node.

    It is asked by a script that is rolled back. What exatrust distrusts is left out later, as from
    any set. Raises AliasBroken, and BundleRejected where containers differ or trust nobody.
    """
    rows = database.rolled_back(lambda: _ask(database, statements, alias))
    store = parse_store(_common(rows, alias).encode("utf-8"), CONTAINER, alias, "bundle.roots")
    for problem in store.problems:
        warn(f"in the container of {alias}: {problem}")
    if not store.certificates:
        raise BundleRejected(f"the container of {alias} trusts nobody by default", _INSTEAD)
    return store.certificates, f"container of {alias}"


def _ask(database: Database, statements: Statements, alias: str) -> list[Row]:
    body = resources.udf_text("container_roots.py")
    groups = statements.sql("rows/groups.sql").strip()
    create = statements.query(
        "create_container_roots", alias=language_alias(alias), script=_SCRIPT, body=body
    )
    try:
        database.execute(statements.create_schema())
        database.execute(create)
        return database.rows(statements.query("container_roots", script=_SCRIPT, groups=groups))
    except SqlFailed as error:
        if error.forbidden:  # it is the user's fault, and not the container's
            raise
        raise AliasBroken(alias, error.text) from error


def _common(rows: list[Row], alias: str) -> str:
    by_text: dict[str, list[int]] = {}
    for node, text in rows:
        by_text.setdefault(text or "", []).append(int(node))
    if len(by_text) == 1:
        return next(iter(by_text))
    sides = sorted(by_text.values())
    raise BundleRejected(
        f"the containers of {alias} trust different CAs by default: "
        + "; ".join(map(node_list, sides)),
        f"update the container on every node; or {_INSTEAD}",
    )
