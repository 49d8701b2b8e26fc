"""What a certificate is not allowed or not strong enough for, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from exatrust_udf import oids, wording
from exatrust_udf.case import Case
from exatrust_udf.certificate import Certificate
from exatrust_udf.findings import Finding, make

_MOST_VIOLATIONS = 8
_FOR_A_CA = (
    "Have this certificate issued again as a CA's: CA:TRUE, key usage keyCertSign, and either no "
    "extended key usage or one with serverAuth."
)


def weak_key(case: Case, cert: Certificate) -> Iterator[Finding]:
    """A key below the security level."""
    bits = f"{cert.key_bits} bits" if cert.key_bits else "of unknown size"
    yield make(
        "WEAK_KEY",
        f"{wording.certificate(cert)} has a {cert.key_type} key, {bits}; "
        f"the security level is {case.level}.",
        cert,
    )


def weak_signature(case: Case, cert: Certificate) -> Iterator[Finding]:
    """A digest below the security level."""
    yield make(
        "WEAK_SIGNATURE",
        f"{wording.certificate(cert)} is signed with {cert.signature_algorithm}; "
        f"the security level is {case.level}.",
        cert,
    )


def constraint(case: Case, cert: Certificate) -> Iterator[Finding]:
    """A name outside of what a CA above may issue for."""
    above = case.chain[case.chain.index(cert) + 1 :] if cert in case.chain else case.chain
    about = f"{wording.certificate(cert)} is for {wording.names(cert)}."
    yield make("NAME_CONSTRAINT", f"{about}{_broken(cert, above)}", cert)


def _broken(cert: Certificate, above: tuple[Certificate, ...]) -> str:
    """Which name breaks whose constraint; else who sets any."""
    from exatrust_udf.constraints import violations  # rarely needed

    found = violations(cert, above)[:_MOST_VIOLATIONS]
    if found:
        return "".join(
            f" {wording.shortened(item.name)}: {wording.certificate(item.ca)} "
            f"{wording.shortened(item.rule)}."
            for item in found
        )
    limiting = ", ".join(wording.certificate(ca) for ca in above if ca.name_constraints)
    return f" Constraints are set by {limiting}." if limiting else ""


def path_length(case: Case, cert: Certificate) -> Iterator[Finding]:
    """More intermediates below a CA than it allows."""
    allowed = "no" if cert.path_length == 0 else str(cert.path_length)
    yield make(
        "PATH_LENGTH", f"{wording.certificate(cert)} allows {allowed} intermediates below it.", cert
    )


def purpose(case: Case, cert: Certificate) -> Iterator[Finding]:
    """A certificate that is not for TLS servers."""
    usages = ", ".join(sorted(cert.key_usage or ())) or "any"
    known = (oids.PURPOSES.get(kind, kind) for kind in cert.extended_key_usage or ())
    purposes = ", ".join(known) or "any"
    other = "" if cert.key_usage or cert.extended_key_usage else " A Netscape type may forbid it."
    finding = make(
        "BAD_PURPOSE",
        f"{wording.certificate(cert)} has key usage {usages} and extended key usage {purposes}."
        f"{other}",
        cert,
    )
    yield finding if cert == case.leaf else replace(finding, action=_FOR_A_CA)
