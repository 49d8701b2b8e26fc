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
from exatrust_udf.endpoint import Endpoint
from exatrust_udf.handshake import client_context, collect


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


def pinned_context(hosts: Sequence[tuple[str, int]], pin: str, setting: str) -> ssl.SSLContext:
    """A context for the server certificate whose SHA-256 is `pin`.

    The certificate is asked from the first host that answers. Raises OSError when none does,
    CertificateRefused when it is another one.
    """
    leaf = _first_leaf(hosts)
    found = hashlib.sha256(leaf).hexdigest()
    if found != pin:
        raise CertificateRefused(
            f"the server's certificate is not the pinned one: SHA-256 {found}, pinned {pin}",
            "if the certificate was renewed, have its fingerprint confirmed on a node "
            f"(openssl x509 -noout -fingerprint -sha256) and set {setting}; otherwise somebody "
            "stands in between, and nothing was sent to them",
        )
    return context_for_leaf(leaf)


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
