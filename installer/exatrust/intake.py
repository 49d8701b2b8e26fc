"""Strict intake of CA files: certificates and nothing else may end up on every node. Pure.

A file that also holds a private key is refused as a whole, since its bytes would otherwise be
handed out with the bundle.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from collections.abc import Iterator

from exatrust.errors import BundleRejected
from exatrust_udf.certificate import Certificate, CertificateError, parse

_BOUNDARY = re.compile(r"-----(BEGIN|END) ([^\r\n]*?)-----")
_ONLY = "give certificates only"
_AGAIN = "export the certificate again"


def read_certificates(data: bytes, name: str) -> tuple[Certificate, ...]:
    """The certificates of a PEM file (RFC 7468), or of a DER file, in the file's order.

    Text outside of blocks is ignored, as comments. Raises BundleRejected, naming file, block and
    line, for any block that is not a readable CERTIFICATE, and for a file without one.
    """
    if b"-----BEGIN " in data:
        found = tuple(_pem(data.decode("latin-1"), name))
        if not found:
            raise BundleRejected(f"{name} has no complete block", _AGAIN)
        return found
    if data[:1] == b"\x30":
        return (_certificate(data, name),)
    if not data.strip():
        raise BundleRejected(f"{name} is empty", "give a PEM or DER file of certificates")
    raise BundleRejected(
        f"{name} is neither PEM nor a DER certificate", "give a PEM or DER file of certificates"
    )


def _pem(text: str, name: str) -> Iterator[Certificate]:
    """One certificate a block; boundaries must come in pairs, so that no block is passed over."""
    begun: re.Match[str] | None = None
    number = 0
    for boundary in _BOUNDARY.finditer(text):
        number += boundary[1] == "BEGIN"
        line = text.count("\n", 0, boundary.start()) + 1
        where = f"{name}, block {number} (line {line})"
        if boundary[2] != "CERTIFICATE":
            raise BundleRejected(f"{where} is {_label(boundary[2])}", _ONLY)
        if (boundary[1] == "END") != (begun is not None):
            missing = "BEGIN" if begun is None else "END"
            raise BundleRejected(f"{where} has no {missing} line", _AGAIN)
        if begun is None:
            begun, start = boundary, where
            continue
        yield _certificate(_decode(text[begun.end() : boundary.start()], start), start)
        begun = None
    if begun is not None:
        raise BundleRejected(f"{start} has no END line", _AGAIN)


def _label(raw: str) -> str:
    """A block's type, safe to print, and short."""
    return re.sub(r"[^ -~]", "?", raw)[:60] or "of no type"


def _decode(body: str, where: str) -> bytes:
    try:
        return base64.b64decode("".join(body.split()).encode("latin-1"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BundleRejected(f"{where} is not valid base64: {error}", _AGAIN) from error


def _certificate(der: bytes, where: str) -> Certificate:
    try:
        return parse(der)
    except CertificateError as error:
        raise BundleRejected(f"{where} is no X.509 certificate: {error}", _AGAIN) from error


def refuse_unfit(certificate: Certificate, name: str) -> None:
    """Raise BundleRejected for what is no CA: trusting a leaf helps only who holds its key."""
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


def warnings(certificate: Certificate, name: str, now: dt.datetime) -> tuple[str, ...]:
    """What a human should know before trusting this CA; `now` is aware."""
    found = []
    if certificate.not_after < now:
        found.append(f"{name}: {certificate.subject} expired on {certificate.not_after:%Y-%m-%d}")
    if certificate.not_before > now:
        found.append(
            f"{name}: {certificate.subject} is valid from {certificate.not_before:%Y-%m-%d} only"
        )
    if not certificate.self_issued:
        found.append(
            f"{name}: {certificate.subject} is an intermediate; most clients also need the root "
            f"that issued it: {certificate.issuer}"
        )
    return tuple(found)
