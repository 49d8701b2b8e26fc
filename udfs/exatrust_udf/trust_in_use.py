"""What each TLS client of this process would trust now."""

from __future__ import annotations

import os
import platform
import ssl
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from exatrust_udf import truststore
from exatrust_udf.activation import remaining
from exatrust_udf.clients import CERTIFI, CLIENTS, GRPC, NOWHERE, OPENSSL, Client, decision
from exatrust_udf.locate import PACKAGES
from exatrust_udf.own_release import verified_bundle
from exatrust_udf.stores import Store

Read = Callable[[str], Store]
# boto3 has a file of its own for containers without certifi.
_FILES = {CERTIFI: ("certifi", "botocore"), GRPC: ("grpc",)}


@dataclass(frozen=True)
class Trust:
    """What one client library would use.

    `version` is None where the container does not have it. `decided_by` is the variable that
    decides, or what is used without one. `store` is a file or directory, None where it is compiled
    in or there is none; `certificates` counts what is in it. `is_release` says whether the client
    trusts the release's bundle and nothing else, None where that cannot be known. `note` says what
    has to be written besides, and what was read too early.
    """

    client: str
    version: str | None
    decided_by: str
    store: str | None
    certificates: int | None
    is_release: bool | None
    note: str | None

    def __str__(self) -> str:
        """One line for a person."""
        counted = "" if self.certificates is None else f", {self.certificates} CAs"
        verdict = {True: ", the release", False: ", NOT the release", None: ""}[self.is_release]
        note = f" ({self.note})" if self.note else ""
        have = self.version or "not installed"
        return f"{self.client} {have}: {self.decided_by}: {self.store}{counted}{verdict}{note}"


def status() -> tuple[Trust, ...]:
    """Return what every known client would trust if it connected now."""
    read = lru_cache(maxsize=None)(truststore.read)
    try:
        wanted = read(verified_bundle()[0]).sha256
    except (RuntimeError, OSError):
        wanted = None
    return tuple(_trust(client, os.environ, read, wanted) for client in CLIENTS)


def _trust(client: Client, environ: Mapping[str, str], read: Read, wanted: str | None) -> Trust:
    decided_by, path = decision(client, environ)
    store = read(found) if (found := path or _default(client)) else None
    besides = _besides(client, environ, read)
    early = [text for text in remaining(sys.modules) if text.startswith(f"{client.name}:")]
    known = None if wanted is None or store is None else store.sha256 == wanted
    return Trust(
        client=client.name,
        version=_version(client),
        decided_by=decided_by,
        store=found,
        certificates=None if store is None else len(store.certificates),
        is_release=known and not (besides or early),
        note="; ".join(filter(None, [client.needs, besides, *early])) or None,
    )


def _default(client: Client) -> str | None:
    """Return the file or directory of a client that no variable decides for."""
    if client.otherwise == OPENSSL:
        defaults = ssl.get_default_verify_paths()
        places = (defaults.openssl_cafile, defaults.openssl_capath)
        return next((place for place in places if os.path.exists(place)), None)  # noqa: PTH110
    names = _FILES.get(client.otherwise, ())
    return next(filter(None, map(_in_package, names)), None)


def _in_package(name: str) -> str | None:
    files = (f"{entry}/{PACKAGES[name]}" for entry in sys.path if entry)
    return next(filter(os.path.isfile, files), None)


def _besides(client: Client, environ: Mapping[str, str], read: Read) -> str:
    """Say which directory OpenSSL searches besides the file; nothing where it finds nothing."""
    decided_by, path = decision(client, environ)
    if client.otherwise != OPENSSL or decided_by not in ("SSL_CERT_FILE", OPENSSL):
        return ""
    directory = environ.get("SSL_CERT_DIR") or ssl.get_default_verify_paths().openssl_capath
    if path is None or not os.path.isdir(directory):  # noqa: PTH112
        return ""
    found = len(read(directory).certificates)
    return (
        f"and {found} CAs in {directory}: SSL_CERT_DIR={NOWHERE} leaves them out" if found else ""
    )


def _version(client: Client) -> str | None:
    if client.distribution is None:
        return platform.python_version()
    from importlib import metadata  # slow to load

    try:
        return metadata.version(client.distribution)
    except metadata.PackageNotFoundError:
        return None
