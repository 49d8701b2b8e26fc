"""From evidence to findings: every cause of one endpoint's trouble, the primary one first. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from exatrust_udf import wording
from exatrust_udf.case import Case
from exatrust_udf.causes import causes, dates
from exatrust_udf.findings import ERROR, INFO, Finding, make
from exatrust_udf.observations import observations

__all__ = ["Case", "bad_input", "diagnose", "primary"]

_MAX_UNREADABLE = 8


def diagnose(case: Case) -> tuple[Finding, ...]:
    """Every finding, the primary one first, then errors before warnings, from the leaf upwards.

    The primary one is the error that the handshake itself reported; where trust is in order, what
    else ended the connection.
    """
    found = list(dict.fromkeys((*_trust(case), *_blocked(case))))
    found += observations(case) if case.received else ()
    return _ordered(_distinct(found))


def primary(findings: tuple[Finding, ...]) -> Finding | None:
    """The finding that stands for all in a short report; None where only observations are left."""
    return findings[0] if findings and findings[0].severity != INFO else None


def bad_input(reason: str) -> Finding:
    """The finding for arguments that are not an endpoint."""
    return make("BAD_INPUT", f"{reason[:1].upper()}{reason[1:]}.")


def _trust(case: Case) -> Iterator[Finding]:
    if not case.evidence.received:
        return
    unreadable = [place for place, cert in enumerate(case.received) if cert is None]
    yield from (_unreadable(case, place) for place in unreadable[:_MAX_UNREADABLE])
    failures = case.failures()
    if failures is None:
        yield make("VERDICT_UNKNOWN", f"It is {wording.store(case.store)}.")
        return
    yield from causes(case, failures)
    if failures:
        yield from dates(case)
    if case.verdict is None and failures:
        yield make("VERDICT_UNKNOWN", "There may be further causes.")


def _unreadable(case: Case, position: int) -> Finding:
    digest = hashlib.sha256(case.evidence.received[position]).hexdigest()
    about = f"Number {position + 1} of what the server sends cannot be read (SHA-256 {digest})."
    return replace(make("BAD_CERTIFICATE", about, None, position), sha256=digest)


def _blocked(case: Case) -> Iterator[Finding]:
    problem = case.evidence.problem
    if problem is not None and case.blocked:
        endpoint = case.evidence.endpoint
        way = "" if endpoint.proxy is None else f" through the proxy {endpoint.proxy[0]}"
        yield make(problem.finding, f"{endpoint}{way}: {problem.detail}.")


def _distinct(found: list[Finding]) -> list[Finding]:
    """One finding of each kind per certificate: the first has the best words."""
    seen: dict[tuple[str, str | None], Finding] = {}
    for finding in found:
        seen.setdefault((finding.id, finding.sha256), finding)
    return list(seen.values())


def _ordered(found: list[Finding]) -> tuple[Finding, ...]:
    first = next((finding for finding in found if finding.severity == ERROR), None)
    rest = sorted((f for f in found if f is not first), key=lambda finding: finding.rank)
    return tuple(rest) if first is None else (first, *rest)
