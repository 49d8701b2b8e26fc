"""Which files in the bucket are ours, of which release each is, and which scripts name them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from exatrust.database import Database
from exatrust.statements import Statements

_OURS = (
    r"releases/[^/]+/(?:exatrust_udf-[0-9a-f]{12}\.pyz|ca-bundle-[0-9a-f]{12}\.(?:pem|p12)"
    r"|ca-additions-[0-9a-f]{12}\.pem|manifest\.json)|write-check-[0-9a-f]{32}\.txt"
)


def our_files(paths: Sequence[str], prefix: str) -> tuple[str, ...]:
    """Those paths below the prefix that have the form of the installer's files."""
    pattern = re.compile(f"{re.escape(prefix)}/(?:{_OURS})")
    return tuple(path for path in paths if pattern.fullmatch(path))


def by_release(paths: Sequence[str], prefix: str) -> Mapping[str, list[str]]:
    """Paths of files of releases, by the name of the release; the manifest last, as uploaded."""
    found: dict[str, list[str]] = {}
    for path in paths:
        folder, _, rest = path.removeprefix(f"{prefix}/").partition("/")
        if folder == "releases":
            found.setdefault(rest.partition("/")[0], []).append(path)
    return found


def named_by_scripts(
    database: Database, statements: Statements, prefix: str, *, but_not_in: str | None = None
) -> Mapping[str, str]:
    """Releases that a script of any schema but one names in its text, and one such script: those
    of another installation or a broken alias, and what analysts wrote."""
    path = re.compile(rf"/{re.escape(prefix)}/releases/([^/\s'\";]+)")
    return {
        release: str(name)
        for name, text in database.rows(statements.query("scripts_of_releases"))
        if str(name).partition(".")[0] != but_not_in
        for release in path.findall(text)
    }
