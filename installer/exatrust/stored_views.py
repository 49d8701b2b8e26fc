"""What nodes and endpoints say, asked once and kept for as long as several queries need it.

Most checks read views that start a script on every node, some contact every watched endpoint. Here
each view is read once into a table of a schema that only this transaction sees; a query reads the
tables in place of the views, which it names without a schema. The caller rolls back.
"""

from __future__ import annotations

import re
import secrets

from exatrust.database import Database
from exatrust.errors import SqlFailed
from exatrust.statements import FIRST_ALIAS_VIEWS, VIEW_SCRIPTS, Statements, identifier

_NAME = re.compile(r"\w+")
_WORDS = re.compile(r"'[^']*'|--.*")  # texts and comments: they name views for people
_VIEWS = frozenset(name.upper() for name in VIEW_SCRIPTS | FIRST_ALIAS_VIEWS)


class StoredViews:
    """Stores views as queries name them. A view that fails is not read again."""

    def __init__(self, database: Database, statements: Statements) -> None:
        self._database = database
        self._statements = statements
        self._scratch = identifier(f"{statements.schema[:100]}_CHECK_{secrets.token_hex(4)}")
        self._ready: bool | None = None
        self._stored: set[str] = set()
        self._failed: dict[str, SqlFailed] = {}

    def sql(self, query: str) -> str:
        """The query over what is stored. Raises SqlFailed where a view cannot be read."""
        named = sorted(_VIEWS & set(_NAME.findall(_WORDS.sub(" ", query))))
        if not named or not self._is_ready():
            return query
        for view in named:
            self._store(view)
        tables = ", ".join(self._render("stored_view", view) for view in named)
        return f"WITH {tables}\n{query}"

    def _is_ready(self) -> bool:
        """Whether the user may create a schema; without it the views themselves are read."""
        if self._ready is None:
            create = self._statements.query("create_scratch", scratch=self._scratch)
            try:
                self._database.execute(create)
                self._ready = True
            except SqlFailed:
                self._ready = False
            # A schema that was created is the open one.
            self._database.execute(self._statements.query("open_schema"))
        return self._ready

    def _store(self, view: str) -> None:
        if view in self._failed:
            raise self._failed[view]
        if view in self._stored:
            return
        try:
            self._database.execute(self._render("store_view", view))
        except SqlFailed as error:
            self._failed[view] = error
            raise
        self._stored.add(view)

    def _render(self, query: str, view: str) -> str:
        name = identifier(view)
        return self._statements.query(query, scratch=self._scratch, view=name).strip()
