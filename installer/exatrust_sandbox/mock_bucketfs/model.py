"""The values the parts of the BucketFS stand-in exchange."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class BucketSpec:
    """One bucket. User `r` reads with the read password, user `w` reads and writes.

    public: reading needs no password.
    """

    name: str
    read_password: str = field(repr=False)
    write_password: str = field(repr=False)
    public: bool = True


@dataclass(frozen=True)
class Limits:
    """What one client may take. Times in seconds, sizes in bytes.

    head_seconds:     for a TLS handshake and the request head, idle keep-alive time included
    body_seconds:     for the whole rest of a request, both directions
    stall_seconds:    without a byte moving
    max_connections:  further ones are closed at once
    unpacked_bytes, unpacked_files: more than that in an archive, and it is not unpacked
    """

    head_seconds: float = 20.0
    body_seconds: float = 900.0
    stall_seconds: float = 30.0
    body_bytes: int = 4 * 1024**3
    max_connections: int = 128
    unpacked_bytes: int = 4 * 1024**3
    unpacked_files: int = 200_000


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One version of one file in a bucket.

    path:     key inside the bucket, without a slash at either end
    content:  name of the content file that holds the bytes
    size:     bytes
    version:  nanoseconds since the epoch, unique and growing in its bucket; also the
              modification time of the copies on the nodes, by which a restart recognises them
    """

    path: str
    content: str
    size: int
    version: int


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a path at a version: a new file, or None when it was deleted.

    delay: seconds beyond the usual replication delay until the nodes notice.
    """

    bucket: str
    path: str
    version: int
    file: StoredFile | None
    delay: float = 0.0
