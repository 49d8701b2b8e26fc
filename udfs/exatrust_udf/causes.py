"""From OpenSSL's errors to findings: which certificate, why, what to do. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from exatrust_udf import limits, wording
from exatrust_udf.case import (
    CERTIFI,
    CONTAINER,
    GIVEN,
    ISSUER_MISSING,
    SHARED_BUNDLE,
    Case,
    issuers,
)
from exatrust_udf.certificate import Certificate
from exatrust_udf.findings import BY_CODE, WARNING, Finding, make
from exatrust_udf.gone import Gone, issuer_gone
from exatrust_udf.verdict import Failure

_MAX_REPORTED = 64
_REJECTED = (18, 19, 26)


def causes(case: Case, failures: tuple[Failure, ...]) -> Iterator[Finding]:
    """Every finding behind OpenSSL's errors, in their order."""
    codes = {failure.code for failure in failures}
    for failure in failures[:_MAX_REPORTED]:
        # 21 says again at the leaf what 20 or 2 said at the top, and an anchor that is rejected by
        # its own settings (28) counts as unknown and unfit for its purpose, too.
        if (failure.code == 21 and codes & {2, 20}) or (failure.code in _REJECTED and 28 in codes):
            continue
        for finding in _explain(case, failure):
            yield replace(finding, code=failure.code, text=failure.text)


def _explain(case: Case, failure: Failure) -> Iterator[Finding]:
    if failure.code in ISSUER_MISSING and not case.store.certificates:
        yield _empty(case)
        return
    cert = _concerned(case, failure)
    depth = _depth(case, failure, cert)
    special = _SPECIAL.get(failure.code)
    if special is not None and cert is not None:
        for finding in special(case, cert):
            yield finding if finding.depth is not None else replace(finding, depth=depth)
        return
    kind = kind_of(failure)
    about = f"Certificate: {wording.certificate(cert)}." if cert else ""
    if kind == "REVOCATION_UNKNOWN" and cert is not None:
        about += f" Its CA is {wording.issuer(cert)}."
    yield make(kind, f"OpenSSL: {failure.text}. {about}".rstrip(), cert, depth)


def kind_of(failure: Failure) -> str:
    """The id of the finding for an error without words of its own, whatever OpenSSL it is of."""
    # Before OpenSSL 3 the number of "invalid CA certificate" was 24.
    if "invalid CA certificate" in failure.text:
        return "ISSUER_IS_NOT_A_CA"
    known = BY_CODE.get(failure.code)
    return known.id if known else "VERIFY_ERROR"


def _concerned(case: Case, failure: Failure) -> Certificate | None:
    path = case.chain or tuple(c for c in case.received if c is not None)
    if failure.depth is not None:
        return path[failure.depth] if failure.depth < len(path) else None
    # Only the handshake's word: an issuer is missing at the top, a root is the last one sent.
    if not path:
        return None
    return path[-1] if failure.code in (2, 19, 20) else path[0]


def _depth(case: Case, failure: Failure, cert: Certificate | None) -> int | None:
    if failure.depth is not None or cert is None:
        return failure.depth
    return case.received.index(cert) if cert in case.received else None


def _empty(case: Case) -> Finding:
    problems = "; ".join(case.store.problems)
    reason = f" ({problems})" if problems else ""
    finding = make("TRUST_STORE_EMPTY", f"It is {wording.store(case.store)}{reason}.")
    return replace(finding, action=_FILLING.get(case.whose, finding.action))


# What to do about an empty truststore depends on whose it is.
_FILLING = {
    SHARED_BUNDLE: "The file is missing, empty or altered: run `exatrust status`, then "
    "`exatrust install`.",
    GIVEN: "Check the path after store= (as UDFs see it: /buckets/...; for `exatrust probe` on "
    "this machine), and that it is a truststore: PEM without a damaged block, DER, JKS, PKCS#12, "
    "or a directory with hash links (`openssl rehash`).",
    **dict.fromkeys(
        (CONTAINER, CERTIFI),
        "Let UDFs use the shared bundle (exatrust_udf.ssl_context()), or a language container "
        "that brings CAs along.",
    ),
}


# -- who vouches


