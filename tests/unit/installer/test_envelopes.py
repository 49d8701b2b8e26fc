"""PKCS#7 and PKCS#12 files, as OpenSSL and cryptography write them, and as an enemy would."""

from __future__ import annotations

import base64
import contextlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    pkcs7,
    pkcs12,
)
from hypothesis import given
from hypothesis import strategies as st

from exatrust.errors import BundleRejected
from exatrust.intake import read_certificates
from exatrust.pkcs12_writer import write_pkcs12
from exatrust_udf.ber import wrap

Make = Callable[..., bytes]
PASSWORD = b"planted-password"
OPENSSL = shutil.which("openssl")


@pytest.fixture(scope="module")
def cas(pem: Make) -> list[x509.Certificate]:
    return [x509.load_pem_x509_certificate(pem(name)) for name in "AB"]


@pytest.fixture(scope="module")
def degenerate(cas: list[x509.Certificate]) -> bytes:
    return pkcs7.serialize_certificates(cas, Encoding.DER)


def names(data: bytes, password: bytes | None = None) -> set[str]:
    ask = None if password is None else lambda text: password.decode()
    return {item.subject for item in read_certificates(data, "corp", ask)}


def pkcs12_of(cas: list[x509.Certificate], encryption: KeySerializationEncryption) -> bytes:
    return pkcs12.serialize_key_and_certificates(None, None, None, cas, encryption)


@pytest.mark.parametrize("label", ["PKCS7", "CMS"])
def test_pkcs7_is_read_as_der_and_as_pem(degenerate: bytes, label: str) -> None:
    body = base64.encodebytes(degenerate).decode()
    text = f"-----BEGIN {label}-----\n{body}-----END {label}-----\n".encode()
    assert names(degenerate) == names(text) == {"CN=A", "CN=B"}


@pytest.mark.skipif(OPENSSL is None, reason="no openssl here: apt-get install openssl")
def test_what_openssl_writes_is_read(pem: Make, tmp_path: Path) -> None:
    path = tmp_path / "two.pem"
    path.write_bytes(pem("A") + pem("B"))
    for form in ("DER", "PEM"):
        command = [str(OPENSSL), "crl2pkcs7", "-nocrl", "-certfile", path, "-outform", form]
        written = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
        assert names(written) == {"CN=A", "CN=B"}
    options = ["-passout", f"pass:{PASSWORD.decode()}", "-certpbe", "AES-256-CBC"]
    command = [str(OPENSSL), "pkcs12", "-export", "-nokeys", "-in", path, *options]
    written = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    assert names(written, PASSWORD) == {"CN=A", "CN=B"}


def test_indefinite_lengths_as_windows_writes_them_are_read(degenerate: bytes) -> None:
    head = 2 + (degenerate[1] & 0x7F)
    ber = b"\x30\x80" + degenerate[head:] + b"\0\0"
    assert names(ber) == {"CN=A", "CN=B"}


def test_pkcs7_without_a_certificate_says_so(degenerate: bytes, pem: Make) -> None:
    empty = bytes.fromhex("301c06092a864886f70d010702a00f300d0201013100300706052a03040506")
    with pytest.raises(BundleRejected, match="corp"):
        read_certificates(empty, "corp")
    block = b"-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n"
    with pytest.raises(BundleRejected, match=r"corp, block 2 \(line \d+\) is no .* PKCS#7"):
        read_certificates(pem("A") + block, "corp")


def test_what_is_in_pkcs7_besides_certificates_is_refused(degenerate: bytes) -> None:
    broken = degenerate.replace(b"\x30", b"\xa1", 1)
    with pytest.raises(BundleRejected):
        read_certificates(broken, "corp")
    encrypted = degenerate.replace(
        bytes.fromhex("2a864886f70d010702"), bytes.fromhex("2a864886f70d010703")
    )
    with pytest.raises(BundleRejected, match=r"content of type 1\.2\.840\.113549\.1\.7\.3"):
        read_certificates(encrypted, "corp")


