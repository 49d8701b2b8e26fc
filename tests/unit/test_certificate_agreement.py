"""Our certificate reader and `cryptography` must say the same about every certificate there is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import certifi
import cryptography_vectors
import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID

from exatrust_udf.certificate import Certificate, CertificateError, parse
from exatrust_udf.pem import CERTIFICATE_LABELS, pem_blocks

DEBIAN = Path("/etc/ssl/certs/ca-certificates.crt")
VECTORS = Path(cryptography_vectors.__file__).parent / "x509"

# Old certificates are what this is about; `cryptography` warns that it will refuse some one day.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*(serial number|NULL parameter|VisibleString|country code|[Aa]ttribute's length).*"
)

# What only we read, and why `cryptography` does not.
ONLY_EXATRUST = {
    "PKITS_data/certs/DSAParametersInheritedCACert.crt": "DSA without parameters: inherited",
    "PKITS_data/certs/ValidDSAParameterInheritanceTest5EE.crt": "DSA without parameters",
    "custom/invalid_utf8_common_name.pem": "a name that is not UTF-8: we write #hex",
    "custom/name_attribute_unsupported_tag.pem": "a name that is no string: we write #hex",
    "ed25519/ed25519-rfc8410.pem": "critical FALSE is written out, RFC 8410's own example",
}
# What only `cryptography` reads.
ONLY_CRYPTOGRAPHY: dict[str, str] = {}
# Where `cryptography` refuses all extensions because of one; the rest is compared.
UNREADABLE_EXTENSIONS = {
    "badssl-sct-anonymous-sig.der": "signed timestamps, which we do not read",
    "badssl-sct-none-hash.der": "signed timestamps",
    "custom/invalid-sct-length.der": "signed timestamps",
    "custom/invalid-sct-version.der": "signed timestamps",
    "custom/cp_invalid.pem": "policies, which we do not read",
    "custom/cp_invalid2.der": "policies",
    "custom/inhibit_any_policy_negative.pem": "policies",
    "custom/malformed-ian.pem": "issuer's other names, which we do not read",
    "custom/nc_invalid_ip4_netmask.der": "inside name constraints: we note their presence",
    "custom/nc_invalid_ip_netmask.pem": "inside name constraints",
    "custom/nc_ip_invalid_length.pem": "inside name constraints",
    "custom/empty-eku.pem": "we say malformed",
    "custom/malformed-san.pem": "a broken otherName, a kind of name which we skip",
    "custom/two_basic_constraints.pem": "we say malformed and take the first",
    "san_edipartyname.der": "a kind of name which we skip",
    "san_x400address.der": "a kind of name which we skip",
    "wosign-bc-invalid.pem": "a path length without CA: we report it as a strict problem",
}


def ders_of(path: Path) -> list[bytes]:
    data = path.read_bytes()
    if b"-----BEGIN" not in data:
        return [data]
    blocks = [block for block in pem_blocks(data) if block.label in CERTIFICATE_LABELS]
    return [block.data for block in blocks if block.data is not None]


def vectors() -> Iterator[tuple[str, bytes]]:
    for path in sorted([*VECTORS.rglob("*.pem"), *VECTORS.rglob("*.der"), *VECTORS.rglob("*.crt")]):
        name = str(path.relative_to(VECTORS))
        for number, der in enumerate(ders_of(path)):
            yield f"{name}#{number}" if number else name, der


def theirs(der: bytes) -> x509.Certificate | None:
    try:
        certificate = x509.load_der_x509_certificate(der)
        # Names and times are read late.
        _ = certificate.subject, certificate.issuer, certificate.not_valid_before_utc
        _ = certificate.not_valid_after_utc, certificate.version, certificate.serial_number
    except (ValueError, KeyError, x509.InvalidVersion):
        return None
    return certificate


def ours(der: bytes) -> Certificate | None:
    try:
        return parse(der)
    except CertificateError:
        return None


def assert_agreement(name: str, der: bytes) -> None:
    mine, other = ours(der), theirs(der)
    assert (mine is not None and other is None) == (name in ONLY_EXATRUST)
    assert (mine is None and other is not None) == (name in ONLY_CRYPTOGRAPHY)
    if mine is None or other is None:
        return
    assert_same_facts(mine, other)
    assert_same_key(mine, other)
    extensions = extensions_of(other)
    assert (extensions is None) == (name in UNREADABLE_EXTENSIONS)
    if extensions is not None:
        assert_same_extensions(mine, extensions)


def extensions_of(certificate: x509.Certificate) -> x509.Extensions | None:
    try:
        return certificate.extensions
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return None


def assert_same_facts(mine: Certificate, other: x509.Certificate) -> None:
    assert mine.version == other.version.value + 1
    assert mine.serial == other.serial_number
    assert mine.not_before == other.not_valid_before_utc
    assert mine.not_after == other.not_valid_after_utc
    assert parts(mine.subject) == len(list(other.subject))
    assert parts(mine.issuer) == len(list(other.issuer))
    names = other.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    if names and isinstance(names[-1].value, str) and names[-1].value.isprintable():
        assert mine.common_name == names[-1].value
    algorithm = other.signature_algorithm_oid._name
    dotted = mine.signature_algorithm[0].isdigit()
    assert not dotted or theirs_is_exotic(algorithm)
    if algorithm != "Unknown OID" and not dotted:
        assert simple(mine.signature_algorithm) == simple(algorithm)


def theirs_is_exotic(algorithm: str) -> bool:
    """Whether we may leave an algorithm dotted: OpenSSL cannot use it without an engine."""
    return algorithm.startswith(("GOST", "Unknown"))


def simple(name: str) -> str:
    """Undo the differences between OpenSSL's and `cryptography`'s spelling of algorithms."""
    return name.lower().replace("_", "").replace("-", "")


def parts(name: str) -> int:
    """Count the attributes of an RFC 4514 name: separators that no backslash escapes."""
    bare = name.replace("\\\\", "")
    for special in ",+":
        bare = bare.replace("\\" + special, "")
    return bare.count(",") + bare.count("+") + 1 if name else 0


def assert_same_key(mine: Certificate, other: x509.Certificate) -> None:
    try:
        key = other.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return  # a kind or form of key that `cryptography` does not know
    kinds = {
        "RSA": rsa.RSAPublicKey, "RSA-PSS": rsa.RSAPublicKey, "DSA": dsa.DSAPublicKey,
        "EC": ec.EllipticCurvePublicKey, "Ed25519": ed25519.Ed25519PublicKey,
        "Ed448": ed448.Ed448PublicKey,
    }  # fmt: skip
    assert mine.key_type not in kinds or isinstance(key, kinds[mine.key_type])
    if isinstance(key, (rsa.RSAPublicKey, dsa.DSAPublicKey)):
        assert mine.key_bits == key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey) and mine.key_curve != "explicit":
        same = {"secp256r1": "prime256v1", "secp192r1": "prime192v1"}
        assert mine.key_curve == same.get(key.curve.name, key.curve.name)
        assert mine.key_bits == key.key_size


def assert_same_extensions(mine: Certificate, extensions: x509.Extensions) -> None:
    found = {extension.oid: extension for extension in extensions}
    assert mine.extensions == tuple((e.oid.dotted_string, e.critical) for e in extensions)
    constraints = value(found, ExtensionOID.BASIC_CONSTRAINTS)
    assert mine.is_ca == bool(constraints and constraints.ca)
    assert mine.path_length == (constraints.path_length if constraints else None)
    ski = value(found, ExtensionOID.SUBJECT_KEY_IDENTIFIER)
    assert mine.ski == (ski.digest.hex() if ski else None)
    aki = value(found, ExtensionOID.AUTHORITY_KEY_IDENTIFIER)
    identifier = aki.key_identifier if aki else None
    assert mine.aki == (None if identifier is None else identifier.hex())
    assert_same_usages(mine, found)
    assert_same_names(mine, found)


def value(found: dict[x509.ObjectIdentifier, x509.Extension], oid: x509.ObjectIdentifier):  # type: ignore[no-untyped-def, type-arg]
    return found[oid].value if oid in found else None


def assert_same_usages(mine: Certificate, found: dict) -> None:  # type: ignore[type-arg]
    usage = value(found, ExtensionOID.KEY_USAGE)
    if usage is None:
        assert mine.key_usage is None
    else:
        flags = {
            "digitalSignature": usage.digital_signature, "cRLSign": usage.crl_sign,
            "nonRepudiation": usage.content_commitment, "keyCertSign": usage.key_cert_sign,
            "keyEncipherment": usage.key_encipherment, "keyAgreement": usage.key_agreement,
            "dataEncipherment": usage.data_encipherment,
        }  # fmt: skip
        only = ("encipherOnly", "decipherOnly")
        assert mine.key_usage is not None
        assert mine.key_usage - set(only) == {name for name, is_set in flags.items() if is_set}
    purposes = value(found, ExtensionOID.EXTENDED_KEY_USAGE)
    expected = None if purposes is None else tuple(oid.dotted_string for oid in purposes)
    assert mine.extended_key_usage == expected


def assert_same_names(mine: Certificate, found: dict) -> None:  # type: ignore[type-arg]
    names = value(found, ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    if names is not None:
        assert list(mine.dns_names) == names.get_values_for_type(x509.DNSName)
        addresses = names.get_values_for_type(x509.IPAddress)
        assert list(mine.ip_addresses) == [str(address) for address in addresses]
    access = value(found, ExtensionOID.AUTHORITY_INFORMATION_ACCESS) or []
    issuers = [
        item.access_location.value
        for item in access
        if item.access_method == x509.AuthorityInformationAccessOID.CA_ISSUERS
        and isinstance(item.access_location, x509.UniformResourceIdentifier)
    ]
    assert list(mine.aia_issuers) == issuers
    assert mine.name_constraints == (ExtensionOID.NAME_CONSTRAINTS in found)


def assert_same_key_digest(der: bytes) -> None:
    key = x509.load_der_x509_certificate(der).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert parse(der).spki_sha256 == hashlib.sha256(spki).hexdigest()


def test_every_root_of_certifi_reads_the_same() -> None:
    ders = ders_of(Path(certifi.where()))
    assert len(ders) > 100
    for der in ders:
        assert_agreement(parse(der).subject, der)
        assert_same_key_digest(der)
        assert parse(der).malformed == ()


@pytest.mark.skipif(not DEBIAN.exists(), reason="no Debian bundle of certificates here")
def test_every_root_of_the_operating_system_reads_the_same() -> None:
    ders = ders_of(DEBIAN)
    assert len(ders) > 50
    for der in ders:
        assert_agreement(parse(der).subject, der)


@pytest.mark.parametrize(("name", "der"), [pytest.param(n, d, id=n) for n, d in vectors()])
def test_every_vector_of_cryptography_reads_the_same(name: str, der: bytes) -> None:
    assert_agreement(name, der)


def test_every_exclusion_is_still_a_vector() -> None:
    names = {name for name, _ in vectors()}
    assert {*ONLY_CRYPTOGRAPHY, *ONLY_EXATRUST, *UNREADABLE_EXTENSIONS} <= names
