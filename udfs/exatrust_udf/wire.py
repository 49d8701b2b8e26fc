"""Reading TLS records as bytes: what OpenSSL does not tell about a failed handshake. Pure.

After a failure the ssl module knows neither the version nor the cipher suite that the server chose,
nor whether it asked for a client certificate. Before TLS 1.3 encrypts, all of it travels in plain
(RFC 8446 4.1.3, RFC 5246 7.4).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

ALERT = 21
HANDSHAKE = 22
_CHANGE_CIPHER_SPEC = 20
_RECORD_TYPES = (_CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, 23, 24)
_SERVER_HELLO = 2
_CERTIFICATE_REQUEST = 13
_SUPPORTED_VERSIONS = 43
_VERSIONS = {0x0300: "SSLv3", 0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2",
             0x0304: "TLSv1.3"}  # fmt: skip
# RFC 8446 4.1.3: a ServerHello with this random is a HelloRetryRequest.
_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


@dataclass(frozen=True, slots=True)
class Hello:
    """What the server chose: version as Python names it, cipher suite as its two-byte number."""

    version: str
    suite: int


def looks_like_tls(data: bytes) -> bool:
    """Whether `data` begins like a TLS record; too few bytes count as not."""
    return len(data) >= 3 and data[0] in _RECORD_TYPES and data[1] == 3 and data[2] <= 4


def server_hello(data: bytes) -> Hello | None:
    """The ServerHello in the server's raw bytes, None where there is none (yet)."""
    for kind, body in _messages(data):
        if kind == _SERVER_HELLO and len(body) >= 38 and body[2:34] != _RETRY:
            return _hello(body)
    return None


def asks_for_certificate(data: bytes) -> bool:
    """Whether a CertificateRequest is in the server's raw bytes; TLS 1.3 encrypts it."""
    return any(kind == _CERTIFICATE_REQUEST for kind, _ in _messages(data))


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 5 <= len(data) and looks_like_tls(data[at : at + 5]):
        end = at + 5 + int.from_bytes(data[at + 3 : at + 5], "big")
        yield data[at], data[at + 5 : end]
        at = end


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Handshake messages sent in plain: those before the first record of another type.

    In TLS 1.3 a ChangeCipherSpec after a HelloRetryRequest means nothing (RFC 8446 D.4).
    """
    plain = bytearray()
    for kind, body in _records(data):
        if kind == _CHANGE_CIPHER_SPEC and plain[6:38] == _RETRY:
            continue
        if kind != HANDSHAKE:
            break
        plain += body
    at = 0
    while at + 4 <= len(plain):
        end = at + 4 + int.from_bytes(plain[at + 1 : at + 4], "big")
        yield plain[at], bytes(plain[at + 4 : end])
        at = end


def _hello(body: bytes) -> Hello | None:
    version = int.from_bytes(body[0:2], "big")
    at = 35 + body[34]
    suite = int.from_bytes(body[at : at + 2], "big")
    at += 5
    while at + 4 <= len(body):
        size = int.from_bytes(body[at + 2 : at + 4], "big")
        if int.from_bytes(body[at : at + 2], "big") == _SUPPORTED_VERSIONS:
            version = int.from_bytes(body[at + 4 : at + 6], "big")
        at += 4 + size
    return Hello(_VERSIONS.get(version, f"0x{version:04x}"), suite)