@pytest.mark.parametrize("password", [b"changeit", b"changeme"])
def test_a_truststore_with_a_conventional_password_opens_by_itself(
    cas: list[x509.Certificate], password: bytes
) -> None:
    assert names(pkcs12_of(cas, BestAvailableEncryption(password))) == {"CN=A", "CN=B"}
    assert names(pkcs12_of(cas, NoEncryption())) == {"CN=A", "CN=B"}


def test_our_own_truststore_comes_back(pem: Make) -> None:
    certificates = read_certificates(pem("A") + pem("B"), "x")
    assert set(read_certificates(write_pkcs12(certificates), "x")) == set(certificates)


def test_another_password_is_asked_for_and_never_shown(cas: list[x509.Certificate]) -> None:
    data = pkcs12_of(cas, BestAvailableEncryption(PASSWORD))
    asked: list[str] = []

    def ask(text: str) -> str:
        asked.append(text)
        return PASSWORD.decode()

    assert len(read_certificates(data, "corp.p12", ask)) == 2
    assert asked == ["Password of corp.p12"]
    with pytest.raises(BundleRejected, match="a password of its own") as refused:
        read_certificates(data, "corp.p12")
    assert "--password-file" in refused.value.action
    with pytest.raises(BundleRejected, match=r"corp\.p12 does not open") as wrong:
        read_certificates(data, "corp.p12", lambda text: "planted-wrong")
    assert "planted" not in wrong.value.message + wrong.value.action


@pytest.mark.parametrize(
    "encryption", [NoEncryption(), BestAvailableEncryption(PASSWORD)], ids=["open", "encrypted"]
)
def test_a_private_key_refuses_the_file_though_it_has_cas(
    cas: list[x509.Certificate], encryption: KeySerializationEncryption
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    data = pkcs12.serialize_key_and_certificates(b"server", key, None, cas, encryption)
    with pytest.raises(BundleRejected, match=r"corp\.p12 holds a private key"):
        read_certificates(data, "corp.p12", lambda text: PASSWORD.decode())


def test_a_private_key_in_der_is_named(private_key_der: bytes) -> None:
    with pytest.raises(BundleRejected, match="looks like a private key"):
        read_certificates(private_key_der, "corp.der")


def test_a_jks_keystore_is_named_with_the_way_out() -> None:
    with pytest.raises(BundleRejected, match="a Java keystore of the old kind") as refused:
        read_certificates(b"\xfe\xed\xfe\xed\0\0\0\2", "corp.jks")
    assert "keytool -exportcert -rfc -keystore corp.jks" in refused.value.action


@given(st.data())
def test_a_damaged_envelope_is_read_or_refused(degenerate: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(degenerate) - 1))
    piece = data.draw(st.binary(min_size=1, max_size=4))
    damaged = degenerate[:at] + piece + degenerate[at + len(piece) :]
    with contextlib.suppress(BundleRejected):
        read_certificates(damaged, "corp")


def test_a_damaged_pkcs12_is_refused(cas: list[x509.Certificate]) -> None:
    whole = pkcs12_of(cas, BestAvailableEncryption(b"changeit"))
    for size in (5, 20, len(whole) // 2, len(whole) - 1):
        with pytest.raises(BundleRejected, match=r"corp"):
            read_certificates(whole[:size], "corp", lambda text: "x")
    with pytest.raises(BundleRejected):
        read_certificates(wrap(0x30, b"\x02\x01\x03" + b"\x30\x00"), "corp", lambda text: "x")


@given(st.binary(max_size=100), st.sampled_from([b"\x06\x09\x2a", b"\x02\x01\x03", b"\x02\x01"]))
def test_random_envelopes_are_refused_and_never_crash(rest: bytes, beginning: bytes) -> None:
    with pytest.raises(BundleRejected):
        read_certificates(wrap(0x30, beginning + rest), "corp", lambda text: "x")
