"""Whether a CA may be distributed, and what a human should know before trusting it. Pure."""

from __future__ import annotations

import datetime as dt

from exatrust.errors import BundleRejected
from exatrust_udf.certificate import Certificate

_LEAST_BITS = {"RSA": 2048, "RSA-PSS": 2048, "EC": 224}
_BROKEN_DIGESTS = ("md2", "md4", "md5", "sha1")
_REISSUE = "ask the CA's owner for a newer certificate"


def refuse_unfit(certificate: Certificate, name: str) -> None:
    """Raise BundleRejected for what must not be trusted, whoever vouches for it."""
    _refuse_leaf(certificate, name)
    if weakness := _weakness(certificate):
        raise BundleRejected(f"{name}: {certificate.subject} has {weakness}", _REISSUE)


def _refuse_leaf(certificate: Certificate, name: str) -> None:
    """Trusting a certificate that is no CA helps only who holds its key."""
    if not certificate.is_ca:
        kind = "version 1, so not marked as a CA" if certificate.version == 1 else "not a CA"
        raise BundleRejected(
            f"{name}: {certificate.subject or certificate.sha256} is {kind}",
            "give the certificate of the CA that issued it: "
            f"{certificate.issuer or 'its issuer has no name'}",
        )
    usage = certificate.key_usage
    if usage is not None and "keyCertSign" not in usage:
        raise BundleRejected(
            f"{name}: {certificate.subject} may not sign certificates (keyUsage)",
            "give the CA certificate that signs your servers' certificates",
        )


def _weakness(certificate: Certificate) -> str | None:
    """A root's own signature proves nothing, so it may be an old one; not so an intermediate's."""
    kind, bits = certificate.key_type, certificate.key_bits
    if kind == "DSA":
        return "a DSA key, which TLS libraries no longer accept"
    if kind in _LEAST_BITS and bits is None:
        return f"a key of type {kind} whose size cannot be told"
    if bits is not None and bits < _LEAST_BITS.get(kind, 0):
        return f"a weak key: {kind} with {bits} bits, {_LEAST_BITS[kind]} are the least"
    algorithm = certificate.signature_algorithm
    if not certificate.self_issued and any(d in algorithm.lower() for d in _BROKEN_DIGESTS):
        return f"a signature that can be forged: {algorithm}"
    return None


def refuse_expired(certificate: Certificate, name: str, now: dt.datetime) -> None:
    """Raise BundleRejected; a human may insist. `now` is aware."""
    if certificate.not_after < now:
        raise BundleRejected(
            f"{name}: {certificate.subject} expired on {certificate.not_after:%Y-%m-%d}",
            f"{_REISSUE}; to add it all the same, give --force to `exatrust ca add`",
        )


def doubts(certificate: Certificate, name: str, now: dt.datetime) -> str | None:
    """Why a CA of a default set would not be added by hand; None where it would."""
    try:
        refuse_unfit(certificate, name)
        refuse_expired(certificate, name, now)
    except BundleRejected as error:
        return error.message
    return None


def warnings(certificate: Certificate, name: str, now: dt.datetime) -> tuple[str, ...]:
    """What a human should know before trusting this CA; `now` is aware."""
    subject, found = certificate.subject, []
    if certificate.not_after < now:
        found.append(f"{name}: {subject} expired on {certificate.not_after:%Y-%m-%d}")
    if certificate.not_before > now:
        found.append(f"{name}: {subject} is valid from {certificate.not_before:%Y-%m-%d} only")
    if not certificate.self_issued:
        found.append(
            f"{name}: {subject} is an intermediate; most clients also need the root "
            f"that issued it: {certificate.issuer}"
        )
    if not certificate.name_constraints:
        found.append(
            f"{name}: {subject} may issue certificates for any name in the world: "
            "it has no name constraints"
        )
    return tuple(found)
