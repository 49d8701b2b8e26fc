"""The table ALLOWED_HOST as the scripts HTTPS_GET, HTTPS_REQUEST and HTTPS_JSON pin it.

Scripts read no table: what they pin can only be changed by whoever may replace them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from exatrust.database import Database
from exatrust.errors import SettingsError
from exatrust.observe import table_rows, tables
from exatrust.statements import Statements
from exatrust_udf.https_allowed import AllowList, BadRule, Rule


def read(database: Database, statements: Statements) -> str:
    """The rows as scripts pin them; none before the first install.

    Raises SettingsError, and TableDamaged.
    """
    if "ALLOWED_HOST" not in tables(database, statements):
        return ""
    return pinned(table_rows(database, statements, "ALLOWED_HOST", "allowed_hosts"))


def pinned(rows: Iterable[Sequence[Any]]) -> str:
    """Rows of host, port and addresses as text. Raises SettingsError, which names the row."""
    return AllowList(tuple(_rule(*row) for row in rows)).text()


def _rule(host: object, port: object, addresses: object) -> Rule:
    try:
        return Rule.of(host, port, addresses)
    except BadRule as error:
        raise SettingsError(
            f"table ALLOWED_HOST, row of HOST {host}, PORT {'NULL' if port is None else port}: "
            f"{error}",
            "correct or delete the row, then run the command again",
        ) from None
