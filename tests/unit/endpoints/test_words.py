"""What findings say about the particular case: whom it was checked against, and what to do."""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Sequence

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st
from tls_lab import HOST, NOW, Made, ec_key, family, make, store

from exatrust_udf import wording
from exatrust_udf.ber import wrap
from exatrust_udf.certificate import parse
from exatrust_udf.constraints import violations
from exatrust_udf.endpoint import Endpoint
from exatrust_udf.evidence import Evidence
from exatrust_udf.examine import Examined, Examiner
from exatrust_udf.findings import Finding

ROOT, MIDDLE = family()
BEFORE_STRICT = pytest.mark.skipif(sys.version_info >= (3, 13), reason="3.13 judges otherwise")


def judged(*sent: Made, anchors: tuple[Made, ...] = (ROOT,), host: str = HOST) -> Examined:
    evidence = Evidence(Endpoint.parse(host, 443), received=tuple(made.der for made in sent))
    (examined,) = Examiner([store(*anchors)]).judge(evidence, NOW)
    return examined


def of(examined: Examined, kind: str) -> Finding:
    return next(finding for finding in examined.findings if finding.id == kind)


def test_a_bad_signature_names_the_key_it_was_checked_against_and_its_namesake() -> None:
    wrong, right = (make("Twin", ca=True, ski=False, key=ec_key(70 + i)) for i in (0, 1))
    cause = of(
        judged(make("leaf", right, aki=False), anchors=(wrong, right)), "BAD_SIGNATURE"
    ).cause
    digests = [parse(made.der).sha256 for made in (wrong, right)]
    checked, _, other = cause.partition("Another CA of that name")
    assert "It was checked against CN=Twin" in checked
    assert "from truststore test-store" in checked
    assert {d in checked for d in digests} == {d in other for d in digests} == {True, False}


@BEFORE_STRICT
def test_an_intermediate_in_the_store_helps_python_313_only_if_the_chain_is_strict() -> None:
    good = of(judged(make("leaf", MIDDLE), anchors=(MIDDLE,)), "INTERMEDIATE_USED_AS_ANCHOR")
    assert "Python 3.13 and later would accept it." in good.cause
    loose = judged(make("leaf", MIDDLE, aki=False), anchors=(MIDDLE,))
    cause = of(loose, "INTERMEDIATE_USED_AS_ANCHOR").cause
    assert "would accept" not in cause
    assert "would refuse the chain, too: Missing Authority Key Identifier (85)" in cause


@BEFORE_STRICT
def test_a_leaf_in_the_store_is_told() -> None:
    leaf = make("leaf", MIDDLE)
    alone = judged(leaf, anchors=(leaf,)).findings[0]
    assert "holds the server's own certificate" in alone.cause
    assert "Python 3.13 and later would accept it." in alone.cause


@pytest.mark.parametrize(
    ("host", "san"),
    [
        ("127.0.0.1", "127.0.0.1"),
        (HOST, "localhost\x00.evil.com"),
        (HOST, "*.localhost"),
        (HOST, "foo\r\nbar"),
    ],
)
def test_no_name_is_suggested_that_nobody_can_connect_by(host: str, san: str) -> None:
    finding = of(judged(make("leaf", MIDDLE, san=(san,)), MIDDLE, host=host), "HOST_MISMATCH")
    assert "connect by that name" not in finding.action


def test_a_plain_name_is_suggested_where_there_is_one() -> None:
    leaf = make("leaf", MIDDLE, san=("localhos\x00t", "localhost.example"))
    action = of(judged(leaf, MIDDLE), "HOST_MISMATCH").action
    assert action.startswith("If localhost.example is known to be the same server")


@pytest.mark.parametrize(
    ("name", "plain"),
    [("a.example", True), ("a_b", True), ("a.example.", True), ("10.0.0.1", False), ("", False),
     ("*.example", False), ("a b", False), ("\\00a", False), ("-a", False), ("x" * 254, False)],
)  # fmt: skip
def test_plain_names(name: str, plain: bool) -> None:
    assert wording.is_plain_name(name) is plain


def test_a_purpose_is_called_by_its_name() -> None:
    leaf = make("leaf", MIDDLE, purpose=ExtendedKeyUsageOID.CLIENT_AUTH)
    assert "extended key usage clientAuth." in of(judged(leaf, MIDDLE), "BAD_PURPOSE").cause


# -- name constraints


def limited(
    common: str,
    issuer: Made,
    permitted: Sequence[x509.GeneralName] = (),
    excluded: Sequence[x509.GeneralName] = (),
) -> Made:
    rule = x509.NameConstraints(list(permitted) or None, list(excluded) or None)
    return make(common, issuer, ca=True, extra=((rule, True),))


def constraint(*sent: Made) -> str:
    return of(judged(*sent), "NAME_CONSTRAINT").cause


def test_the_ca_whose_constraint_is_broken_is_named_and_not_the_nearest() -> None:
    first = limited("NC1", ROOT, [x509.DNSName("foo.test")])
    second = limited("NC2", first, excluded=[x509.DNSName("bar.test")])
    cause = constraint(make("leaf", second), second, first)
    assert f"DNS name {HOST}: CN=NC1,O=Lab (SHA-256" in cause
    assert "permits only foo.test." in cause
    assert "NC2" not in cause


def test_every_name_that_is_not_allowed_is_named_with_its_rule() -> None:
    ca = limited("NC", ROOT, [x509.DNSName("foo.test"), x509.RFC822Name("foo.test")],
                 [x509.IPAddress(ipaddress.ip_network("10.0.0.0/8"))])  # fmt: skip
    names = [x509.DNSName("a.foo.test"), x509.DNSName(HOST), x509.RFC822Name("a@evil.test"),
             x509.IPAddress(ipaddress.ip_address("10.1.2.3"))]  # fmt: skip
    leaf = make("leaf", ca, san=None, extra=((x509.SubjectAlternativeName(names), False),))
    cause = constraint(leaf, ca)
    for said in (f"DNS name {HOST}: ", "e-mail a@evil.test: ", "permits only foo.test",
                 "address 10.1.2.3: ", "excludes 10.0.0.0/8"):  # fmt: skip
        assert said in cause
    assert "DNS name a.foo.test: " not in cause


LABELS = st.lists(st.sampled_from(["a", "b", "test"]), min_size=1, max_size=3).map(".".join)


@settings(deadline=None, max_examples=60)
@given(LABELS, LABELS, st.booleans())
def test_openssl_and_the_words_agree_about_dns_names(name: str, base: str, permit: bool) -> None:
    rule = [x509.DNSName(base)]
    ca = limited("NC", ROOT, rule if permit else (), () if permit else rule)
    leaf = make("leaf", ca, san=(name,))
    examined = judged(leaf, ca, host=name)
    found = violations(parse(leaf.der), [parse(ca.der)])
    assert bool(found) == ("NAME_CONSTRAINT" in {f.id for f in examined.findings})


IP_RULES = st.binary(max_size=20).map(
    lambda base: wrap(0x30, wrap(0xA0, wrap(0x30, wrap(0x87, base))))
)


@settings(deadline=None, max_examples=60)
@given(st.one_of(st.binary(max_size=30), IP_RULES))
def test_no_constraint_however_malformed_stops_the_report(value: bytes) -> None:
    rule = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.30"), value)
    ca = make("odd", ROOT, ca=True, extra=((rule, True),))
    assert judged(make("leaf", ca, ips=("10.1.2.3",)), ca).trusted in (True, False)
    violations(parse(make("leaf", ca, ips=("10.1.2.3",)).der), [parse(ca.der)])