def _self_signed(case: Case, cert: Certificate) -> Iterator[Finding]:
    yield make(
        "SELF_SIGNED",
        f"It is {wording.certificate(cert)}; {wording.store(case.store)} does not hold it.",
        cert,
    )


def _root_sent(case: Case, cert: Certificate) -> Iterator[Finding]:
    yield _unknown_ca(case, cert, f"The server sends its root, {wording.certificate(cert)}.")


def _not_loaded(case: Case) -> str:
    """The CA may well be in the files: what OpenSSL passes over there is worth a look."""
    passed = [p for p in case.store.problems if "OpenSSL" in p]
    return f" {'; '.join(p[:1].upper() + p[1:] for p in passed[:3])}." if passed else ""


def _unknown_ca(case: Case, cert: Certificate, about: str) -> Finding:
    reason = case.removed.get(cert.sha256)
    if reason is not None:
        return make("DISTRUSTED_ROOT", f"{about} It was removed: {_because(reason)}", cert)
    where = f"It is not in {wording.store(case.store)}.{_not_loaded(case)}"
    return make("CA_NOT_IN_TRUSTSTORE", f"{about} {where}{_namesakes(case, cert)}", cert)


def _namesakes(case: Case, cert: Certificate) -> str:
    """A root of the same name with another key is the usual trace of a CA made anew."""
    for anchor in case.store.certificates:
        if anchor.subject_der == cert.subject_der and anchor.spki_sha256 != cert.spki_sha256:
            return f" A CA of the same name but another key is: SHA-256 {anchor.sha256}."
    return ""


def _because(reason: str) -> str:
    return wording.sentence(wording.printable(wording.shortened(reason)))


def _issuer_removed(case: Case, cert: Certificate, known: Gone) -> Finding:
    """Who adds a CA again that was removed on purpose undoes a decision: nothing says to add it."""
    about = (
        f"{wording.certificate(cert)} was issued by {wording.issuer(cert)}, which is not in "
        f"{wording.store(case.store)}: "
    )
    same = "it" if cert.aki and cert.aki == known.key_identifier else "a CA of that name"
    return make("DISTRUSTED_ROOT", f"{about}{same} was removed: {_because(known.reason)}", cert)


def _leaf_as_anchor(case: Case, cert: Certificate) -> Finding:
    about = (
        f"{wording.store(case.store)} holds the server's own certificate, "
        f"{wording.certificate(cert)}, but not its issuer, {wording.issuer(cert)}."
    )
    return make("CA_NOT_IN_TRUSTSTORE", f"{about[:1].upper()}{about[1:]} {_under_313(case)}", cert)


def _issuer_missing(case: Case, cert: Certificate) -> Iterator[Finding]:
    """Code 20: an intermediate was left out, or the CA is unknown, or both."""
    namesakes = [a for a in case.store.certificates if a.subject_der == cert.issuer_der]
    removed = issuer_gone(cert, case.gone)
    if cert == case.leaf and case.in_store(cert):
        yield _leaf_as_anchor(case, cert)
    elif removed is not None and not case.closing and not namesakes:
        yield _issuer_removed(case, cert, removed)
    elif case.closing:
        yield from _gap(case, cert)
    elif namesakes:
        other = wording.certificate(namesakes[0])
        yield _issuer_unknown(case, cert, f"A CA of the same name but another key is: {other}.")
    elif cert != case.leaf or cert.self_issued:
        yield from _above(case, cert)
    else:
        yield from _undecided(case, cert)


def _gap(case: Case, cert: Certificate) -> Iterator[Finding]:
    """Certificates known from elsewhere continue the chain: then it is certain what is missing."""
    for missing in case.closing:
        if missing.self_issued or case.in_store(missing):
            continue
        if missing not in case.received:
            issued = f"which issued {wording.subject(cert)}"
            about = f"Missing is {wording.certificate(missing)}, {issued}."
            yield make("MISSING_INTERMEDIATE", about, missing, case.closed_chain.index(missing))
        cert = missing
    if case.closed is not None and {f.code for f in case.closed.failures} & set(ISSUER_MISSING):
        top = case.closed_chain[-1] if case.closed_chain else cert
        if top.self_issued:
            found = _unknown_ca(case, top, f"The CA is {wording.certificate(top)}.")
            yield replace(found, depth=len(case.closed_chain) - 1)
        else:
            yield from _above(case, top)


