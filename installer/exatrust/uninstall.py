"""Remove what the installer made: objects with its marker, and its files; nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exatrust.bucket import Bucket
from exatrust.database import Database
from exatrust.errors import SqlFailed
from exatrust.observe import scripts, tables, views
from exatrust.plan import FOREIGN
from exatrust.proposal import Ports, Say
from exatrust.release_files import by_release, named_by_scripts, our_files
from exatrust.statements import Statements


@dataclass(frozen=True)
class Removal:
    """`objects`: kind and name, in the order of dropping. `others` remain in the schema.

    `history`: our tables, where they shall stay. `kept`: releases that stay in the bucket, and the
    script of another schema that names each.
    """

    objects: tuple[tuple[str, str], ...]
    others: tuple[str, ...]
    history: tuple[str, ...]
    files: tuple[str, ...]
    kept: Mapping[str, str]

    @property
    def empty(self) -> bool:
        return not self.objects and not self.files


def find(ports: Ports, statements: Statements, prefix: str, keep_history: bool) -> Removal:
    """What an uninstall would remove, views before the scripts they use."""
    ours: list[tuple[str, str]] = []
    others: list[str] = []
    for kind, there in (
        ("view", views(ports.database, statements)),
        ("script", scripts(ports.database, statements)),
        ("table", tables(ports.database, statements)),
    ):
        ours += [(kind, name) for name, mark in sorted(there.items()) if mark != FOREIGN]
        others += [f"{kind} {name}" for name, mark in sorted(there.items()) if mark == FOREIGN]
    kept = named_by_scripts(
        ports.database, statements, prefix, but_not_in=statements.schema.upper()
    )
    ports.database.rollback()
    files = our_files(ports.bucket.list(), prefix)
    spared = {path for release in kept for path in by_release(files, prefix).get(release, ())}
    files = tuple(path for path in files if path not in spared)
    history = tuple(name for kind, name in ours if kind == "table") if keep_history else ()
    ours = [(kind, name) for kind, name in ours if not (keep_history and kind == "table")]
    return Removal(tuple(ours), tuple(others), history, files, kept)


def remove(removal: Removal, ports: Ports, statements: Statements, say: Say) -> None:
    """Database first, in one transaction, so that no script points to a file that is gone."""
    _drop_objects(removal, ports.database, statements, say)
    _drop_schema(removal, ports.database, statements, say)
    _delete_files(removal, ports.bucket, say)


def _drop_objects(removal: Removal, database: Database, statements: Statements, say: Say) -> None:
    def work() -> None:
        for kind, name in removal.objects:
            database.execute(statements.drop(kind, name))

    database.transaction(work)
    for kind, name in removal.objects:
        say(f"dropped {kind} {name}")


def _drop_schema(removal: Removal, database: Database, statements: Statements, say: Say) -> None:
    schema = statements.schema.upper()
    if removal.history:
        say(f"schema {schema} stays, with its tables: {', '.join(removal.history)}")
    if removal.others:
        say(f"schema {schema} stays, it also has: {', '.join(removal.others)}")
    if removal.history or removal.others:
        return
    try:
        database.transaction(lambda: database.execute(statements.uninstall()))
    except SqlFailed as error:
        say(f"schema {schema} stays: {error.text}")
    else:
        say(f"dropped schema {schema}")


def _delete_files(removal: Removal, bucket: Bucket, say: Say) -> None:
    for release, script in removal.kept.items():
        say(f"release {release} stays in the bucket: script {script} reads it")
    for path in removal.files:
        bucket.delete(path)
    say(f"deleted {len(removal.files)} files from the bucket")
