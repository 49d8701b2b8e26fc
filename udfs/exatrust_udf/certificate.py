"""One X.509 certificate, DER to values (RFC 5280), with the standard library alone.

`parse` refuses what has not the outer shape of a certificate. What OpenSSL and others meet in real
stores is accepted: version 1, serial numbers that are zero or negative, old string types, times
with an offset. Unreadable extensions and inner keys are listed in `malformed`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field

from exatrust_udf import oids
from exatrust_udf.der import (
    BIT_STRING,
    INTEGER,
    OBJECT_IDENTIFIER,
    SEQUENCE,
    CertificateError,
    expect,
    integer,
    oid,
    read,
    time,
)
from exatrust_udf.extensions import Facts, read_extensions
from exatrust_udf.keys import PublicKey, public_key
from exatrust_udf.names import read_name

__all__ = ["Certificate", "CertificateError", "parse", "strict_problems"]

_VERSION = 0xA0
_ISSUER_UNIQUE_ID = (0x81, 0xA1)
_SUBJECT_UNIQUE_ID = (0x82, 0xA2)
_EXTENSIONS = 0xA3

# RFC 5280 allows 20. Python refuses to print integers beyond 4300 digits, so a limit is needed.
_MAX_SERIAL_OCTETS = 1024


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says; all digests and identifiers are lower-case hex.

    `subject` and `issuer` are RFC 4514 text, most specific part first, '' when empty. `version` is
    1 to 3. `not_before` and `not_after` are aware, in UTC. `key_bits` is None where the size cannot
    be told, `key_curve` None except for EC keys. Names of types and algorithms are OpenSSL's; what
    it does not know is the dotted identifier. `is_ca` is what basicConstraints says, so a version 1
    root is not a CA here. `key_usage` and `extended_key_usage` (dotted) are None where the
    extension is absent: any use. `common_name` is the most specific one. `extensions` are (dotted
    id, critical) in the order of the certificate.
    """

    der: bytes = field(repr=False)
    sha256: str
    subject: str
    issuer: str
    subject_der: bytes = field(repr=False)
    issuer_der: bytes = field(repr=False)
    serial: int
    version: int
    not_before: dt.datetime
    not_after: dt.datetime
    key_type: str
    key_bits: int | None
    key_curve: str | None
    signature_algorithm: str
    spki_sha256: str
    ski: str | None
    aki: str | None
    is_ca: bool
    path_length: int | None
    key_usage: frozenset[str] | None
    extended_key_usage: tuple[str, ...] | None
    dns_names: tuple[str, ...]
    ip_addresses: tuple[str, ...]
    common_name: str | None
    aia_issuers: tuple[str, ...]
    name_constraints: bool
    extensions: tuple[tuple[str, bool], ...]
    malformed: tuple[str, ...]

    @property
    def self_issued(self) -> bool:
        """Whether subject and issuer are the same bytes; says nothing of who signed."""
        return self.subject_der == self.issuer_der

    def days_left(self, now: dt.datetime) -> int:
        """Whole days, rounded down, from `now` (aware) until `not_after`; negative once expired."""
        return (self.not_after - now).days


def parse(der: bytes) -> Certificate:
    """Read one DER certificate, which must fill `der` exactly.

    Raises CertificateError with offset and reason; no other exception, whatever the bytes.
    """
    start, end = expect(der, 0, len(der), SEQUENCE, "a certificate")
    if end != len(der):
        raise CertificateError(end, f"{len(der) - end} bytes after the certificate")
    body, body_end = expect(der, start, end, SEQUENCE, "tbsCertificate")
    outer, outer_end = expect(der, body_end, end, SEQUENCE, "signatureAlgorithm")
    _, signature_end = expect(der, outer_end, end, BIT_STRING, "the signature")
    if signature_end != end:
        raise CertificateError(signature_end, "bytes after the signature")
    return _parse_body(der, body, body_end, (outer, outer_end))


