"""What a node's bucket directory should look like (pure).

A bucket is flat, a directory is not, so two files may want the same name. Inferred, since no
source says: the latest version wins, and where one name is a file and a directory on the node,
the directory wins and the file is hidden as long as the directory has content. An archive
itself is not visible on a node, only what was in it (its UDF path is confirmed to be the path
without the suffix; that the archive is not beside it is inferred).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class Entry:
    """One name on a node.

    version: modification time in nanoseconds; 0 for a link
    size:    bytes; 0 for a link
    link:    target of a symbolic link, else None
    source:  file to copy from; None for what is already there, and for links
    """

    version: int
    size: int
    link: str | None = None
    source: Path | None = None

    def same(self, other: Entry | None) -> bool:
        """Whether both look the same on disk."""
        return other is not None and (self.version, self.size, self.link) == (
            other.version,
            other.size,
            other.link,
        )


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one stored file brings onto a node: itself, or an archive's members.

    content: name of the content file it comes from; None when it was found on the node
    """

    version: int
    entries: Mapping[str, Entry]
    content: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """What to do with a directory, in this order."""

    remove: tuple[str, ...]
    write: tuple[tuple[str, Entry], ...]


def overlay(contributions: Iterable[Contribution]) -> dict[str, Entry]:
    """The names on a node which has these contributions."""
    names: dict[str, Entry] = {}
    for contribution in sorted(contributions, key=lambda item: item.version):
        names.update(contribution.entries)
    directories = {parent for name in names for parent in parents(name)}
    return {name: entry for name, entry in names.items() if name not in directories}


def parents(name: str) -> Iterable[str]:
    return (str(parent) for parent in PurePosixPath(name).parents if parent.name)


def difference(wanted: Mapping[str, Entry], present: Mapping[str, Entry]) -> Difference:
    """How to get from what is present to what is wanted; empty when they are the same."""
    return Difference(
        remove=tuple(sorted(present.keys() - wanted.keys())),
        write=tuple(
            (name, entry)
            for name, entry in sorted(wanted.items(), key=lambda item: (item[1].version, item[0]))
            if not entry.same(present.get(name))
        ),
    )


def recognise(
    master: Mapping[str, Contribution], present: Mapping[str, Entry]
) -> tuple[dict[str, Contribution], set[str]]:
    """After a restart: what a node has got already, and the paths that are still to be brought.

    What lies on the node and no stored file accounts for (an old version, a deleted file) stays
    as it is, as a contribution of its own, until its path is brought up to date.
    """
    winners = overlay(master.values())
    known = {
        path: contribution
        for path, contribution in master.items()
        if all(
            entry.same(present.get(name))
            for name, entry in contribution.entries.items()
            if winners.get(name) is entry
        )
    }
    pending = master.keys() - known.keys()
    expected = overlay(known.values())
    for name, entry in present.items():
        if not entry.same(expected.get(name)):
            known[name] = Contribution(entry.version, {name: entry})
            pending = pending | {name}
    return known, set(pending)
