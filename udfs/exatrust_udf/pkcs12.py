"""PKCS#12 truststores, RFC 7292 (pure; the block cipher is passed in).

The certificates may lie open, as in Java's own cacerts since JDK 18, or encrypted, as keytool and
OpenSSL write them. Passwords are the conventional ones of truststores, which protect nothing.
"""

from __future__ import annotations

import hmac

from exatrust_udf import pbe
from exatrust_udf.ber import to_der
from exatrust_udf.der import (
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    CertificateError,
    children,
    expect,
    integer,
    oid,
    read,
)
from exatrust_udf.jks import PASSWORDS, Entries
from exatrust_udf.stores import Cipher

_DATA = "1.2.840.113549.1.7.1"
_ENCRYPTED_DATA = "1.2.840.113549.1.7.6"
_KEY_BAG = "1.2.840.113549.1.12.10.1.1"
_SHROUDED_KEY_BAG = "1.2.840.113549.1.12.10.1.2"
_CERT_BAG = "1.2.840.113549.1.12.10.1.3"
_SAFE_CONTENTS_BAG = "1.2.840.113549.1.12.10.1.6"
_X509 = "1.2.840.113549.1.9.22.1"
_FRIENDLY_NAME = "1.2.840.113549.1.9.20"
# Without this attribute Java does not take a certificate for an anchor (JDK-8008408).
_JAVA_TRUSTED = "2.16.840.1.113894.746875.1.1"
_CONTENT = 0xA0
_MAX_NESTED_SAFES = 4
# Each costs a key derivation, which a hostile file can make slow; real files have one or two.
_MAX_ENCRYPTED_SAFES = 8

_NO_PASSWORD = "the file fits none of the conventional passwords: another one, or it was altered"  # noqa: S105


def read_pkcs12(data: bytes, cipher: Cipher) -> Entries:
    """Read a PKCS#12 file; what cannot be read ends up in `problems`, what could is kept.

    Raises CertificateError where even the outer structure is broken.
    """
    data = to_der(data)
    start, end = expect(data, 0, len(data), SEQUENCE, "a PKCS#12 file")
    _, version_end = expect(data, start, end, INTEGER, "the version")
    safe, safe_end = expect(data, version_end, end, SEQUENCE, "the content")
    kind, at = _content_type(data, safe, safe_end)
    if kind != _DATA:
        raise CertificateError(safe, f"content of type {kind}: signed PKCS#12 is not supported")
    content = _octets(data, at, safe_end)
    entries = Entries()
    password, checked = _password(data, safe_end, end, content, entries)
    _safes(content, password, checked, cipher, entries)
    return entries


def _content_type(data: bytes, start: int, end: int) -> tuple[str, int]:
    inner, stop = expect(data, start, end, OBJECT_IDENTIFIER, "the type of a content")
    return oid(data, inner, stop), stop


def _octets(data: bytes, at: int, end: int) -> bytes:
    """Return the OCTET STRING inside the explicit tag [0] at `at`."""
    inner, stop = expect(data, at, end, _CONTENT, "a content")
    start, value_end = expect(data, inner, stop, OCTET_STRING, "a content")
    return data[start:value_end]


def _password(
    data: bytes, at: int, end: int, content: bytes, entries: Entries
) -> tuple[str | None, bool]:
    """Return (the password, whether the MAC proved it)."""
    if at == end:
        return PASSWORDS[0], False
    start, stop = expect(data, at, end, SEQUENCE, "the MAC")
    info, info_end = expect(data, start, stop, SEQUENCE, "the MAC's digest")
    algorithm = pbe.algorithm(data, info, info_end)
    digest, digest_end = expect(data, algorithm.end, info_end, OCTET_STRING, "the MAC's digest")
    salt, salt_end = expect(data, info_end, stop, OCTET_STRING, "the MAC's salt")
    iterations = 1
    if salt_end < stop:
        number, number_end = expect(data, salt_end, stop, INTEGER, "the MAC's iterations")
        iterations = integer(data, number, number_end)
    for password in (*PASSWORDS, None):
        found = pbe.mac(data, algorithm, password, data[salt:salt_end], iterations, content)
        if hmac.compare_digest(found, data[digest:digest_end]):
            return password, True
    entries.problems.append(_NO_PASSWORD)
    return PASSWORDS[0], False


