"""`exatrust probe` and `exatrust diagnose`: the UDFs' own diagnosis, on the admin's machine.

Neither needs a database. `probe` shakes hands with endpoints from here, for comparison with what
`check` sees from inside; `diagnose` judges a chain in a file without connecting anywhere.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from exatrust import resources
from exatrust.distrust import Distrust, curated
from exatrust.errors import UsageError
from exatrust.judgement import show, status
from exatrust.report import Report
from exatrust_udf import crls, truststore
from exatrust_udf.certificate import Certificate
from exatrust_udf.endpoint import BadEndpoint, Endpoint
from exatrust_udf.evidence import Evidence
from exatrust_udf.examine import CERTIFI, Background, Examined, Examiner, container_store
from exatrust_udf.pem import CERTIFICATE_LABELS, pem_blocks
from exatrust_udf.stores import Store, parse_store

MACHINE = "openssl"
_ANY_PORT = 443
_MAX_CHAIN = 4 << 20


@dataclass(frozen=True)
class Files:
    """What to judge by: truststores (none for the usual two) and revocation lists."""

    stores: Sequence[Path] = ()
    crls: Sequence[Path] = ()


def run_probe(report: Report, texts: Sequence[str], files: Files, options: str | None) -> int:
    """0 when every truststore trusts every endpoint, 1 otherwise, 3 when none could be reached."""
    endpoints = [_endpoint(text, None, options) for text in dict.fromkeys(texts)]
    examiner = _examiner(files)
    found = tuple(examiner.examine(endpoints, dt.datetime.now(dt.timezone.utc)))
    show(found, report)
    return status(found)


def run_diagnose(
    report: Report, chain: Path, host: str, files: Files, at: dt.datetime | None
) -> int:
    """0 when every truststore trusts the chain for `host` at `at` (UTC; None for now), 1 if not."""
    endpoint = _endpoint(host, _ANY_PORT, hint="give --host the name that clients connect to")
    evidence = Evidence(endpoint, received=read_chain(chain))
    examiner = _examiner(files)
    now = at.replace(tzinfo=dt.timezone.utc) if at else dt.datetime.now(dt.timezone.utc)
    found = tuple(examiner.judge(evidence, now, examiner.pool([evidence])))
    if at is not None:
        found = tuple(map(_without_clock, found))
    if _begins_with_a_ca(found[0].case.received):
        report.warn(
            f"{chain}: the first certificate is a CA's, and it is judged as the server's own; "
            "in a server's chain that one comes first"
        )
    show(found, report, f"{chain.name} for {endpoint.host}")
    return status(found)


def _without_clock(examined: Examined) -> Examined:
    """A day that was given says nothing about a clock."""
    kept = tuple(f for f in examined.findings if f.id != "CLOCK_SKEW_SUSPECT")
    return replace(examined, findings=kept)


def _begins_with_a_ca(received: Sequence[Certificate | None]) -> bool:
    first, *rest = received
    return first is not None and first.is_ca and any(c is not None and not c.is_ca for c in rest)


def _endpoint(*values: str | int | None, hint: str | None = None) -> Endpoint:
    try:
        return Endpoint.parse(*values)
    except BadEndpoint as error:
        raise UsageError(str(error), hint or error.hint) from error


def read_chain(path: Path) -> tuple[bytes, ...]:
    """The certificates (DER) of a PEM or DER file, in its order, readable or not.

    Other blocks, such as the private key that some servers keep in the same file, are passed over.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_CHAIN + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "name a readable PEM file") from error
    if len(data) > _MAX_CHAIN:
        raise UsageError(
            f"{path}: more than {_MAX_CHAIN >> 20} MB, which is no server's chain",
            "give the server's chain as PEM, its own certificate first",
        )
    if data.startswith(b"\x30"):
        return (data,)
    blocks = [block for block in pem_blocks(data) if block.label in CERTIFICATE_LABELS]
    if not blocks:
        raise UsageError(
            f"{path}: no certificate in it",
            "give the server's chain as PEM, its own certificate first",
        )
    return tuple(_content(path, block.position, block.data, block.problem) for block in blocks)


def read_crls(paths: Sequence[Path]) -> tuple[crls.Lists, ...]:
    """The revocation lists in PEM or DER files. Raises UsageError for one that cannot be used."""
    return tuple(map(_read_crl, dict.fromkeys(paths)))


def _read_crl(path: Path) -> crls.Lists:
    found = crls.read(str(path))
    if found.problems:
        raise UsageError(
            f"{path}: {'; '.join(found.problems)}",
            "give --crl a revocation list of the CA, PEM or DER",
        )
    return found


def _content(path: Path, position: int, data: bytes | None, problem: str | None) -> bytes:
    if data is None:
        raise UsageError(f"{path}: block {position}: {problem}", "export the chain again")
    return data


def _examiner(files: Files) -> Examiner:
    certifi = _certifi()
    paths = list(dict.fromkeys(files.stores))
    namesakes = Counter(path.name for path in paths)
    stores = [_given(p, p.name if namesakes[p.name] == 1 else str(p)) for p in paths]
    public = frozenset(certificate.sha256 for certificate in certifi.certificates)
    distrust = Distrust(curated(resources.distrusted_roots()))
    background = Background(distrust.reasons, public, distrust.gone)
    return Examiner(stores or [certifi, _machine()], background, read_crls(files.crls))


def _certifi() -> Store:
    pem, name = resources.certifi_roots()
    return parse_store(pem, CERTIFI, name.removeprefix(f"{CERTIFI} "), "installed")


def _machine() -> Store:
    """What OpenSSL trusts by default here, under a name that does not speak of containers."""
    return replace(container_store(), name=MACHINE)


def _given(path: Path, name: str) -> Store:
    """Raises UsageError for a file that would trust nothing: that is not what was meant."""
    found = truststore.read(str(path.absolute()), name, "--ca")
    if not found.certificates:
        reason = "; ".join(found.problems) or "no certificate in it"
        raise UsageError(
            f"{path}: {reason}", "give --ca a truststore: PEM, DER, JKS, PKCS#12 or a directory"
        )
    return found
