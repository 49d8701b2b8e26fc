"""A truststore is what OpenSSL loads of it: Python's ssl and the command line are the oracles."""

from __future__ import annotations

import contextlib
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tls_lab import HOST, NOW, Made, chain_context, examine, family, make, serving, tls_manner

from exatrust_udf import loading, truststore
from exatrust_udf.endpoint import Endpoint
from exatrust_udf.evidence import Evidence
from exatrust_udf.examine import Examined, Examiner, container_store
from exatrust_udf.libcrypto import LibcryptoOutOfReach
from exatrust_udf.stores import Store, parse_store

ROOT, MIDDLE = family()
OTHER, _ = family("Other")
LEAF = make("leaf", MIDDLE)
BEGIN, END = b"-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n"
NO_OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")


def python_loads(path: Path) -> set[bytes]:
    """What `ssl.create_default_context(cafile=...)` trusts; nothing where it refuses the file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with contextlib.suppress(ssl.SSLError):
        context.load_verify_locations(cafile=path)
    return set(context.get_ca_certs(binary_form=True))


def judged(path: Path) -> Examined:
    store = truststore.read(str(path))
    evidence = Evidence(Endpoint.parse(HOST, 443), received=(LEAF.der, MIDDLE.der))
    (examined,) = Examiner([store]).judge(evidence, NOW)
    return examined


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


MUTILATED: dict[str, bytes] = {
    "good": OTHER.pem + ROOT.pem,
    "garbage in the middle": OTHER.pem + BEGIN + b"AAAA!!!!\n" + END + ROOT.pem,
    "no certificate in the middle": OTHER.pem + BEGIN + b"MIIBAAAA\n" + END + ROOT.pem,
    "empty block": OTHER.pem + BEGIN + END + ROOT.pem,
    "truncated": ROOT.pem + cut(OTHER.pem),
    "truncated, then more": cut(OTHER.pem) + b"\n" + ROOT.pem,
    "carriage returns alone": ROOT.pem.replace(b"\n", b"\r"),
    "carriage returns too": ROOT.pem.replace(b"\n", b"\r\n"),
    "one line": ROOT.pem.replace(b"\n", b""),
    "indented": ROOT.pem.replace(b"-----BEGIN", b"  -----BEGIN"),
    "one of two indented": b"  " + OTHER.pem + ROOT.pem,
    "body indented": ROOT.pem.replace(b"\nM", b"\n M"),
    "byte order mark": b"\xef\xbb\xbf" + ROOT.pem,
    "byte order mark, then more": b"\xef\xbb\xbf" + ROOT.pem + OTHER.pem,
    "text around": b"# a root\n" + ROOT.pem + b"trailing words\n",
    "old label": ROOT.pem.replace(b"CERTIFICATE", b"X509 CERTIFICATE"),
    "trusted label": ROOT.pem.replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE"),
    "labels differ": ROOT.pem.replace(b"END CERT", b"END X509 CERT"),
    "a key too": ROOT.pem + ROOT.key_pem,
    "a damaged key too": ROOT.pem + ROOT.key_pem.replace(b"\nM", b"\n!"),
    "nothing": b"",
    "words": b"no certificate\n",
}


@pytest.mark.parametrize("name", MUTILATED)
def test_a_file_is_trusted_as_far_as_python_loads_it(name: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(MUTILATED[name])
    expected = python_loads(path)
    examined = judged(path)
    assert {c.der for c in examined.case.store.certificates} == expected
    assert examined.trusted == (ROOT.der in expected)
    if not expected:
        assert examined.findings[0].id == "TRUST_STORE_EMPTY"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("garbage in the middle", "OpenSSL refuses the file: block 2: not base64"),
        ("no certificate in the middle", "OpenSSL refuses the file: block 2: offset 0"),
        ("truncated", "OpenSSL refuses the file: block 2: no END CERTIFICATE follows"),
        ("carriage returns alone", "OpenSSL skips 1 of its certificates: a BEGIN line"),
    ],
)
def test_the_finding_names_the_block_and_what_is_wrong(
    name: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(MUTILATED[name])
    assert said in judged(path).findings[0].cause


def test_a_zero_byte_that_python_overlooks_is_overlooked(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(ROOT.pem.replace(b"\n-----END", b"\0\n-----END"))
    assert python_loads(path) == {ROOT.der}
    store = loading.loaded(truststore.read(str(path)))
    assert [c.der for c in store.certificates] == [ROOT.der]


PIECES = st.sampled_from(
    [ROOT.pem, OTHER.pem, ROOT.pem.replace(b"\n", b"\r\n"), BEGIN, END, b"\n", b" ", b"AAAA\n",
     b"=", b"-----", b"X", ROOT.pem[:200], ROOT.pem[-200:], b"Proc-Type: 4,ENCRYPTED\n\n", b"\0"]
)  # fmt: skip


def flipped(pieces: list[bytes], at: int, byte: int) -> bytes:
    data = bytearray(b"".join(pieces) or b"-")
    data[at % len(data)] = byte
    return bytes(data)


@settings(deadline=None, max_examples=150)
@given(st.lists(PIECES, max_size=6), st.integers(0, 5000), st.integers(0, 255))
def test_no_damaged_file_is_trusted_more_than_python_does(
    pieces: list[bytes], at: int, byte: int
) -> None:
    data = flipped(pieces, at, byte)
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(data)
        expected = python_loads(Path(file.name))
        store = loading.loaded(truststore.read(file.name))
    if store.format == "PEM":
        roots = {c.der for c in store.certificates} & {ROOT.der, OTHER.der}
        assert roots == expected & {ROOT.der, OTHER.der}


# -- settings of OpenSSL's trusted form


def with_settings(made: Made, *options: str) -> bytes:
    command = ["openssl", "x509", "-trustout", *options]
    return subprocess.run(command, input=made.pem, capture_output=True, check=True).stdout


def openssl_code(path: Path) -> int:
    files = path.parent / "leaf.pem", path.parent / "middle.pem"
    for file, made in zip(files, (LEAF, MIDDLE), strict=True):
        file.write_bytes(made.pem)
    kinds = ("-no-CAfile", "-CApath") if path.is_dir() else ("-no-CApath", "-CAfile")
    command = ["openssl", "verify", "-purpose", "sslserver", "-no-CAstore", *kinds, str(path),
               "-untrusted", str(files[1]), str(files[0])]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    text = done.stdout + done.stderr
    return int(text.partition("error ")[2].split()[0]) if done.returncode else 0


@NO_OPENSSL
@pytest.mark.parametrize("purpose", ["serverAuth", "clientAuth"])
@pytest.mark.parametrize("option", ["-addtrust", "-addreject"])
def test_the_settings_of_a_trusted_certificate_are_heeded(
    option: str, purpose: str, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(with_settings(ROOT, option, purpose))
    code = openssl_code(path)
    assert code in (0, 28)
    with serving(tls_manner(chain_context([LEAF, MIDDLE]))) as port:
        (examined,) = examine(port, truststore.read(str(path)))
    assert [f.code for f in examined.findings if f.code] == ([code] if code else [])
    assert examined.trusted == (code == 0)
    if code:
        assert examined.findings[0].id == "DISTRUSTED_ROOT"


# -- directories

Layout = Callable[[Path], object]


def rehash(directory: Path) -> str:
    subprocess.run(["openssl", "rehash", str(directory)], capture_output=True, check=True)
    (link,) = (p.name for p in directory.iterdir() if p.is_symlink())
    return link


def linked_as(number: int) -> Layout:
    def layout(directory: Path) -> None:
        link = directory / rehash(directory)
        link.rename(link.with_suffix(f".{number}"))

    return layout


def linked_badly(directory: Path) -> None:
    (directory / rehash(directory)).rename(directory / "0123abcd.0")


def linked_der(directory: Path) -> None:
    rehash(directory)
    (directory / "ca.pem").write_bytes(ROOT.der)


LAYOUTS: dict[str, Layout] = {
    "rehashed": rehash,
    "no links": lambda directory: None,
    "counted from 1": linked_as(1),
    "under another hash": linked_badly,
    "DER": linked_der,
}


@NO_OPENSSL
@pytest.mark.parametrize("name", LAYOUTS)
def test_a_directory_is_what_its_hash_links_reach(name: str, tmp_path: Path) -> None:
    directory = tmp_path / "certs"
    directory.mkdir()
    (directory / "ca.pem").write_bytes(ROOT.pem)
    LAYOUTS[name](directory)
    examined = judged(directory)
    assert examined.trusted == (openssl_code(directory) == 0)
    assert examined.trusted == (name == "rehashed")
    assert examined.trusted or examined.findings[0].id == "TRUST_STORE_EMPTY"


@NO_OPENSSL
def test_certificates_beside_the_links_are_counted_and_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "other.pem").write_bytes(OTHER.pem)
    rehash(tmp_path)
    (tmp_path / "ca.pem").write_bytes(ROOT.pem)
    examined = judged(tmp_path)
    assert examined.trusted is False
    assert "1 certificate has no hash link" in "".join(f.cause for f in examined.findings)


@NO_OPENSSL
def test_settings_in_a_directory_are_heeded(tmp_path: Path) -> None:
    directory = tmp_path / "certs"
    directory.mkdir()
    (directory / "ca.pem").write_bytes(with_settings(ROOT, "-addreject", "serverAuth"))
    rehash(directory)
    assert openssl_code(directory) == 28
    assert [f.code for f in judged(directory).findings if f.code] == [28]


def test_the_containers_store_is_what_openssl_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file.pem").write_bytes(MUTILATED["garbage in the middle"])
    (tmp_path / "certs").mkdir()
    (tmp_path / "certs" / "ca.pem").write_bytes(ROOT.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "file.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "certs"))
    assert ssl.create_default_context().cert_store_stats()["x509"] == 0
    assert container_store().certificates == ()


def test_without_libcrypto_what_can_be_read_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_reach() -> None:
        raise LibcryptoOutOfReach("none here")

    monkeypatch.setattr(loading, "library", out_of_reach)
    store: Store = parse_store(ROOT.pem, "given", "/ca.pem", "test")
    assert loading.loaded(store) is store
