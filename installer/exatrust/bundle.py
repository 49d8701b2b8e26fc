"""The shared bundle: which certificates are in it, why, and its bytes. Pure.

bundle = default roots + CAs added before + CAs added now - distrusted. It is sorted by SHA-256,
so that the same set of certificates gives the same bytes, whatever the order of the sources.
"""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from exatrust_udf.certificate import Certificate

# Roots that are left out even if the source of the default set still has them, by SHA-256.
# emSign ECC Root CA - G3: the keys of its intermediates were compromised in October 2026, and
# certifi 2026.10.18 and Mozilla's set dropped it.
DISTRUSTED: Mapping[str, str] = {
    "86a1ecba089c4a8d3bbe2734c612ba341d813e043cf9e8a862cd5c57a36bbe6b": (
        "emSign ECC Root CA - G3: keys below it were compromised (October 2026)"
    ),
}


@dataclass(frozen=True)
class Anchor:
    """A certificate of the bundle. `source` names the set or file it came from."""

    certificate: Certificate
    origin: Literal["default", "added"]
    source: str


@dataclass(frozen=True)
class LeftOut:
    """A certificate that one of the sources has and the bundle has not."""

    certificate: Certificate
    source: str
    reason: str


@dataclass(frozen=True)
class Bundle:
    """Anchors sorted by SHA-256, none twice. `roots` names the default set and its version."""

    anchors: tuple[Anchor, ...]
    left_out: tuple[LeftOut, ...]
    roots: str

    @property
    def added(self) -> tuple[Anchor, ...]:
        return tuple(anchor for anchor in self.anchors if anchor.origin == "added")

    def pem(self) -> bytes:
        return b"".join(pem_block(anchor.certificate.der) for anchor in self.anchors)


def pem_block(der: bytes) -> bytes:
    """One CERTIFICATE block, lines of 64 characters (RFC 7468, section 2), ASCII."""
    lines = "\n".join(textwrap.wrap(base64.b64encode(der).decode("ascii"), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n".encode("ascii")


def compose(
    roots: Iterable[Certificate],
    roots_name: str,
    added: Iterable[Anchor],
    distrusted: Mapping[str, str] = DISTRUSTED,
) -> Bundle:
    """Put a bundle together.

    What is in the default set stays "default" even if somebody also added it. A default root that
    is no CA is left out and said; an added one was refused before (intake.refuse_unfit).
    """
    candidates: dict[str, Anchor] = {}
    for anchor in [*(Anchor(root, "default", roots_name) for root in roots), *added]:
        candidates.setdefault(anchor.certificate.sha256, anchor)
    kept: list[Anchor] = []
    left_out: list[LeftOut] = []
    for _, anchor in sorted(candidates.items()):
        if reason := _why_not(anchor, distrusted):
            left_out.append(LeftOut(anchor.certificate, anchor.source, reason))
        else:
            kept.append(anchor)
    return Bundle(tuple(kept), tuple(left_out), roots_name)


def _why_not(anchor: Anchor, distrusted: Mapping[str, str]) -> str | None:
    if anchor.certificate.sha256 in distrusted:
        return f"distrusted: {distrusted[anchor.certificate.sha256]}"
    if anchor.origin == "default" and not anchor.certificate.is_ca:
        return "not a CA"
    return None
