"""What `probe` and `diagnose` found, shown to a person, as JSON, and as an exit status."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

from exatrust.report import Report, one_line
from exatrust_udf.diagnosis import primary
from exatrust_udf.endpoint_reports import Survey, check_rows, finding_rows
from exatrust_udf.evidence import CONNECT, PROXY, RESOLVE
from exatrust_udf.examine import Examined
from exatrust_udf.findings import Finding

OK, FINDINGS, UNREACHABLE = 0, 1, 3
_COLUMNS = ("ENDPOINT", "TRUSTSTORE", "TRUSTED", "FINDING", "TLS", "DAYS LEFT")


def status(found: Iterable[Examined]) -> int:
    """0 trusted by every truststore, 3 when no endpoint could be reached, 1 otherwise."""
    examined = tuple(found)
    if all(item.trusted for item in examined):
        return OK
    return UNREACHABLE if all(map(_unreached, examined)) else FINDINGS


def _unreached(examined: Examined) -> bool:
    problem = examined.case.evidence.problem
    return problem is not None and problem.phase in (RESOLVE, CONNECT, PROXY)


def show(found: Sequence[Examined], report: Report, title: str | None = None) -> None:
    """A table of verdicts, then every finding once. `title` stands for the endpoint."""
    survey = Survey(found[0].case.now, (), tuple(found))
    report.document(
        {
            "checked_at": survey.checked_at,
            "trusted": all(item.trusted for item in found),
            "verdicts": [asdict(row) for row in check_rows(survey)],
            "findings": [asdict(row) for row in finding_rows(survey)],
        }
    )
    report.table(_COLUMNS, [_row(item, title) for item in found])
    for name, part in _by_endpoint(found, title).items():
        _tell(name, part, report)


def _name(examined: Examined, title: str | None) -> str:
    return title or str(examined.case.evidence.endpoint)


def _row(examined: Examined, title: str | None) -> tuple[object, ...]:
    case, first = examined.case, primary(examined.findings)
    return (
        _name(examined, title),
        case.store.name,
        "unknown" if examined.trusted is None else examined.trusted,
        first and first.id,
        case.evidence.tls_version,
        case.leaf and case.leaf.days_left(case.now),
    )


def _by_endpoint(found: Iterable[Examined], title: str | None) -> dict[str, list[Examined]]:
    parts: dict[str, list[Examined]] = {}
    for item in found:
        parts.setdefault(_name(item, title), []).append(item)
    return parts


def _tell(name: str, found: Sequence[Examined], report: Report) -> None:
    """A finding that several truststores share is told once; one that is not, with their names."""
    stores: dict[Finding, list[str]] = {}
    for item in found:
        for finding in item.findings:
            stores.setdefault(finding, []).append(item.case.store.name)
    if stores:
        report.say(f"\n{name}")
    for finding, names in stores.items():
        for line in _lines(finding, () if len(names) == len(found) else names):
            report.say(line)


def _lines(finding: Finding, stores: Sequence[str]) -> Iterator[str]:
    only = f", with {', '.join(stores)}" if stores else ""
    yield f"  {finding.severity} {finding.id}{only}"
    if finding.depth is not None or finding.sha256:
        yield f"    At:     {_place(finding)}"
    yield f"    Cause:  {one_line(finding.cause)}"
    yield f"    Action: {one_line(finding.action)}"


def _place(finding: Finding) -> str:
    parts = [] if finding.depth is None else [f"depth {finding.depth}"]
    if finding.subject is not None or finding.sha256:
        parts.append(one_line(finding.subject or "a certificate without subject"))
    if finding.sha256:
        parts.append(f"SHA-256 {finding.sha256}")
    return ", ".join(parts)
