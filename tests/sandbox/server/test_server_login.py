"""Who gets in: passwords, fingerprints, certificate authorities."""

from __future__ import annotations

import hashlib
import socket
import ssl

import pyexasol
import pytest
from cryptography import x509

from exatrust_sandbox.database.certificate import signed_by


def dsn(server, fingerprint=None):
    return f"127.0.0.1/{fingerprint}:{server.port}" if fingerprint else f"127.0.0.1:{server.port}"


def trusting(path):
    return {"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": str(path)}


def test_the_right_password_and_fingerprint_log_in(connect):
    connection = connect()
    assert connection.login_info["releaseVersion"] == "8.34.0"
    assert connection.protocol_version() == pyexasol.PROTOCOL_V3
    assert connection.session_id() == "1700000000000000001"


def test_a_wrong_password_is_refused_with_the_text_of_exasol(server, certificate, refused):
    error = refused(dsn=dsn(server, certificate.fingerprint), password="wrong")
    assert isinstance(error, pyexasol.ExaAuthError)
    assert (error.code, error.message) == (
        "08004",
        "Connection exception - authentication failed.",
    )


def test_a_password_beyond_ascii_arrives_unharmed(server, engine, certificate, connect):
    engine.authenticate = lambda user, password: password == "pässwörd €"
    assert connect(password="pässwörd €").session_id()


def test_a_wrong_fingerprint_is_refused_before_any_login(server, engine, refused):
    error = refused(dsn=dsn(server, "ab" * 32))
    assert isinstance(error, pyexasol.ExaConnectionFailedError)
    assert "did not match" in error.message
    assert engine.sessions == 0


def test_the_default_certificate_is_refused_without_a_fingerprint(server, refused):
    with pytest.warns(pyexasol.warnings.PyexasolWarning, match="certificate validation"):
        error = refused(dsn=dsn(server))
    assert "certificate verify failed" in error.message


def test_the_default_certificate_is_refused_even_as_its_own_anchor(
    server, certificate, refused, tmp_path
):
    anchor = tmp_path / "anchor.pem"
    anchor.write_bytes(certificate.chain_pem)
    error = refused(dsn=dsn(server), websocket_sslopt=trusting(anchor))
    assert "certificate verify failed" in error.message


def test_an_unknown_authority_is_refused(start, authority, refused, tmp_path):
    other = tmp_path / "other.pem"
    other.write_bytes(type(authority)().cert_pem.bytes())
    server = start(signed_by(authority, "127.0.0.1"))
    error = refused(dsn=dsn(server), websocket_sslopt=trusting(other))
    assert "unable to get local issuer certificate" in error.message


def test_a_certificate_of_a_trusted_authority_is_accepted(start, authority, tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(authority.cert_pem.bytes())
    server = start(signed_by(authority, "localhost", "127.0.0.1"))
    for name in ("localhost", "127.0.0.1"):
        with pyexasol.connect(
            dsn=f"{name}:{server.port}",
            user="sys",
            password="exasol",
            websocket_sslopt=trusting(bundle),
        ) as connection:
            assert connection.execute("NUMBERS 1").fetchval() == 0


def test_a_trusted_certificate_for_another_name_is_refused(start, authority, refused, tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(authority.cert_pem.bytes())
    server = start(signed_by(authority, "db.example.com"))
    error = refused(dsn=dsn(server), websocket_sslopt=trusting(bundle))
    assert "certificate is not valid for '127.0.0.1'" in error.message


def test_the_default_certificate_looks_like_that_of_a_fresh_database(certificate):
    parsed = x509.load_pem_x509_certificate(certificate.chain_pem)
    assert parsed.issuer.rfc4514_string() == "CN=exacluster.local"
    assert parsed.subject.rfc4514_string() == "CN=*.exacluster.local"
    assert (parsed.not_valid_before_utc.year, parsed.not_valid_after_utc.year) == (2021, 2044)
    assert len(parsed.extensions) == 0


def test_the_fingerprint_is_that_of_the_certificate_on_the_wire(server, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    with context.wrap_socket(raw) as secured:
        der = secured.getpeercert(binary_form=True)
    assert hashlib.sha256(der).hexdigest().upper() == certificate.fingerprint


def test_a_certificate_survives_being_written_and_read(certificate, tmp_path):
    paths = tmp_path / "ssl.crt", tmp_path / "ssl.key"
    certificate.write(*paths)
    assert type(certificate).read(*paths) == certificate
    assert paths[1].stat().st_mode & 0o077 == 0
    assert "PRIVATE" not in repr(certificate)


def test_login_by_token_is_refused(server, certificate, refused):
    error = refused(dsn=dsn(server, certificate.fingerprint), refresh_token="token")
    assert isinstance(error, pyexasol.ExaRequestError)
    assert error.code == "0A000"


def test_an_unencrypted_client_is_turned_away(server, refused):
    error = refused(dsn=dsn(server), encryption=False)
    assert isinstance(error, pyexasol.ExaConnectionFailedError)


def test_two_sessions_live_side_by_side(connect, engine):
    first, second = connect(), connect()
    assert first.session_id() != second.session_id()
    first.close()
    assert engine.closed == [int(first.session_id())]
    assert second.execute("NUMBERS 3").rowcount() == 3
