"""Each badssl.com category and each finding, from a real handshake with a planted chain.

The expected verify code is the table's; `openssl s_client` and `openssl verify` must agree with it.
"""

from __future__ import annotations

import shutil
import ssl
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st
from tls_lab import (
    HOST,
    NOW,
    Made,
    chain_context,
    examine,
    family,
    ids,
    make,
    openssl_verify,
    rsa_key,
    s_client,
    serving,
    sha1_signed,
    store,
    tampered,
    tls_manner,
)

from exatrust_udf.endpoint import BadEndpoint, Endpoint
from exatrust_udf.evidence import Evidence
from exatrust_udf.examine import Examiner
from exatrust_udf.handshake import client_context

STRICT = sys.version_info >= (3, 13)


@dataclass(frozen=True)
class Plan:
    """A chain to serve, the anchors to trust, what the handshake says and what we find."""

    name: str
    chain: Sequence[Made]
    anchors: Sequence[Made]
    code: int
    findings: frozenset[str] = frozenset()
    host: str = HOST
    weak: bool = False


ROOT, MIDDLE = family()
OTHER_ROOT, OTHER_MIDDLE = family("Other")
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")


def plan(
    name: str,
    chain: Sequence[Made],
    code: int,
    *findings: str,
    anchors: Sequence[Made] = (ROOT,),
    host: str = HOST,
    weak: bool = False,
) -> Plan:
    return Plan(name, chain, anchors, code, frozenset(findings), host, weak)


def leaf(issuer: Made = MIDDLE, **planted: object) -> Made:
    return make(f"leaf {planted or 'good'}"[:60], issuer, **planted)  # type: ignore[arg-type]


