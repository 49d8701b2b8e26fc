"""Everything the diagnosis of one endpoint against one truststore needs, as values. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from exatrust_udf.certificate import Certificate
from exatrust_udf.evidence import VERIFY, Evidence
from exatrust_udf.findings import KINDS
from exatrust_udf.gone import Gone
from exatrust_udf.stores import Store
from exatrust_udf.verdict import Failure, Verdict

if TYPE_CHECKING:
    from exatrust_udf.crls import Lists

# The truststores that every endpoint is judged by, and those of store=.
SHARED_BUNDLE = "shared-bundle"
CONTAINER = "container"
CERTIFI = "certifi"
GIVEN = "given"
# How a truststore of store= was found; its name is its path.
BY_OPTION = "store="
_MAX_NAME = 200  # as long as the column TRUSTSTORE

ISSUER_MISSING = (2, 18, 19, 20, 21)
REVOCATION = (*KINDS["REVOKED"].codes, *KINDS["REVOCATION_UNKNOWN"].codes)


@dataclass(frozen=True, slots=True)
class Case:
    """The facts of one endpoint and one truststore at `now` (aware, UTC).

    `received` are the server's certificates, None for one that cannot be read. `own` says that this
    is the first store. `verdict` is the store's judgement, None where libcrypto is
    out of reach; `future` the one under Python 3.13's flags, None where those are in force already.
    `closing` are certificates known from elsewhere that continue the chain, `closed` the judgement
    with them. `chain` is the path built, as certificates, `closed_chain` the one with `closing`.
    `removed` maps SHA-256 to the reason why a CA was taken out of trust. `public_roots` are the
    SHA-256 of the default set, None where it is not known. `gone` are the removed CAs as the
    certificates below them name them. `level` is OpenSSL's security level.
    `lists` are the revocation lists asked for, readable or not. `alone` says that the handshake
    trusted the first store only; else it trusted what any of the stores trusts. `other_anchors`
    are certificates of the first store at which the chain would end, each if those before it and
    the end of `chain` were gone; a handful at most.
    """

    evidence: Evidence
    received: tuple[Certificate | None, ...]
    store: Store
    now: datetime
    own: bool
    verdict: Verdict | None = None
    chain: tuple[Certificate, ...] = ()
    future: Verdict | None = None
    closing: tuple[Certificate, ...] = ()
    closed: Verdict | None = None
    closed_chain: tuple[Certificate, ...] = ()
    removed: Mapping[str, str] = field(default_factory=dict)
    public_roots: frozenset[str] | None = None
    gone: tuple[Gone, ...] = ()
    level: int = 2
    lists: tuple[Lists, ...] = ()
    alone: bool = True
    other_anchors: tuple[Certificate, ...] = ()

    @property
    def leaf(self) -> Certificate | None:
        """The server's own certificate."""
        return self.received[0] if self.received else None

    @property
    def handshake_decides(self) -> bool:
        """Whether the verdict is the handshake's own."""
        # Python's handshake cannot be given the settings of a TRUSTED CERTIFICATE.
        mine = self.own and self.alone and self.evidence.endpoint.names_agree
        return mine and not self.store.has_settings and self.evidence.verify_code is not None

    def failures(self) -> tuple[Failure, ...] | None:
        """Every known error of trust, the deciding one first; None where nobody could judge."""
        code = self.evidence.verify_code
        judged = None if self.verdict is None else self.verdict.failures
        if not self.handshake_decides or code is None:
            return judged
        if code == 0:
            # The handshake has no revocation lists: what they say counts beside its verdict.
            if judged is None and self.lists:
                return None
            return tuple(f for f in judged or () if f.code in REVOCATION)
        first = Failure(code, None, self.evidence.verify_text or "")
        known = judged or ()
        if code not in {failure.code for failure in known}:
            return (first, *known)
        # OpenSSL's order is the order of the checks; the handshake's own error is the primary.
        return tuple(sorted(known, key=lambda failure: failure.code != code))

    def vouched(self) -> bool | None:
        """Whether this store trusts the certificates; None where nobody could judge."""
        if not self.evidence.received:
            return False
        failures = self.failures()
        return None if failures is None else not failures

    def trusted(self) -> bool | None:
        """Whether a client with this store accepts the endpoint; None where nobody could judge.

        Certificates can be had by everyone: who has their key, only a handshake proves.
        """
        if self.blocked:
            return False
        return None if self.key_unproved else self.vouched()

    @property
    def key_unproved(self) -> bool:
        """Whether the handshake refused certificates that this store trusts."""
        return self.evidence.verify_code not in (None, 0) and self.vouched() is True

    @property
    def whose(self) -> str:
        """Whose truststore it is: what can be done about it depends on that."""
        known = (SHARED_BUNDLE, CONTAINER, CERTIFI)
        return self.store.name if self.store.name in known else GIVEN

    def in_store(self, certificate: Certificate) -> bool:
        """Whether the certificate itself is in the truststore."""
        return certificate.sha256 in {anchor.sha256 for anchor in self.store.certificates}

    @property
    def blocked(self) -> bool:
        """Whether something else than trust ended the attempt."""
        problem = self.evidence.problem
        return problem is not None and problem.finding != VERIFY


def given_name(path: str) -> str:
    """The name of a truststore of store=: its path, or what tells a very long one from others."""
    if len(path) <= _MAX_NAME:
        return path
    digest = hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{path[: _MAX_NAME - len(digest) - 1]}…{digest}"


def issuers(certificate: Certificate, pool: Sequence[Certificate]) -> list[Certificate]:
    """The certificates of `pool` that may have issued this one, by name and key identifier."""
    return [
        other
        for other in pool
        if other.subject_der == certificate.issuer_der
        and (certificate.aki is None or other.ski is None or certificate.aki == other.ski)
    ]
