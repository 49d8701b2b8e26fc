"""Password based keys and MACs of PKCS#12 (pure): RFC 8018, RFC 7292 appendix B, RFC 9579."""

from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple

from exatrust_udf.der import (
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    CertificateError,
    expect,
    integer,
    oid,
)

# Java and OpenSSL use 2048 to 10000; a file that asks for billions is meant to keep us busy.
MAX_ITERATIONS = 200_000

_PBES2 = "1.2.840.113549.1.5.13"
_PBKDF2 = "1.2.840.113549.1.5.12"
_PBMAC1 = "1.2.840.113549.1.5.14"
_DIGESTS = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.4": "sha224",
}
_HMACS = {
    "1.2.840.113549.2.7": "sha1",
    "1.2.840.113549.2.8": "sha224",
    "1.2.840.113549.2.9": "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
}
# OpenSSL's name of the cipher and the size of its key in bytes.
_CIPHERS = {
    "2.16.840.1.101.3.4.1.2": ("AES-128-CBC", 16),
    "2.16.840.1.101.3.4.1.22": ("AES-192-CBC", 24),
    "2.16.840.1.101.3.4.1.42": ("AES-256-CBC", 32),
    "1.2.840.113549.3.7": ("DES-EDE3-CBC", 24),
}
# RFC 7292 C: schemes whose key and IV (8 bytes) both come from the PKCS#12 derivation.
_OLD_SCHEMES = {
    "1.2.840.113549.1.12.1.3": ("DES-EDE3-CBC", 24),
    "1.2.840.113549.1.12.1.5": ("RC2-CBC", 16),
    "1.2.840.113549.1.12.1.6": ("RC2-40-CBC", 5),
}
_KEY_ID, _IV_ID, _MAC_ID = 1, 2, 3


class Algorithm(NamedTuple):
    """An AlgorithmIdentifier: its id, where its parameters lie, and where it ends itself."""

    id: str
    parameters: int
    end: int


def algorithm(data: bytes, at: int, end: int) -> Algorithm:
    """Read the AlgorithmIdentifier at `at`."""
    inner, stop = expect(data, at, end, SEQUENCE, "an algorithm")
    kind, kind_end = expect(data, inner, stop, OBJECT_IDENTIFIER, "an algorithm")
    return Algorithm(oid(data, kind, kind_end), kind_end, stop)


def mac(
    data: bytes,
    method: Algorithm,
    password: str | None,
    salt: bytes,
    iterations: int,
    content: bytes,
) -> bytes:
    """Return the MAC of `content` under `password`."""
    if method.id == _PBMAC1:
        start, stop = expect(data, method.parameters, method.end, SEQUENCE, "the MAC's parameters")
        derivation = algorithm(data, start, stop)
        digest = _known(_HMACS, algorithm(data, derivation.end, stop), "MAC")
        key = _pbkdf2(data, derivation, password, hashlib.new(digest).digest_size)
    else:
        digest = _known(_DIGESTS, method, "MAC")
        size = hashlib.new(digest).digest_size
        key = derive(digest, password, salt, _bounded(iterations, method.end), _MAC_ID, size)
    return hmac.digest(key, content, digest)


def key_and_iv(data: bytes, method: Algorithm, password: str | None) -> tuple[str, bytes, bytes]:
    """Return (OpenSSL's name of the cipher, key, IV) of an encryption scheme."""
    start, stop = expect(data, method.parameters, method.end, SEQUENCE, "the scheme's parameters")
    if method.id == _PBES2:
        derivation = algorithm(data, start, stop)
        scheme = algorithm(data, derivation.end, stop)
        name, size = _cipher(_CIPHERS, scheme)
        iv, iv_end = expect(data, scheme.parameters, scheme.end, OCTET_STRING, "the IV")
        if iv_end - iv != (8 if name.startswith("DES") else 16):
            raise CertificateError(iv, f"an IV of {iv_end - iv} bytes")
        return name, _pbkdf2(data, derivation, password, size), data[iv:iv_end]
    name, size = _cipher(_OLD_SCHEMES, method)
    salt, salt_end = expect(data, start, stop, OCTET_STRING, "the salt")
    number, number_end = expect(data, salt_end, stop, INTEGER, "the iterations")
    iterations = _bounded(integer(data, number, number_end), number)
    shared = ("sha1", password, data[salt:salt_end], iterations)
    return name, derive(*shared, _KEY_ID, size), derive(*shared, _IV_ID, 8)


def _known(table: dict[str, str], method: Algorithm, what: str) -> str:
    if method.id not in table:
        raise CertificateError(method.parameters, f"unknown {what} algorithm {method.id}")
    return table[method.id]


def _cipher(table: dict[str, tuple[str, int]], method: Algorithm) -> tuple[str, int]:
    if method.id not in table:
        raise CertificateError(method.parameters, f"unknown encryption {method.id}")
    return table[method.id]


def _bounded(iterations: int, at: int) -> int:
    if not 1 <= iterations <= MAX_ITERATIONS:
        raise CertificateError(at, f"{iterations:#x} iterations are refused")
    return iterations


def _pbkdf2(data: bytes, method: Algorithm, password: str | None, size: int) -> bytes:
    if method.id != _PBKDF2:
        raise CertificateError(method.parameters, f"unknown key derivation {method.id}")
    start, stop = expect(data, method.parameters, method.end, SEQUENCE, "PBKDF2's parameters")
    salt, salt_end = expect(data, start, stop, OCTET_STRING, "the salt")
    number, at = expect(data, salt_end, stop, INTEGER, "the iterations")
    iterations = _bounded(integer(data, number, at), number)
    if at < stop and data[at] == INTEGER:
        _, at = expect(data, at, stop, INTEGER, "the key's length")
    digest = _known(_HMACS, algorithm(data, at, stop), "PRF") if at < stop else "sha1"
    secret = (password or "").encode("utf-8")
    return hashlib.pbkdf2_hmac(digest, secret, data[salt:salt_end], iterations, size)


def derive(
    digest: str, password: str | None, salt: bytes, iterations: int, purpose: int, size: int
) -> bytes:
    """Return `size` bytes by RFC 7292 appendix B.2; the password None has no bytes at all."""
    block = hashlib.new(digest).block_size
    secret = b"" if password is None else password.encode("utf-16-be") + b"\0\0"
    state = _filled(salt, block) + _filled(secret, block)
    out = b""
    while len(out) < size:
        part = bytes((purpose,)) * block + state
        for _ in range(iterations):
            part = hashlib.new(digest, part, usedforsecurity=False).digest()
        out += part
        state = _advance(state, part, block)
    return out[:size]


def _filled(text: bytes, block: int) -> bytes:
    size = block * -(-len(text) // block)
    return (text * (size // max(len(text), 1) + 1))[:size]


def _advance(state: bytes, part: bytes, block: int) -> bytes:
    add = int.from_bytes(_filled(part, block)[:block], "big") + 1
    mask = (1 << 8 * block) - 1
    sums = (
        int.from_bytes(state[i : i + block], "big") + add & mask
        for i in range(0, len(state), block)
    )
    return b"".join(value.to_bytes(block, "big") for value in sums)
