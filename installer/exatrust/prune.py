"""Delete the files of old releases from the bucket; those that are, or may be needed, stay."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from exatrust.bucket import Bucket
from exatrust.errors import BucketFSFailed
from exatrust.manifests import read_contents
from exatrust.observe import Installed, history
from exatrust.proposal import Ports, Say
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
    activated: dict[str, Installed] = {}  # the newest first, each as it was activated last
    for item in history(ports.database, statements):
        activated.setdefault(item.release, item)
    known = list(activated)
    rows = ports.database.rows(statements.query("anchors_in_use"))
    in_use = {sha256: str(subject) for sha256, subject in rows}
    pinned = named_by_scripts(ports.database, statements, prefix)
    ports.database.rollback()
    there = by_release(our_files(ports.bucket.list(), prefix), prefix)
    old = [release for release in known[max(keep, 1) :] if release in there]
    kept = {release: f"script {pinned[release]} reads it" for release in old if release in pinned}
    if in_use and known:
        held = {
            release: _certificates(ports.bucket, prefix, activated[release])
            for release in (known[0], *old)
        }
        kept = dict(_needed(held, known[0], old, in_use)) | kept
    gone = tuple(release for release in old if release not in kept)
    return Pruning(
        releases=gone,
        files=tuple(path for release in gone for path in there[release]),
        kept=kept,
        unknown=tuple(release for release in there if release not in known),
    )


def _needed(
    held: Mapping[str, Collection[str]],
    current: str,
    old: Sequence[str],
    in_use: Mapping[str, str],
) -> Iterator[tuple[str, str]]:
    """Releases with a CA that an endpoint depends on, and that the current release lacks: the
    way back for whoever removed it by mistake. `held` has the SHA-256 of each release's CAs."""
    lacking = {digest: text for digest, text in in_use.items() if digest not in held[current]}
    for release in old:
        needed = sorted(lacking.keys() & set(held[release]))
        if needed:
            yield release, f"an endpoint depends on {lacking[needed[0]]}, which the current lacks"


def _certificates(bucket: Bucket, prefix: str, of: Installed) -> Collection[str]:
    """SHA-256 of the CAs of a release; none where its manifest is gone or altered."""
    try:
        return read_contents(bucket, f"{prefix}/releases", of).bundle.keys()
    except BucketFSFailed:
        return ()


def remove(pruning: Pruning, bucket: Bucket, say: Say) -> None:
    """Delete the files; a run that is interrupted is completed by the next."""
    for path in pruning.files:
        bucket.delete(path)
    for release in pruning.releases:
        say(f"deleted release {release} from the bucket")
