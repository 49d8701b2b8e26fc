"""`exatrust probe` and `exatrust diagnose`: the UDFs' own diagnosis, on the admin's machine.

Neither needs a database. `probe` shakes hands with endpoints from here, for comparison with what
`check` sees from inside; `diagnose` judges a chain in a file without connecting anywhere.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from exatrust import resources
from exatrust.bundle import DISTRUSTED
from exatrust.errors import UsageError
from exatrust.judgement import show, status
from exatrust.report import Report
from exatrust_udf import truststore
from exatrust_udf.endpoint import BadEndpoint, Endpoint
from exatrust_udf.evidence import Evidence
from exatrust_udf.examine import CERTIFI, Background, Examiner, container_store
from exatrust_udf.pem import CERTIFICATE_LABELS, pem_blocks
from exatrust_udf.stores import Store, parse_store

MACHINE = "openssl"
CRL_LABELS = ("X509 CRL",)  # RFC 7468 section 7
_ANY_PORT = 443


@dataclass(frozen=True)
class Files:
    """What to judge by: truststores (none for the usual two) and revocation lists."""

    stores: Sequence[Path] = ()
    crls: Sequence[Path] = ()


def run_probe(report: Report, texts: Sequence[str], files: Files, options: str | None) -> int:
    """0 when every truststore trusts every endpoint, 1 otherwise, 3 when none could be reached."""
    hint = "write HOST:PORT, for example db.example:443, and options as key=value"
    endpoints = [_endpoint(hint, text, None, options) for text in dict.fromkeys(texts)]
    examiner = _examiner(files)
    found = tuple(examiner.examine(endpoints, dt.datetime.now(dt.timezone.utc)))
    show(found, report)
    return status(found)


def run_diagnose(
    report: Report, chain: Path, host: str, files: Files, at: dt.datetime | None
) -> int:
    """0 when every truststore trusts the chain for `host` at `at` (UTC; None for now), 1 if not."""
    endpoint = _endpoint("give --host the name that clients connect to", host, _ANY_PORT)
    evidence = Evidence(endpoint, received=read_chain(chain))
    examiner = _examiner(files)
    now = at.replace(tzinfo=dt.timezone.utc) if at else dt.datetime.now(dt.timezone.utc)
    found = tuple(examiner.judge(evidence, now, examiner.pool([evidence])))
    show(found, report, f"{chain.name} for {endpoint.host}")
    return status(found)


def _endpoint(hint: str, *values: str | int | None) -> Endpoint:
    try:
        return Endpoint.parse(*values)
    except BadEndpoint as error:
        raise UsageError(str(error), hint) from error


def read_chain(path: Path) -> tuple[bytes, ...]:
    """The certificates (DER) of a PEM or DER file, in its order, readable or not.

    Other blocks, such as the private key that some servers keep in the same file, are passed over.
    """
    return _ders(
        path, CERTIFICATE_LABELS, "certificate",
        "give the server's chain as PEM, its own certificate first",
    )  # fmt: skip


def read_crls(paths: Sequence[Path]) -> tuple[bytes, ...]:
    """The revocation lists (DER) in PEM or DER files. Raises UsageError."""
    action = "give --crl a revocation list of the CA, PEM or DER"
    return tuple(
        _checked(path, der, action)
        for path in paths
        for der in _ders(path, CRL_LABELS, "revocation list", action)
    )


def _checked(path: Path, der: bytes, action: str) -> bytes:
    """A list OpenSSL cannot read would leave every certificate unanswered for."""
    from cryptography import x509  # slow to load, and needed for --crl alone

    try:
        x509.load_der_x509_crl(der)
    except ValueError as error:
        raise UsageError(f"{path}: this is no revocation list ({error})", action) from error
    return der


def _ders(path: Path, labels: Sequence[str], what: str, action: str) -> tuple[bytes, ...]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "name a readable PEM file") from error
    if data.startswith(b"\x30"):
        return (data,)
    blocks = [block for block in pem_blocks(data) if block.label in labels]
    if not blocks:
        raise UsageError(f"{path}: no {what} in it", action)
    return tuple(_content(path, block.position, block.data, block.problem) for block in blocks)


def _content(path: Path, position: int, data: bytes | None, problem: str | None) -> bytes:
    if data is None:
        raise UsageError(f"{path}: block {position}: {problem}", "export the chain again")
    return data


def _examiner(files: Files) -> Examiner:
    certifi = _certifi()
    stores = [_given(path) for path in dict.fromkeys(files.stores)] or [certifi, _machine()]
    public = frozenset(certificate.sha256 for certificate in certifi.certificates)
    background = Background(removed=DISTRUSTED, public_roots=public)
    return Examiner(stores, background, read_crls(files.crls))


def _certifi() -> Store:
    pem, name = resources.certifi_roots()
    return parse_store(pem, CERTIFI, name.removeprefix(f"{CERTIFI} "), "installed")


def _machine() -> Store:
    """What OpenSSL trusts by default here, under a name that does not speak of containers."""
    return replace(container_store(), name=MACHINE)


def _given(path: Path) -> Store:
    """Raises UsageError for a file that would trust nothing: that is not what was meant."""
    found = truststore.read(str(path.absolute()), path.name, "--ca")
    if not found.certificates:
        reason = "; ".join(found.problems) or "no certificate in it"
        raise UsageError(
            f"{path}: {reason}", "give --ca a truststore: PEM, DER, JKS, PKCS#12 or a directory"
        )
    return found