def _plans() -> list[Plan]:
    self_signed = make("self", ski=True)
    old_self = make("old self", days=(-300, -100))
    rsa_root = make("RSA root", ca=True, key=rsa_key(2048), days=(-1000, 3000))
    weak_ca = sha1_signed(make("sha1 intermediate", rsa_root, ca=True), rsa_root)
    constrained = make("constrained", ROOT, ca=True, permitted=("permitted.example",))
    flat = make("no room below", ROOT, ca=True, path_length=0)
    below = make("one too many", flat, ca=True)
    no_ca = make("no CA", ROOT, san=("ca.example",))
    old_root = make("old root", ca=True, days=(-1000, -10))
    new_root = make("late root", ca=True, days=(10, 100))
    nobody = x509.Name([])
    soon = leaf(days=(-300, 10))
    return [
        plan("good", [leaf(), MIDDLE], 0),
        plan("expired", [leaf(days=(-300, -100)), MIDDLE], 10, "EXPIRED"),
        plan("wrong.host", [leaf(san=("a.example", "b.example")), MIDDLE], 62, "HOST_MISMATCH"),
        plan("ip-address-wanted", [leaf(), MIDDLE], 64, "HOST_MISMATCH", host="127.0.0.1"),
        plan("ip-address", [leaf(ips=("127.0.0.1",)), MIDDLE], 0, host="127.0.0.1"),
        plan("self-signed", [self_signed], 18, "SELF_SIGNED"),
        plan("self-signed and expired", [old_self], 18, "SELF_SIGNED", "EXPIRED"),
        plan("self-signed but trusted", [self_signed], 0, anchors=(self_signed,)),
        plan("not-yet-valid", [leaf(days=(5, 100)), MIDDLE], 9, "NOT_YET_VALID"),
        plan("valid in an hour", [leaf(days=(1 / 24, 100)), MIDDLE], 9, "NOT_YET_VALID",
             "CLOCK_SKEW_SUSPECT"),
        plan("untrusted-root", [leaf(OTHER_MIDDLE), OTHER_MIDDLE, OTHER_ROOT], 19,
             "CA_NOT_IN_TRUSTSTORE", "EXTRA_ROOT_SENT"),
        plan("unknown CA", [leaf(OTHER_MIDDLE), OTHER_MIDDLE], 20, "CA_NOT_IN_TRUSTSTORE"),
        plan("incomplete-chain", [leaf()], 20, "MISSING_INTERMEDIATE"),
        plan("no-common-name", [make(nobody, MIDDLE, extra=()), MIDDLE], 0,
             "STRICT_313_WILL_FAIL"),
        plan("sha384", [leaf(digest=hashes.SHA384()), MIDDLE], 0),
        plan("sha512", [leaf(digest=hashes.SHA512()), MIDDLE], 0),
        plan("rsa2048", [leaf(key=rsa_key(2048)), MIDDLE], 0),
        plan("rsa4096", [leaf(key=rsa_key(4096)), MIDDLE], 0),
        plan("ecc384", [leaf(key=ec.generate_private_key(ec.SECP384R1())), MIDDLE], 0),
        plan("1000-sans", [leaf(san=(HOST, *(f"n{i}.example" for i in range(1000)))), MIDDLE], 0),
        plan("reversed-chain", [leaf(), ROOT, MIDDLE], 0, "CHAIN_ORDER", "EXTRA_ROOT_SENT"),
        plan("root sent", [leaf(), MIDDLE, ROOT], 0, "EXTRA_ROOT_SENT"),
        plan("sent twice", [leaf(), MIDDLE, MIDDLE], 0, "EXTRA_CERTIFICATE"),
        plan("unrelated sent", [leaf(), MIDDLE, OTHER_MIDDLE], 0, "EXTRA_CERTIFICATE"),
        plan("invalid-signature", [tampered(leaf()), MIDDLE], 7, "BAD_SIGNATURE"),
        plan("sha1-intermediate", [leaf(weak_ca), weak_ca], 68, "WEAK_SIGNATURE",
             anchors=(rsa_root,), weak=True),
        plan("rsa1024", [leaf(key=rsa_key(1024)), MIDDLE], 66, "WEAK_KEY", weak=True),
        plan("only in CN", [make(HOST, MIDDLE, san=None), MIDDLE], 0, "NAME_ONLY_IN_CN"),
        plan("expires soon", [soon, MIDDLE], 0, "EXPIRES_SOON"),
        plan("name constraint", [leaf(constrained), constrained], 47, "NAME_CONSTRAINT"),
        plan("path length", [leaf(below), below, flat], 25, "PATH_LENGTH"),
        plan("client certificate used", [leaf(purpose=ExtendedKeyUsageOID.CLIENT_AUTH), MIDDLE],
             26, "BAD_PURPOSE"),
        plan("issued by a leaf", [leaf(no_ca), no_ca], 79, "ISSUER_IS_NOT_A_CA", "BAD_PURPOSE"),
        plan("unknown critical extension", [leaf(extra=((UNKNOWN, True),)), MIDDLE], 34,
             "UNKNOWN_CRITICAL_EXTENSION"),
        plan("expired root", [leaf(old_root)], 10, "ANCHOR_EXPIRED", anchors=(old_root,)),
        plan("root not yet valid", [leaf(new_root)], 9, "NOT_YET_VALID", anchors=(new_root,)),
        plan("empty truststore", [leaf(), MIDDLE], 20, "TRUST_STORE_EMPTY", anchors=()),
        *([] if STRICT else _before_strict()),
        plan("everything at once", [leaf(OTHER_MIDDLE, days=(-300, -100), san=("x.example",))],
             20, "MISSING_INTERMEDIATE", "CA_NOT_IN_TRUSTSTORE", "EXPIRED", "HOST_MISMATCH"),
        plan("expired, wrong host and unknown CA",
             [leaf(OTHER_MIDDLE, days=(-300, -100), san=("x.example",)), OTHER_MIDDLE], 20,
             "CA_NOT_IN_TRUSTSTORE", "EXPIRED", "HOST_MISMATCH"),
    ]  # fmt: skip


def _before_strict() -> list[Plan]:
    """What Python 3.13's flags judge otherwise."""
    loose = make("basic constraints not critical", ROOT, ca=True, basic_critical=False)
    return [
        plan("intermediate as anchor", [leaf()], 2, "INTERMEDIATE_USED_AS_ANCHOR",
             anchors=(MIDDLE,)),
        plan("no authority key identifier", [leaf(aki=False), MIDDLE], 0, "STRICT_313_WILL_FAIL"),
        plan("basic constraints not critical", [leaf(loose), loose], 0, "STRICT_313_WILL_FAIL"),
    ]  # fmt: skip


