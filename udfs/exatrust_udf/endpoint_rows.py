"""The records behind the rows of CHECK_ENDPOINT, DIAGNOSE_ENDPOINT and FETCH_CHAIN."""

from __future__ import annotations

import ssl
import sys
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class CheckRow:
    """A row of CHECK_ENDPOINT; the columns are described in sql/scripts/check_endpoint.sql."""

    host: str | None = None
    port: int | None = None
    options: str | None = None
    protocol: str | None = None
    sni: str | None = None
    resolved_ip: str | None = None
    truststore: str | None = None
    truststore_path: str | None = None
    truststore_sha256: str | None = None
    truststore_certificates: int | None = None
    connected: bool = False
    trusted: bool | None = False
    finding: str | None = None
    severity: str | None = None
    cause: str | None = None
    action: str | None = None
    findings: tuple[str, ...] | None = None
    verify_code: int | None = None
    verify_text: str | None = None
    verify_depth: int | None = None
    tls_version: str | None = None
    cipher: str | None = None
    leaf_subject: str | None = None
    leaf_issuer: str | None = None
    leaf_sha256: str | None = None
    leaf_not_before: datetime | None = None
    leaf_not_after: datetime | None = None
    days_left: int | None = None
    chain_days_left: int | None = None
    received_count: int | None = None
    verified_count: int | None = None
    anchor_subject: str | None = None
    anchor_sha256: str | None = None
    other_anchors: tuple[str, ...] | None = None
    python_version: str = sys.version.split()[0]
    openssl_version: str = ssl.OPENSSL_VERSION
    resolve_ms: float | None = None
    connect_ms: float | None = None
    handshake_ms: float | None = None


@dataclass(frozen=True)
class FindingRow:
    """A row of DIAGNOSE_ENDPOINT; `position` counts from 1, the primary finding."""

    host: str | None
    port: int | None
    options: str | None
    protocol: str | None
    sni: str | None
    truststore: str | None
    position: int
    is_primary: bool
    finding: str
    severity: str
    depth: int | None
    certificate_subject: str | None
    certificate_sha256: str | None
    verify_code: int | None
    verify_text: str | None
    cause: str
    action: str


@dataclass(frozen=True)
class ChainRow:
    """A row of FETCH_CHAIN; of a certificate that cannot be read only digest and PEM are known.

    `in_order` says whether the next certificate issued this one. `problem` says why there is no
    chain; then there is no certificate in the row.
    """

    host: str | None
    port: int | None
    options: str | None
    protocol: str | None = None
    sni: str | None = None
    chain: str | None = None
    truststore: str | None = None
    position: int | None = None
    sha256: str | None = None
    certificate_pem: str | None = None
    subject: str | None = None
    issuer: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    is_ca: bool | None = None
    is_anchor: bool | None = None
    self_signed: bool | None = None
    in_order: bool | None = None
    problem: str | None = None
