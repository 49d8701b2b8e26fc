"""From evidence to findings: every cause of one endpoint's trouble, the primary one first. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from exatrust_udf import wording
from exatrust_udf.case import CERTIFI, CONTAINER, GIVEN, Case
from exatrust_udf.causes import causes, dates
from exatrust_udf.endpoint import BadEndpoint, BadOption
from exatrust_udf.findings import ERROR, INFO, WARNING, Finding, make
from exatrust_udf.observations import observations

__all__ = ["Case", "bad_input", "diagnose", "primary"]

_MAX_UNREADABLE = 8
_USE_THE_BUNDLE = (
    "Let UDFs use the shared bundle (exatrust_udf.ssl_context()): only to that can a CA be added, "
    "by `exatrust install --ca FILE`, once its SHA-256 is confirmed with the owner."
)
_ADDING = {
    CONTAINER: _USE_THE_BUNDLE,
    CERTIFI: _USE_THE_BUNDLE,
    GIVEN: "Confirm its SHA-256 with the owner by another channel, then add it to this truststore.",
}
_NO_CA = (
    "Give the server a certificate from a CA that the truststore holds. Only CAs are added to the "
    "shared bundle, and this certificate is none."
)
_PLAIN_CERTIFICATE = (
    "Python's handshake does not know the settings of a TRUSTED CERTIFICATE: let the truststore "
    "hold the CA as a plain CERTIFICATE."
)
_VOUCHED = "This truststore trusts the certificates; it is the handshake that failed."


def diagnose(case: Case) -> tuple[Finding, ...]:
    """Every finding, the primary one first, then errors before warnings, from the leaf upwards.

    The primary one is the error that the handshake itself reported; where trust is in order, what
    else ended the connection.
    """
    found = list(dict.fromkeys((*_trust(case), *_blocked(case))))
    found += observations(case) if case.received else ()
    return _ordered([_advised(case, finding) for finding in _distinct(found)])


def primary(findings: tuple[Finding, ...]) -> Finding | None:
    """The finding that stands for all in a short report; None where only observations are left."""
    return findings[0] if findings and findings[0].severity != INFO else None


def bad_input(error: BadEndpoint) -> Finding:
    """The finding for arguments that are not an endpoint."""
    reason = str(error)
    finding = make("BAD_INPUT", wording.sentence(f"{reason[:1].upper()}{reason[1:]}"))
    if not isinstance(error, BadOption):
        return finding
    return replace(finding, action=wording.sentence(f"{error.hint[:1].upper()}{error.hint[1:]}"))


def _trust(case: Case) -> Iterator[Finding]:
    if not case.evidence.received:
        return
    unreadable = [place for place, cert in enumerate(case.received) if cert is None]
    yield from (_unreadable(case, place) for place in unreadable[:_MAX_UNREADABLE])
    failures = case.failures()
    if failures is None:
        yield make("VERDICT_UNKNOWN", f"It is {wording.store(case.store)}.")
        return
    yield from _with_lists(case, list(causes(case, failures)))
    if failures:
        yield from dates(case)
    if case.key_unproved:
        yield _unproved(case)
    if case.verdict is None and failures:
        yield make("VERDICT_UNKNOWN", "There may be further causes.")


def _with_lists(case: Case, found: list[Finding]) -> list[Finding]:
    """`found`, with unreadable revocation lists in front of what they leave unanswered."""
    open_ones = [finding.id == "REVOCATION_UNKNOWN" for finding in found]
    place = open_ones.index(True) if any(open_ones) else len(found)
    lists = [
        make("CRL_UNREADABLE", wording.sentence(f"{wording.shortened(asked.path)}: {problem}"))
        for asked in case.lists
        for problem in asked.problems
    ]
    if not any(open_ones):
        lists = [replace(finding, severity=WARNING) for finding in lists]
    return [*found[:place], *lists, *found[place:]]


def _unreadable(case: Case, position: int) -> Finding:
    digest = hashlib.sha256(case.evidence.received[position]).hexdigest()
    about = f"Number {position + 1} of what the server sends cannot be read (SHA-256 {digest})."
    return replace(make("BAD_CERTIFICATE", about, None, position), sha256=digest)


def _blocked(case: Case) -> Iterator[Finding]:
    problem = case.evidence.problem
    if problem is not None and case.blocked:
        from exatrust_udf.obstacles import obstacle  # most attempts meet none

        found = obstacle(case.evidence, problem)
        if case.vouched():
            found = replace(found, cause=f"{found.cause} {_VOUCHED}")
        yield found


def _unproved(case: Case) -> Finding:
    evidence = case.evidence
    about = f"OpenSSL ended it: {wording.sentence(evidence.verify_text or 'unknown')}"
    found = replace(
        make("KEY_UNPROVED", about), code=evidence.verify_code, text=evidence.verify_text
    )
    if not case.store.has_settings:
        return found
    return replace(found, action=_PLAIN_CERTIFICATE)


def _distinct(found: list[Finding]) -> list[Finding]:
    """One finding of each kind per certificate, or per file: the first has the best words."""
    seen: dict[tuple[str, str | None], Finding] = {}
    for finding in found:
        about = finding.cause if finding.id == "CRL_UNREADABLE" else finding.sha256
        seen.setdefault((finding.id, about), finding)
    return list(seen.values())


def _advised(case: Case, finding: Finding) -> Finding:
    """An installation adds to the shared bundle alone: what helps depends on the truststore."""
    if finding.id not in ("CA_NOT_IN_TRUSTSTORE", "SELF_SIGNED"):
        return finding
    if finding.id == "SELF_SIGNED" and case.whose != GIVEN and case.leaf and not case.leaf.is_ca:
        return replace(finding, action=_NO_CA)
    action = _ADDING.get(case.whose)
    return finding if action is None else replace(finding, action=action)


def _ordered(found: list[Finding]) -> tuple[Finding, ...]:
    first = next((finding for finding in found if finding.severity == ERROR), None)
    rest = sorted((f for f in found if f is not first), key=lambda finding: finding.rank)
    return tuple(rest) if first is None else (first, *rest)
