"""Credentials from an Exasol CONNECTION: to which host they may go, and how they are sent.

Pure but for `client_context`, which hands a key to OpenSSL. What a secret is never shows in a
message, a row or a repr.
"""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from exatrust_udf.https_arguments import FRAMING, valid_header
from exatrust_udf.https_url import BadUrl, Url

BEARER, HEADER, CERTIFICATE = "bearer:", "header:", "certificate:"


class Connection(Protocol):
    """What `exa.get_connection` gives."""

    address: str | None
    user: str | None
    password: str | None


class BadCredentials(ValueError):
    """The CONNECTION cannot be used; the message says why, without anything secret."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """`origin` is the one host and port that may see them. `headers` are sent there; `pem` is a
    certificate with its chain and private key, for the handshake."""

    name: str
    origin: tuple[str, int]
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    pem: str | None = field(default=None, repr=False)


def read(name: str, connection: Connection) -> Credentials:
    """Raises BadCredentials.

    The user says the kind. A user name of Basic authentication cannot hold a colon (RFC 7617 2), so
    that `bearer:`, `header:NAME` and `certificate:` mean nothing else.
    """
    origin = _origin(name, connection.address or "")
    user, secret = (connection.user or "").strip(), connection.password or ""
    if not user:
        raise BadCredentials(
            f"CONNECTION {name} has no USER: it is a user name, or bearer:, header:NAME, "
            "certificate:"
        )
    if not secret:
        raise BadCredentials(f"CONNECTION {name} has no password (IDENTIFIED BY)")
    if user == CERTIFICATE:
        return Credentials(name, origin, pem=_pem(name, secret))
    return Credentials(name, origin, headers=_headers(name, user, secret))


def _origin(name: str, address: str) -> tuple[str, int]:
    try:
        url = Url.parse(address.strip())
    except BadUrl as error:
        raise BadCredentials(
            f"the address of CONNECTION {name} says to which host its credentials may be sent, as "
            f"https://host or https://host:port: {error}"
        ) from None
    if url.target != "/":
        raise BadCredentials(
            f"the address of CONNECTION {name} has a path: write it as https://{url.authority}"
        )
    return url.origin


def _headers(name: str, user: str, secret: str) -> dict[str, str]:
    if user == BEARER:
        header, value = "Authorization", f"Bearer {secret}"
    elif user.startswith(HEADER):
        header, value = user.removeprefix(HEADER).strip(), secret
    elif ":" in user:
        raise BadCredentials(
            f"the USER of CONNECTION {name} has a colon, and is none of bearer:, header:NAME, "
            "certificate:"
        )
    else:
        # RFC 7617 2.1: UTF-8, which servers that know no charset take in the ASCII part as well.
        pair = base64.b64encode(f"{user}:{secret}".encode()).decode("ascii")
        header, value = "Authorization", f"Basic {pair}"
    if header.lower() in FRAMING:
        raise BadCredentials(
            f"the USER of CONNECTION {name} names a header that is not for secrets"
        )
    if not valid_header(header, value):
        raise BadCredentials(
            f"user or password of CONNECTION {name} cannot be sent in a header: look for a line "
            "break or a blank at the end, and a character outside of Latin-1"
        )
    return {header: value}


def _pem(name: str, secret: str) -> str:
    if "-----BEGIN CERTIFICATE-----" not in secret or "PRIVATE KEY-----" not in secret:
        raise BadCredentials(
            f"the password of CONNECTION {name} must be a certificate and its private key, PEM"
        )
    if "ENCRYPTED" in secret:
        raise BadCredentials(
            f"the private key in CONNECTION {name} is encrypted: store it without a passphrase, "
            "the CONNECTION protects it"
        )
    return secret


def client_context(context: ssl.SSLContext, credentials: Credentials) -> ssl.SSLContext:
    """`context` with the client certificate. Raises BadCredentials.

    OpenSSL reads files only: the PEM is in memory without a name, or in a private file without one,
    and nowhere any more when this returns.
    """
    if credentials.pem is None:
        return context
    with _private_file(credentials.pem.encode()) as path:
        try:
            # A passphrase would be asked for at a terminal that a UDF has not.
            context.load_cert_chain(path, password=lambda: "")
        except (ssl.SSLError, ValueError, OSError):
            # OpenSSL's words may quote what it read.
            raise BadCredentials(
                f"the PEM in CONNECTION {credentials.name} cannot be used: it needs the "
                "certificate, those of its intermediates, and the private key that belongs to it"
            ) from None
    return context


@contextmanager
def _private_file(data: bytes) -> Iterator[str]:
    descriptor = _memory()
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _memory() -> int:
    """A descriptor of memory; of a file of mode 0600 whose name is gone where there is no such."""
    try:
        return os.memfd_create("exatrust", os.MFD_CLOEXEC)
    except (AttributeError, OSError):  # another system, an old kernel, a filter on system calls
        import tempfile

        descriptor, path = tempfile.mkstemp()
        os.unlink(path)  # noqa: PTH108
        return descriptor
