"""PEM files, directories and everything else about truststores but Java's formats."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
import ssl
import subprocess
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from exatrust_udf import cipher, truststore
from exatrust_udf.ber import wrap
from exatrust_udf.certificate import parse
from exatrust_udf.der import read
from exatrust_udf.hashlinks import subject_hash
from exatrust_udf.pem import pem_blocks
from exatrust_udf.stores import Store, parse_store

# Without the roots whose serial number is zero: `cryptography` warns of them.
ROOTS = [
    block.data or b""
    for block in pem_blocks(Path(certifi.where()).read_bytes())
    if block.data and parse(block.data).serial > 0
][:12]
NOW = dt.datetime(2026, 11, 24, tzinfo=dt.timezone.utc)
DEBIAN = Path("/etc/ssl/certs/ca-certificates.crt")


def pem(*ders: bytes) -> bytes:
    return "".join(map(ssl.DER_cert_to_PEM_cert, ders)).encode()


def parsed(data: bytes) -> Store:
    return parse_store(data, "given", "/store", "argument", cipher.decrypt)


def ders(store: Store) -> list[bytes]:
    return [certificate.der for certificate in store.certificates]


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
    assert store.format == "HASHED_DIRECTORY"
    assert store.problems == ("1 certificate has no hash link: OpenSSL does not find it",)
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


def test_a_link_under_a_wrong_hash_is_named_with_the_right_one(tmp_path: Path) -> None:
    (tmp_path / "0123abcd.0").write_bytes(pem(ROOTS[0]))
    (problem,) = truststore.read(str(tmp_path)).problems
    wanted = subject_hash(parse(ROOTS[0]).subject_der)
    assert problem == f"0123abcd.0: OpenSSL does not find it, the name's hash is {wanted}"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")
@pytest.mark.parametrize("tag", [0x0C, 0x13, 0x14, 0x16, 0x1E], ids=hex)
def test_openssl_computes_the_same_hash_of_a_name(tag: int) -> None:
    text = "  Grüße \t an  ALLE " if tag in (0x0C, 0x14, 0x1E) else "  Two   Words "
    encoding = {0x0C: "utf-8", 0x1E: "utf-16-be"}.get(tag, "latin-1")
    subject = wrap(0x31, wrap(0x30, b"\x06\x03\x55\x04\x03" + wrap(tag, text.encode(encoding))))
    data = with_subject(wrap(0x30, subject))
    command = ["openssl", "x509", "-noout", "-hash", "-inform", "DER"]
    done = subprocess.run(command, input=data, capture_output=True, timeout=30, check=True)
    assert subject_hash(parse(data).subject_der) == done.stdout.decode().strip()


def with_subject(name: bytes) -> bytes:
    """Return a certificate with another subject; its signature is wrong then."""
    cert = parse(ROOTS[0])
    _, start, end = read(cert.der, 0, len(cert.der))
    _, body, body_end = read(cert.der, start, end)
    before, _, after = cert.der[body:body_end].rpartition(cert.subject_der)
    return wrap(0x30, wrap(0x30, before + name + after) + cert.der[body_end:end])


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


@pytest.mark.parametrize(
    "unit",
    [b"-----BEGIN CERTIFICATE-----\n", b"-----BEGIN ", b"-----END CERTIFICATE-----", b"-"],
)
def test_a_megabyte_of_pem_lines_is_read_to_its_end(unit: bytes) -> None:
    """Were the reader quadratic in its input, this would take minutes."""
    store = parsed(b"-----BEGIN CERTIFICATE-----\n" + unit * (1_000_000 // len(unit)))
    assert not store.certificates
