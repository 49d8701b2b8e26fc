"""Java's truststores, JKS and PKCS#12: as keytool and others write them, and as an enemy would."""

from __future__ import annotations

import re
import shutil
import ssl
import struct
import subprocess
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from exatrust_udf import cipher, jks, pbe, rc2, truststore
from exatrust_udf.certificate import parse
from exatrust_udf.pem import pem_blocks
from exatrust_udf.stores import Store, parse_store

# Without the roots whose serial number is zero: `cryptography` warns of them.
ROOTS = [
    block.data or b""
    for block in pem_blocks(Path(certifi.where()).read_bytes())
    if block.data and parse(block.data).serial > 0
][:12]
KEYTOOL = shutil.which("keytool")
needs_keytool = pytest.mark.skipif(KEYTOOL is None, reason="no keytool here (needs a JDK)")


def pem(*ders: bytes) -> bytes:
    return "".join(map(ssl.DER_cert_to_PEM_cert, ders)).encode()


def parsed(data: bytes) -> Store:
    return parse_store(data, "given", "/store", "argument", cipher.decrypt)


def ders(store: Store) -> list[bytes]:
    return [certificate.der for certificate in store.certificates]


def jks_file(*certificates: bytes, password: str = "changeit", extra: bytes = b"") -> bytes:
    body = b"\xfe\xed\xfe\xed" + struct.pack(">II", 2, len(certificates) + bool(extra))
    for number, der in enumerate(certificates):
        alias = f"ca{number}".encode()
        body += struct.pack(">IH", 2, len(alias)) + alias + bytes(8)
        body += struct.pack(">H", 5) + b"X.509" + struct.pack(">I", len(der)) + der
    body += extra
    return body + jks.integrity_digest(body, password)


def java_truststore(*certificates: bytes, encryption: KeySerializationEncryption) -> bytes:
    entries = [
        pkcs12.PKCS12Certificate(x509.load_der_x509_certificate(der), f"ca{i}".encode())
        for i, der in enumerate(certificates)
    ]
    return pkcs12.serialize_java_truststore(entries, encryption)