SWITCHING_OFF = ("cert_none", "disable verif", "ignore the cert", "skip verif", "verify=false",
                 "insecure", "turn off", "switch off")  # fmt: skip

PLANS = {p.name: p for p in _plans()}


@pytest.fixture(params=PLANS.values(), ids=PLANS.keys())
def planned(request: pytest.FixtureRequest) -> Plan:
    found: Plan = request.param
    return found


def test_a_planted_defect_is_the_finding(planned: Plan) -> None:
    with serving(tls_manner(chain_context(planned.chain, planned.weak))) as port:
        options = None if planned.host == HOST else f"name={planned.host}"
        host = planned.host if planned.host != HOST else HOST
        (examined,) = examine(port, store(*planned.anchors), host, options)
    evidence = examined.case.evidence
    assert evidence.verify_code == planned.code, evidence
    assert ids(examined) == planned.findings, [f.cause for f in examined.findings]
    assert examined.trusted is (planned.code == 0)
    assert evidence.received == tuple(made.der for made in planned.chain)
    assert evidence.tls_version == "TLSv1.3"
    assert evidence.cipher is not None


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command here")
@pytest.mark.skipif(STRICT, reason="the openssl command does not have Python 3.13's flags")
def test_the_openssl_command_agrees(planned: Plan) -> None:
    anchors = b"".join(made.pem for made in planned.anchors)
    with serving(tls_manner(chain_context(planned.chain, planned.weak))) as port:
        options = None if planned.host == HOST else f"name={planned.host}"
        (examined,) = examine(port, store(*planned.anchors), planned.host, options)
        if planned.anchors:
            first = s_client(port, anchors, planned.host, first_only=True)
            every = s_client(port, anchors, planned.host, first_only=False)
            assert first[:1] == ([planned.code] if planned.code else [])
            verdict = examined.case.verdict
            assert verdict is not None
            assert {failure.code for failure in verdict.failures} == set(every)
    if planned.anchors:
        assert openssl_verify(planned.chain, anchors, planned.host) == planned.code


def test_the_texts_name_certificate_store_and_never_suggest_to_stop_verifying(
    planned: Plan,
) -> None:
    with serving(tls_manner(chain_context(planned.chain, planned.weak))) as port:
        (examined,) = examine(port, store(*planned.anchors), planned.host)
    for finding in examined.findings:
        text = f"{finding.cause} {finding.action}".lower()
        assert not any(word in text for word in SWITCHING_OFF)
        if finding.sha256 is not None:
            assert finding.sha256 in text
        if "exatrust install --ca" in text:
            assert "confirm" in text


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def version(request: pytest.FixtureRequest) -> ssl.TLSVersion:
    found: ssl.TLSVersion = request.param
    return found


def test_the_chain_survives_a_failure_in_each_tls_version(version: ssl.TLSVersion) -> None:
    chain = [leaf(OTHER_MIDDLE), OTHER_MIDDLE]
    context = chain_context(chain)
    context.minimum_version = context.maximum_version = version
    with serving(tls_manner(context)) as port:
        (examined,) = examine(port, store(ROOT))
    evidence = examined.case.evidence
    assert evidence.received == tuple(made.der for made in chain)
    assert (evidence.tls_version, evidence.verify_code) == (version.name.replace("_", "."), 20)
    assert ids(examined) == {"CA_NOT_IN_TRUSTSTORE"}


def test_one_handshake_serves_every_store() -> None:
    accepted: list[int] = []
    context = chain_context([leaf(), MIDDLE])
    inner = tls_manner(context)

    def counting(connection: object) -> None:
        accepted.append(1)
        inner(connection)  # type: ignore[arg-type]

    manner: Callable[..., None] = counting
    with serving(manner) as port:
        results = examine(port, store(OTHER_ROOT), others=[store(ROOT), store()])
    assert [r.trusted for r in results] == [False, True, False]
    assert [ids(r) for r in results] == [{"CA_NOT_IN_TRUSTSTORE"}, set(), {"TRUST_STORE_EMPTY"}]
    assert accepted == [1]


