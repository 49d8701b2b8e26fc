"""CAs that were added before, carried over into the next bundle.

They are read from the current release: its manifest says which certificates of its bundle were
added. Where BucketFS lost that release, CA_DECISION has the certificates too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator

from exatrust.bucketfs import BucketFS
from exatrust.bundle import Anchor
from exatrust.database import Database
from exatrust.errors import BundleRejected
from exatrust.intake import read_certificates
from exatrust.observe import Installed
from exatrust.release import MANIFEST
from exatrust.statements import Statements
from exatrust_udf.certificate import Certificate


def carried_over(
    database: Database,
    bucket: BucketFS,
    statements: Statements,
    current: Installed | None,
    releases: str,
    warn: Callable[[str], None],
) -> tuple[Anchor, ...]:
    """The added CAs of the current release. `releases` is the bucket path of all releases."""
    if current is None:
        return ()
    bundle_name = current.name("ca-bundle-", ".pem") or ""
    directory = f"{releases}/{current.release}"
    manifest = _intact(bucket, current, directory, MANIFEST)
    pem = _intact(bucket, current, directory, bundle_name)
    if manifest is None or pem is None:
        warn(
            f"release {current.release} is missing or altered in BucketFS; "
            "the CAs that were added are taken from the table CA_DECISION"
        )
        return tuple(_from_ledger(database, statements))
    return tuple(_from_release(manifest, pem, bundle_name))


def _intact(bucket: BucketFS, current: Installed, directory: str, name: str) -> bytes | None:
    content = bucket.read(f"{directory}/{name}")
    if content is None or hashlib.sha256(content).hexdigest() != current.digest(name):
        return None
    return content


def _from_release(manifest: bytes, pem: bytes, name: str) -> Iterator[Anchor]:
    by_digest = {item.sha256: item for item in read_certificates(pem, name)}
    for entry in json.loads(manifest)["certificates"]:
        if entry["origin"] == "added":
            yield Anchor(by_digest[entry["sha256"]], "added", entry["source"])


def _from_ledger(database: Database, statements: Statements) -> Iterator[Anchor]:
    for sha256, source, pem in database.rows(statements.query("added_certificates")):
        yield Anchor(_certificate(sha256, pem or ""), "added", source)


def _certificate(sha256: str, pem: str) -> Certificate:
    found = read_certificates(pem.encode("utf-8"), f"CA_DECISION {sha256[:12]}")
    if [item.sha256 for item in found] != [sha256]:
        raise BundleRejected(
            f"CA_DECISION: the certificate stored for {sha256} is another one",
            "find out who changed the table; then add the CA again with --ca FILE",
        )
    return found[0]
