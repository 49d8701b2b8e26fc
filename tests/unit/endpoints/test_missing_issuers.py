"""Who is missing above the last certificate sent: told by signatures, never by names alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from tls_lab import HOST, NOW, Made, ec_key, family, make, store, tampered

from exatrust_udf.certificate import parse
from exatrust_udf.endpoint import Endpoint
from exatrust_udf.evidence import Evidence
from exatrust_udf.examine import Examined, Examiner
from exatrust_udf.findings import Finding
from exatrust_udf.openssl import signed_by

ROOT = make("P Root", ca=True)
UPPER = make("P Upper", ROOT, ca=True)
LOWER = make("P Issuing", UPPER, ca=True)
LEAF = make("leaf", LOWER)


def sending(*sent: Made, options: str | None = None) -> Evidence:
    return Evidence(Endpoint.parse(HOST, 443, options), received=tuple(made.der for made in sent))


def judged(evidence: Evidence, others: Sequence[Evidence] = (), *anchors: Made) -> Examined:
    examiner = Examiner([store(*(anchors or (ROOT,)))])
    return next(iter(examiner.judge(evidence, NOW, examiner.pool([evidence, *others]))))


def of(examined: Examined, kind: str) -> list[Finding]:
    return [finding for finding in examined.findings if finding.id == kind]


def fake(real: Made, issuer: Made | None = None) -> Made:
    """The same subject, issuer name and key identifier; another key."""
    ski = real.cert.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    extra = ((ski, False),)
    return make(real.cert.subject, issuer or ROOT, ca=True, key=ec_key(99), ski=False, extra=extra)


@pytest.mark.parametrize("first", [True, False])
def test_a_fake_of_the_same_name_is_never_named_as_missing(first: bool) -> None:
    issuing = make("Q Issuing", ROOT, ca=True)
    leaf = make("leaf", issuing)
    planted = fake(issuing)
    genuine = sending(make("other", issuing), issuing)
    others = [sending(make("evil", planted), planted), genuine]
    examined = judged(sending(leaf), others if first else others[::-1])
    (finding,) = of(examined, "MISSING_INTERMEDIATE")
    assert (finding.sha256, finding.certain) == (parse(issuing.der).sha256, True)
    assert not of(examined, "CA_NOT_IN_TRUSTSTORE")


def test_with_the_fake_alone_nothing_is_certain() -> None:
    issuing = make("Q Issuing", ROOT, ca=True)
    planted = fake(issuing, make("Evil Root", ca=True))
    examined = judged(sending(make("leaf", issuing)), [sending(make("evil", planted), planted)])
    (finding,) = of(examined, "MISSING_INTERMEDIATE")
    assert finding.certain is False
    assert parse(planted.der).sha256 not in "".join(f.cause for f in examined.findings)
    assert not [f for f in of(examined, "CA_NOT_IN_TRUSTSTORE") if f.severity == "ERROR"]


def test_only_what_was_not_sent_is_missing() -> None:
    complete = sending(make("other", LOWER), LOWER, UPPER)
    examined = judged(sending(LEAF, UPPER), [complete])
    assert [f.sha256 for f in of(examined, "MISSING_INTERMEDIATE")] == [parse(LOWER.der).sha256]


def test_a_circle_of_issuers_misses_none_of_them() -> None:
    one, two = ec_key(97), ec_key(98)
    start = make("Cyc A", ca=True, key=one)
    second = make("Cyc B", start, ca=True, key=two)
    first = make("Cyc A", second, ca=True, key=one)
    third = make("Cyc B", first, ca=True, key=two)
    examined = judged(sending(make("leaf", third), third, first))
    assert not [f for f in of(examined, "MISSING_INTERMEDIATE") if f.certain]
    assert examined.trusted is False


def test_a_gap_above_the_last_intermediate_is_probably_an_intermediate() -> None:
    examined = judged(sending(LEAF, LOWER))
    assert [(f.id, f.severity, f.certain) for f in examined.findings] == [
        ("MISSING_INTERMEDIATE", "ERROR", False),
        ("CA_NOT_IN_TRUSTSTORE", "WARNING", False),
    ]


def test_a_given_store_may_hold_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "given.pem"
    path.write_bytes(UPPER.pem)
    examined = judged(sending(LEAF, LOWER, options=f"store={path}"))
    (finding,) = of(examined, "MISSING_INTERMEDIATE")
    assert (finding.sha256, finding.certain) == (parse(UPPER.der).sha256, True)
    assert not of(examined, "CA_NOT_IN_TRUSTSTORE")


def test_a_stranger_above_is_still_an_unknown_ca() -> None:
    _stranger, middle = family("Stranger")
    examined = judged(sending(make("leaf", middle), middle))
    assert [f.id for f in examined.findings] == ["CA_NOT_IN_TRUSTSTORE"]


KEYS = st.integers(0, 3)


@settings(deadline=None, max_examples=40)
@given(KEYS, KEYS)
def test_a_signature_is_of_the_key_that_made_it(issuer: int, other: int) -> None:
    parent = make("CA", ca=True, key=ec_key(60 + issuer))
    impostor = make("CA", ca=True, key=ec_key(60 + other))
    child = make("child", parent)
    assert signed_by(child.der, impostor.der) == (issuer == other)
    assert not signed_by(tampered(child).der, parent.der)
    assert not signed_by(b"\x30\x00", parent.der)
    assert not signed_by(child.der, b"\x30\x00")


def test_a_lone_leaf_of_a_ca_called_root_lacks_no_intermediate() -> None:
    lone = make("leaf", make("Corp Root CA", ca=True, organisation="Corp"))
    examined = judged(sending(lone))
    assert [(f.id, f.certain) for f in examined.findings] == [("CA_NOT_IN_TRUSTSTORE", True)]


def test_a_root_that_another_store_holds_is_named_and_nothing_is_missing() -> None:
    root = make("Corp Signing", ca=True, organisation="Corp")
    kin = make("Corp Other", ca=True, organisation="Corp")
    lone = make("leaf", root)
    examiner = Examiner([store(root), replace(store(kin), path="/test/other.pem")])
    evidence = sending(lone)
    trusting, other = examiner.judge(evidence, NOW, examiner.pool([evidence]))
    assert trusting.trusted
    (finding,) = other.findings
    assert (finding.id, finding.certain) == ("CA_NOT_IN_TRUSTSTORE", True)
    assert (finding.sha256, finding.depth) == (parse(root.der).sha256, 1)