def _safes(
    content: bytes, password: str | None, checked: bool, cipher: Cipher, entries: Entries
) -> None:
    start, end = expect(content, 0, len(content), SEQUENCE, "the list of safes")
    encrypted = 0
    for tag, at, inner, stop in children(content, start, end):
        try:
            if tag != SEQUENCE:
                raise CertificateError(at, f"a safe has tag 0x{tag:02x}")
            kind, value = _content_type(content, inner, stop)
            encrypted += kind == _ENCRYPTED_DATA
            if encrypted > _MAX_ENCRYPTED_SAFES:
                raise CertificateError(at, "too many encrypted safes")
            _bags(_opened(content, kind, value, stop, password, cipher), entries, 0)
        except CertificateError as error:
            if checked or _NO_PASSWORD not in entries.problems:
                entries.problems.append(f"a safe: {error}")


def _opened(
    data: bytes, kind: str, at: int, end: int, password: str | None, cipher: Cipher
) -> bytes:
    """Return the SafeContents that an open or an encrypted safe holds."""
    if kind == _DATA:
        return _octets(data, at, end)
    if kind == _ENCRYPTED_DATA:
        return _decrypted(data, at, end, password, cipher)
    raise CertificateError(at, f"a safe of type {kind} cannot be read")


def _decrypted(data: bytes, at: int, end: int, password: str | None, cipher: Cipher) -> bytes:
    inner, stop = expect(data, at, end, _CONTENT, "an encrypted content")
    start, stop = expect(data, inner, stop, SEQUENCE, "an encrypted content")
    _, version_end = expect(data, start, stop, INTEGER, "the version")
    info, info_end = expect(data, version_end, stop, SEQUENCE, "an encrypted content")
    _, kind_end = _content_type(data, info, info_end)
    algorithm = pbe.algorithm(data, kind_end, info_end)
    tag, secret, secret_end = read(data, algorithm.end, info_end)
    if tag == _CONTENT:  # explicit form, after constructed octets were joined
        secret, secret_end = expect(data, secret, secret_end, OCTET_STRING, "the ciphertext")
    name, key, iv = pbe.key_and_iv(data, algorithm, password)
    try:
        plain = cipher(name, key, iv, data[secret:secret_end])
    except ValueError as error:
        raise CertificateError(secret, f"cannot be decrypted ({name}): {error}") from error
    return to_der(plain)


def _bags(data: bytes, entries: Entries, depth: int) -> None:
    if depth > _MAX_NESTED_SAFES:
        raise CertificateError(0, "safes nested too deep")
    start, end = expect(data, 0, len(data), SEQUENCE, "a safe")
    for tag, at, inner, stop in children(data, start, end):
        if tag != SEQUENCE:
            raise CertificateError(at, f"a bag has tag 0x{tag:02x}")
        kind, kind_end = _content_type(data, inner, stop)
        value, value_end = expect(data, kind_end, stop, _CONTENT, "a bag")
        attributes = _attributes(data, value_end, stop)
        if kind == _CERT_BAG:
            _certificate(data, value, value_end, attributes, entries)
        elif kind == _SAFE_CONTENTS_BAG:
            _bags(data[value:value_end], entries, depth + 1)
        elif kind in (_KEY_BAG, _SHROUDED_KEY_BAG):
            alias = attributes.get(_FRIENDLY_NAME, "")
            entries.problems.append(f"entry {alias!r} is a private key, not an anchor")


def _certificate(
    data: bytes, start: int, end: int, attributes: dict[str, str], entries: Entries
) -> None:
    inner, stop = expect(data, start, end, SEQUENCE, "a certificate's bag")
    kind, value = _content_type(data, inner, stop)
    alias = attributes.get(_FRIENDLY_NAME, "")
    if kind != _X509:
        entries.problems.append(f"entry {alias!r} is of type {kind}, not X.509")
        return
    entries.certificates.append((alias, _octets(data, value, stop)))
    if _JAVA_TRUSTED not in attributes:
        entries.problems.append(f"entry {alias!r} is no anchor for Java: its trust mark is missing")


def _attributes(data: bytes, at: int, end: int) -> dict[str, str]:
    """Return the attributes of a bag: the friendly name's text, '' for any other."""
    found: dict[str, str] = {}
    if at == end:
        return found
    start, stop = expect(data, at, end, SET, "the attributes of a bag")
    for _, _, inner, inner_end in children(data, start, stop):
        kind, kind_end = _content_type(data, inner, inner_end)
        values, values_end = expect(data, kind_end, inner_end, SET, "an attribute's values")
        found[kind] = ""
        if kind == _FRIENDLY_NAME and values < values_end:
            _, text, text_end = read(data, values, values_end)
            found[kind] = data[text:text_end].decode("utf-16-be", "replace")
    return found
