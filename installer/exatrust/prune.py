"""Delete the files of old releases from the bucket; those that are, or may be needed, stay."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from exatrust.bucket import Bucket
from exatrust.observe import history
from exatrust.proposal import Ports, Say
from exatrust.release import MANIFEST
from exatrust.release_files import by_release, named_by_scripts, our_files
from exatrust.statements import Statements


@dataclass(frozen=True)
class Pruning:
    """`files`: what would be deleted. `kept`: older releases that stay, and why.

    `unknown`: releases in the bucket that this database never activated; they may be another
    database's, so that nothing of them is deleted.
    """

    releases: tuple[str, ...]
    files: tuple[str, ...]
    kept: Mapping[str, str]
    unknown: tuple[str, ...]


def find(ports: Ports, statements: Statements, prefix: str, keep: int) -> Pruning:
    """What a prune would delete that keeps the newest `keep` releases, the current one first."""
    known = list(dict.fromkeys(item.release for item in history(ports.database, statements)))
    rows = ports.database.rows(statements.query("anchors_in_use"))
    in_use = {sha256: str(subject) for sha256, subject in rows}
    pinned = named_by_scripts(ports.database, statements, prefix)
    ports.database.rollback()
    there = by_release(our_files(ports.bucket.list(), prefix), prefix)
    old = [release for release in known[max(keep, 1) :] if release in there]
    kept = {release: f"script {pinned[release]} reads it" for release in old if release in pinned}
    if in_use and known:
        kept = dict(_needed(ports.bucket, prefix, known[0], old, in_use)) | kept
    gone = tuple(release for release in old if release not in kept)
    return Pruning(
        releases=gone,
        files=tuple(path for release in gone for path in there[release]),
        kept=kept,
        unknown=tuple(release for release in there if release not in known),
    )


def _needed(
    bucket: Bucket, prefix: str, current: str, old: Sequence[str], in_use: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Releases with a CA that an endpoint depends on, and that the current release lacks: the
    way back for whoever removed it by mistake."""
    held = _certificates(bucket, prefix, current)
    lacking = {digest: subject for digest, subject in in_use.items() if digest not in held}
    for release in old if lacking else ():
        needed = sorted(lacking.keys() & _certificates(bucket, prefix, release))
        if needed:
            yield release, f"an endpoint depends on {lacking[needed[0]]}, which the current lacks"


def _certificates(bucket: Bucket, prefix: str, release: str) -> Collection[str]:
    """SHA-256 of the certificates of a release; none where its manifest is gone or unreadable."""
    content = bucket.read(f"{prefix}/releases/{release}/{MANIFEST}")
    try:
        return {entry["sha256"] for entry in json.loads(content or b"{}")["certificates"]}
    except (ValueError, KeyError, TypeError):
        return set()


def remove(pruning: Pruning, bucket: Bucket, say: Say) -> None:
    """Delete the files; a run that is interrupted is completed by the next."""
    for path in pruning.files:
        bucket.delete(path)
    for release in pruning.releases:
        say(f"deleted release {release} from the bucket")
