"""The master content of a bucket, on disk.

Confirmed behaviour: a write is atomic per file and the latest one wins; a file and a "directory"
may share a name, so files are not kept under their own names but under the hash of their path,
with the path beside the content. Confirmed traps: for a while after a DELETE a PUT to the same
path is refused; after an overwrite the old content may still be read for a while.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

CHUNK = 1 << 16


class RecentlyDeleted(Exception):
    """The path was deleted less than a sync period ago."""


@dataclass(frozen=True)
class Entry:
    """One stored version of a file. `version` is new with every write."""

    path: str
    version: str
    content: Path


@dataclass(frozen=True)
class _Stale:
    content: Path
    until: float


class Storage:
    """The files of one bucket. Times come from `clock`, in seconds."""

    def __init__(
        self,
        directory: Path,
        *,
        sync_period: float,
        stale_window: float,
        clock: Callable[[], float],
    ) -> None:
        self._directory = directory
        self._sync_period = sync_period
        self._stale_window = stale_window
        self._clock = clock
        self._lock = threading.RLock()
        self._deleted: dict[str, float] = {}
        self._stale: dict[str, _Stale] = {}
        self._entries = {entry.path: entry for entry in self._load()}

    def _load(self) -> Iterator[Entry]:
        (self._directory / "content").mkdir(parents=True, exist_ok=True)
        (self._directory / "index").mkdir(parents=True, exist_ok=True)
        for file in (self._directory / "index").glob("*.json"):
            fields = json.loads(file.read_text())
            content = self._directory / "content" / fields["version"]
            if content.exists():
                yield Entry(fields["path"], fields["version"], content)
        known = {json.loads(f.read_text())["version"] for f in self._index_files()}
        for leftover in (self._directory / "content").iterdir():
            if leftover.name not in known:
                leftover.unlink()

    def _index_files(self) -> list[Path]:
        return list((self._directory / "index").glob("*.json"))

    def _index_file(self, path: str) -> Path:
        return self._directory / "index" / f"{hashlib.sha256(path.encode()).hexdigest()}.json"

    def paths(self) -> list[str]:
        with self._lock:
            return sorted(self._entries)

    def entries(self) -> dict[str, Entry]:
        with self._lock:
            return dict(self._entries)

    def open(self, path: str) -> BinaryIO | None:
        """The content as a reader gets it now, perhaps stale; None where there is no file."""
        with self._lock:
            entry = self._entries.get(path)
            if entry is None:
                return None
            stale = self._stale.get(path)
            if stale is not None and self._clock() < stale.until and stale.content.exists():
                return stale.content.open("rb")
            return entry.content.open("rb")

    def refuses(self, path: str) -> bool:
        """Whether a write to the path is refused because it was deleted a moment ago."""
        with self._lock:
            deleted = self._deleted.get(path)
            return deleted is not None and self._clock() < deleted + self._sync_period

    def draft(self) -> Path:
        """A new file for content that is still arriving."""
        return self._directory / "content" / uuid.uuid4().hex

    def commit(self, path: str, draft: Path) -> None:
        """Make a draft the content of the path. Raises RecentlyDeleted."""
        with self._lock:
            if self.refuses(path):
                raise RecentlyDeleted(path)
            old = self._entries.get(path)
            self._write_index(path, draft.name)
            self._entries[path] = Entry(path, draft.name, draft)
            if old is not None:
                self._retire(old)

    def _write_index(self, path: str, version: str) -> None:
        index = self._index_file(path)
        temporary = index.with_suffix(".draft")
        temporary.write_text(json.dumps({"path": path, "version": version}))
        temporary.replace(index)

    def _retire(self, old: Entry) -> None:
        """Keep replaced content as long as a reader may still be given it."""
        previous = self._stale.pop(old.path, None)
        if previous is not None:
            previous.content.unlink(missing_ok=True)
        if self._stale_window > 0:
            self._stale[old.path] = _Stale(old.content, self._clock() + self._stale_window)
        else:
            old.content.unlink(missing_ok=True)

    def delete(self, path: str) -> bool:
        """Remove a file; False where there was none."""
        with self._lock:
            entry = self._entries.pop(path, None)
            if entry is None:
                return False
            self._index_file(path).unlink(missing_ok=True)
            entry.content.unlink(missing_ok=True)
            self._deleted[path] = self._clock()
            return True

    def copy(self, entry: Entry, target: Path) -> bool:
        """Copy one version to a file; False when it has been replaced meanwhile."""
        try:
            shutil.copyfile(entry.content, target)
        except FileNotFoundError:
            return False
        return True