def keytool(*arguments: str) -> str:
    assert KEYTOOL is not None
    command = [KEYTOOL, *arguments, "-storepass", "changeit"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_jks_file_is_read_and_its_digest_is_checked() -> None:
    store = parsed(jks_file(*ROOTS))
    assert (store.format, ders(store), store.problems) == ("JKS", ROOTS, ())


def test_a_jks_file_with_another_password_or_altered_says_so() -> None:
    store = parsed(jks_file(*ROOTS, password="tutorial"))
    assert ders(store) == ROOTS
    assert store.problems == (
        "the integrity digest fits none of the conventional passwords: "
        "the file has another password, or it was altered",
    )


def test_a_truncated_jks_file_gives_what_is_left_of_it() -> None:
    data = jks_file(*ROOTS)
    store = parsed(data[: len(data) // 2])
    assert 0 < len(store.certificates) < len(ROOTS)
    assert re.search(r"offset \d+: \d+ bytes expected, \d+ are left", store.problems[-1])


def test_a_secret_key_ends_the_reading_and_is_named() -> None:
    secret = struct.pack(">IH", 3, 1) + b"s" + bytes(8) + b"\xac\xed"
    store = parsed(jks_file(ROOTS[0], extra=secret))
    assert ders(store) == ROOTS[:1]
    assert "entry 's' is a secret key; the rest cannot be read" in store.problems[0]


ENCRYPTIONS = {
    "open": NoEncryption(),
    "AES": BestAvailableEncryption(b"changeit"),
    "3DES": PrivateFormat.PKCS12.encryption_builder()
    .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
    .kdf_rounds(2048)
    .hmac_hash(hashes.SHA1())
    .build(b"changeit"),
    "another MAC": PrivateFormat.PKCS12.encryption_builder()
    .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
    .kdf_rounds(10)
    .hmac_hash(hashes.SHA512())
    .build(b"changeit"),
}


@pytest.mark.parametrize("encryption", ENCRYPTIONS)
def test_a_pkcs12_truststore_is_read_open_or_encrypted(encryption: str) -> None:
    store = parsed(java_truststore(*ROOTS, encryption=ENCRYPTIONS[encryption]))
    assert (store.format, ders(store), store.problems) == ("PKCS12", ROOTS, ())


def test_a_pkcs12_truststore_with_another_password_says_so() -> None:
    store = parsed(java_truststore(*ROOTS, encryption=BestAvailableEncryption(b"tutorial")))
    assert store.problems[0] == (
        "the file fits none of the conventional passwords: another one, or it was altered"
    )
    assert store.certificates == ()


def test_an_encrypted_store_without_a_cipher_is_unreadable_and_says_what_it_needs() -> None:
    data = java_truststore(*ROOTS, encryption=BestAvailableEncryption(b"changeit"))
    store = parse_store(data, "given", "/store", "argument")
    assert "cannot be decrypted (AES-256-CBC): no cipher at hand" in store.problems[0]


def test_without_libcrypto_cryptography_decrypts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cipher, "_libcrypto", lambda: None)
    data = java_truststore(*ROOTS, encryption=BestAvailableEncryption(b"changeit"))
    assert ders(parsed(data)) == ROOTS


def test_a_certificate_which_java_does_not_take_for_an_anchor_is_named() -> None:
    cas = [x509.load_der_x509_certificate(ROOTS[0])]
    data = pkcs12.serialize_key_and_certificates(
        None, None, None, [pkcs12.PKCS12Certificate(c, b"corp") for c in cas], NoEncryption()
    )
    store = parsed(data)
    assert ders(store) == ROOTS[:1]
    assert store.problems == ("entry 'corp' is no anchor for Java: its trust mark is missing",)


def test_a_file_that_asks_for_endless_iterations_is_refused() -> None:
    data = java_truststore(ROOTS[0], encryption=NoEncryption())
    at = data.rindex(b"\x02\x02\x08\x00")  # the MAC's 2048 iterations
    store = parsed(data[: at + 2] + b"\x7f\xff" + data[at + 4 :])
    assert "none of the conventional passwords" in store.problems[0]
    with pytest.raises(ValueError, match="iterations are refused"):
        pbe._bounded(pbe.MAX_ITERATIONS + 1, 0)


def indefinite(data: bytes) -> bytes:
    """Rewrite DER with indefinite lengths and octet strings in pieces, as NSS writes them."""
    out = b""
    at = 0
    while at < len(data):
        size = data[at + 1]
        start = at + 2 + (size & 0x7F if size & 0x80 else 0)
        length = int.from_bytes(data[at + 2 : start], "big") if size & 0x80 else size
        content = data[start : start + length]
        if data[at] & 0x20:
            out += bytes((data[at], 0x80)) + indefinite(content) + b"\0\0"
        elif data[at] == 0x04 and length > 200:
            pieces = [content[i : i + 100] for i in range(0, length, 100)]
            out += b"\x24\x80" + b"".join(b"\x04" + bytes([len(p)]) + p for p in pieces) + b"\0\0"
        else:
            out += data[at : start + length]
        at = start + length
    return out


def test_indefinite_lengths_in_pkcs12_are_read() -> None:
    data = java_truststore(*ROOTS, encryption=NoEncryption())
    assert parsed(b"\x30\x80" + indefinite(data)[2:]).certificates == parsed(data).certificates


@needs_keytool
@pytest.mark.parametrize("kind", ["JKS", "PKCS12", "JCEKS"])
def test_keytool_lists_the_same_certificates(kind: str, tmp_path: Path) -> None:
    store = tmp_path / "cacerts"
    for number, der in enumerate(ROOTS[:3]):
        (tmp_path / "ca.pem").write_bytes(pem(der))
        keytool(
            "-importcert", "-noprompt", "-storetype", kind, "-keystore", str(store),
            "-alias", f"ca{number}", "-file", str(tmp_path / "ca.pem"),
        )  # fmt: skip
    listed = keytool("-list", "-storetype", kind, "-keystore", str(store))
    fingerprints = {
        f.replace(":", "").lower() for f in re.findall(r"(?:[0-9A-F]{2}:){31}..", listed)
    }
    found = truststore.read(str(store))
    assert {certificate.sha256 for certificate in found.certificates} == fingerprints
    assert (found.format, len(fingerprints), found.problems) == (kind, 3, ())


SYSTEM_STORE = Path("/etc/ssl/certs/java/cacerts")


@needs_keytool
@pytest.mark.skipif(not SYSTEM_STORE.exists(), reason="no truststore of Java in this system")
def test_keytool_lists_the_same_in_the_systems_own_truststore() -> None:
    listed = keytool("-list", "-keystore", str(SYSTEM_STORE))
    spelled = re.findall(r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}", listed)
    found = truststore.read(str(SYSTEM_STORE))
    assert len(spelled) > 50
    assert {c.sha256 for c in found.certificates} == {
        text.replace(":", "").lower() for text in spelled
    }
    assert found.problems == ()


@needs_keytool
def test_the_encryption_of_old_javas_is_read(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(pem(ROOTS[0]))
    store = tmp_path / "old.p12"
    keytool(
        "-importcert", "-noprompt", "-storetype", "PKCS12", "-keystore", str(store), "-alias",
        "ca", "-file", str(tmp_path / "ca.pem"), "-J-Dkeystore.pkcs12.legacy",
    )  # fmt: skip
    found = truststore.read(str(store))
    assert (ders(found), found.problems) == (ROOTS[:1], ())


@needs_keytool
def test_a_private_key_in_a_keystore_is_no_anchor(tmp_path: Path) -> None:
    for kind in ("JKS", "PKCS12"):
        store = tmp_path / kind
        keytool(
            "-genkeypair", "-keyalg", "EC", "-storetype", kind, "-keystore", str(store),
            "-alias", "own", "-dname", "CN=own", "-keypass", "changeit",
        )  # fmt: skip
        assert "entry 'own' is a private key, not an anchor" in truststore.read(str(store)).problems


SAMPLES = [
    jks_file(*ROOTS[:3]),
    java_truststore(*ROOTS[:2], encryption=NoEncryption()),
    java_truststore(ROOTS[0], encryption=ENCRYPTIONS["another MAC"]),
    pem(*ROOTS[:3]),
    ROOTS[0],
]


MAGIC = [b"", b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce", b"\x30\x80\x02\x01\x03\x30"]


@given(st.binary(max_size=300), st.sampled_from(MAGIC))
def test_random_bytes_never_raise(data: bytes, magic: bytes) -> None:
    assert parsed(magic + data).problems


@given(st.sampled_from(SAMPLES), st.data())
@settings(max_examples=300, deadline=None)
def test_a_mutated_store_never_raises(sample: bytes, data: st.DataObject) -> None:
    changed = bytearray(sample[: data.draw(st.integers(1, len(sample)))])
    places = st.tuples(st.integers(0, len(changed) - 1), st.integers(0, 255))
    for at, byte in data.draw(st.lists(places, max_size=4)):
        changed[at] = byte
    assert len(parsed(bytes(changed)).certificates) <= 3


@pytest.mark.parametrize(
    ("key", "plain", "secret"),
    [
        ("ffffffffffffffff", "ffffffffffffffff", "278b27e42e2f0d49"),
        ("3000000000000000", "1000000000000001", "30649edf9be7d2c2"),
        ("88bca90e90875a7f0f79c384627bafb2", "0000000000000000", "2269552ab0f85ca6"),
    ],
)
def test_rc2_agrees_with_the_vectors_of_rfc_2268(key: str, plain: str, secret: str) -> None:
    found = rc2.decrypt_cbc(bytes.fromhex(key), bytes(8), bytes.fromhex(secret))
    assert found.hex() == plain
