"""CAs that were added or removed before, carried over into the next bundle.

They are read from the current release: its manifest says which certificates of its bundle were
added, and which were removed. Where BucketFS lost that release, CA_DECISION has them too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from exatrust.bucket import Bucket
from exatrust.bundle import Anchor, Removal
from exatrust.database import Database
from exatrust.decisions import ADDED, REMOVED, last_decisions
from exatrust.errors import BundleRejected
from exatrust.intake import read_certificates
from exatrust.observe import Installed
from exatrust.release import MANIFEST
from exatrust.statements import Statements
from exatrust_udf.certificate import Certificate


@dataclass(frozen=True)
class Carried:
    """What humans decided about the bundle until now, and what UDFs trust until now.

    `held` are all CAs of the current release, `forgotten` those that were removed at any time; a CA
    that had been added leaves no other trace.
    """

    added: tuple[Anchor, ...] = ()
    removed: tuple[Removal, ...] = ()
    held: tuple[Removal, ...] = ()
    forgotten: tuple[Removal, ...] = ()


def carried_over(
    database: Database,
    bucket: Bucket,
    statements: Statements,
    current: Installed | None,
    releases: str,
    warn: Callable[[str], None],
) -> Carried:
    """The decisions in the current release. `releases` is the bucket path of all releases."""
    if current is None:
        return Carried()
    bundle_name = current.name("ca-bundle-", ".pem") or ""
    directory = f"{releases}/{current.release}"
    manifest = intact(bucket, current, directory, MANIFEST)
    pem = intact(bucket, current, directory, bundle_name)
    if manifest is None or pem is None:
        warn(
            f"release {current.release} is missing or altered in BucketFS; the CAs that were "
            "added and removed are taken from the table CA_DECISION"
        )
        return _from_ledger(database, statements)
    document = json.loads(manifest)
    found = _from_release(document, pem, bundle_name)
    return replace(
        found,
        added=(*found.added, *_left_out(database, statements, document)),
        forgotten=_from_ledger(database, statements).removed,
    )


def intact(bucket: Bucket, current: Installed, directory: str, name: str) -> bytes | None:
    """The content of a file of a release; None where it is missing or altered."""
    content = bucket.read(f"{directory}/{name}")
    if content is None or hashlib.sha256(content).hexdigest() != current.digest(name):
        return None
    return content


def _from_release(document: Mapping[str, Any], pem: bytes, name: str) -> Carried:
    by_digest = {item.sha256: item for item in read_certificates(pem, name)}
    certificates = document["certificates"]
    return Carried(
        tuple(
            Anchor(by_digest[entry["sha256"]], "added", entry["source"])
            for entry in certificates
            if entry["origin"] == "added"
        ),
        tuple(Removal(entry["sha256"], entry["subject"]) for entry in document.get("removed", ())),
        tuple(Removal(entry["sha256"], entry["subject"]) for entry in certificates),
    )


def _left_out(
    database: Database, statements: Statements, document: Mapping[str, Any]
) -> tuple[Anchor, ...]:
    """What humans added and the release had to leave out, because it was distrusted then: the next
    bundle is asked again, and leaves it out again for as long as it is."""
    without = {entry["sha256"] for entry in document["left_out"]}
    rows = database.rows(statements.query("wanted_certificates"))
    return tuple(
        Anchor(_certificate(sha256, pem or ""), "added", source)
        for sha256, source, pem in rows
        if sha256 in without
    )


def _from_ledger(database: Database, statements: Statements) -> Carried:
    """The last decision about a certificate counts."""
    decisions = last_decisions(database, statements).values()
    return Carried(
        tuple(
            Anchor(_certificate(item.sha256, item.pem or ""), "added", item.source or "")
            for item in decisions
            if item.kind == ADDED
        ),
        tuple(
            Removal(item.sha256, item.subject or "") for item in decisions if item.kind == REMOVED
        ),
    )


def _certificate(sha256: str, pem: str) -> Certificate:
    found = read_certificates(pem.encode("utf-8"), f"CA_DECISION {sha256[:12]}")
    if [item.sha256 for item in found] != [sha256]:
        raise BundleRejected(
            f"CA_DECISION: the certificate stored for {sha256} is another one",
            "find out who changed the table; then run `exatrust ca add FILE`",
        )
    return found[0]
