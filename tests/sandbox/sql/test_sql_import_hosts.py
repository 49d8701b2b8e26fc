"""IMPORT of files that a node fetches itself: its own truststore, and real handshakes."""

from __future__ import annotations

import base64
import hashlib

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from exatrust_sandbox.database.model import SqlError
from exatrust_sandbox.endpoints import TlsServer, context_of


class NoClient:
    """The client's connection, which these imports must not use."""

    def fetch(self, address, file, public_key, *, secure):
        raise AssertionError("the node fetches")

    send = fetch


@pytest.fixture(scope="module")
def company():
    return trustme.CA(organization_name="Company")


@pytest.fixture(scope="module")
def server(company):
    """An HTTPS server of the company, and the pin of its key."""
    leaf = company.issue_cert("localhost")
    running = TlsServer(context_of(leaf.private_key_pem.bytes(), leaf.cert_chain_pems[0].bytes()))
    running.start()
    key = x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes()).public_key()
    digest = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    yield running.port, f"sha256//{base64.b64encode(digest.digest()).decode()}"
    running.stop()


@pytest.fixture
def probe(make_engine, company, tmp_path):
    """Imports with a clause, on a database of a version; node 0 alone trusts the company."""
    other = trustme.CA(organization_name="Other")
    stores = {}
    for node in range(4):
        stores[node] = tmp_path / f"host{node}.pem"
        stores[node].write_bytes((other if node else company).cert_pem.bytes())

    def run(url, clause, version="8.34.0"):
        engine = make_engine(name=version, version=version, host_stores=stores.__getitem__)
        session = engine.open_session("sys", "tests")
        names = " ".join(f"FILE 'f{number}'" for number in range(4))
        sql = f"IMPORT INTO (A VARCHAR(100)) FROM CSV AT '{url}' {clause} {names}"
        try:
            return [row[0] for row in session.execute(sql, NoClient()).rows]
        except SqlError as error:
            return error.text

    return run


def test_the_node_s_own_truststore_decides_and_each_node_has_one(probe, server):
    told = probe(f"https://localhost:{server[0]}", "VERIFY CERTIFICATE")
    assert told.startswith(
        "ETL-5105: Following error occured while reading data from external connection "
        f"[https://localhost:{server[0]}/f"
    )
    assert told.endswith(
        "failed after 0 bytes. [SSL certificate problem: unable to get local issuer certificate]"
        ",[60],[SSL peer certificate or SSH remote key was not OK]]"
    )


def test_without_verification_and_with_a_pin_the_file_comes(probe, server):
    port, pin = server
    url = f"https://localhost:{port}"
    assert probe(url, "IGNORE CERTIFICATE") == ["ok"] * 4
    assert probe(url, f"PUBLIC KEY '{pin}'") == ["ok"] * 4
    assert "],[90],[" in probe(url, "PUBLIC KEY 'sha256//AAAA'")


@pytest.mark.parametrize(("version", "verifies"), [("8.34.0", False), ("2025.1.0", True)])
def test_verification_is_the_default_from_2025_on(probe, server, version, verifies):
    told = probe(f"https://localhost:{server[0]}", "", version)
    assert ("],[60],[" in str(told)) is verifies


@pytest.mark.parametrize("clause", ["VERIFY CERTIFICATE", "IGNORE CERTIFICATE", "PUBLIC KEY 'x'"])
def test_versions_before_8_32_do_not_know_the_clauses(probe, server, clause):
    told = probe(f"https://localhost:{server[0]}", clause, "8.31.0")
    assert told.startswith("syntax error, unexpected")
    assert "expecting FILE_" in told


def test_what_is_not_reached_is_told_with_libcurl_s_codes(probe):
    assert "],[7],[Couldn't connect to server" in probe("https://localhost:1", "VERIFY CERTIFICATE")
    told = probe("https://nosuch.invalid:443", "VERIFY CERTIFICATE")
    assert "[Could not resolve host: nosuch.invalid],[6],[" in told
