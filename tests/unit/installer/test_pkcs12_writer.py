"""The truststore for Java: the same set, the same bytes, and every reader takes it."""

from __future__ import annotations

import hashlib
import http.server
import random
import re
import shutil
import ssl
import subprocess
import threading
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import pkcs12
from hypothesis import given, settings
from hypothesis import strategies as st

from exatrust import resources
from exatrust.bundle import Anchor, compose
from exatrust.distrust import Distrust
from exatrust.intake import read_certificates
from exatrust.pkcs12_writer import ITERATIONS, PASSWORD, alias, write_pkcs12
from exatrust.release import build
from exatrust_udf.certificate import Certificate, parse
from exatrust_udf.stores import parse_store

JAVAS = sorted({path.resolve() for path in Path("/usr/lib/jvm").glob("*/bin/java")})
OPENSSL = shutil.which("openssl")
CLIENT = """
import java.net.*;
import javax.net.ssl.*;
public class Client {
    public static void main(String[] arguments) throws Exception {
        var connection = (HttpsURLConnection) new URL(arguments[0]).openConnection();
        try {
            System.out.print(connection.getResponseCode());
        } catch (SSLHandshakeException error) {
            System.out.print("refused: " + error.getMessage());
        }
    }
}
"""


@pytest.fixture(params=JAVAS or [None], ids=lambda path: path.parent.parent.name if path else "")
def java(request: pytest.FixtureRequest) -> Path:
    """Every Java of this machine, one after the other: its directory of programs."""
    if request.param is None:
        pytest.skip("no Java here: apt-get install openjdk-17-jdk-headless")
    found: Path = request.param.parent
    return found


@pytest.fixture(scope="module")
def roots() -> tuple[Certificate, ...]:
    """certifi's, with serial numbers of zero, names in many scripts and old signatures."""
    return read_certificates(*resources.certifi_roots())


@pytest.fixture(scope="module")
def store(roots: tuple[Certificate, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("java") / "bundle.p12"
    path.write_bytes(write_pkcs12(roots))
    return path


def test_our_own_reader_finds_every_certificate_and_nothing_to_complain_of(
    store: Path, roots: tuple[Certificate, ...]
) -> None:
    found = parse_store(store.read_bytes(), "given", "/store", "argument")
    assert (found.format, found.problems, found.certificates) == ("PKCS12", (), roots)


def test_cryptography_reads_it_and_checks_its_mac(
    store: Path, roots: tuple[Certificate, ...]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # serial numbers of zero
        found = pkcs12.load_pkcs12(store.read_bytes(), PASSWORD.encode())
    names = {item.friendly_name for item in found.additional_certs}
    assert names == {alias(item).encode() for item in roots}
    with pytest.raises(ValueError, match="password"):
        pkcs12.load_pkcs12(store.read_bytes(), b"another")


@pytest.mark.skipif(OPENSSL is None, reason="no openssl here: apt-get install openssl")
def test_openssl_reads_it_and_checks_its_mac(store: Path, roots: tuple[Certificate, ...]) -> None:
    command = [str(OPENSSL), "pkcs12", "-in", str(store), "-nokeys", "-info", "-passin"]
    shown = subprocess.run([*command, f"pass:{PASSWORD}"], capture_output=True, timeout=60)
    assert shown.returncode == 0, shown.stderr
    assert f"MAC: sha256, Iteration {ITERATIONS}".encode() in shown.stderr
    blocks = re.findall(rb"-----BEGIN.*?-----END CERTIFICATE-----\n", shown.stdout, re.S)
    assert [ssl.PEM_cert_to_DER_cert(block.decode()) for block in blocks] == [
        item.der for item in roots
    ]
    assert subprocess.run([*command, "pass:another"], capture_output=True, timeout=60).returncode


def test_keytool_lists_every_certificate_as_trusted(
    java: Path, store: Path, roots: tuple[Certificate, ...]
) -> None:
    command = [java / "keytool", "-list", "-v", "-keystore", store, "-storepass", PASSWORD]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert shown.returncode == 0, shown.stdout
    digests = re.findall(r"SHA256: ([0-9A-F:]+)", shown.stdout)
    assert {text.replace(":", "").lower() for text in digests} == {item.sha256 for item in roots}
    assert shown.stdout.count("trustedCertEntry") == len(roots)


@pytest.fixture(scope="module")
def company() -> trustme.CA:
    return trustme.CA(organization_name="Company")


@pytest.fixture(scope="module")
def server(company: trustme.CA) -> Iterator[str]:
    """The URL of an HTTPS server whose certificate the company's CA signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    company.issue_cert("localhost").configure_cert(context)
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    running.socket = context.wrap_socket(running.socket, server_side=True)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"https://localhost:{running.server_port}/"
    running.shutdown()
    running.server_close()


class _Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *values: object) -> None:
        """Quiet."""


def test_a_java_client_with_the_releases_truststore_trusts_what_was_added_and_nothing_else(
    java: Path, server: str, company: trustme.CA, roots: tuple[Certificate, ...], tmp_path: Path
) -> None:
    if not (java / "javac").exists():
        pytest.skip(f"{java} has no compiler: apt-get install default-jdk-headless")
    der = ssl.PEM_cert_to_DER_cert(company.cert_pem.bytes().decode())
    added = [Anchor(parse(der), "added", "company.pem")]
    source = tmp_path / "Client.java"
    source.write_text(CLIENT)
    answers = []
    for additions in ([], added):
        bundle = compose(roots, "certifi", additions, Distrust())
        release = build("1.0", {"a.py": b""}, bundle, Distrust())
        path = tmp_path / release.java.name
        path.write_bytes(release.java.content)
        command = [
            java / "java", f"-Djavax.net.ssl.trustStore={path}",
            f"-Djavax.net.ssl.trustStorePassword={PASSWORD}", source, server,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        answers.append(done.stdout)
    assert "unable to find valid certification path" in answers[0]
    assert answers[1] == "204"


@settings(max_examples=25)
@given(st.randoms(use_true_random=False), st.integers(0, 20))
def test_the_same_set_gives_the_same_bytes_whatever_order_and_origin(
    roots: tuple[Certificate, ...], order: random.Random, split: int
) -> None:
    mixed = list(roots[:20])
    order.shuffle(mixed)
    added = [Anchor(item, "added", "x.pem") for item in mixed[split:]]
    files = [
        build("1.0", {}, compose(default, "x.pem", additions, Distrust()), Distrust())
        for default, additions in ((mixed[:split], added), (roots[:20], []))
    ]
    assert (files[0].bundle, files[0].java) == (files[1].bundle, files[1].java)


def test_the_bytes_are_the_same_on_every_machine_and_python(roots: tuple[Certificate, ...]) -> None:
    """A change of this digest changes every release id: it must be meant."""
    fixed = replace(roots[0], der=b"DER" * 100, sha256="ab" * 32, common_name="Größe CA")
    assert hashlib.sha256(write_pkcs12([fixed])).hexdigest() == (
        "1cf5f496af7fa165b9c49d161e9d01b594b85e183f4310f99d2bfbb691121bd5"
    )


@settings(max_examples=50)
@given(st.text(max_size=100))
def test_every_name_makes_an_alias_that_java_and_our_reader_take(
    roots: tuple[Certificate, ...], name: str
) -> None:
    certificate = replace(roots[0], common_name=name)
    found = parse_store(write_pkcs12([certificate]), "given", "/store", "argument")
    assert found.certificates[0].sha256 == certificate.sha256
    assert alias(certificate).endswith(certificate.sha256[:16])
    assert alias(certificate).isprintable()
