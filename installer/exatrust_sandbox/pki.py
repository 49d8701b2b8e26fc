"""The certificate authorities behind the sandbox's endpoints, kept in a directory.

Two roots play the two worlds of the story: a "public" one, which every container image
trusts as it trusts Mozilla's, and a company's own one, which no image knows. The company
signs its servers through an intermediate, as companies do. Private keys stay in this
directory with mode 0600; they are test keys of a sandbox and are worth nothing outside it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Authorities:
    """The sandbox's certificate authorities.

    public:    root that container images trust out of the box
    company:   root that only a human can make them trust
    issuing:   the company's intermediate, which signs its servers
    services:  root that signs BucketFS's own certificate
    """

    public: trustme.CA
    company: trustme.CA
    issuing: trustme.CA
    services: trustme.CA


_NAMES = {
    "public-root": ("Sandbox Public Trust", "Sandbox Public Root CA"),
    "company-root": ("Example Company", "Example Company Root CA"),
    "company-issuing": ("Example Company", "Example Company Issuing CA 1"),
    "services-root": ("Sandbox Services", "Sandbox Services Root CA"),
}


def open_authorities(directory: Path) -> Authorities:
    """Load the authorities kept in `directory`, making those that are missing."""
    directory.mkdir(parents=True, exist_ok=True)
    company = _open(directory, "company-root")
    return Authorities(
        public=_open(directory, "public-root"),
        company=company,
        issuing=_open(directory, "company-issuing", parent=company),
        services=_open(directory, "services-root"),
    )


def _open(directory: Path, name: str, parent: trustme.CA | None = None) -> trustme.CA:
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    if certificate.exists() and key.exists():
        return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    authority = trustme.CA(
        parent_cert=parent,
        organization_name=_NAMES[name][0],
        organization_unit_name=_NAMES[name][1],
    )
    write_secret(key, authority.private_key_pem.bytes())
    certificate.write_bytes(authority.cert_pem.bytes())
    return authority


def write_secret(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read, from its first moment on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
