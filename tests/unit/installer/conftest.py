"""Certificates for tests, made once a run: CAs, leaves, and a private key."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.timezone.utc)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@cache
def make(
    name: str, *, ca: bool = True, issuer: str | None = None, days: int = 365, number: int = 1
) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    signer = key if issuer is None else ec.generate_private_key(ec.SECP256R1())
    start = NOW - dt.timedelta(days=730)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer or name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(NOW + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )


def _pem(name: str, **options: bool | str | int) -> bytes:
    return make(name, **options).public_bytes(serialization.Encoding.PEM)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def now() -> dt.datetime:
    return NOW


@pytest.fixture(scope="session")
def pem() -> Callable[..., bytes]:
    """pem(name, ca=True, issuer=None, days=365, number=1): a certificate, always the same for the
    same values; another number is another key."""
    return _pem


@pytest.fixture(scope="session")
def other() -> Callable[[str], bytes]:
    """A CA of the same name with another key, as after a rotation."""
    return lambda name: _pem(name, number=2)


@pytest.fixture(scope="session")
def der() -> Callable[..., bytes]:
    return lambda name, **options: make(name, **options).public_bytes(serialization.Encoding.DER)


@pytest.fixture(scope="session")
def private_key_pem() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


@pytest.fixture(scope="session")
def private_key_der() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
