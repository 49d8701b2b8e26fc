"""What OpenSSL says about a chain, as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """One error: OpenSSL's code, the depth (0 is the leaf), and the running library's text.

    `depth` is None where only the handshake reported it: Python's exception does not carry it.
    """

    code: int
    depth: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judgement. `chain` is the path OpenSSL built, DER, leaf first, as far as it came."""

    failures: tuple[Failure, ...]
    chain: tuple[bytes, ...]

    @property
    def trusted(self) -> bool:
        """Whether there was no error at all."""
        return not self.failures
