"""The shared bundle: which certificates are in it, why, and its bytes. Pure.

bundle = default roots + CAs added before + CAs added now - removed - distrusted. It is sorted by
SHA-256, so that the same set of certificates gives the same bytes, whatever the order of the
sources.
"""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from exatrust.distrust import Distrust, said
from exatrust_udf.certificate import Certificate


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
class Removal:
    """A CA that a human took out. It stays out, whatever source has it, until a human adds it.

    `certificate` is None where only its name is left, in the manifest of a release without it.
    """

    sha256: str
    subject: str
    certificate: Certificate | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Bundle:
    """Anchors sorted by SHA-256, none twice. `roots` names the default set and its version."""

    anchors: tuple[Anchor, ...]
    left_out: tuple[LeftOut, ...]
    roots: str
    removed: tuple[Removal, ...] = ()

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
    distrust: Distrust,
    removed: Iterable[Removal] = (),
) -> Bundle:
    """Put a bundle together.

    What somebody added stays "added" even where the default set has it, too: the set may drop it
    with its next version. A default root that is no CA is left out and said; an added one was
    refused before (fitness.refuse_unfit).
    """
    gone = {item.sha256: item for item in removed}
    candidates: dict[str, Anchor] = {}
    for anchor in [*added, *(Anchor(root, "default", roots_name) for root in roots)]:
        candidates.setdefault(anchor.certificate.sha256, anchor)
    kept: list[Anchor] = []
    left_out: list[LeftOut] = []
    for sha256, anchor in sorted(candidates.items()):
        if sha256 in gone:
            continue
        if reason := _why_not(anchor, distrust):
            left_out.append(LeftOut(anchor.certificate, anchor.source, reason))
        else:
            kept.append(anchor)
    removals = tuple(item for _, item in sorted(gone.items()))
    return Bundle(tuple(kept), tuple(left_out), roots_name, removals)


def _why_not(anchor: Anchor, distrust: Distrust) -> str | None:
    if root := distrust.of(anchor.certificate):
        return said(root)
    if anchor.origin == "default" and not anchor.certificate.is_ca:
        return "not a CA"
    return None
