"""Bringing the stored files to the nodes, later.

Confirmed: replication is asynchronous, so a 200 does not mean "visible"; it goes path by path
(log line "rsync for id ((service, bucket, path)) is done"). Inferred: every node gets a change
after the same delay, files appear whole, and a restarted service finds out what is missing by
comparing.
"""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from exatrust_sandbox.mock_bucketfs.archives import ArchiveError, members, unpack
from exatrust_sandbox.mock_bucketfs.model import Change, Limits, StoredFile
from exatrust_sandbox.mock_bucketfs.node import Node
from exatrust_sandbox.mock_bucketfs.paths import archive_directory
from exatrust_sandbox.mock_bucketfs.replica import Replica
from exatrust_sandbox.mock_bucketfs.storage import BucketStore
from exatrust_sandbox.mock_bucketfs.view import Contribution, Entry

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.03


@dataclass(frozen=True)
class Pace:
    """How nodes lag behind. Seconds.

    delay:        from a change to its appearance on the nodes
    unpack_delay: how much longer archives take
    held:         numbers of the nodes that get nothing for now; asked again and again
    pause:        before each file that appears
    """

    delay: float
    unpack_delay: float
    held: Callable[[], Collection[int]]
    pause: Callable[[], float]
    clock: Callable[[], float] = time.monotonic


class Replicator:
    """A thread that keeps the nodes' directories up with the stores."""

    def __init__(
        self,
        stores: Mapping[str, BucketStore],
        replicas: Sequence[Path],
        root: Path,
        pace: Pace,
        limits: Limits,
    ) -> None:
        self._stores, self._pace, self._limits = stores, pace, limits
        self._members: dict[str, Contribution] = {}
        self._nodes = [
            Node(
                {name: Replica(path / name, root / f"node{i}" / name) for name in stores},
                self._contribution,
            )
            for i, path in enumerate(replicas)
        ]
        self._changed = threading.Condition()
        self._inbox: list[Change] = []
        self._busy: frozenset[int] = frozenset(range(len(replicas)))
        self._last_held: frozenset[int] = frozenset()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Make the nodes' directories, compare them with the stores, begin to replicate."""
        for node in self._nodes:
            node.prepare()
        for store in self._stores.values():
            store.listen(self._notice)
        self._thread = threading.Thread(target=self._run, name="bucketfs-replication", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the file that is being copied; what is left is found at the next start."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _notice(self, change: Change) -> None:
        with self._changed:
            self._inbox.append(change)
            self._changed.notify_all()

    def wait_idle(self, timeout: float) -> None:
        """Wait until every node that is not held has everything; raises TimeoutError."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while late := self._late():
                if time.monotonic() >= deadline:
                    raise TimeoutError(f"nodes {late} have not caught up after {timeout:g} s")
                self._changed.wait(_POLL_SECONDS)

    def _late(self) -> list[int]:
        if self._inbox:
            return list(range(len(self._nodes)))
        return sorted(self._busy - frozenset(self._pace.held()))

    def _run(self) -> None:
        for name, store in self._stores.items():
            due = self._pace.clock() + self._pace.delay
            files = store.files()
            for node in self._nodes:
                node.rebuild(name, files, due)
        while self._next_round():
            try:
                if self._advance():
                    self._drop_unused()
            except OSError as error:
                _log.warning("replication goes on in a moment: %s", error)

    def _advance(self) -> bool:
        held = self._held()
        moved = [
            node.advance(self._pace.clock(), partial(self._may_write, number))
            for number, node in enumerate(self._nodes)
            if number not in held
        ]
        return any(moved)

    def _held(self) -> frozenset[int]:
        """Asked of other code, whose failure must not end replication."""
        try:
            self._last_held = frozenset(self._pace.held())
        except Exception:
            _log.exception("which nodes are held is not known; as before")
        return self._last_held

    def _next_round(self) -> bool:
        """Hand new changes to the nodes, and wait a moment; False when it is time to stop."""
        with self._changed:
            self._take_inbox()
            busy = self._busy
            self._changed.notify_all()
            if not self._stopping:
                self._changed.wait(_POLL_SECONDS if busy else None)
            self._take_inbox()
            return not self._stopping

    def _take_inbox(self) -> None:
        now = self._pace.clock()
        for change in self._inbox:
            extra = self._pace.unpack_delay if archive_directory(change.path) else 0.0
            for node in self._nodes:
                node.expect(change, now + self._pace.delay + change.delay + extra)
        self._inbox.clear()
        self._busy = frozenset(i for i, node in enumerate(self._nodes) if node.busy)

    def _may_write(self, number: int) -> bool:
        time.sleep(self._pace.pause())
        return not self._stopping and number not in self._held()

    def _contribution(self, bucket: str, file: StoredFile) -> Contribution:
        directory = archive_directory(file.path)
        if directory is None:
            source = self._stores[bucket].content_path(file)
            entry = Entry(file.version, file.size, source=source)
            return Contribution(file.version, {file.path: entry}, file.content)
        if file.content not in self._members:
            entries = self._unpack(bucket, file, directory)
            self._members[file.content] = Contribution(file.version, entries, file.content)
        return self._members[file.content]

    def _unpack(self, bucket: str, file: StoredFile, directory: str) -> dict[str, Entry]:
        store = self._stores[bucket]
        target = store.unpacked / file.content
        try:
            if not target.exists():
                unpack(store.content_path(file), file.path, target, self._limits)
        except ArchiveError as error:
            _log.warning("%s/%s is not unpacked: %s", bucket, file.path, error)
            return {}
        return members(target, directory, file.version)

    def _drop_unused(self) -> None:
        """Delete content that no path, late reader or late node needs any more."""
        for name, store in self._stores.items():
            candidates = store.contents()
            with self._changed:
                on_the_way = {change.file.content for change in self._inbox if change.file}
            used = store.referenced().union(on_the_way, *(n.contents(name) for n in self._nodes))
            unused = candidates - used
            store.drop_contents(unused)
            for content in unused:
                self._members.pop(content, None)
                shutil.rmtree(store.unpacked / content, ignore_errors=True)
