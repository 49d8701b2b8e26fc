"""What hangs on a script that is replaced: given again, or said, where the database dropped it.

The stand-in keeps privileges and comment over CREATE OR REPLACE and Exasol may not, so a database
that drops them is played here.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from exatrust import resources
from exatrust.errors import RepinRefused
from exatrust.repin import Pinned, Repin, carry_out
from exatrust.statements import Statements

TEXT = "CREATE PYTHON3 SCALAR SCRIPT F() RETURNS INT AS\npass"
STATEMENTS = Statements("EXATRUST", ("PYTHON3",), resources.sql, resources.udf_text)


class Dropping:
    """Answers what `carry_out` asks, and loses everything about a script when it is replaced."""

    def __init__(self, stored: str | None = None) -> None:
        self.executed: list[str] = []
        self._stored = stored
        self._replaced = False

    def transaction(self, work: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
        return work()

    def execute(self, sql: str) -> int:
        self.executed.append(sql.strip())
        self._replaced = self._replaced or sql.startswith("CREATE")
        return 0

    def rows(self, sql: str) -> list[tuple[str, ...]]:
        if "SCRIPT_TEXT" in sql:
            return [(self._stored or self.executed[-1],)]
        if self._replaced:
            return []
        if "EXA_DBA_OBJ_PRIVS" in sql:
            return [("EXECUTE", "ANNA"), ("EXECUTE", "B C")]
        return [("ERP", "ANNA")]


def repin(comment: str | None) -> Repin:
    return Repin(Pinned("S", "F", TEXT, comment, ("0.1.0-old",)), TEXT, ())


def test_comment_and_privileges_are_given_again_and_connections_are_said() -> None:
    database = Dropping()
    lost = carry_out(database, STATEMENTS, [repin("it's ours")])  # type: ignore[arg-type]
    assert database.executed == [
        'OPEN SCHEMA "S"',
        TEXT.replace("CREATE ", "CREATE OR REPLACE ", 1),
        "COMMENT ON SCRIPT \"S\".\"F\" IS 'it''s ours'",
        'GRANT EXECUTE ON SCRIPT "S"."F" TO "ANNA"',
        'GRANT EXECUTE ON SCRIPT "S"."F" TO "B C"',
    ]
    assert lost == ('GRANT ACCESS ON CONNECTION "ERP" FOR SCRIPT "S"."F" TO "ANNA"',)


def test_a_database_that_keeps_another_beginning_of_the_text_is_understood() -> None:
    carry_out(Dropping(stored=TEXT), STATEMENTS, [repin(None)])  # type: ignore[arg-type]


def test_a_text_that_creates_something_else_is_refused() -> None:
    database = Dropping(stored="CREATE PYTHON3 SCALAR SCRIPT G() RETURNS INT AS\npass")
    with pytest.raises(RepinRefused, match="its text creates another one"):
        carry_out(database, STATEMENTS, [repin(None)])  # type: ignore[arg-type]
