"""What exatrust needs of a bucket, however it is reached: a service's HTTP(S), a directory, SaaS.

Paths are relative to the bucket, with '/' between parts. A bucket has files alone: a directory is
there as long as a file is in it.
"""

from __future__ import annotations

import uuid
from typing import Protocol

from exatrust.errors import BucketForbidden, WrongPassword

BACK_OFF = (0.2, 0.5, 1.0, 2.0)  # seconds between attempts at what may be asked again


class Bucket(Protocol):
    """One bucket.

    Every method raises BucketFSUnreachable when nobody answers, CertificateRefused when somebody
    else does, WrongPassword or BucketForbidden when it is not allowed, and BucketFSFailed when it
    went wrong otherwise.
    """

    def list(self) -> tuple[str, ...]:
        """All paths of the bucket, sorted. Raises MissingBucket, too."""

    def read(self, path: str) -> bytes | None:
        """A file's bytes, None when it is not there."""

    def write(self, path: str, content: bytes) -> None:
        """Put a file; one that is there is replaced as a whole, and never seen half."""

    def delete(self, path: str) -> None:
        """Delete a file; one that is not there is no error."""

    def close(self) -> None:
        """End connections; the bucket is not used any more."""


def may_write(bucket: Bucket, prefix: str) -> bool:
    """Whether a path that never was can be written: tried, and deleted again."""
    path = f"{prefix}/write-check-{uuid.uuid4().hex}.txt"
    try:
        bucket.write(path, b"written to see whether it is allowed\n")
    except (WrongPassword, BucketForbidden):
        return False
    bucket.delete(path)
    return True
