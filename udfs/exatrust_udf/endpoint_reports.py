"""The rows of CHECK_ENDPOINT, DIAGNOSE_ENDPOINT and FETCH_CHAIN."""

from __future__ import annotations

import hashlib
import json
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from exatrust_udf import diagnosis, rows, truststore
from exatrust_udf.case import Case, issuers
from exatrust_udf.certificate import Certificate
from exatrust_udf.endpoint import BadEndpoint, Endpoint, as_given
from exatrust_udf.endpoint_rows import ChainRow, CheckRow, FindingRow
from exatrust_udf.examine import SHARED_BUNDLE, Background, Examined, Examiner, usual_stores
from exatrust_udf.findings import Finding
from exatrust_udf.gone import gone, reasons
from exatrust_udf.pinned import pinned_bytes
from exatrust_udf.stores import Store


@dataclass(frozen=True)
class Bad:
    """An input row that is no endpoint; the rest as far as it can be told."""

    host: str | None
    port: int | None
    options: str | None
    finding: Finding

    @property
    def problem(self) -> str:
        """Finding and cause in one text."""
        return f"{self.finding.id}: {self.finding.cause}"


@dataclass(frozen=True)
class Survey:
    """What was found for the input rows of one statement, in their order."""

    checked_at: datetime
    bad: tuple[Bad, ...]
    examined: tuple[Examined, ...]


_examiners: dict[str, Examiner] = {}


def survey(pin: Mapping[str, str], inputs: Sequence[tuple[object, ...]]) -> Survey:
    """Examine the endpoints of the input rows; a bad row becomes a finding, never an error."""
    now = rows.utc_now()
    endpoints, bad = [], []
    for values in inputs:
        try:
            endpoints.append(Endpoint.parse(*values))
        except BadEndpoint as error:
            bad.append(Bad(*as_given(values), diagnosis.bad_input(error)))
    examined = tuple(examiner(pin).examine(endpoints, now)) if endpoints else ()
    return Survey(now, tuple(bad), examined)


def examiner(pin: Mapping[str, str]) -> Examiner:
    """The examiner of a release, built once: loading a truststore costs milliseconds."""
    release = pin["release"]
    if release not in _examiners:
        _examiners[release] = Examiner(usual_stores(shared_bundle(pin)), background(pin))
    return _examiners[release]


def shared_bundle(pin: Mapping[str, str]) -> Store:
    """The release's bundle; one that is not the pinned one is a store that trusts nothing."""
    found = truststore.read(f"{pin['directory']}/{pin['bundle']}", SHARED_BUNDLE, "the release")
    if found.sha256 in (None, pin["bundle_sha256"]):
        return found
    problem = f"altered: the release has SHA-256 {pin['bundle_sha256']}"
    return replace(found, certificates=(), sources=(), problems=(problem, *found.problems))


def background(pin: Mapping[str, str]) -> Background:
    """What the manifest says about CAs; nothing where it is missing or altered."""
    try:
        manifest = json.loads(pinned_bytes(pin, "manifest"))
        return Background(
            removed=reasons(manifest),
            gone=gone(manifest),
            public_roots=frozenset(
                item["sha256"] for item in manifest["certificates"] if item["origin"] == "default"
            ),
        )
    except (RuntimeError, ValueError, KeyError, TypeError):
        return Background()


def check_rows(found: Survey) -> Iterator[CheckRow]:
    """One row per endpoint and truststore."""
    for bad in found.bad:
        finding = bad.finding
        row = CheckRow(
            bad.host, bad.port, bad.options, finding=finding.id, severity=finding.severity
        )
        yield replace(row, cause=finding.cause, action=finding.action, findings=(_line(finding),))
    for examined in found.examined:
        yield check_row(examined)


def check_row(examined: Examined) -> CheckRow:
    """The row of one endpoint and truststore."""
    case = examined.case
    evidence, endpoint, store = case.evidence, case.evidence.endpoint, case.store
    row = CheckRow(
        host=endpoint.given or endpoint.host,
        port=endpoint.port,
        options=endpoint.options,
        protocol=endpoint.protocol,
        sni=endpoint.announced,
        resolved_ip=evidence.address,
        truststore=store.name,
        truststore_path=store.path,
        truststore_sha256=store.sha256,
        truststore_certificates=len(store.certificates),
        connected=evidence.connected,
        trusted=examined.trusted,
        tls_version=evidence.tls_version,
        cipher=evidence.cipher,
        received_count=len(evidence.received),
        resolve_ms=evidence.resolve_ms,
        connect_ms=evidence.connect_ms,
        handshake_ms=evidence.handshake_ms,
    )
    row = _with_leaf(row, case)
    return _with_verdict(_with_path(row, examined), examined)


def _with_leaf(row: CheckRow, case: Case) -> CheckRow:
    leaf = case.leaf
    if leaf is None:
        return row
    return replace(
        row,
        leaf_subject=leaf.subject,
        leaf_issuer=leaf.issuer,
        leaf_sha256=leaf.sha256,
        leaf_not_before=leaf.not_before,
        leaf_not_after=leaf.not_after,
        days_left=leaf.days_left(case.now),
    )


