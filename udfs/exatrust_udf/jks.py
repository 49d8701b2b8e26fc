"""Java's own keystore format, JKS and the JCEKS variant (pure).

Layout, all numbers big-endian, as java.security.KeyStore implementations write it: magic, version
(1 or 2), count; then the entries: tag (1 private key, 2 trusted certificate, 3 secret key), alias,
date in milliseconds, content; at the end a SHA-1 over the password in UTF-16BE, the words
"Mighty Aphrodite" and everything before. JKS certificates are not encrypted.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from exatrust_udf.der import CertificateError

PASSWORDS = ("changeit", "changeme", "")

_PRIVATE_KEY, _TRUSTED, _SECRET_KEY = 1, 2, 3
_DIGEST_BYTES = 20


@dataclass(slots=True)
class Entries:
    """What a keystore holds: (alias, DER) of each trusted certificate, and what is wrong."""

    certificates: list[tuple[str, bytes]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class _Cursor:
    """Reads forward through the bytes before the digest; never beyond them."""

    def __init__(self, data: bytes, end: int) -> None:
        self.data = data
        self.at = 0
        self.end = end

    def take(self, size: int) -> bytes:
        if size > self.end - self.at:
            raise CertificateError(self.at, f"{size} bytes expected, {self.end - self.at} are left")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, octets: int) -> int:
        return int.from_bytes(self.take(octets), "big")

    def text(self) -> str:
        # Java's modified UTF-8 differs from UTF-8 only beyond the basic plane and for NUL.
        return self.take(self.number(2)).decode("utf-8", "replace")


def read_jks(data: bytes) -> Entries:
    """Read a JKS or JCEKS file; what cannot be read ends up in `problems`, what could is kept.

    Raises CertificateError where even the head is missing.
    """
    if len(data) < 12 + _DIGEST_BYTES:
        raise CertificateError(len(data), "too short for a Java keystore")
    entries = Entries()
    cursor = _Cursor(data, len(data) - _DIGEST_BYTES)
    cursor.take(4)
    version = cursor.number(4)
    if version not in (1, 2):
        raise CertificateError(4, f"version {version} of the Java keystore is unknown")
    try:
        for _ in range(cursor.number(4)):
            _entry(cursor, version, entries)
        _check_end(cursor, data, entries)
    except CertificateError as error:
        entries.problems.append(str(error))
    return entries


def _entry(cursor: _Cursor, version: int, entries: Entries) -> None:
    at = cursor.at
    tag = cursor.number(4)
    alias = cursor.text()
    cursor.take(8)
    if tag == _TRUSTED:
        entries.certificates.append((alias, _certificate(cursor, version)))
    elif tag == _PRIVATE_KEY:
        _skip_private_key(cursor, version)
        entries.problems.append(f"entry {alias!r} is a private key, not an anchor")
    elif tag == _SECRET_KEY:
        # A serialized Java object: its end cannot be found without running Java.
        raise CertificateError(at, f"entry {alias!r} is a secret key; the rest cannot be read")
    else:
        raise CertificateError(at, f"unknown kind of entry: {tag}")


def _certificate(cursor: _Cursor, version: int) -> bytes:
    if version == 2:
        cursor.text()  # the type, always X.509
    return cursor.take(cursor.number(4))


def _skip_private_key(cursor: _Cursor, version: int) -> None:
    cursor.take(cursor.number(4))
    for _ in range(cursor.number(4)):
        _certificate(cursor, version)


def _check_end(cursor: _Cursor, data: bytes, entries: Entries) -> None:
    if cursor.at != cursor.end:
        raise CertificateError(cursor.at, "bytes between the last entry and the digest")
    body, digest = data[: cursor.end], data[cursor.end :]
    if not any(integrity_digest(body, password) == digest for password in PASSWORDS):
        entries.problems.append(
            "the integrity digest fits none of the conventional passwords: "
            "the file has another password, or it was altered"
        )


def integrity_digest(body: bytes, password: str) -> bytes:
    """Return the 20 bytes that end a keystore with this content and password."""
    # SHA-1 is the format's, not a choice; it is compared, never relied on for trust.
    digest = hashlib.sha1(password.encode("utf-16-be"), usedforsecurity=False)
    digest.update(b"Mighty Aphrodite")
    digest.update(body)
    return digest.digest()
