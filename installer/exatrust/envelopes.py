"""Files that hold several certificates: PKCS#7 (RFC 2315, RFC 5652) and PKCS#12 (RFC 7292). Pure.

Both give certificates as DER, in the file's order; whether they are certificates is for the caller
to see.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from exatrust.errors import BundleRejected
from exatrust_udf.ber import to_der
from exatrust_udf.der import (
    INTEGER,
    OBJECT_IDENTIFIER,
    SEQUENCE,
    SET,
    CertificateError,
    children,
    expect,
    oid,
)
from exatrust_udf.jks import PASSWORDS

Password = Callable[[str], str]

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_EXPLICIT = 0xA0
_CERTIFICATES = 0xA0
_PKCS12_VERSION = b"\x02\x01\x03"
_AGAIN = "export the certificates again, as PEM"


def is_pkcs7(data: bytes) -> bool:
    """Whether DER (or BER) begins like PKCS#7: a certificate begins with a SEQUENCE."""
    return _beginning(data)[:1] == bytes((OBJECT_IDENTIFIER,))


def is_pkcs12(data: bytes) -> bool:
    """Whether DER (or BER) begins like PKCS#12: with its version, 3."""
    return _beginning(data)[:3] == _PKCS12_VERSION


def is_private_key(data: bytes) -> bool:
    """Whether DER begins with a small number, as all private keys that are not encrypted do."""
    return _beginning(data)[:1] == bytes((INTEGER,)) and not is_pkcs12(data)


def _beginning(data: bytes) -> bytes:
    """What comes after the tag and length of the outer SEQUENCE."""
    octets = data[1] & 0x7F if len(data) > 1 and data[1] & 0x80 else 0
    return data[2 + octets : 5 + octets]


def from_pkcs7(data: bytes, where: str) -> tuple[bytes, ...]:
    """The certificates that come with a signature, mostly an empty one ("degenerate").

    Nobody looks at signature and content: a human vouches for the certificates.
    """
    try:
        found = tuple(_signed_data(to_der(data)))
    except CertificateError as error:
        raise BundleRejected(f"{where} is no readable PKCS#7: {error}", _AGAIN) from error
    if not found:
        raise BundleRejected(f"{where}: this PKCS#7 holds no certificate", _AGAIN)
    return found


def _signed_data(data: bytes) -> Iterator[bytes]:
    start, end = expect(data, 0, len(data), SEQUENCE, "PKCS#7")
    kind, kind_end = expect(data, start, end, OBJECT_IDENTIFIER, "the type of the content")
    if (found := oid(data, kind, kind_end)) != _SIGNED_DATA:
        raise CertificateError(kind, f"content of type {found} where signed data is expected")
    inner, inner_end = expect(data, kind_end, end, _EXPLICIT, "the content")
    start, end = expect(data, inner, inner_end, SEQUENCE, "the signed data")
    _, at = expect(data, start, end, INTEGER, "the version")
    _, at = expect(data, at, end, SET, "the digests")
    _, at = expect(data, at, end, SEQUENCE, "what is signed")
    if data[at : at + 1] != bytes((_CERTIFICATES,)):
        return
    start, end = expect(data, at, end, _CERTIFICATES, "the certificates")
    for tag, offset, _, stop in children(data, start, end):
        if tag != SEQUENCE:
            raise CertificateError(offset, "an attribute or extended certificate")
        yield data[offset:stop]


def from_pkcs12(data: bytes, where: str, ask: Password | None) -> tuple[bytes, ...]:
    """The certificates of a truststore. A file that also holds a private key is refused as a whole.

    The conventional passwords of truststores, which protect nothing, are tried before `ask` is
    asked for one. None where nobody can be asked.
    """
    found = _opened(data, where, ask)
    if found.key is not None:
        raise BundleRejected(
            f"{where} holds a private key",
            "give certificates only: export them alone, "
            "for example with `openssl pkcs12 -nokeys -out corp.pem`",
        )
    entries = [found.cert, *found.additional_certs]
    certificates = [entry.certificate for entry in entries if entry is not None]
    if not certificates:
        raise BundleRejected(f"{where}: this PKCS#12 holds no certificate", _AGAIN)
    return tuple(_der(item) for item in certificates)


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def _opened(data: bytes, where: str, ask: Password | None) -> pkcs12.PKCS12KeyAndCertificates:
    for password in (None, *(text.encode() for text in PASSWORDS)):
        if found := _try(data, where, password):
            return found
    if ask is None:
        raise BundleRejected(
            f"{where} is a PKCS#12 file with a password of its own",
            "run this in a terminal, or run `exatrust ca add` with --password-file FILE",
        )
    found = _try(data, where, ask(f"Password of {where}").encode("utf-8"))
    if found is None:
        raise BundleRejected(
            f"{where} does not open: the password is another one, or the file is damaged",
            "ask who made the file",
        )
    return found


def _try(data: bytes, where: str, password: bytes | None) -> pkcs12.PKCS12KeyAndCertificates | None:
    """None where this is not the password. `cryptography` has one error for that and for damage."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # serial numbers of zero are the reader's own affair
            return pkcs12.load_pkcs12(data, password)
    except UnsupportedAlgorithm as error:
        raise BundleRejected(f"{where} cannot be opened: {error}", _AGAIN) from error
    except (ValueError, TypeError):
        return None