def test_an_intermediate_known_from_elsewhere_makes_the_gap_certain() -> None:
    with serving(tls_manner(chain_context([leaf()]))) as port:
        (sure, _) = examine(port, store(ROOT), others=[store(MIDDLE)])
        (unsure,) = examine(port, store(ROOT))
    assert [(f.id, f.certain) for f in sure.findings] == [("MISSING_INTERMEDIATE", True)]
    assert [(f.id, f.certain) for f in unsure.findings] == [("MISSING_INTERMEDIATE", False)]
    assert MIDDLE.cert.fingerprint(hashes.SHA256()).hex() in sure.findings[0].cause


def test_the_name_to_verify_may_differ_from_host_and_sni() -> None:
    with serving(tls_manner(chain_context([leaf(san=("db.example",)), MIDDLE]))) as port:
        (right,) = examine(port, store(ROOT), options="name=db.example")
        (wrong,) = examine(port, store(ROOT), options="name=other.example")
        (announced,) = examine(port, store(ROOT), options="sni=db.example")
    assert (right.trusted, ids(right)) == (True, set())
    assert (wrong.trusted, ids(wrong)) == (False, {"HOST_MISMATCH"})
    assert (announced.trusted, announced.case.evidence.verify_code) == (True, 0)


LONGEST = ".".join(["a" * 63] * 3 + ["a" * 61])  # 253 characters


@pytest.mark.parametrize(
    "odd", ["fe80::1%lo", "::1", "1.2.3.04", "1.2.3.999", "*.example", "-", LONGEST, "x."]
)
@pytest.mark.parametrize("option", ["name", "sni"])
def test_an_odd_name_to_verify_ends_in_a_finding(option: str, odd: str) -> None:
    with serving(tls_manner(chain_context([leaf(), MIDDLE]))) as port:
        (examined,) = examine(port, store(ROOT), HOST, f"{option}={odd}")
    assert ids(examined) == {"HOST_MISMATCH"}


GOOD = leaf()
names = st.text(st.sampled_from("aZ0-_*.:%\u00e4\u2603[]"), min_size=1, max_size=12)


@settings(deadline=None)
@given(names)
def test_openssl_and_python_take_every_name_that_an_endpoint_has(text: str) -> None:
    try:
        endpoint = Endpoint.parse(text, 443)
    except BadEndpoint:
        return
    (examined,) = Examiner([store(ROOT)]).judge(
        Evidence(endpoint, received=(GOOD.der, MIDDLE.der)), NOW
    )
    assert ids(examined) == {"HOST_MISMATCH"}
    client_context(()).wrap_bio(
        ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=endpoint.announced.encode("ascii")
    )


def test_version_and_cipher_survive_a_hello_retry_request() -> None:
    context = chain_context([leaf(OTHER_MIDDLE), OTHER_MIDDLE])
    context.set_ecdh_curve("secp521r1")  # no client sends a share for it unasked
    with serving(tls_manner(context)) as port:
        (examined,) = examine(port, store(ROOT))
    evidence = examined.case.evidence
    assert (examined.trusted, evidence.tls_version) == (False, "TLSv1.3")
    assert evidence.cipher is not None
    assert evidence.cipher.startswith("TLS_")


def test_a_self_signed_certificate_that_is_no_ca_is_not_to_be_added() -> None:
    with serving(tls_manner(chain_context([make("self")]))) as port:
        (examined,) = examine(port, store(ROOT))
    (finding,) = examined.findings
    assert finding.id == "SELF_SIGNED"
    assert "--ca" not in finding.action


def test_what_a_ca_is_not_allowed_is_said_of_a_ca() -> None:
    no_ca = make("no CA", ROOT, san=("ca.example",))
    with serving(tls_manner(chain_context([leaf(no_ca), no_ca]))) as port:
        (examined,) = examine(port, store(ROOT))
    (finding,) = [f for f in examined.findings if f.id == "BAD_PURPOSE"]
    assert "keyCertSign" in finding.action
