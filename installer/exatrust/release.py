"""A release: the files that go to BucketFS, named by their content. Pure.

The same sources, bundle and version give the same bytes and the same id, on every machine.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from exatrust.bundle import Anchor, Bundle, pem_block
from exatrust.bytecode import FIRST_ZIP_DATE
from exatrust.distrust import Distrust
from exatrust.pkcs12_writer import write_pkcs12

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class ReleaseFile:
    """One file. `sha256` is lower-case hex over `content`."""

    name: str
    content: bytes = field(repr=False)
    sha256: str

    @classmethod
    def of(cls, name: str, content: bytes) -> ReleaseFile:
        return cls(name, content, hashlib.sha256(content).hexdigest())

    @classmethod
    def named_by_content(cls, stem: str, suffix: str, content: bytes) -> ReleaseFile:
        digest = hashlib.sha256(content).hexdigest()
        return cls(f"{stem}-{digest[:12]}{suffix}", content, digest)


@dataclass(frozen=True)
class Release:
    """`id` is also the name of its directory below <prefix>/releases.

    `java` has the bundle's certificates as a PKCS#12 truststore. `additions` has those that were
    added alone, for what trusts them besides its own roots (NODE_EXTRA_CA_CERTS); where none was
    added there is no such file, since readers reject one without certificates.
    """

    id: str
    version: str
    package: ReleaseFile
    bundle: ReleaseFile
    java: ReleaseFile
    additions: ReleaseFile | None
    manifest: ReleaseFile

    @property
    def files(self) -> tuple[ReleaseFile, ...]:
        """In the order of upload: the manifest last, so that it speaks of files that are there."""
        additions = (self.additions,) if self.additions else ()
        return (self.package, self.bundle, self.java, *additions, self.manifest)


def build(
    version: str, sources: Mapping[str, bytes], bundle: Bundle, distrust: Distrust
) -> Release:
    """The release of a UDF package and a bundle."""
    package = ReleaseFile.named_by_content("exatrust_udf", ".pyz", zip_of(sources))
    pem, java, additions = _bundle_files(bundle)
    files = [package, pem, java, *([additions] if additions else [])]
    manifest = ReleaseFile.of(MANIFEST, manifest_of(version, files, bundle, distrust))
    content = "".join(f"{file.sha256} {file.name}\n" for file in (*files, manifest))
    digest = hashlib.sha256(content.encode("ascii")).hexdigest()
    return Release(f"{version}-{digest[:12]}", version, package, pem, java, additions, manifest)


def _bundle_files(bundle: Bundle) -> tuple[ReleaseFile, ReleaseFile, ReleaseFile | None]:
    """The certificates for OpenSSL, for Java, and those that were added alone."""
    anchors = [anchor.certificate for anchor in bundle.anchors]
    added = b"".join(pem_block(anchor.certificate.der) for anchor in bundle.added)
    return (
        ReleaseFile.named_by_content("ca-bundle", ".pem", bundle.pem()),
        ReleaseFile.named_by_content("ca-bundle", ".p12", write_pkcs12(anchors)),
        ReleaseFile.named_by_content("ca-additions", ".pem", added) if added else None,
    )


def zip_of(sources: Mapping[str, bytes]) -> bytes:
    """A zip archive whose bytes depend on names and contents only: stored, sorted, one date."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(sources.items()):
            entry = zipfile.ZipInfo(name, FIRST_ZIP_DATE)
            entry.create_system = 3  # Unix; the default is the machine's own
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)
    return out.getvalue()


def manifest_of(
    version: str, files: Iterable[ReleaseFile], bundle: Bundle, distrust: Distrust
) -> bytes:
    """manifest.json, UTF-8: what is in the release and why, and what was left out and why.

    Who added or removed a CA, when and why is a fact about a database, not about a release: it is
    kept in the table CA_DECISION, so that the same set gives the same release.
    """
    document: dict[str, Any] = {
        "format": 1,
        "version": version,
        "roots": bundle.roots,
        "files": [
            {"name": file.name, "sha256": file.sha256, "size": len(file.content)} for file in files
        ],
        "certificates": [_entry(anchor) for anchor in bundle.anchors],
        "left_out": [
            {
                "sha256": item.certificate.sha256,
                "subject": item.certificate.subject,
                "source": item.source,
                "reason": item.reason,
            }
            for item in bundle.left_out
        ],
        "removed": [{"sha256": item.sha256, "subject": item.subject} for item in bundle.removed],
        "distrusted": distrust.reasons,
        "identities": _identities(bundle, distrust),
    }
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _identities(bundle: Bundle, distrust: Distrust) -> list[dict[str, str | None]]:
    """Distrusted CAs by what the certificates below them say, for a server that sends no root."""
    out: dict[tuple[str, str], str] = {}
    for item in bundle.left_out:
        if distrust.of(item.certificate):
            out[item.certificate.subject, item.certificate.ski or ""] = item.reason
    known = {item.certificate.sha256 for item in bundle.left_out}
    for root in distrust.roots:
        if root.subject and root.sha256 not in known:
            out.setdefault((root.subject, ""), distrust.reasons[root.sha256])
    return [
        {"subject": subject, "key_identifier": key or None, "reason": reason}
        for (subject, key), reason in sorted(out.items())
    ]


def _entry(anchor: Anchor) -> dict[str, str]:
    certificate = anchor.certificate
    return {
        "sha256": certificate.sha256,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
        "origin": anchor.origin,
        "source": anchor.source,
    }
