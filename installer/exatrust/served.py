"""The CA certificates that a server sends, read without trusting the server for anything.

The handshake verifies against no CA at all, so it fails; what the server sent survives that.
Everybody on the way could have sent it: it is a convenience for whoever has the fingerprint from
elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from exatrust.bundle import Anchor
from exatrust.dsn import fingerprint
from exatrust.errors import BundleRejected, EndpointUnreachable, UsageError
from exatrust_udf.certificate import Certificate, CertificateError, parse
from exatrust_udf.endpoint import BadEndpoint, Endpoint
from exatrust_udf.handshake import client_context, collect


def served_cas(
    text: str, options: str | None, confirmed: Sequence[str], say: Callable[[str], None]
) -> tuple[Anchor, ...]:
    """Those of the CAs that a human confirmed beforehand, otherwise the root that is sent.

    `text` is host:port, `options` are those of CHECK_ENDPOINT. Raises BundleRejected where nothing
    is left to be added.
    """
    endpoint = _endpoint(text, options)
    certificates = tuple(_read(_received(endpoint), say))
    for line in _shown(endpoint, certificates):
        say(line)
    given = {fingerprint(item, "--confirm") for item in confirmed}
    cas = [item for item in certificates if item.is_ca]
    chosen = [item for item in cas if item.sha256 in given] or [i for i in cas if i.self_issued]
    if not chosen:
        raise BundleRejected(f"{endpoint} sends no root", _where_the_root_is(certificates))
    return tuple(Anchor(item, "added", f"chain of {endpoint}") for item in chosen)


def _endpoint(text: str, options: str | None) -> Endpoint:
    try:
        return Endpoint.parse(text, None, options)
    except BadEndpoint as error:
        raise UsageError(f"{text} is no file, and as an endpoint: {error}", error.hint) from error


def _received(endpoint: Endpoint) -> tuple[bytes, ...]:
    (evidence,) = collect([endpoint], client_context(()))
    if not evidence.received:
        problem = evidence.problem
        raise EndpointUnreachable(
            f"{endpoint} sent no certificate: {problem.detail if problem else 'no reason given'}",
            f"`exatrust probe {endpoint}` says what is wrong; or give the CA as a file",
        )
    return evidence.received


def _read(ders: Sequence[bytes], say: Callable[[str], None]) -> Iterator[Certificate]:
    for number, der in enumerate(ders, 1):
        try:
            yield parse(der)
        except CertificateError as error:
            say(f"certificate {number} cannot be read: {error}")


def _shown(endpoint: Endpoint, certificates: Sequence[Certificate]) -> Iterator[str]:
    yield f"{endpoint} sends {len(certificates)} certificates; that alone proves nothing:"
    for number, item in enumerate(certificates, 1):
        yield f"{number}. {_role(item)}: {item.subject or 'without a name'}"
        yield f"   issued by {'itself' if item.self_issued else item.issuer}"
        yield f"   valid {item.not_before:%Y-%m-%d} to {item.not_after:%Y-%m-%d}"
        yield f"   SHA-256 {item.sha256}"


def _role(certificate: Certificate) -> str:
    if not certificate.is_ca:
        return "the server's own"
    return "root" if certificate.self_issued else "intermediate CA"


def _where_the_root_is(certificates: Sequence[Certificate]) -> str:
    """Servers rarely send the root, since whoever lacks it cannot trust it from there."""
    last = certificates[-1].issuer if certificates else "unknown"
    return (
        f"servers need not; get the root {last!r} as a file from its owner and run "
        "`exatrust ca add FILE`. To trust an intermediate that is sent instead, give its "
        "fingerprint with --confirm"
    )