def _above(case: Case, cert: Certificate) -> Iterator[Finding]:
    """Nobody knows who issued the topmost certificate: an intermediate, or a root."""
    if cert.self_issued or issuer_gone(cert, case.gone) or not _may_be_below(case, cert):
        yield _issuer_unknown(case, cert)
        return
    yield _probably_missing(case, cert)
    about = (
        f"Possibly: {wording.issuer(cert)}, which issued {wording.certificate(cert)}, may be a "
        f"root; it is not in {wording.store(case.store)}."
    )
    finding = make("CA_NOT_IN_TRUSTSTORE", about, cert)
    yield replace(finding, certain=False, severity=WARNING)


def _may_be_below(case: Case, cert: Certificate) -> bool:
    """Whether the unknown issuer looks like an intermediate below a root of the store."""
    return not _called_a_root(cert.issuer) and _kin_in_store(case, cert)


def _called_a_root(name: str) -> bool:
    return "root" in name.lower()


def _issuer_unknown(case: Case, cert: Certificate, more: str = "") -> Finding:
    removed = issuer_gone(cert, case.gone)
    if removed is not None and not more:
        return _issuer_removed(case, cert, removed)
    about = (
        f"{wording.certificate(cert)} was issued by {wording.issuer(cert)}, "
        f"which is not in {wording.store(case.store)}.{_not_loaded(case)} {more}"
    )
    return make("CA_NOT_IN_TRUSTSTORE", about.rstrip(), cert)


def _undecided(case: Case, cert: Certificate) -> Iterator[Finding]:
    """Only the leaf came: its issuer may be an intermediate left out, or an unknown root."""
    if _called_a_root(cert.issuer):
        yield _issuer_unknown(case, cert)
        return
    yield _probably_missing(case, cert)
    if not _kin_in_store(case, cert):
        about = (
            f"Possibly: no CA in {wording.store(case.store)} has the name or the organisation of "
            f"{wording.issuer(cert)}, which issued {wording.certificate(cert)}."
        )
        finding = make("CA_NOT_IN_TRUSTSTORE", about, cert)
        yield replace(finding, certain=False, severity=WARNING)


def _probably_missing(case: Case, cert: Certificate) -> Finding:
    url = "".join(f" It may be had from {url}." for url in cert.aia_issuers[:1])
    about = (
        f"Probably: nothing the server sent, and nothing in {wording.store(case.store)}, is "
        f"{wording.issuer(cert)}, which issued {wording.certificate(cert)}.{wording.shortened(url)}"
    )
    return replace(make("MISSING_INTERMEDIATE", about, cert), certain=False)


def _kin_in_store(case: Case, cert: Certificate) -> bool:
    """Whether the store has a CA of the issuer's organisation, so that its root may well be in."""
    wanted = _organisation(cert.issuer)
    return wanted is not None and any(
        _organisation(anchor.subject) == wanted for anchor in case.store.certificates
    )


def _organisation(name: str) -> str | None:
    for part in name.split(","):
        if part.startswith("O="):
            return part
    return None


def _intermediate_as_anchor(case: Case, cert: Certificate) -> Iterator[Finding]:
    if not case.in_store(cert) or issuer_gone(cert, case.gone):
        yield _issuer_unknown(case, cert)
        return
    yield make(
        "INTERMEDIATE_USED_AS_ANCHOR",
        f"{wording.certificate(cert)} is in {wording.store(case.store)}, but it was issued by "
        f"{wording.issuer(cert)}, which is not. {_under_313(case)}",
        cert,
    )


def _under_313(case: Case) -> str:
    """What Python 3.13's flags, which take any certificate of the store, make of this chain."""
    future = case.future
    if future is None:
        return "This Python would accept it but for what else is found."
    if future.trusted:
        return "Python 3.13 and later would accept it."
    first = future.failures[0]
    return f"Python 3.13 and later would refuse the chain, too: {first.text} ({first.code})."


# -- names and dates


