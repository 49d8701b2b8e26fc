"""Whether endpoints depend on a CA that shall go: the ledger of snapshots, view ANCHOR_USAGE.

An endpoint whose chain can also end at a CA that stays does not break.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from exatrust.bundle import Bundle, Removal
from exatrust.database import Database
from exatrust.errors import AnchorInUse
from exatrust.observe import views
from exatrust.report import Report
from exatrust.statements import Statements, literal

_SHOWN = 10


@dataclass(frozen=True)
class Use:
    """An endpoint whose chain ended at the CA, or would end at it, in one language container.

    `anchor` is the SHA-256 of the CA it ended at, `others` are those of further CAs at which it
    would end, one a line; None where there is none.
    """

    host: str
    port: int
    alias: str
    nodes: int
    seen: dt.datetime
    anchor: str
    others: str | None

    def breaks(self, bundle: Bundle) -> bool:
        """Whether nothing in a bundle closes its chain."""
        held = {anchor.certificate.sha256 for anchor in bundle.anchors}
        return held.isdisjoint((self.anchor, *(self.others or "").split()))

    def __str__(self) -> str:
        return (
            f"{self.host}:{self.port} ({self.alias}, {self.nodes} nodes, "
            f"last seen {self.seen:%Y-%m-%d %H:%M} UTC)"
        )


def refuse_used(
    going: Sequence[Removal],
    bundle: Bundle,
    database: Database,
    statements: Statements,
    force: bool,
    report: Report,
) -> None:
    """Raise AnchorInUse where the last snapshots show that an endpoint needs the CA.

    They may be old, and know watched endpoints only: that is said, whatever they show. `bundle` is
    the one without the CAs.
    """
    if going:
        report.warn(_ledger(database, statements))
    for item in going:
        uses = find_uses(database, statements, item.sha256)
        broken = [use for use in uses if use.breaks(bundle)]
        if kept := [use for use in uses if not use.breaks(bundle)]:
            report.warn(f"without {item.subject} another CA of the bundle serves {_listed(kept)}")
        if broken and not force:
            raise AnchorInUse(
                f"{item.subject} is in use, its removal would break {_listed(broken)}",
                "give these endpoints a certificate of another CA and run `exatrust snapshot`; "
                "or remove it all the same, with --force",
            )
        if broken:
            report.warn(f"this breaks, by force: {_listed(broken)}")


def warn_of_distrust(
    bundle: Bundle, database: Database, statements: Statements, report: Report
) -> None:
    """Say what is left out of the bundle, and which endpoints that breaks."""
    for left in bundle.left_out:
        report.warn(f"left out of the bundle: {left.reason} (from {left.source})")
        cert = left.certificate
        _warn_of_broken(cert.sha256, cert.subject, bundle, database, statements, report)


def warn_of_lost(
    lost: Sequence[Removal],
    bundle: Bundle,
    database: Database,
    statements: Statements,
    report: Report,
) -> None:
    """Say which CAs the sources of the bundle have no more, and which endpoints that breaks."""
    for item in lost:
        report.warn(f"{item.subject} is in no source of the bundle any more: UDFs lose it")
        _warn_of_broken(item.sha256, item.subject, bundle, database, statements, report)


def _warn_of_broken(
    sha256: str, subject: str, bundle: Bundle, database: Database, statements: Statements,
    report: Report,
) -> None:  # fmt: skip
    uses = find_uses(database, statements, sha256)
    if broken := [use for use in uses if use.breaks(bundle)]:
        report.warn(f"without {subject} this breaks: {_listed(broken)}")


def find_uses(database: Database, statements: Statements, sha256: str) -> tuple[Use, ...]:
    """Where it closes a chain, or would close one if others were gone."""
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
