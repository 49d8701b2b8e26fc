"""Strict intake of CA files: certificates and nothing else may end up on every node. Pure.

PEM (RFC 7468), DER, PKCS#7 and PKCS#12. A file that also holds a private key is refused as a whole:
who hands out a CA together with a key has made a mistake that somebody should hear of.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from exatrust import envelopes
from exatrust.envelopes import Password
from exatrust.errors import BundleRejected
from exatrust_udf.certificate import Certificate, CertificateError, parse

_BOUNDARY = re.compile(r"-----(BEGIN|END) ([^\r\n]*?)-----")
_PKCS7_LABELS = ("PKCS7", "CMS")  # RFC 7468, sections 8 and 9
_NEWLINE = "\n"
_JKS = b"\xfe\xed\xfe\xed"
_ONLY = "give certificates only"
_EXPECTED = "give certificates as PEM, DER, PKCS#7 or PKCS#12"
_AGAIN = "export the certificate again"


def read_certificates(
    data: bytes, name: str, password: Password | None = None
) -> tuple[Certificate, ...]:
    """The certificates of a file, in the file's order.

    Text outside of PEM blocks is ignored, as comments. `password` asks for that of a PKCS#12 file.
    Raises BundleRejected, naming file, block and line, for anything that is not a readable
    certificate, and for a file without one.
    """
    if b"-----BEGIN " in data:
        found = tuple(_pem(data.decode("latin-1"), name))
        if not found:
            raise BundleRejected(f"{name} has no complete block", _AGAIN)
        return found
    if data[:1] == b"\x30":
        return _der(data, name, password)
    if data[:4] == _JKS:
        raise BundleRejected(
            f"{name} is a Java keystore of the old kind (JKS)",
            f"export the CA: keytool -exportcert -rfc -keystore {name} -alias ALIAS",
        )
    problem = "is neither PEM nor DER" if data.strip() else "is empty"
    raise BundleRejected(f"{name} {problem}", _EXPECTED)


def _der(data: bytes, name: str, password: Password | None) -> tuple[Certificate, ...]:
    if envelopes.is_pkcs12(data):
        return _several(envelopes.from_pkcs12(data, name, password), name)
    if envelopes.is_pkcs7(data):
        return _several(envelopes.from_pkcs7(data, name), name)
    if envelopes.is_private_key(data):
        raise BundleRejected(f"{name} is no certificate; it looks like a private key", _ONLY)
    return (_certificate(data, name),)


def _several(ders: tuple[bytes, ...], where: str) -> tuple[Certificate, ...]:
    return tuple(
        _certificate(der, f"{where}, certificate {number}") for number, der in enumerate(ders, 1)
    )


def _pem(text: str, name: str) -> Iterator[Certificate]:
    for label, der, where in _blocks(text, name):
        if label in _PKCS7_LABELS:
            yield from _several(envelopes.from_pkcs7(der, where), where)
        else:
            yield _certificate(der, where)


def _blocks(text: str, name: str) -> Iterator[tuple[str, bytes, str]]:
    """Label, content and place; boundaries must come in pairs, so that no block is passed over."""
    begun: re.Match[str] | None = None
    number = 0
    for boundary in _BOUNDARY.finditer(text):
        number += boundary[1] == "BEGIN"
        where = f"{name}, block {number} (line {text.count(_NEWLINE, 0, boundary.start()) + 1})"
        _refuse_boundary(boundary, begun, where)
        if begun is None:
            begun, start = boundary, where
        else:
            yield begun[2], _decode(text[begun.end() : boundary.start()], start), start
            begun = None
    if begun is not None:
        raise BundleRejected(f"{start} has no END line", _AGAIN)


def _refuse_boundary(boundary: re.Match[str], begun: re.Match[str] | None, where: str) -> None:
    if boundary[2] not in ("CERTIFICATE", *_PKCS7_LABELS):
        raise BundleRejected(f"{where} is {_label(boundary[2])}", _ONLY)
    if (boundary[1] == "END") != (begun is not None):
        missing = "BEGIN" if begun is None else "END"
        raise BundleRejected(f"{where} has no {missing} line", _AGAIN)
    if begun is not None and begun[2] != boundary[2]:
        raise BundleRejected(f"{where} begins as {begun[2]} and ends as {boundary[2]}", _AGAIN)


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
