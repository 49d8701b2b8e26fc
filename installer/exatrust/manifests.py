"""Manifests of releases, read from BucketFS and compared with the history."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exatrust.bucket import Bucket
from exatrust.carry import intact
from exatrust.errors import BucketFSFailed, UsageError
from exatrust.observe import Installed
from exatrust.release import MANIFEST

DEFAULT, ADDED, REMOVED, LEFT_OUT = "default", "added", "removed", "left out"


@dataclass(frozen=True)
class Entry:
    """A CA of a release, or one that the release does without.

    `origin` is one of the constants above. `not_after` (ISO) and `source` are None where the
    release does not say.
    """

    sha256: str
    subject: str
    not_after: str | None
    origin: str
    source: str | None
    reason: str | None = None


@dataclass(frozen=True)
class Contents:
    """What a manifest says; `entries` has those in the bundle first."""

    release: str
    roots: str
    entries: tuple[Entry, ...]

    @property
    def bundle(self) -> Mapping[str, Entry]:
        """Those that UDFs trust, by SHA-256."""
        return {e.sha256: e for e in self.entries if e.origin in (DEFAULT, ADDED)}

    @property
    def absent(self) -> Mapping[str, Entry]:
        """Those that were removed or left out, by SHA-256."""
        return {e.sha256: e for e in self.entries if e.origin in (REMOVED, LEFT_OUT)}


def read_contents(bucket: Bucket, releases: str, of: Installed) -> Contents:
    """`releases` is the bucket path of all releases. Raises BucketFSFailed for a release whose
    manifest is gone or not the one that was recorded."""
    content = intact(bucket, of, f"{releases}/{of.release}", MANIFEST)
    if content is None:
        raise BucketFSFailed(
            f"the manifest of release {of.release} is missing or altered in BucketFS",
            "run `exatrust install`, if it is the current one; an old one may have been pruned",
        )
    return contents(of.release, json.loads(content))


def contents(release: str, document: Mapping[str, Any]) -> Contents:
    """The CAs in a manifest, format 1."""
    entries = [
        *(
            Entry(e["sha256"], e["subject"], e["not_after"], e["origin"], e["source"])
            for e in document["certificates"]
        ),
        *(
            Entry(e["sha256"], e["subject"], None, REMOVED, None)
            for e in document.get("removed", ())
        ),
        *(
            Entry(e["sha256"], e["subject"], None, LEFT_OUT, e["source"], e["reason"])
            for e in document["left_out"]
        ),
    ]
    return Contents(release, document["roots"], tuple(entries))


def find_release(history: Sequence[Installed], text: str) -> Installed:
    """The release of that name, or with that hash alone. `history` begins with the last one.

    Raises UsageError, listing what there is.
    """
    for item in history:
        if item.release == text or item.release.endswith(f"-{text}"):
            return item
    names = ", ".join(dict.fromkeys(item.release for item in history)) or "none"
    raise UsageError(f"no release {text!r} was ever installed", f"there are: {names}")


@dataclass(frozen=True)
class Difference:
    """A CA that one of two releases has. `change` is "added" or "removed"; `why` the newer's."""

    change: str
    entry: Entry
    why: str


def differences(old: Contents, new: Contents) -> tuple[Difference, ...]:
    """CA by CA, those that are gone first."""
    gone = [entry for sha256, entry in old.bundle.items() if sha256 not in new.bundle]
    come = [entry for sha256, entry in new.bundle.items() if sha256 not in old.bundle]
    return (
        *(Difference("removed", entry, _why_gone(entry, new)) for entry in gone),
        *(Difference("added", entry, _why_come(entry, old)) for entry in come),
    )


def _why_gone(entry: Entry, new: Contents) -> str:
    absent = new.absent.get(entry.sha256)
    if absent is None:
        return f"not in {new.roots}" if entry.origin == DEFAULT else "no longer added"
    return absent.reason or "a human removed it"


def _why_come(entry: Entry, old: Contents) -> str:
    if entry.origin == ADDED:
        return f"added from {entry.source}"
    before = old.absent.get(entry.sha256)
    if before is None:
        return f"new in {entry.source}"
    return "no longer removed" if before.origin == REMOVED else f"no longer {LEFT_OUT}"
