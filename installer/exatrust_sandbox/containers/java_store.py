"""/etc/ssl/certs/java/cacerts as Debian and Ubuntu make it: JKS, password changeit.

It must not be an encrypted PKCS#12 file: Java opens its own truststore without a password, and
takes one whose certificates are encrypted for an empty one, without a word.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

PASSWORD = "changeit"
_MAGIC = 0xFEEDFEED
_VERSION = 2
_TRUSTED = 2
_SALT = b"Mighty Aphrodite"  # sun.security.provider.JavaKeyStore


def jks(certificates: Sequence[bytes]) -> bytes:
    """A truststore with these certificates (DER). No time is in it, so it depends on them alone."""
    head = struct.pack(">III", _MAGIC, _VERSION, len(certificates))
    content = head + b"".join(_entry(f"root{i}", der) for i, der in enumerate(certificates))
    key = PASSWORD.encode("utf-16-be") + _SALT
    return content + hashlib.sha1(key + content).digest()


def _entry(alias: str, der: bytes) -> bytes:
    head = struct.pack(">I", _TRUSTED) + _text(alias) + struct.pack(">Q", 0)
    return head + _text("X.509") + struct.pack(">I", len(der)) + der


def _text(value: str) -> bytes:
    return struct.pack(">H", len(value)) + value.encode("ascii")
