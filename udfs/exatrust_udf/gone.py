"""CAs that were taken out of trust on purpose, as a release's manifest tells of them. Pure.

A server need not send its root, so a CA that is gone has to be known by what stands in the
certificates below it: its name and its key identifier.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from exatrust_udf.certificate import Certificate

BY_HAND = "somebody removed it from the shared bundle (see CA_DECISION)"


@dataclass(frozen=True, slots=True)
class Gone:
    """A CA that is out of trust. `key_identifier` is None where it is not known."""

    subject: str
    key_identifier: str | None
    reason: str

    def issued(self, cert: Certificate) -> bool:
        """Whether this CA is the one that a certificate names as its issuer."""
        known = None not in (cert.aki, self.key_identifier)
        return self.subject == cert.issuer and (not known or cert.aki == self.key_identifier)


def reasons(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Why a CA is out of trust, by SHA-256."""
    by_hand = {item["sha256"]: BY_HAND for item in manifest.get("removed", ())}
    return {**by_hand, **manifest["distrusted"]}


def gone(manifest: Mapping[str, Any]) -> tuple[Gone, ...]:
    """The CAs that are out of trust; a manifest of an older release names only some of them."""
    return tuple(dict.fromkeys(_gone(manifest)))


def _gone(manifest: Mapping[str, Any]) -> Iterator[Gone]:
    why = reasons(manifest)
    for item in manifest.get("identities", ()):
        yield Gone(item["subject"], item["key_identifier"], item["reason"])
    older = () if "identities" in manifest else manifest.get("left_out", ())
    for item in (*manifest.get("removed", ()), *older):
        if item["sha256"] in why:
            yield Gone(item["subject"], None, why[item["sha256"]])


def issuer_gone(cert: Certificate, known: Iterable[Gone]) -> Gone | None:
    """The CA behind a certificate, where it is out of trust; the one known best."""
    found = [item for item in known if item.issued(cert)]
    return max(found, key=lambda item: item.key_identifier is not None, default=None)
