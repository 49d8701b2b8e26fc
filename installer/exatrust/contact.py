"""A server is looked at before any password is sent to it: is it there, and is it the trusted one?

Every handshake verifies. What a server presents is read from one that failed, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from exatrust.pinning import context_for_ca, readable
from exatrust.settings import BucketFSSettings, Settings
from exatrust_udf.certificate import Certificate
from exatrust_udf.endpoint import Endpoint
from exatrust_udf.evidence import RESOLVE, VERIFY, Evidence
from exatrust_udf.handshake import client_context, collect

DATABASE, BUCKETFS = "database", "bucketfs"


@dataclass(frozen=True)
class Server:
    """One of the servers as the settings name it. `section` is theirs; `pin_setting` is where its
    fingerprint belongs, of which SaaS has none."""

    section: str
    hosts: tuple[tuple[str, int], ...]
    encrypted: bool
    pin: str | None
    ca_file: Path | None
    pin_setting: str
    is_saas: bool = False

    @property
    def address_setting(self) -> str:
        if self.section == DATABASE:
            return "database.dsn"
        return "bucketfs.saas_url" if self.is_saas else "bucketfs.url"

    @property
    def name(self) -> str:
        if self.section == DATABASE:
            return "the database"
        return "Exasol SaaS" if self.is_saas else "BucketFS"


@dataclass(frozen=True)
class Contact:
    """What one host showed. `problem` is in the words of whoever said it, None where all is well;
    `presented` is the certificate that came, trusted or not."""

    address: str
    resolved: bool
    connected: bool
    presented: Certificate | None
    trusted: bool
    problem: str | None


def servers(settings: Settings) -> tuple[Server, ...]:
    """Database and BucketFS; a mounted bucket has no server."""
    database = settings.database
    first = Server(
        DATABASE, database.dsn.hosts, True, database.dsn.fingerprint, database.ca_file,
        "database.dsn",
    )  # fmt: skip
    return (first, _bucketfs(settings.bucketfs)) if settings.bucketfs.path is None else (first,)


def _bucketfs(section: BucketFSSettings) -> Server:
    is_saas = bool(section.saas_url)
    parts = urlsplit(section.saas_url or section.url)
    port = parts.port or (443 if section.encrypted else 80)
    return Server(
        BUCKETFS, ((parts.hostname or "", port),), section.encrypted, section.fingerprint,
        section.ca_file, "" if is_saas else "bucketfs.fingerprint", is_saas,
    )  # fmt: skip


def look_at(server: Server) -> tuple[Contact, ...]:
    """One handshake with each host, at the same time, in the order of the settings.

    Raises SettingsError for an unreadable ca_file.
    """
    endpoints = [Endpoint.parse(host, port) for host, port in server.hosts]
    context = (
        client_context(())
        if server.pin
        else context_for_ca(server.ca_file, f"{server.section}.ca_file")
    )
    found = {item.endpoint: item for item in collect(dict.fromkeys(endpoints), context)}
    return tuple(_contact(found[endpoint], server.pin) for endpoint in endpoints)


def _contact(evidence: Evidence, pin: str | None) -> Contact:
    problem = evidence.problem
    presented = readable(evidence.received[0]) if evidence.received else None
    if pin is not None and presented is not None:
        trusted = presented.sha256 == pin
    else:
        trusted = problem is None
    return Contact(
        address=str(evidence.endpoint),
        resolved=problem is None or problem.phase != RESOLVE,
        connected=evidence.connected,
        presented=presented,
        trusted=trusted,
        problem=None if trusted else _words(evidence),
    )


def _words(evidence: Evidence) -> str:
    problem = evidence.problem
    if problem is None:
        return "its certificate is not the pinned one"
    if problem.finding == VERIFY:
        return evidence.verify_text or problem.detail
    return f"{problem.finding}: {problem.detail}"


def presented(contacts: Sequence[Contact]) -> Iterator[Certificate]:
    """The certificates that came, each once."""
    known = {c.presented.sha256: c.presented for c in contacts if c.presented is not None}
    return iter(known.values())
