"""Replication to the nodes: asynchronous, file by file, each file visible whole or not at all.

A replica is a directory tree, what a node's containers see under /buckets. What it already has is
written in a ledger, so that after a restart the difference to the master is work again. A node
that is held back gets nothing until it is released.
"""

from __future__ import annotations

import json
import logging
import shutil
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from exatrust_sandbox.mock_bucketfs.archives import directory_of, unpack
from exatrust_sandbox.mock_bucketfs.storage import Entry, Storage

TICK = 0.02
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """One file that a replica has to take over (`entry`) or to drop (None)."""

    path: str
    entry: Entry | None

    @property
    def key(self) -> tuple[str, str]:
        return self.path, self.entry.version if self.entry else ""


class Replica:
    """One node's copy of one bucket."""

    def __init__(self, storage: Storage, tree: Path, ledger: Path) -> None:
        self._storage = storage
        self._tree = tree
        self._ledger = ledger
        self._has: dict[str, str] = json.loads(ledger.read_text()) if ledger.exists() else {}
        self._noticed: dict[tuple[str, str], float] = {}
        _make_readable_directory(tree)
        ledger.parent.mkdir(parents=True, exist_ok=True)

    def pending(self) -> list[Work]:
        """What the master has and this replica has not, or the other way round."""
        entries = self._storage.entries()
        changed = [
            Work(path, entry)
            for path, entry in entries.items()
            if self._has.get(path) != entry.version
        ]
        return changed + [Work(path, None) for path in self._has if path not in entries]

    def advance(self, now: float, delay: float) -> None:
        """Take over what was noticed at least `delay` seconds ago."""
        pending = self.pending()
        self._noticed = {work.key: self._noticed.get(work.key, now) for work in pending}
        due = [work for work in pending if now >= self._noticed[work.key] + delay]
        for work in due:
            self._apply(work)
        if due:
            self._write_ledger()

    def _apply(self, work: Work) -> None:
        try:
            if work.entry is None:
                self._drop(work.path)
            else:
                self._take(work.entry)
        except OSError as error:
            # Such as a file where another file needs a directory: said, and not tried for ever.
            log.warning("replica %s: %s: %s", self._tree, work.path, error)
            if work.entry is not None:
                self._has[work.path] = work.entry.version

    def _take(self, entry: Entry) -> None:
        draft = self._ledger.with_suffix(".draft-file")
        if not self._storage.copy(entry, draft):
            return
        draft.chmod(0o644)
        target = self._tree / entry.path
        _make_readable_directory(target.parent)
        if target.is_dir():
            shutil.rmtree(target)
        draft.replace(target)
        self._has[entry.path] = entry.version
        self._unpack(entry.path, target)

    def _unpack(self, path: str, archive: Path) -> None:
        directory = directory_of(path)
        if directory is not None:
            _make_readable_directory(self._tree / directory)
            unpack(archive, path, self._tree / directory)

    def _drop(self, path: str) -> None:
        (self._tree / path).unlink(missing_ok=True)
        if (directory := directory_of(path)) is not None:
            shutil.rmtree(self._tree / directory, ignore_errors=True)
        del self._has[path]
        self._remove_empty(Path(path).parent)

    def _remove_empty(self, relative: Path) -> None:
        while relative.parts:
            try:
                (self._tree / relative).rmdir()
            except OSError:
                return
            relative = relative.parent

    def _write_ledger(self) -> None:
        draft = self._ledger.with_suffix(".draft")
        draft.write_text(json.dumps(self._has))
        draft.replace(self._ledger)


class Replicator:
    """The thread that brings replicas up to date. `replicas[i]` belong to node i."""

    def __init__(
        self,
        replicas: list[list[Replica]],
        *,
        delay: float,
        held: Callable[[], Collection[int]],
        clock: Callable[[], float],
    ) -> None:
        self._replicas = replicas
        self._delay = delay
        self._held = held
        self._clock = clock
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bucketfs-replicator", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def idle(self) -> bool:
        """Whether every node that is not held back has everything."""
        held = self._held()
        return not any(
            replica.pending()
            for node, replicas in enumerate(self._replicas)
            if node not in held
            for replica in replicas
        )

    def _run(self) -> None:
        while not self._ended.wait(TICK):
            held = self._held()
            for node, replicas in enumerate(self._replicas):
                if node not in held:
                    for replica in replicas:
                        replica.advance(self._clock(), self._delay)


def _make_readable_directory(path: Path) -> None:
    """A directory that the containers' user can read, whatever this process's umask is."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o755)