def _with_path(row: CheckRow, examined: Examined) -> CheckRow:
    path = examined.case.chain
    if not examined.case.vouched() or not path:
        return row
    return replace(
        row,
        chain_days_left=min(c.days_left(examined.case.now) for c in path),
        verified_count=len(path),
        anchor_subject=path[-1].subject,
        anchor_sha256=path[-1].sha256,
        other_anchors=tuple(c.sha256 for c in examined.case.other_anchors) or None,
    )


def _with_verdict(row: CheckRow, examined: Examined) -> CheckRow:
    first = diagnosis.primary(examined.findings)
    failures = examined.case.failures()
    if examined.case.evidence.received and failures is not None:
        row = replace(row, verify_code=0, verify_text="ok")
        if failures:
            code, depth, text = failures[0].code, failures[0].depth, failures[0].text
            row = replace(row, verify_code=code, verify_depth=depth, verify_text=text)
    if first is None:
        return row
    others = [item for item in examined.findings if item is not first]
    row = replace(row, findings=tuple(map(_line, [first, *others])))
    return replace(row, finding=first.id, severity=first.severity, cause=first.cause,
                   action=first.action)  # fmt: skip


def _line(finding: Finding) -> str:
    """A finding in one line, as checks take it apart."""
    text = f"{finding.id} {finding.severity}: {finding.cause} Action: {finding.action}"
    return " ".join(text.split())


def finding_rows(found: Survey) -> Iterator[FindingRow]:
    """One row per finding, the primary one of each endpoint and truststore first."""
    for bad in found.bad:
        row = _finding_row(bad.finding, 1, True, bad.host)
        yield replace(row, port=bad.port, options=bad.options)
    for examined in found.examined:
        case = examined.case
        endpoint = case.evidence.endpoint
        first = diagnosis.primary(examined.findings)
        for position, finding in enumerate(examined.findings, 1):
            yield _finding_row(
                finding, position, finding is first, endpoint.given, endpoint, case.store.name
            )


def _finding_row(
    finding: Finding,
    position: int,
    is_primary: bool,
    host: str | None,
    endpoint: Endpoint | None = None,
    store: str | None = None,
) -> FindingRow:
    return FindingRow(
        host=host or (endpoint.host if endpoint else None),
        port=endpoint.port if endpoint else None,
        options=endpoint.options if endpoint else None,
        protocol=endpoint.protocol if endpoint else None,
        sni=endpoint.announced if endpoint else None,
        truststore=store,
        position=position,
        is_primary=is_primary,
        finding=finding.id,
        severity=finding.severity,
        depth=finding.depth,
        certificate_subject=finding.subject,
        certificate_sha256=finding.sha256,
        verify_code=finding.code,
        verify_text=finding.text,
        cause=finding.cause,
        action=finding.action,
    )


def chain_rows(found: Survey) -> Iterator[ChainRow]:
    """The received chain of each endpoint, then the verified one of each store that trusts it.

    Where nothing was received, one row says why.
    """
    for bad in found.bad:
        yield ChainRow(bad.host, bad.port, bad.options, problem=bad.problem)
    for examined in found.examined:
        case = examined.case
        if case.own:
            ders = case.evidence.received
            yield from _chain_rows(case, "received", None, ders, case.received)
            yield from _chainless(examined)
        if case.vouched():
            ders = tuple(cert.der for cert in case.chain)
            yield from _chain_rows(case, "verified", case.store.name, ders, case.chain)


def _chainless(examined: Examined) -> Iterator[ChainRow]:
    endpoint, first = examined.case.evidence.endpoint, diagnosis.primary(examined.findings)
    if examined.case.received or first is None:
        return
    host = endpoint.given or endpoint.host
    problem = Bad(host, endpoint.port, endpoint.options, first).problem
    yield ChainRow(
        host, endpoint.port, endpoint.options, endpoint.protocol, endpoint.announced,
        problem=problem,
    )  # fmt: skip


def _chain_rows(
    case: Case,
    kind: str,
    store: str | None,
    ders: Sequence[bytes],
    chain: Sequence[Certificate | None],
) -> Iterator[ChainRow]:
    endpoint = case.evidence.endpoint
    above = (*chain[1:], None)
    for position, (der, cert) in enumerate(zip(ders, chain, strict=True), 1):
        row = ChainRow(
            host=endpoint.given or endpoint.host,
            port=endpoint.port,
            options=endpoint.options,
            protocol=endpoint.protocol,
            sni=endpoint.announced,
            chain=kind,
            truststore=store,
            position=position,
            sha256=hashlib.sha256(der).hexdigest(),
            certificate_pem=ssl.DER_cert_to_PEM_cert(der),
        )
        last = position == len(chain)
        yield row if cert is None else _with_content(row, case, cert, above[position - 1], last)


def _with_content(
    row: ChainRow, case: Case, cert: Certificate, above: Certificate | None, last: bool
) -> ChainRow:
    return replace(
        row,
        subject=cert.subject,
        issuer=cert.issuer,
        not_before=cert.not_before,
        not_after=cert.not_after,
        is_ca=cert.is_ca,
        is_anchor=case.in_store(cert),
        self_signed=cert.self_issued and bool(issuers(cert, (cert,))),
        in_order=last or (above is not None and bool(issuers(cert, (above,)))),
    )
