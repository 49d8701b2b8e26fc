"""What one attempt to connect leaves behind: facts for the diagnosis, no opinions."""

from __future__ import annotations

from dataclasses import dataclass

from exatrust_udf.endpoint import Endpoint

RESOLVE = "resolve"
CONNECT = "connect"
PROXY = "proxy"
UPGRADE = "upgrade"
HANDSHAKE = "handshake"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an attempt ended: `finding` is an id of findings.py, or 'VERIFY' for a trust error.

    `phase` is one of the constants above; `detail` is the library's or the server's own words,
    with control characters escaped.
    """

    finding: str
    phase: str
    detail: str


VERIFY = "VERIFY"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The facts of one attempt.

    `received` is what the server sent, leaf first, DER; `verified` the path that the handshake
    itself built, root last, empty unless it was trusted. `verify_code` is the handshake's verdict:
    0 trusted, None where no certificate was judged. `first_bytes` are the first raw bytes that came
    in the phase in which the attempt ended, from the proxy or the server. Times are in
    milliseconds, None for a phase not reached.
    """

    endpoint: Endpoint
    address: str | None = None
    connected: bool = False
    problem: Problem | None = None
    verify_code: int | None = None
    verify_text: str | None = None
    received: tuple[bytes, ...] = ()
    verified: tuple[bytes, ...] = ()
    tls_version: str | None = None
    cipher: str | None = None
    first_bytes: bytes = b""
    resolve_ms: float | None = None
    connect_ms: float | None = None
    handshake_ms: float | None = None