def _parse_body(der: bytes, at: int, end: int, outer: tuple[int, int]) -> Certificate:
    version, at = _version(der, at, end)
    serial, at = expect(der, at, end, INTEGER, "the serial number")
    if at - serial > _MAX_SERIAL_OCTETS:
        raise CertificateError(serial, f"a serial number of {at - serial} bytes")
    serial_number = integer(der, serial, at)
    inner, inner_end = expect(der, at, end, SEQUENCE, "the signature algorithm")
    issuer, issuer_end = expect(der, inner_end, end, SEQUENCE, "the issuer")
    validity, validity_end = expect(der, issuer_end, end, SEQUENCE, "the validity")
    subject, subject_end = expect(der, validity_end, end, SEQUENCE, "the subject")
    spki, spki_end = expect(der, subject_end, end, SEQUENCE, "the public key")
    not_before, not_after = _validity(der, validity, validity_end)
    key = public_key(der, spki, spki_end)
    facts = _extensions(der, spki_end, end)
    issuer_der = der[inner_end:issuer_end]
    subject_der = der[validity_end:subject_end]
    subject_name = read_name(der, subject, subject_end)
    # A root names itself: half the names of a truststore need not be read.
    same = issuer_der == subject_der
    return Certificate(
        der=der,
        sha256=hashlib.sha256(der).hexdigest(),
        subject=subject_name.text,
        issuer=subject_name.text if same else read_name(der, issuer, issuer_end).text,
        subject_der=subject_der,
        issuer_der=issuer_der,
        serial=serial_number,
        version=version,
        not_before=not_before,
        not_after=not_after,
        key_type=key.type,
        key_bits=key.bits,
        key_curve=key.curve,
        signature_algorithm=_algorithm(der, *outer),
        spki_sha256=hashlib.sha256(der[subject_end:spki_end]).hexdigest(),
        ski=facts.ski,
        aki=facts.aki,
        is_ca=facts.is_ca,
        path_length=facts.path_length,
        key_usage=facts.key_usage,
        extended_key_usage=facts.extended_key_usage,
        dns_names=facts.dns_names,
        ip_addresses=facts.ip_addresses,
        common_name=subject_name.common_name,
        aia_issuers=facts.aia_issuers,
        name_constraints=facts.name_constraints,
        extensions=facts.present,
        malformed=_malformed(facts, key, der[inner:inner_end] == der[outer[0] : outer[1]]),
    )


def _version(der: bytes, at: int, end: int) -> tuple[int, int]:
    """Return (version 1 to 3, where the serial number begins)."""
    tag, inner, stop = read(der, at, end)
    if tag != _VERSION:
        return 1, at
    number, number_end = expect(der, inner, stop, INTEGER, "the version")
    version = integer(der, number, number_end) + 1 if number_end - number == 1 else 0
    if number_end != stop or not 1 <= version <= 3:
        raise CertificateError(number, "the version is none of 1, 2, 3")
    return version, stop


def _validity(der: bytes, start: int, end: int) -> tuple[dt.datetime, dt.datetime]:
    tag, first, first_end = read(der, start, end)
    not_before = time(der, tag, first, first_end)
    tag, second, second_end = read(der, first_end, end)
    if second_end != end:
        raise CertificateError(second_end, "bytes after the validity")
    return not_before, time(der, tag, second, second_end)


def _algorithm(der: bytes, start: int, end: int) -> str:
    inner, stop = expect(der, start, end, OBJECT_IDENTIFIER, "the signature algorithm")
    kind = oid(der, inner, stop)
    return oids.SIGNATURES.get(kind, kind)


def _extensions(der: bytes, at: int, end: int) -> Facts:
    """Read what follows the public key: unique ids (kept out, RFC 5280 4.1.2.8) and extensions."""
    for tags in (_ISSUER_UNIQUE_ID, _SUBJECT_UNIQUE_ID):
        if at < end and der[at] in tags:
            _, _, at = read(der, at, end)
    if at == end:
        return Facts()
    start, stop = expect(der, at, end, _EXTENSIONS, "the extensions")
    inner, inner_end = expect(der, start, stop, SEQUENCE, "the list of extensions")
    if stop != end or inner_end != stop:
        raise CertificateError(min(stop, inner_end), "bytes after the extensions")
    return read_extensions(der, inner, inner_end)


def _malformed(facts: Facts, key: PublicKey, algorithms_agree: bool) -> tuple[str, ...]:
    found = facts.malformed
    if key.problem is not None:
        found += (key.problem,)
    if not algorithms_agree:
        found += ("the signature algorithm inside differs from the one outside",)
    return found


def strict_problems(cert: Certificate) -> tuple[str, ...]:
    """Return why OpenSSL's X509_V_FLAG_X509_STRICT rejects a chain through this CA certificate.

    Python sets that flag by default from 3.13 on. The rules are RFC 5280's; each text ends with the
    number of OpenSSL's X509_V_ERR code. Errors that depend on the rest of a chain are not here.
    """
    from exatrust_udf.strict import problems

    return problems(cert)
