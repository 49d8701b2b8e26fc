"""The ledger of decisions about CAs, the table CA_DECISION: the last one about a CA counts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from exatrust.bundle import Bundle, pem_block
from exatrust.database import Database
from exatrust.statements import Statements, literal, timestamp
from exatrust_udf.certificate import Certificate

ADDED, REMOVED, LEFT_OUT = "ADDED", "REMOVED", "LEFT_OUT"

_CONFIRMED = "a human confirmed its fingerprint"
_REMOVED = "a human removed it"


@dataclass(frozen=True)
class Decision:
    """A row of CA_DECISION; `pem` is None where only the name of a CA was known."""

    kind: str
    sha256: str
    subject: str | None
    source: str | None
    reason: str | None
    at: dt.datetime
    by: str
    pem: str | None


@dataclass(frozen=True)
class Verdict:
    """What a bundle says of one CA, to be recorded unless the ledger ends with it."""

    kind: str
    sha256: str
    subject: str
    source: str | None
    reason: str
    certificate: Certificate | None


def last_decisions(database: Database, statements: Statements) -> Mapping[str, Decision]:
    """By SHA-256, in the order of time."""
    rows = database.rows(statements.query("decisions"))
    return {row[1]: Decision(*row) for row in rows}


def verdicts(bundle: Bundle, reason: str | None) -> Iterator[Verdict]:
    """`reason` is what a human said of what changes now."""
    for anchor in bundle.added:
        item = anchor.certificate
        why = f"{reason} ({_CONFIRMED})" if reason else _CONFIRMED
        yield Verdict(ADDED, item.sha256, item.subject, anchor.source, why, item)
    for gone in bundle.removed:
        yield Verdict(
            REMOVED, gone.sha256, gone.subject, None, reason or _REMOVED, gone.certificate
        )
    for left in bundle.left_out:
        item = left.certificate
        yield Verdict(LEFT_OUT, item.sha256, item.subject, left.source, left.reason, item)


def _reversals(bundle: Bundle, reason: str | None, known: Iterable[Decision]) -> Iterator[Verdict]:
    """What the ledger ends with and the bundle contradicts, as after a rollback."""
    held = {anchor.certificate.sha256: anchor for anchor in bundle.anchors}
    for last in known:
        anchor = held.get(last.sha256)
        if last.kind == ADDED and anchor is None:
            why = reason or "the release does not hold it"
            yield Verdict(REMOVED, last.sha256, last.subject or "", None, why, None)
        elif last.kind == REMOVED and anchor is not None and anchor.origin == "default":
            item, why = anchor.certificate, reason or "the release holds it"
            yield Verdict(ADDED, item.sha256, item.subject, anchor.source, why, item)


def record(
    bundle: Bundle,
    release: str,
    reason: str | None,
    now: dt.datetime,
    database: Database,
    statements: Statements,
) -> None:
    """Every verdict that is news, a change of mind among them; inside a transaction."""
    known = last_decisions(database, statements)
    found = (*_reversals(bundle, reason, known.values()), *verdicts(bundle, reason))
    for verdict in {item.sha256: item for item in found}.values():  # what is said outright counts
        last = known.get(verdict.sha256)
        if last is None or last.kind != verdict.kind:
            database.execute(
                statements.query("record_decision", now=timestamp(now), **_values(verdict, release))
            )


def _values(verdict: Verdict, release: str) -> dict[str, str]:
    item = verdict.certificate
    return {
        "decision": literal(verdict.kind),
        "sha256": literal(verdict.sha256),
        "subject": literal(verdict.subject),
        "source": "NULL" if verdict.source is None else literal(verdict.source),
        "reason": literal(verdict.reason),
        "release": literal(release),
        "certificate_pem": literal(pem_block(item.der).decode("ascii")) if item else "NULL",
    }
