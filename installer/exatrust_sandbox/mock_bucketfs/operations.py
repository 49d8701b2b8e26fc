"""What each request means: from method, path and credentials to an answer.

Confirmed: GET `/` gives the bucket names, `/bucket` and `/bucket/` a flat listing with one full
path per line, PUT answers 200, a missing file 404, only 200 counts as success for clients.
Inferred: a missing bucket 404 (before credentials are looked at), DELETE 200 whether or not
there was a file (bucketfs-python promises no error), PUT or DELETE of a bucket itself 400,
no credentials needed for the bucket names, no Range, ETag or Last-Modified.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from exatrust_sandbox.mock_bucketfs.access import refusal
from exatrust_sandbox.mock_bucketfs.faults import Faults
from exatrust_sandbox.mock_bucketfs.model import BucketSpec
from exatrust_sandbox.mock_bucketfs.paths import PathError, split_target
from exatrust_sandbox.mock_bucketfs.storage import BucketStore, Draft, RecentlyDeletedError

_TEXTS = {
    400: "Bad request",
    401: "Authentication required",
    403: "Access denied",
    404: "Not found",
    507: "No space left on device",
}


@dataclass(frozen=True)
class Answer:
    """A status and either a text or an open file, which whoever sends it closes."""

    status: int
    text: str = ""
    file: BinaryIO | None = None
    size: int = 0
    path: str = ""


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    authorization: str | None


class RefusedError(Exception):
    """The request is refused; carries the answer."""

    def __init__(self, status: int, text: str | None = None) -> None:
        super().__init__(text or _TEXTS.get(status, f"Error {status}"))
        self.answer = Answer(status, f"{self}\n")


class Operations:
    """The service's buckets, as requests see them."""

    def __init__(
        self,
        buckets: Iterable[BucketSpec],
        stores: Mapping[str, BucketStore],
        faults: Callable[[], Faults],
    ) -> None:
        self._buckets = {bucket.name: bucket for bucket in buckets}
        self._stores, self._current_faults = stores, faults

    @property
    def faults(self) -> Faults:
        """The faults in force; asked for each request, so that a test may replace them."""
        return self._current_faults()

    def read(self, request: Request) -> Answer:
        """Answer GET and HEAD; raises RefusedError."""
        bucket, path = _split(request.target)
        if not bucket:
            return Answer(200, _lines(self._buckets))
        store = self._enter(bucket, request, write=False)
        if not path:
            return Answer(200, _lines(store.files()))
        if self.faults.take("fail_gets", path):
            raise RefusedError(self.faults.get_status)
        found = store.open_file(path)
        if found is None:
            raise RefusedError(404)
        return Answer(200, file=found[1], size=found[0].size, path=path)

    def delete(self, request: Request) -> Answer:
        """Answer DELETE; raises RefusedError."""
        store, path = self._writable(request)
        store.remove(path)
        return Answer(200)

    def begin_put(self, request: Request) -> tuple[BucketStore, str]:
        """Everything that can refuse a PUT before its body is read; raises RefusedError."""
        store, path = self._writable(request)
        if self.faults.take("fail_puts", path):
            raise RefusedError(self.faults.put_status)
        try:
            store.refuse_recently_deleted(path)
        except RecentlyDeletedError as error:
            raise RefusedError(403) from error
        return store, path

    def finish_put(self, store: BucketStore, path: str, draft: Draft) -> Answer:
        """Make the upload the content of its path; raises RefusedError."""
        try:
            store.commit(path, draft, stale_seconds=self._stale_seconds(path))
        except RecentlyDeletedError as error:
            raise RefusedError(403) from error
        return Answer(200)

    def _stale_seconds(self, path: str) -> float:
        faults = self.faults
        return faults.stale_seconds if faults.concerns(path) else 0.0

    def _writable(self, request: Request) -> tuple[BucketStore, str]:
        bucket, path = _split(request.target)
        if not bucket:
            raise RefusedError(400)
        store = self._enter(bucket, request, write=True)
        if not path:
            raise RefusedError(400)
        if self.faults.read_only and self.faults.concerns(path):
            raise RefusedError(500, "Read-only file system")
        return store, path

    def _enter(self, bucket: str, request: Request, *, write: bool) -> BucketStore:
        if bucket not in self._buckets:
            raise RefusedError(404)
        status = refusal(self._buckets[bucket], request.authorization, write=write)
        if status is not None:
            raise RefusedError(status)
        return self._stores[bucket]


def write_block(draft: Draft, data: bytes, faults: Faults, path: str) -> None:
    """Add to an upload; raises RefusedError 507 when the disk is full, or is said to be."""
    full_after = faults.full_after if faults.concerns(path) else None
    if full_after is not None and draft.size + len(data) > full_after:
        raise RefusedError(507)
    try:
        draft.write(data)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RefusedError(507) from error
        raise


def _split(target: str) -> tuple[str, str]:
    try:
        return split_target(target)
    except PathError as error:
        raise RefusedError(400, f"Bad request: {error}") from error


def _lines(names: Iterable[str]) -> str:
    return "".join(f"{name}\n" for name in sorted(names))
