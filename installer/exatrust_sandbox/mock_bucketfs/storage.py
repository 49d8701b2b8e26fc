"""The master content of one bucket: a flat map from paths to files, kept on disk.

A bucket has no directories: a file and a "directory" may share a name (confirmed: bucketfs-java
design.md). So a path is never used as a file name here. The bytes lie in `content/<random>`;
`index/<hash of the path>.json` says which content a path has, and replacing that small file is
the commit: a crash leaves the old version or the new one, whole (confirmed: writes are atomic
per file, the latest wins).
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from exatrust_sandbox.mock_bucketfs.model import Change, StoredFile


class RecentlyDeletedError(Exception):
    """The path was deleted less than a synchronisation period ago, and cannot be written yet."""


@dataclass
class Draft:
    """An upload under way: bytes on disk that no path refers to yet."""

    path: Path
    file: BinaryIO
    size: int = 0

    def write(self, data: bytes) -> None:
        self.file.write(data)
        self.size += len(data)


class BucketStore:
    """The files of one bucket. Safe for use by several threads."""

    def __init__(
        self,
        name: str,
        directory: Path,
        *,
        sync_period: float,
        clock: Callable[[], float],
    ) -> None:
        self.name = name
        self._content = directory / "content"
        self._index = directory / "index"
        self._incoming = directory / "incoming"
        self.unpacked = directory / "unpacked"
        self._sync_period, self._clock = sync_period, clock
        self._listener: Callable[[Change], None] = _ignore
        self._lock = threading.RLock()
        self._files: dict[str, StoredFile] = {}
        self._stale: dict[str, tuple[StoredFile, float]] = {}
        self._deleted: dict[str, float] = {}
        self._last_version = 0
        self._open()

    def _open(self) -> None:
        for path in (self._content, self._index, self._incoming, self.unpacked):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        for leftover in self._incoming.iterdir():
            leftover.unlink()
        for entry in self._index.glob("*.json"):
            file = StoredFile(**json.loads(entry.read_text()))
            self._files[file.path] = file
            self._last_version = max(self._last_version, file.version)

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Have each change told, in order, while the store is locked."""
        self._listener = listener

    def files(self) -> dict[str, StoredFile]:
        with self._lock:
            return dict(self._files)

    def open_file(self, path: str) -> tuple[StoredFile, BinaryIO] | None:
        """What a reader gets now: the file, or its old version in the stale window after an
        overwrite; None when there is none. The caller closes it.
        """
        with self._lock:
            file = self._files.get(path)
            stale, until = self._stale.get(path, (None, 0.0))
            if stale is not None and self._clock() < until:
                file = stale
            return (file, self.content_path(file).open("rb")) if file else None

    def content_path(self, file: StoredFile) -> Path:
        return self._content / file.content

    @contextmanager
    def draft(self) -> Iterator[Draft]:
        """A place to write an upload to; whatever was not committed vanishes at the end."""
        path = self._incoming / uuid.uuid4().hex
        try:
            with path.open("wb") as file:
                yield Draft(path, file)
        finally:
            path.unlink(missing_ok=True)

    def commit(self, path: str, draft: Draft, *, stale_seconds: float = 0.0) -> StoredFile:
        """Make a draft the content of a path; raises RecentlyDeletedError."""
        draft.file.flush()
        with self._lock:
            self.refuse_recently_deleted(path)
            previous = self._files.get(path)
            file = StoredFile(path, uuid.uuid4().hex, draft.size, self._next_version())
            draft.path.replace(self._content / file.content)
            self._write_index(file)
            self._files[path] = file
            stale = previous is not None and stale_seconds > 0
            if previous is not None and stale:
                self._stale[path] = (previous, self._clock() + stale_seconds)
            delay = stale_seconds if stale else 0.0
            self._listener(Change(self.name, path, file.version, file, delay))
            return file

    def remove(self, path: str) -> bool:
        """Delete a path, at once and for all readers; False when there was nothing."""
        with self._lock:
            if self._files.pop(path, None) is None:
                return False
            self._index_path(path).unlink(missing_ok=True)
            self._stale.pop(path, None)
            self._deleted[path] = self._clock() + self._sync_period
            self._listener(Change(self.name, path, self._next_version(), None))
            return True

    def refuse_recently_deleted(self, path: str) -> None:
        """Raises RecentlyDeletedError within `sync_period` after a DELETE of the path.

        Confirmed: bucketfs-java user guide and bucketfs-python path_like.py report about 30 s.
        Inferred: it ends exactly then, and a restart of the service forgets it.
        """
        with self._lock:
            until = self._deleted.get(path)
            if until is not None and self._clock() < until:
                raise RecentlyDeletedError(path)
            self._deleted.pop(path, None)

    def contents(self) -> set[str]:
        """Names of all content files, used or not."""
        with self._lock:
            return {path.name for path in self._content.iterdir()}

    def referenced(self) -> set[str]:
        """Names of the content files that readers can still get."""
        with self._lock:
            now = self._clock()
            self._stale = {key: value for key, value in self._stale.items() if now < value[1]}
            stale = (file.content for file, _ in self._stale.values())
            return {file.content for file in self._files.values()} | set(stale)

    def drop_contents(self, names: Collection[str]) -> None:
        for name in names:
            (self._content / name).unlink(missing_ok=True)

    def _next_version(self) -> int:
        # Whole microseconds survive on every file system that has sub-second times.
        now = time.time_ns() // 1000 * 1000
        self._last_version = max(now, self._last_version + 1000)
        return self._last_version

    def _index_path(self, path: str) -> Path:
        return self._index / f"{hashlib.sha256(path.encode()).hexdigest()}.json"

    def _write_index(self, file: StoredFile) -> None:
        draft = self._incoming / f"{uuid.uuid4().hex}.index"
        draft.write_text(json.dumps(asdict(file)))
        draft.replace(self._index_path(file.path))


def _ignore(change: Change) -> None:
    """Who listens later compares first."""
