"""How far one node has got: what it knows, what is on the way to it, what it must still write."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from exatrust_sandbox.mock_bucketfs.model import Change, StoredFile
from exatrust_sandbox.mock_bucketfs.replica import Replica
from exatrust_sandbox.mock_bucketfs.view import Contribution, Entry, difference, overlay, recognise

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 0.5

Contribute = Callable[[str, StoredFile], Contribution]


@dataclass
class _BucketOnNode:
    replica: Replica
    known: dict[str, Contribution] = field(default_factory=dict)
    present: dict[str, Entry] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)  # last change applied, by path


class Node:
    """One node's copies of all buckets. Used by the replicating thread alone.

    Changes of one path arrive in the order in which they were made, each no earlier than it is
    due; those of different paths may overtake each other (both inferred).
    """

    def __init__(self, replicas: Mapping[str, Replica], contribute: Contribute) -> None:
        self._buckets = {name: _BucketOnNode(replica) for name, replica in replicas.items()}
        self._contribute = contribute
        self._pending: list[tuple[float, Change]] = []
        self._unwritten: dict[str, float] = {}  # bucket: not before

    @property
    def busy(self) -> bool:
        return bool(self._pending or self._unwritten)

    def prepare(self) -> None:
        for state in self._buckets.values():
            state.replica.prepare()

    def rebuild(self, bucket: str, files: Mapping[str, StoredFile], due: float) -> None:
        """Compare the replica with the stored files, and queue what differs."""
        state = self._buckets[bucket]
        state.present = state.replica.scan()
        master = {path: self._contribute(bucket, file) for path, file in files.items()}
        state.known, pending = recognise(master, state.present)
        for path in sorted(pending):
            file = files.get(path)
            version = file.version if file else 0
            self._pending.append((due, Change(bucket, path, version, file)))

    def expect(self, change: Change, due: float) -> None:
        self._pending.append((due, change))

    def advance(self, now: float, may_write: Callable[[], bool]) -> bool:
        """Apply what is due; True when anything was. `may_write` is asked before each file."""
        due = [change for at, change in self._pending if at <= now]
        for change in due:
            self._learn(change)
            self._unwritten.setdefault(change.bucket, now)
        # Only now: an exception above must not lose a change.
        self._pending = [(at, change) for at, change in self._pending if at > now]
        ready = [bucket for bucket, at in self._unwritten.items() if at <= now]
        for bucket in ready:
            if self._write(self._buckets[bucket], may_write):
                del self._unwritten[bucket]
            else:
                self._unwritten[bucket] = now + _RETRY_SECONDS
        return bool(ready)

    def contents(self, bucket: str) -> set[str]:
        """Names of the content files this node may still copy from."""
        known = self._buckets[bucket].known.values()
        names = {contribution.content for contribution in known if contribution.content}
        pending = (change for _, change in self._pending if change.bucket == bucket)
        return names | {change.file.content for change in pending if change.file}

    def _learn(self, change: Change) -> None:
        state = self._buckets[change.bucket]
        if change.version < state.versions.get(change.path, 0):
            return  # overtaken by a later one that was due earlier
        if change.file is None:
            state.known.pop(change.path, None)
        else:
            state.known[change.path] = self._contribute(change.bucket, change.file)
        state.versions[change.path] = change.version

    def _write(self, state: _BucketOnNode, may_write: Callable[[], bool]) -> bool:
        steps = difference(overlay(state.known.values()), state.present)
        try:
            for name in steps.remove:
                if not may_write():
                    return False
                state.replica.remove(name)
                del state.present[name]
            for name, entry in steps.write:
                if not may_write():
                    return False
                state.replica.write(name, entry)
                state.present[name] = entry
        except OSError as error:
            _log.warning("replication will be tried again: %s", error)
            return False
        return True
