"""Who may do what in a bucket, and the status codes BucketFS answers with.

Basic authentication with the users `r` (read) and `w` (write, and read). Confirmed: a wrong read
password is answered with 403, a missing file with 404. Inferred, since no source says it: a wrong
write password is 403 too, a missing bucket 404, a DELETE of a missing file 200.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass, field
from pathlib import PurePosixPath


@dataclass(frozen=True)
class BucketSpec:
    """A bucket as the administrator made it. A public one is read without a password."""

    name: str
    read_password: str = field(repr=False)
    write_password: str = field(repr=False)
    public: bool = True


def may_read(bucket: BucketSpec, authorization: str | None) -> bool:
    """Whether a request with this Authorization header may read."""
    if bucket.public:
        return True
    return _is(authorization, "r", bucket.read_password) or may_write(bucket, authorization)


def may_write(bucket: BucketSpec, authorization: str | None) -> bool:
    """Whether a request with this Authorization header may write."""
    return _is(authorization, "w", bucket.write_password)


def _is(authorization: str | None, user: str, password: str) -> bool:
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(given, f"{user}:{password}".encode())


def safe_path(text: str) -> str | None:
    """The path inside a bucket, normal form; None for one that would leave it or is no name."""
    if "\0" in text or "\n" in text or "\r" in text:
        return None
    parts = PurePosixPath(text.strip("/")).parts
    if not parts or any(part in ("..", ".") for part in parts):
        return None
    return "/".join(parts)
