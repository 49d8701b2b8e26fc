"""Truststores of every format: read completely, and what is wrong with them said."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import shutil
import ssl
import struct
import subprocess
import time
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from exatrust_udf import cipher, jks, pbe, rc2, truststore
from exatrust_udf.certificate import parse
from exatrust_udf.locate import Surroundings, locate
from exatrust_udf.pem import pem_blocks
from exatrust_udf.stores import Store, parse_store

# Without the roots whose serial number is zero: `cryptography` warns of them.
ROOTS = [
    block.data or b""
    for block in pem_blocks(Path(certifi.where()).read_bytes())
    if block.data and parse(block.data).serial > 0
][:12]
NOW = dt.datetime(2026, 11, 24, tzinfo=dt.timezone.utc)
KEYTOOL = shutil.which("keytool")
DEBIAN = Path("/etc/ssl/certs/ca-certificates.crt")
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


# PEM


def test_a_bundle_is_read_in_its_order() -> None:
    data = pem(*ROOTS)
    store = parsed(data)
    assert (store.format, ders(store), store.problems) == ("PEM", ROOTS, ())
    assert (store.sha256, store.size) == (hashlib.sha256(data).hexdigest(), len(data))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"# a comment\nSubject: x\n" + data,
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"BEGIN CERT", b"BEGIN X509 CERT").replace(
            b"END CERT", b"END X509 CERT"
        ),
        lambda data: data.replace(b"ATE-----\nMII", b"ATE-----\nProc-Type: x\n\nMII"),
        lambda data: b"\xef\xbb\xbf" + data.rstrip(b"\n"),
    ],
    ids=["comments", "windows lines", "old label", "headers", "byte order mark"],
)
def test_every_spelling_of_pem_that_openssl_takes_is_read(change: object) -> None:
    assert callable(change)
    assert ders(parsed(change(pem(*ROOTS[:2])))) == ROOTS[:2]


def test_one_broken_block_costs_one_certificate_and_is_named() -> None:
    broken = b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"
    unfinished = b"-----BEGIN CERTIFICATE-----\nMIIB\n"
    store = parsed(pem(ROOTS[0]) + broken + unfinished + pem(ROOTS[1]))
    assert ders(store) == ROOTS[:2]
    assert store.unreadable == 2
    assert store.problems[0].startswith("block 2: not base64")
    assert store.problems[1] == "block 3: no END CERTIFICATE follows"


def test_a_private_key_in_a_store_is_a_problem_and_no_unreadable_certificate() -> None:
    key = b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"
    store = parsed(key + pem(ROOTS[0]))
    assert store.problems == ("block 1 is PRIVATE KEY, not a certificate",)
    assert (len(store.certificates), store.unreadable) == (1, 0)


def test_openssls_trusted_form_is_read_without_its_settings() -> None:
    text = pem(ROOTS[0] + b"\x30\x03\x0c\x01x").replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE")
    assert ders(parsed(text)) == ROOTS[:1]


def test_a_bare_der_certificate_is_a_store() -> None:
    store = parsed(ROOTS[0])
    assert (store.format, ders(store)) == ("DER", ROOTS[:1])


@pytest.mark.parametrize("data", [b"", b"\n", b"# nothing\n-----BEGIN X-----\n-----END X-----\n"])
def test_an_empty_store_says_that_nothing_is_trusted(data: bytes) -> None:
    assert parsed(data).problems[-1] == "no certificate in it: nothing is trusted"


def test_a_file_of_no_known_format_says_so() -> None:
    store = parsed(b"SQLite format 3\0")
    assert store.format is None
    assert store.problems[0] == "offset 0: neither PEM, DER, JKS nor PKCS#12"


def test_duplicates_leaves_and_expired_certificates_are_counted() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "leaf")])
    leaf = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(NOW - dt.timedelta(days=9))
        .not_valid_after(NOW - dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    store = parsed(pem(ROOTS[0], leaf, ROOTS[0], ROOTS[0]))
    assert (store.duplicates, store.non_ca, store.expired(NOW)) == (2, 1, 1)
    assert store.expired(NOW - dt.timedelta(days=2)) == 0


# Java


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


# Files and directories


def hash_link(der: bytes, directory: Path, number: int = 0) -> Path:
    file = directory / f"{hashlib.sha256(der).hexdigest()[:8]}.pem"
    file.write_bytes(pem(der))
    command = ["openssl", "x509", "-noout", "-hash", "-in", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    link = directory / f"{done.stdout.strip()}.{number}"
    link.symlink_to(file.name)
    return link


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")
def test_a_hashed_directory_holds_what_its_links_lead_to(tmp_path: Path) -> None:
    for der in ROOTS[:2]:
        hash_link(der, tmp_path)
    (tmp_path / "not-linked.pem").write_bytes(pem(ROOTS[2]))
    store = truststore.read(str(tmp_path))
    assert (store.format, store.problems) == ("HASHED_DIRECTORY", ())
    assert sorted(ders(store)) == sorted(ROOTS[:2])


def test_two_links_to_one_file_are_one_certificate(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_bytes(pem(ROOTS[0]))
    for name in ("0123abcd.0", "4567abcd.0"):
        (tmp_path / name).symlink_to("a.pem")
    assert truststore.read(str(tmp_path)).duplicates == 0


def test_a_directory_without_hash_links_says_that_openssl_finds_nothing(tmp_path: Path) -> None:
    (tmp_path / "corp.crt").write_bytes(pem(ROOTS[0]))
    (tmp_path / "readme.txt").write_text("not a certificate")
    store = truststore.read(str(tmp_path))
    assert (store.format, ders(store)) == ("DIRECTORY", ROOTS[:1])
    assert store.problems[0].startswith("no hash links: OpenSSL finds nothing here")


def test_a_dangling_link_in_a_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "0123abcd.0").symlink_to("gone.pem")
    store = truststore.read(str(tmp_path))
    assert store.problems == ("0123abcd.0: missing: nothing is trusted through it",)
    assert store.unreadable == 1


def test_the_digest_of_a_directory_changes_with_a_name_and_with_a_content(tmp_path: Path) -> None:
    file = tmp_path / "a.pem"
    file.write_bytes(pem(ROOTS[0]))
    first = truststore.read(str(tmp_path)).sha256
    file.write_bytes(pem(ROOTS[1]))
    second = truststore.read(str(tmp_path)).sha256
    file.rename(tmp_path / "b.pem")
    assert len({first, second, truststore.read(str(tmp_path)).sha256}) == 3


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/nowhere/ca.pem", "missing: nothing is trusted through it"),
        ("/dev/zero", "not a regular file"),
        ("bad\0name", "embedded null byte"),
    ],
)
def test_what_cannot_be_opened_is_a_store_with_a_problem(path: str, problem: str) -> None:
    store = truststore.read(path)
    assert (store.format, store.sha256, store.problems) == (None, None, (problem,))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert truststore.read(str(tmp_path / "pipe")).problems == ("not a regular file",)


def test_a_file_that_may_not_be_read_says_why(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (tmp_path / "ca.pem").write_bytes(b"")
    (tmp_path / "ca.pem").chmod(0)
    assert truststore.read(str(tmp_path / "ca.pem")).problems == ("Permission denied",)


@pytest.mark.skipif(not DEBIAN.exists(), reason="no Debian bundle of certificates here")
def test_the_operating_systems_bundle_and_directory_hold_the_same() -> None:
    bundle, directory = truststore.read(str(DEBIAN)), truststore.read(str(DEBIAN.parent))
    assert bundle.problems == ()
    assert set(ders(bundle)) <= set(ders(directory))


# Where stores are


def names(around: Surroundings, *existing: str) -> list[tuple[str, str, str]]:
    found = locate(around, lambda path: path in existing)
    return [(candidate.name, candidate.path, candidate.found_by) for candidate in found]


def test_what_was_asked_for_is_reported_even_if_missing() -> None:
    around = Surroundings(
        {"SSL_CERT_FILE": "/gone.pem", "SSL_CERT_DIR": "/a:/b"}, bundle="/r/b.pem", given=["/g"]
    )
    assert names(around) == [
        ("shared-bundle", "/r/b.pem", "the release"),
        ("given", "/g", "argument"),
        ("openssl-file", "/gone.pem", "SSL_CERT_FILE"),
        ("openssl-directory", "/a", "SSL_CERT_DIR"),
        ("openssl-directory", "/b", "SSL_CERT_DIR"),
    ]


def test_a_variable_replaces_openssls_default() -> None:
    around = Surroundings({}, openssl_file="/d.pem", openssl_directory="/d")
    assert [name for name, *_ in names(around, "/d.pem", "/d")] == [
        "openssl-file",
        "openssl-directory",
    ]
    replaced = Surroundings({"SSL_CERT_FILE": "/x"}, "/d.pem", "/d")
    assert [path for _, path, _ in names(replaced, "/d.pem", "/d")] == ["/x", "/d"]


def test_packages_are_found_along_the_search_path() -> None:
    around = Surroundings({}, search_path=["/dist", "", "/app.zip"])
    existing = ["/dist/certifi/cacert.pem", "/dist/pip/_vendor/certifi/cacert.pem"]
    grpc = "/dist/grpc/_cython/_credentials/roots.pem"
    assert [name for name, *_ in names(around, *existing, grpc)] == ["certifi", "grpc", "pip"]


def test_java_conda_and_the_system_are_looked_at() -> None:
    around = Surroundings({}, prefixes=["/opt/conda"], java_homes=["/jvm/17"])
    existing = [
        "/opt/conda/ssl/cacert.pem", "/jvm/17/lib/security/cacerts",
        "/etc/ssl/certs/java/cacerts", "/etc/ssl/certs/ca-certificates.crt",
    ]  # fmt: skip
    assert [name for name, *_ in names(around, *existing)] == ["system", "java", "java", "conda"]


def test_a_store_reached_in_two_ways_is_one_store(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(pem(ROOTS[0]))
    (tmp_path / "link.pem").symlink_to("ca.pem")
    given = [str(tmp_path / "ca.pem"), str(tmp_path / "link.pem")]
    found = [
        store for store in truststore.find(None, given) if store.path.startswith(str(tmp_path))
    ]
    assert [store.path for store in found] == given[:1]
    assert found[0].found_by == f"argument; given: argument {given[1]}"


def test_certifi_is_found_without_importing_it() -> None:
    found = {store.name: store for store in truststore.find(None)}
    assert found["certifi"].path == certifi.where()
    assert len(found["certifi"].certificates) > 100


# Hostile input


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
    "unit",
    [b"-----BEGIN CERTIFICATE-----\n", b"-----BEGIN ", b"-----END CERTIFICATE-----", b"-"],
)
def test_a_megabyte_of_pem_lines_takes_no_longer_than_its_size_asks(unit: bytes) -> None:
    def once(size: int) -> float:
        start = time.process_time()
        parsed(b"-----BEGIN CERTIFICATE-----\n" + unit * (size // len(unit)))
        return time.process_time() - start

    small = min(once(100_000) for _ in range(3))
    assert once(1_000_000) < 30 * small + 0.05


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
