"""Findings of our own, beside OpenSSL's errors: what will break, and what is odd. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from exatrust_udf import wording
from exatrust_udf.case import ISSUER_MISSING, Case
from exatrust_udf.certificate import Certificate
from exatrust_udf.endpoint import is_address
from exatrust_udf.findings import INFO, WARNING, Finding, make
from exatrust_udf.gone import issuer_gone

SOON = timedelta(days=30)
_SKEW = timedelta(hours=24)
_MAX_ROOTS = 8  # a server decides how many it sends
# Names that never are on the public internet (RFC 2606, 6761, 6762, 8375, ICANN's .internal).
_PRIVATE = frozenset(
    ("local", "localhost", "internal", "intern", "lan", "home", "corp", "private", "test",
     "invalid", "example", "localdomain", "arpa", "onion")
)  # fmt: skip


_UNUSED = "The server sends a CA that was removed from trust on purpose, but no path uses it."
_LEAVE_OUT = "Let the server leave it out of what it sends."


def observations(case: Case) -> Iterator[Finding]:
    """Everything that OpenSSL does not call an error."""
    yield from _dates_off_path(case)
    yield from _expires_soon(case)
    yield from _strict(case)
    yield from _removed(case)
    yield from _intercepted(case)
    yield from _clock(case)
    yield from _common_name(case)
    yield from _order(case)
    yield from _extras(case)


def _received(case: Case) -> list[Certificate]:
    return [cert for cert in case.received if cert is not None]


def _path(case: Case) -> tuple[Certificate, ...]:
    return case.chain or tuple(_received(case)[:1])


def _dates_off_path(case: Case) -> Iterator[Finding]:
    """A certificate sent but not used may be out of date: other clients may use it."""
    known = {cert.sha256 for cert in _path(case)} if case.chain else set()
    if case.verdict is None:
        return
    for cert in dict.fromkeys(_received(case)):
        if cert.sha256 in known or not cert.not_after < case.now:
            continue
        about = (
            f"{wording.certificate(cert)} was valid until {wording.day(cert.not_after)}. "
            "It is sent, but not part of the path that was built."
        )
        yield replace(make("EXPIRED", about, cert), severity=INFO)


def _expires_soon(case: Case) -> Iterator[Finding]:
    for depth, cert in enumerate(_path(case)):
        left = cert.not_after - case.now
        # Certificates made for a few days are renewed by machines: a third of their life is soon.
        if timedelta(0) <= left < min(SOON, (cert.not_after - cert.not_before) / 3):
            about = (
                f"{wording.certificate(cert)} is valid until {wording.day(cert.not_after)}, "
                f"{wording.span(case.now, cert.not_after)} more."
            )
            yield make("EXPIRES_SOON", about, cert, depth)


def _strict(case: Case) -> Iterator[Finding]:
    if case.future is None or case.future.trusted or case.vouched() is not True:
        return
    first = case.future.failures[0]
    cert = _at(case, first.depth)
    reasons = "; ".join(f"{f.text} ({f.code}) at depth {f.depth}" for f in case.future.failures[:8])
    about = f"Certificate: {wording.certificate(cert)}. " if cert else ""
    finding = make("STRICT_313_WILL_FAIL", f"{about}OpenSSL: {reasons}.", cert, first.depth)
    yield replace(finding, code=first.code, text=first.text)


def _at(case: Case, depth: int | None) -> Certificate | None:
    return case.chain[depth] if depth is not None and depth < len(case.chain) else None


def _removed(case: Case) -> Iterator[Finding]:
    for cert in dict.fromkeys((*case.chain, *_received(case))):
        reason = case.removed.get(cert.sha256)
        if reason is not None:
            words = wording.printable(wording.shortened(reason))
            about = f"{wording.certificate(cert)} was removed: {words}."
            finding = make("DISTRUSTED_ROOT", about, cert)
            if case.chain and cert not in case.chain:
                # Whatever else is wrong, it is not this: no path ends there.
                yield replace(finding, severity=INFO, cause=f"{_UNUSED} {about}", action=_LEAVE_OUT)
                continue
            yield replace(finding, severity=WARNING) if case.vouched() else finding


def _intercepted(case: Case) -> Iterator[Finding]:
    if not _is_public(case):
        return
    if case.vouched():
        anchor = case.chain[-1] if case.chain else None
        if anchor is None or case.public_roots is None or anchor.sha256 in case.public_roots:
            return
        about = f"The chain ends in {wording.certificate(anchor)}, which is no public CA."
        yield make("MITM_PROXY_SUSPECT", about, anchor)
    elif _top_is_unknown_ca(case):
        top = case.chain[-1]
        about = f"The topmost certificate is {wording.certificate(top)}."
        yield make("MITM_PROXY_SUSPECT", about, top)


def _is_public(case: Case) -> bool:
    """Whether the name looks like one of the internet, and its address is one."""
    host, address = case.evidence.endpoint.host, case.evidence.address
    last = host.rstrip(".").rpartition(".")[2].lower()
    if is_address(host) or "." not in host or last in _PRIVATE or address is None:
        return False
    if case.evidence.endpoint.proxy is not None:
        return True
    import ipaddress  # slow to load, and rarely needed

    return ipaddress.ip_address(address.partition("%")[0]).is_global


def _top_is_unknown_ca(case: Case) -> bool:
    codes = {failure.code for failure in case.failures() or ()}
    unknown = bool(codes & set(ISSUER_MISSING)) and bool(case.store.certificates)
    if not unknown or len(case.chain) < 2 or case.closing:
        return False
    return issuer_gone(case.chain[-1], case.gone) is None


def _clock(case: Case) -> Iterator[Finding]:
    path = _path(case)
    early = [cert for cert in path if case.now < cert.not_before]
    if not early:
        return
    newest = max(early, key=lambda cert: cert.not_before)
    ahead = newest.not_before - case.now
    if ahead <= _SKEW or len(early) > 1:
        about = (
            f"{wording.certificate(newest)} becomes valid in "
            f"{wording.span(case.now, newest.not_before)}; the clock here says "
            f"{wording.day(case.now)}."
        )
        yield make("CLOCK_SKEW_SUSPECT", about, newest)


def _common_name(case: Case) -> Iterator[Finding]:
    leaf, asked = case.leaf, case.evidence.endpoint.expected
    if leaf is None or leaf.dns_names or is_address(asked) or leaf.common_name is None:
        return
    failures = case.failures()
    if failures is None or {62, 64} & {failure.code for failure in failures}:
        return
    about = f"{wording.certificate(leaf)} has no DNS name in subjectAltName."
    yield make("NAME_ONLY_IN_CN", about, leaf, 0)


def _order(case: Case) -> Iterator[Finding]:
    sent = _received(case)
    used = [sent.index(cert) for cert in case.chain if cert in sent]
    if used != sorted(used):
        names = ", ".join(wording.subject(cert) for cert in sent[:8])
        yield make("CHAIN_ORDER", f"It sends: {names}.")


def _extras(case: Case) -> Iterator[Finding]:
    sent = _received(case)
    roots = [c for c in dict.fromkeys(sent[1:]) if c.self_issued and c != case.leaf]
    for cert in roots[:_MAX_ROOTS]:
        yield make("EXTRA_ROOT_SENT", f"It is {wording.certificate(cert)}.", cert)
    if len(roots) > _MAX_ROOTS:
        yield make("EXTRA_ROOT_SENT", f"There are {len(roots) - _MAX_ROOTS} more.")
    unused = [c for c in dict.fromkeys(sent) if c not in case.chain and not c.self_issued]
    repeated = len(sent) - len(set(sent))
    if repeated or (unused and case.chain):
        names = ", ".join(wording.certificate(cert) for cert in unused[:3])
        parts = [f"{repeated} repeated" if repeated else "", f"not used: {names}" if names else ""]
        yield make("EXTRA_CERTIFICATE", f"{'; '.join(filter(None, parts))}.")
