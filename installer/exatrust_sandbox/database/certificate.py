"""Server certificates: the kind Exasol makes itself, and one that a CA signed.

The default certificate of a fresh database has the issuer CN=exacluster.local, a subject such as
CN=*.exacluster.local, the years 2021 to 2044 and no extensions. Without a subjectAltName no
client can verify its host name, which is why Exasol's drivers pin the fingerprint instead.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

DEFAULT_ISSUER = "exacluster.local"
DEFAULT_SUBJECT = "*.exacluster.local"
NOT_BEFORE = dt.datetime(2021, 1, 1, tzinfo=dt.timezone.utc)
NOT_AFTER = dt.datetime(2044, 1, 1, tzinfo=dt.timezone.utc)


@dataclass(frozen=True)
class ServerCertificate:
    """A leaf certificate, with any intermediates after it, and its private key, all PEM."""

    chain_pem: bytes
    key_pem: bytes = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the leaf's DER, upper-case hexadecimal as a DSN carries it."""
        return fingerprint(self.chain_pem)

    def write(self, certificate: Path, key: Path) -> None:
        """Writes both files; the key is readable by its owner only."""
        certificate.write_bytes(self.chain_pem)
        key.touch(mode=0o600)
        key.chmod(0o600)
        key.write_bytes(self.key_pem)

    @classmethod
    def read(cls, certificate: Path, key: Path) -> ServerCertificate:
        """Reads what `write` wrote."""
        return cls(certificate.read_bytes(), key.read_bytes())


def default_style() -> ServerCertificate:
    """A new certificate as a fresh Exasol database makes it for itself."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = (
        x509.CertificateBuilder()
        .issuer_name(_common_name(DEFAULT_ISSUER))
        .subject_name(_common_name(DEFAULT_SUBJECT))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(NOT_AFTER)
        .sign(key, hashes.SHA256())
    )
    return ServerCertificate(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def signed_by(authority: trustme.CA, *names: str) -> ServerCertificate:
    """A certificate for these DNS names and IP addresses, signed by `authority`."""
    leaf = authority.issue_cert(*names)
    chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
    return ServerCertificate(chain, leaf.private_key_pem.bytes())


def fingerprint(certificate_pem: bytes) -> str:
    """SHA-256 over the DER of the first certificate, upper-case hexadecimal.

    Raises ValueError when there is no certificate in the bytes.
    """
    certificate = x509.load_pem_x509_certificates(certificate_pem)[0]
    der = certificate.public_bytes(serialization.Encoding.DER)
    return hashlib.sha256(der).hexdigest().upper()


def server_context(certificate: ServerCertificate) -> ssl.SSLContext:
    """A TLS server context, TLS 1.2 or newer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # `ssl` takes certificates from files only; the directory is readable by its owner alone.
    with tempfile.TemporaryDirectory(prefix="exatrust-tls-") as directory:
        paths = Path(directory, "certificate.pem"), Path(directory, "key.pem")
        certificate.write(*paths)
        context.load_cert_chain(*paths)
    return context


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
