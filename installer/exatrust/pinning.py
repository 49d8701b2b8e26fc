"""TLS contexts for the two servers the installer talks to; verification is on in all of them.

A pinned certificate needs no CA: its own certificate becomes the only anchor. That also serves
Exasol's default certificate, which has neither an issuer to trust nor a name to check.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Sequence
from pathlib import Path

from exatrust.errors import CertificateRefused, SettingsError
from exatrust.report import one_line
from exatrust_udf.certificate import Certificate, CertificateError, parse
from exatrust_udf.endpoint import Endpoint
from exatrust_udf.handshake import client_context, collect

ON_THE_NODE = "openssl x509 -in /exa/etc/ssl/ssl.crt -noout -fingerprint -sha256"


def context_for_ca(ca_file: Path | None, setting: str) -> ssl.SSLContext:
    """Trust what the CAs in `ca_file` sign, the system's roots without one; names are checked."""
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError) as error:
        reason = "no PEM file of CAs" if isinstance(error, ssl.SSLError) else error.strerror
        raise SettingsError(
            f"{setting}: {ca_file}: {reason}", "name a readable PEM file of CA certificates"
        ) from error


def context_for_leaf(leaf: bytes) -> ssl.SSLContext:
    """Trust exactly one certificate (DER), whoever signed it; the pin stands for the name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=leaf)
    return context


def pinned_context(hosts: Sequence[tuple[str, int]], pin: str, section: str) -> ssl.SSLContext:
    """A context for the server certificate whose SHA-256 is `pin`.

    The certificate is asked from the first host that answers. Raises OSError when none does,
    CertificateRefused when it is another one.
    """
    leaf = _first_leaf(hosts)
    if hashlib.sha256(leaf).hexdigest() != pin:
        raise changed(leaf, pin, section)
    return context_for_leaf(leaf)


def changed(leaf: bytes, pin: str, section: str) -> CertificateRefused:
    """The server presents another certificate (DER) than the pinned one."""
    return CertificateRefused(
        f"the server's certificate is not the pinned one: SHA-256 {_sha256(leaf)}, pinned {pin}; "
        f"the one it presents is {_described(leaf)}",
        "that is normal after an administrator renewed the certificate or set the database up "
        f"anew: read the new fingerprint on a node, over SSH ({ON_THE_NODE}), and run `exatrust "
        f"trust-server {section}`; otherwise somebody stands in between, and nothing was sent to "
        "them",
    )


def received(hosts: Sequence[tuple[str, int]]) -> bytes | None:
    """The certificate (DER) of the first host that answers, None where none does."""
    try:
        return _first_leaf(hosts)
    except OSError:
        return None


def unknown(
    leaf: bytes | None, section: str, ca_file: Path | None, name: str, reason: str
) -> CertificateRefused:
    """The certificate is not verified by `ca_file` or the system's roots: what came, and the ways
    to trust it."""
    by_ca = f"set {section}.ca_file to the CA that signed it"
    if leaf is None:
        return CertificateRefused(
            f"the certificate of {name} is not accepted: {reason}",
            f"{by_ca}, or run `exatrust trust-server {section}`",
        )
    first = by_ca if ca_file else f"if a CA of yours signed it, {by_ca}"
    return CertificateRefused(
        f"the certificate of {name} is not accepted: {reason}; it presents SHA-256 "
        f"{_sha256(leaf)}, which is {_described(leaf)}; no password was sent",
        f"{first}; for a certificate that Exasol made itself, read the fingerprint on a node, over "
        f"SSH ({ON_THE_NODE}), and run `exatrust trust-server {section}`, which compares the two "
        "and pins it",
    )


def _sha256(leaf: bytes) -> str:
    return hashlib.sha256(leaf).hexdigest()


def _described(leaf: bytes) -> str:
    certificate = readable(leaf)
    if certificate is None:
        return "no readable certificate"
    issuer = "itself" if certificate.self_issued else f"'{one_line(certificate.issuer)}'"
    return (
        f"'{one_line(certificate.subject)}' issued by {issuer}, "
        f"valid {certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}"
    )


def readable(leaf: bytes) -> Certificate | None:
    """A certificate that came from a server, None where it is not one."""
    try:
        return parse(leaf)
    except CertificateError:
        return None


def _first_leaf(hosts: Sequence[tuple[str, int]]) -> bytes:
    unreachable: OSError | None = None
    for host, port in hosts:
        try:
            return fetch_leaf(host, port)
        except OSError as error:
            unreachable = unreachable or error
    raise unreachable or OSError("no host is named")


def fetch_leaf(host: str, port: int) -> bytes:
    """The certificate (DER) that a server presents, out of a handshake that must fail.

    The context has no anchor at all, so that verification always ends the handshake; what was
    received outlives it. Each phase has one deadline. Raises OSError.
    """
    endpoint = Endpoint.parse(host, port)
    for evidence in collect([endpoint], client_context(())):
        if evidence.received:
            return evidence.received[0]
        problem = evidence.problem
        reason = f"{problem.finding}: {problem.detail}" if problem else "no certificate came"
        raise OSError(f"{host}:{port}: {reason}")
    raise OSError(f"{host}:{port}: not tried")
