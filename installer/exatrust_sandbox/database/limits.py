"""How much a client may ask of the stand-in's database server before it is turned away."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes, times in seconds.

    A client that has not logged in gets little of everything, so that garbage, half-open
    handshakes and huge frames cost the server next to nothing.
    """

    connections: int = 128
    handshake_time: float = 10.0
    login_time: float = 30.0
    login_attempts: int = 3
    closing_time: float = 0.5
    login_message: int = 64 * 1024
    # Exasol tells its clients 64 MB as maxDataMessageSize.
    message: int = 64 * 1024 * 1024
    waiting_requests: int = 8
    waiting_tunnels: int = 64
    transfer_time: float = 120.0