def _host_mismatch(case: Case, _: Certificate) -> Iterator[Finding]:
    leaf = case.leaf
    asked = case.evidence.endpoint.expected
    if leaf is None:
        yield make("HOST_MISMATCH", f"Asked for was {asked}.")
        return
    about = f"Asked for was {asked}; {wording.certificate(leaf)}: {wording.mismatch(asked, leaf)}."
    finding = make("HOST_MISMATCH", about, leaf, 0)
    near = wording.nearest(asked, [n for n in leaf.dns_names if wording.is_plain_name(n)])
    if near is not None:
        # The name is the server's own claim, so it is no more than a hint.
        action = (
            f"If {wording.shortened(near)} is known to be the same server, connect by that name; "
            f"else have the certificate issued for {asked} too."
        )
        finding = replace(finding, action=action)
    yield finding


def _expired(case: Case, cert: Certificate) -> Iterator[Finding]:
    about = (
        f"{wording.certificate(cert)} was valid until {wording.day(cert.not_after)}, "
        f"{wording.span(cert.not_after, case.now)} ago."
    )
    anchor = case.in_store(cert) and cert != case.leaf
    if anchor:
        about += f" It is in {wording.store(case.store)}."
    yield make("ANCHOR_EXPIRED" if anchor else "EXPIRED", about, cert)


def _not_yet_valid(case: Case, cert: Certificate) -> Iterator[Finding]:
    yield make(
        "NOT_YET_VALID",
        f"{wording.certificate(cert)} is valid from {wording.day(cert.not_before)}, "
        f"in {wording.span(case.now, cert.not_before)}.",
        cert,
    )


def dates(case: Case) -> Iterator[Finding]:
    """Dates that OpenSSL does not look at: those of the top of a chain without an issuer."""
    for depth, cert in enumerate(case.chain):
        if cert.not_after < case.now:
            late = _expired(case, cert)
        elif case.now < cert.not_before:
            late = _not_yet_valid(case, cert)
        else:
            continue
        yield from (replace(finding, depth=depth) for finding in late)


def _bad_signature(case: Case, cert: Certificate) -> Iterator[Finding]:
    """Which key did not fit, and where another one of that name lies."""
    about = f"It is {wording.certificate(cert)}."
    place = case.chain.index(cert) if cert in case.chain else len(case.chain)
    above = case.chain[place + 1 : place + 2]
    for checked in above:
        origin = wording.store(case.store) if case.in_store(checked) else "what the server sends"
        about += f" It was checked against {wording.certificate(checked)}, from {origin}."
    known = (*case.store.certificates, *(c for c in case.received if c is not None))
    others = [c for c in dict.fromkeys(known) if c.subject_der == cert.issuer_der]
    others = [c for c in others if c not in above and c != cert]
    if others:
        names = ", ".join(wording.certificate(other) for other in others[:3])
        about += f" Another CA of that name, which may be the one that signed it: {names}."
    yield make("BAD_SIGNATURE", about, cert)


_SPECIAL: dict[int, Callable[[Case, Certificate], Iterator[Finding]]] = {
    2: _intermediate_as_anchor,
    7: _bad_signature,
    9: _not_yet_valid,
    10: _expired,
    18: _self_signed,
    19: _root_sent,
    20: _issuer_missing,
    21: _issuer_missing,
    25: limits.path_length,
    26: limits.purpose,
    47: limits.constraint,
    48: limits.constraint,
    62: _host_mismatch,
    64: _host_mismatch,
    66: limits.weak_key,
    67: limits.weak_key,
    68: limits.weak_signature,
}


Signed = Callable[[Certificate, Certificate], bool]
"""(a certificate, another one) -> whether the other one's key signed it."""


def continuation(
    top: Certificate,
    pool: Sequence[Certificate],
    store: Sequence[Certificate],
    signed: Signed,
) -> tuple[Certificate, ...]:
    """Certificates of `pool` that lead from `top` upwards, until the store knows the issuer.

    Whoever sends a certificate chooses the names in it, so only a signature makes an issuer.
    """

    def signers(cert: Certificate, among: Sequence[Certificate]) -> list[Certificate]:
        return [c for c in issuers(cert, among) if signed(cert, c)]

    found: list[Certificate] = []
    while len(found) < 8 and not top.self_issued and not signers(top, store):
        candidates = [c for c in signers(top, pool) if c.is_ca and c not in found]
        if not candidates:
            break
        # One key may have several certificates (cross-signing): one below the store is of use.
        top = min(candidates, key=lambda c: not signers(c, store))
        found.append(top)
    return tuple(found)
