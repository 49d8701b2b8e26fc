"""Who may do what in a bucket (pure).

Confirmed: HTTP Basic; `r` reads, `w` reads and writes; a wrong read password answers 403
(bucketfs-java ReadEnabledBucketIT, which is why wrong credentials are refused even where none
are needed). Inferred: a wrong write password, an unknown user and `r` writing answer 403 too;
no credentials, or none that can be read, where some are needed answer 401.
"""

from __future__ import annotations

import base64
import binascii
import hmac

from exatrust_sandbox.mock_bucketfs.model import BucketSpec


def refusal(bucket: BucketSpec, authorization: str | None, *, write: bool) -> int | None:
    """The status code that refuses the request; None when it is allowed."""
    if authorization is None:
        return None if bucket.public and not write else 401
    credentials = basic_credentials(authorization)
    if credentials is None:
        return 401
    user, password = credentials
    if user == "w" and _same(password, bucket.write_password):
        return None
    if user == "r" and _same(password, bucket.read_password) and not write:
        return None
    return 403


def basic_credentials(authorization: str) -> tuple[str, str] | None:
    """User and password of a Basic Authorization header (RFC 7617); None when it is not one.

    Bytes that are not UTF-8 are taken as Latin-1, which is what the requests library sends.
    """
    scheme, _, encoded = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        raw = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    user, colon, password = text.partition(":")
    return (user, password) if colon else None


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
