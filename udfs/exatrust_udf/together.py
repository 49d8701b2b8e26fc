"""The anchors of several truststores together, for the one handshake of an endpoint. Pure.

A store's verdict can be had in memory, but only a handshake that completes proves that the server
has the key of its certificate. So the handshake trusts what any of the stores trusts. What one
store adds must not lead OpenSSL away from the path that an earlier one allows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from exatrust_udf.certificate import Certificate
from exatrust_udf.stores import Store


def anchors(stores: Sequence[Store], partial_chain: bool) -> tuple[bytes, ...]:
    """The DER of all certificates that may be loaded together, those of the first store first."""
    by_name: dict[bytes, list[Certificate]] = defaultdict(list)
    found: dict[str, Certificate] = {c.sha256: c for c in stores[0].certificates}
    for cert in found.values():
        by_name[cert.subject_der].append(cert)
    for store in stores[1:]:
        for cert in _anchoring(store.certificates, partial_chain):
            if cert.sha256 not in found and _told_apart(cert, by_name[cert.subject_der]):
                found[cert.sha256] = cert
                by_name[cert.subject_der].append(cert)
    return tuple(cert.der for cert in found.values())


def _anchoring(store: Iterable[Certificate], partial_chain: bool) -> Iterator[Certificate]:
    """Without partial chains an intermediate leads nowhere unless its own issuer is there."""
    certificates = tuple(store)
    names = {cert.subject_der for cert in certificates}
    return (c for c in certificates if partial_chain or c.self_issued or c.issuer_der in names)


def _told_apart(cert: Certificate, namesakes: Iterable[Certificate]) -> bool:
    """Whether OpenSSL, which looks at names and key identifiers, takes the right one of them."""
    return all(
        cert.self_issued
        if cert.spki_sha256 == other.spki_sha256
        else None not in (cert.ski, other.ski) and cert.ski != other.ski
        for other in namesakes
    )
