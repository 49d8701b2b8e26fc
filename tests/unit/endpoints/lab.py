"""Certificates with planted defects, servers with planted manners, and OpenSSL's own opinion."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import ipaddress
import re
import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from exatrust_udf.endpoint import Endpoint
from exatrust_udf.examine import Background, Examined, Examiner
from exatrust_udf.handshake import Limits
from exatrust_udf.stores import Store, parse_store

UTC = dt.timezone.utc
NOW = dt.datetime.now(UTC).replace(microsecond=0)
DAY = dt.timedelta(days=1)
HOST = "localhost"
SHORT = Limits(resolve=2, connect=2, handshake=1, in_flight=64)


@functools.cache
def ec_key(number: int = 0) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@functools.cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@dataclass(frozen=True)
class Made:
    """A certificate and its key."""

    cert: x509.Certificate
    key: Any

    @property
    def der(self) -> bytes:
        return self.cert.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.cert.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


_numbers = iter(range(1, 1 << 30))


def name(common: str, organisation: str = "Lab") -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def make(
    common: str | x509.Name,
    issuer: Made | None = None,
    *,
    ca: bool = False,
    san: Sequence[str] | None = (HOST,),
    ips: Sequence[str] = (),
    days: tuple[float, float] = (-100, 300),
    key: Any = None,
    digest: Any = None,
    path_length: int | None = None,
    purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
    basic_critical: bool = True,
    key_usage: bool = True,
    ski: bool = True,
    aki: bool = True,
    permitted: Sequence[str] = (),
    extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
    signer: Any = None,
    organisation: str = "Lab",
) -> Made:
    """Issue a certificate; every argument that is not its default plants something."""
    number = next(_numbers)
    key = key or ec_key(number % 40)
    subject = common if isinstance(common, x509.Name) else name(common, organisation)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.cert.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(number + 1000)
        .not_valid_before(NOW + days[0] * DAY)
        .not_valid_after(NOW + days[1] * DAY)
    )
    for extension, critical in _extensions(
        issuer, key, ca, san, ips, path_length, purpose, basic_critical, key_usage, ski, aki,
        permitted, extra,
    ):  # fmt: skip
        builder = builder.add_extension(extension, critical)
    signing = signer or (issuer.key if issuer else key)
    return Made(builder.sign(signing, digest or hashes.SHA256()), key)


def _extensions(
    issuer: Made | None,
    key: Any,
    ca: bool,
    san: Sequence[str] | None,
    ips: Sequence[str],
    path_length: int | None,
    purpose: x509.ObjectIdentifier,
    basic_critical: bool,
    key_usage: bool,
    ski: bool,
    aki: bool,
    permitted: Sequence[str],
    extra: Sequence[tuple[x509.ExtensionType, bool]],
) -> Iterator[tuple[x509.ExtensionType, bool]]:
    if ca:
        yield x509.BasicConstraints(True, path_length), basic_critical
        if key_usage:
            yield x509.KeyUsage(False, False, False, False, False, True, True, False, False), True
    else:
        names: list[x509.GeneralName] = [x509.DNSName(n) for n in san or ()]
        names += [x509.IPAddress(ipaddress.ip_address(i)) for i in ips]
        if names:
            yield x509.SubjectAlternativeName(names), False
        yield x509.ExtendedKeyUsage([purpose]), False
    if ski:
        yield x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False
    if aki and issuer is not None:
        yield x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False
    if permitted:
        yield x509.NameConstraints([x509.DNSName(n) for n in permitted], None), True
    yield from extra


def family(organisation: str = "Lab") -> tuple[Made, Made]:
    """A root and an intermediate below it."""
    root = make(f"{organisation} Root", ca=True, days=(-1000, 3000), organisation=organisation)
    middle = make(
        f"{organisation} Issuing", root, ca=True, days=(-500, 1000), organisation=organisation
    )
    return root, middle


def tampered(made: Made) -> Made:
    """The same certificate with a wrong signature: its last byte is another one."""
    der = bytearray(made.der)
    der[-1] ^= 1
    return Made(x509.load_der_x509_certificate(bytes(der)), made.key)


def sha1_signed(made: Made, issuer: Made) -> Made:
    """The same certificate signed with SHA-1 by an RSA issuer; the library refuses to do it."""
    sha256, sha1 = (bytes.fromhex(f"06092a864886f70d0101{last}") for last in ("0b", "05"))
    tbs = made.cert.tbs_certificate_bytes.replace(sha256, sha1)
    signature = issuer.key.sign(tbs, padding.PKCS1v15(), hashes.SHA1())
    der = made.der.replace(sha256, sha1)[: -len(signature)] + signature
    return Made(x509.load_der_x509_certificate(der), made.key)


# -- servers


def revocation_list(issuer: Made, revoked: list[Made], days: tuple[int, int]) -> bytes:
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.cert.subject)
    builder = builder.last_update(NOW + days[0] * DAY).next_update(NOW + days[1] * DAY)
    for made in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(made.cert.serial_number)
            .revocation_date(NOW - DAY)
            .build()
        )
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def server_context(key_pem: bytes, chain_pem: bytes, weak: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if weak:
        context.set_ciphers("ALL:@SECLEVEL=0")
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(key_pem + chain_pem)
        context.load_cert_chain(file.name)
    return context


def chain_context(chain: Sequence[Made], weak: bool = False) -> ssl.SSLContext:
    return server_context(chain[0].key_pem, b"".join(made.pem for made in chain), weak)


Manner = Callable[[socket.socket], None]


@contextlib.contextmanager
def serving(manner: Manner) -> Iterator[int]:
    """A loopback server that treats each connection with `manner`; yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    stopped = threading.Event()
    connections: list[socket.socket] = []

    def one(connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ssl.SSLError), connection:
            manner(connection)

    def accept() -> None:
        while not stopped.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = listener.accept()
                connection.settimeout(10)
                connections.append(connection)
                threading.Thread(target=one, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stopped.set()
        thread.join(5)
        listener.close()
        for connection in connections:
            connection.close()


def tls_manner(context: ssl.SSLContext) -> Manner:
    def manner(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as tls:
            tls.recv(1)

    return manner


# -- examining


def store(*made: Made) -> Store:
    return parse_store(b"".join(m.pem for m in made), "test-store", "/test/store.pem", "test")


def examine(
    port: int,
    anchors: Store,
    host: str = HOST,
    options: str | None = None,
    others: Sequence[Store] = (),
    background: Background | None = None,
    limits: Limits = SHORT,
) -> list[Examined]:
    endpoint = Endpoint.parse(host, port, options)
    examiner = Examiner([anchors, *others], background)
    return list(examiner.examine([endpoint], dt.datetime.now(UTC), limits))


def ids(examined: Examined) -> set[str]:
    return {finding.id for finding in examined.findings}


# -- OpenSSL's own opinion

_ERROR = re.compile(r"verify error:num=(\d+):")


def s_client(port: int, anchors: bytes, host: str, first_only: bool) -> list[int]:
    """The error codes that `openssl s_client` prints, in their order."""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).write_bytes(anchors)
        address = re.fullmatch(r"[0-9.]+", host)
        command = [
            "openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-no-CApath", "-no-CAstore",
            "-verifyCAfile", file.name, "-cipher", "DEFAULT@SECLEVEL=2",
            "-verify_ip" if address else "-verify_hostname", host,
            *(() if address else ("-servername", host)),
            *(("-verify_return_error",) if first_only else ()),
        ]  # fmt: skip
        done = subprocess.run(command, input="", capture_output=True, text=True, timeout=20)
    return [int(code) for code in _ERROR.findall(done.stdout + done.stderr)]


def openssl_verify(chain: Sequence[Made], anchors: bytes, host: str) -> int:
    """The code with which `openssl verify` refuses the chain first; 0 where it accepts it."""
    with tempfile.TemporaryDirectory() as directory:
        paths = [Path(directory) / n for n in ("leaf.pem", "rest.pem", "anchors.pem")]
        paths[0].write_bytes(chain[0].pem)
        paths[1].write_bytes(b"".join(made.pem for made in chain[1:]))
        paths[2].write_bytes(anchors)
        name_option = "-verify_ip" if re.fullmatch(r"[0-9.]+", host) else "-verify_hostname"
        rest = ["-untrusted", str(paths[1])] if chain[1:] else []
        done = subprocess.run(
            ["openssl", "verify", "-purpose", "sslserver", "-auth_level", "2", "-no-CApath",
             "-no-CAstore", "-CAfile", str(paths[2]), name_option, host, *rest, str(paths[0])],
            capture_output=True, text=True, timeout=20,
        )  # fmt: skip
    found = re.findall(r"^error (\d+) at", done.stdout + done.stderr, re.M)
    return int(found[0]) if found else 0 if done.returncode == 0 else -1
