"""Whether endpoints depend on a CA that shall go: the ledger of snapshots, view ANCHOR_USAGE."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from exatrust.bundle import Removal
from exatrust.database import Database
from exatrust.errors import AnchorInUse
from exatrust.observe import views
from exatrust.report import Report
from exatrust.statements import Statements, literal

_SHOWN = 10


@dataclass(frozen=True)
class Use:
    """An endpoint whose chain ended at the CA, in one language container."""

    host: str
    port: int
    alias: str
    nodes: int
    seen: dt.datetime

    def __str__(self) -> str:
        return (
            f"{self.host}:{self.port} ({self.alias}, {self.nodes} nodes, "
            f"last seen {self.seen:%Y-%m-%d %H:%M} UTC)"
        )


def refuse_used(
    going: Sequence[Removal],
    database: Database,
    statements: Statements,
    force: bool,
    report: Report,
) -> None:
    """Raise AnchorInUse where the last snapshots show that an endpoint needs the CA.

    They may be old, and know watched endpoints only: that is said, whatever they show.
    """
    if going:
        report.warn(_ledger(database, statements))
    for item in going:
        uses = find_uses(database, statements, item.sha256)
        if uses and not force:
            raise AnchorInUse(
                f"{item.subject} is in use, its removal would break {_listed(uses)}",
                "give these endpoints a certificate of another CA and run `exatrust snapshot`; "
                "or remove it all the same, with --force",
            )
        if uses:
            report.warn(f"this breaks, by force: {_listed(uses)}")


def find_uses(database: Database, statements: Statements, sha256: str) -> tuple[Use, ...]:
    if "ANCHOR_USAGE" not in views(database, statements):
        return ()
    rows = database.rows(statements.query("anchor_usage", sha256=literal(sha256)))
    return tuple(Use(*row) for row in rows)


def _ledger(database: Database, statements: Statements) -> str:
    """How much the ledger is worth."""
    last = None
    if "ANCHOR_USAGE" in views(database, statements):
        last = database.rows(statements.query("last_snapshot"))[0][0]
    if last is None:
        return (
            "no endpoint was ever checked by `exatrust snapshot`, so nobody knows what needs a CA; "
            "fill the table ENDPOINT and take a snapshot first"
        )
    return (
        f"what needs a CA is known from snapshots, the last one of {last:%Y-%m-%d %H:%M} UTC, "
        "and for the endpoints of the table ENDPOINT only"
    )


def _listed(uses: Sequence[Use]) -> str:
    more = f", and {len(uses) - _SHOWN} more" if len(uses) > _SHOWN else ""
    return ", ".join(map(str, uses[:_SHOWN])) + more
