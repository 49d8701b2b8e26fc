"""A PKCS#12 truststore for Java whose bytes depend on the certificates alone. Pure, RFC 7292.

`cryptography` writes these too, with random salts and, for certificates that lie open, without the
password that Java's tools ask for by convention. Here the certificates lie open, as in Java's own
cacerts since JDK 18: they are public, and the password protects nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from exatrust_udf import pbe
from exatrust_udf.certificate import Certificate
from exatrust_udf.der import INTEGER, NULL, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET

PASSWORD = "changeit"  # noqa: S105 - Java's convention for truststores, known to everybody
ITERATIONS = 10_000  # as keytool's default since JDK 17

_DATA = "1.2.840.113549.1.7.1"
_CERT_BAG = "1.2.840.113549.1.12.10.1.3"
_X509 = "1.2.840.113549.1.9.22.1"
_FRIENDLY_NAME = "1.2.840.113549.1.9.20"
# Without this attribute Java does not take a certificate for an anchor (JDK-8008408). Its value is
# what the certificate is trusted for: any extended key usage, as keytool writes.
_JAVA_TRUSTED = "2.16.840.1.113894.746875.1.1"
_ANY_USAGE = "2.5.29.37.0"
_SHA256 = "2.16.840.1.101.3.4.2.1"
_BMP_STRING = 0x1E
_EXPLICIT = 0xA0
_MAC_ID = 3
_SALT_OCTETS = 20
_NAME_LENGTH = 64


def write_pkcs12(certificates: Sequence[Certificate]) -> bytes:
    """The truststore with these anchors, in their order. None may be in it twice."""
    bags = _tlv(SEQUENCE, *(_bag(item) for item in certificates))
    safe = _tlv(SEQUENCE, _content(bags))
    return _tlv(SEQUENCE, _integer(3), _content(safe), _mac(safe))


def alias(certificate: Certificate) -> str:
    """What keytool shows: a name for people, and so much of the SHA-256 that it is the only one.

    Java compares aliases in lower case, and a later entry would replace an earlier one.
    """
    name = certificate.common_name or certificate.subject
    plain = "".join(c if c.isprintable() and ord(c) < 0x10000 else "?" for c in name)
    return f"{plain[:_NAME_LENGTH]} {certificate.sha256[:16]}".strip().lower()


def _bag(certificate: Certificate) -> bytes:
    value = _tlv(SEQUENCE, _oid(_X509), _explicit(_tlv(OCTET_STRING, certificate.der)))
    name = _tlv(_BMP_STRING, alias(certificate).encode("utf-16-be", "replace"))
    attributes = sorted(
        (_attribute(_FRIENDLY_NAME, name), _attribute(_JAVA_TRUSTED, _oid(_ANY_USAGE)))
    )
    return _tlv(SEQUENCE, _oid(_CERT_BAG), _explicit(value), _tlv(SET, *attributes))


def _attribute(kind: str, value: bytes) -> bytes:
    return _tlv(SEQUENCE, _oid(kind), _tlv(SET, value))


def _content(data: bytes) -> bytes:
    return _tlv(SEQUENCE, _oid(_DATA), _explicit(_tlv(OCTET_STRING, data)))


def _mac(content: bytes) -> bytes:
    """The salt need not be secret or random: it comes from the content, so it differs with it."""
    salt = hashlib.sha256(content).digest()[:_SALT_OCTETS]
    key = pbe.derive("sha256", PASSWORD, salt, ITERATIONS, _MAC_ID, 32)
    method = _tlv(SEQUENCE, _oid(_SHA256), _tlv(NULL))
    digest = _tlv(OCTET_STRING, hmac.digest(key, content, "sha256"))
    return _tlv(
        SEQUENCE, _tlv(SEQUENCE, method, digest), _tlv(OCTET_STRING, salt), _integer(ITERATIONS)
    )


def _explicit(content: bytes) -> bytes:
    return _tlv(_EXPLICIT, content)


def _integer(value: int) -> bytes:
    return _tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    return _tlv(OBJECT_IDENTIFIER, b"".join(map(_arc, (40 * first + second, *rest))))


def _arc(value: int) -> bytes:
    """Seven bits an octet, the highest first; all but the last have the top bit set."""
    octets = [value & 0x7F]
    while value := value >> 7:
        octets.append(value & 0x7F | 0x80)
    return bytes(reversed(octets))


def _tlv(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return bytes((tag,)) + _length(len(content)) + content


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes((size,))
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(octets),)) + octets
