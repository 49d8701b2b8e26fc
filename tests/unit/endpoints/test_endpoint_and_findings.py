"""Arguments to endpoints, the declared findings, and the diagnosis of made-up evidence."""

from __future__ import annotations

import datetime as dt
import hashlib
import ssl
from dataclasses import replace
from decimal import Decimal
from difflib import SequenceMatcher

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tls_lab import HOST, ec_key, family, ids, make, store

from exatrust_udf import diagnosis, findings, wording
from exatrust_udf.endpoint import BadEndpoint, BadOption, Endpoint
from exatrust_udf.endpoint_reports import Survey, chain_rows
from exatrust_udf.evidence import Evidence, Problem
from exatrust_udf.examine import Background, Examiner

ROOT, MIDDLE = family()
NOW = dt.datetime.now(dt.timezone.utc)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("db.example:443",), Endpoint("db.example", 443)),
        ((" db.example:443 ",), Endpoint("db.example", 443)),
        (("[2001:db8::1]:443",), Endpoint("2001:db8::1", 443)),
        (("db.example", 443), Endpoint("db.example", 443)),
        (("db.example", Decimal(443)), Endpoint("db.example", 443)),
        (("db.example", 443.0), Endpoint("db.example", 443)),
        (("db.example", "443"), Endpoint("db.example", 443)),
        (("2001:db8::1", 443), Endpoint("2001:db8::1", 443)),
        (("db.example:443", None, None), Endpoint("db.example", 443)),
        (("bücher.example", 443), Endpoint("xn--bcher-kva.example", 443)),
        (("h:1", None, "protocol=smtp"), Endpoint("h", 1, "smtp")),
        (("h", 1, "sni=a name=b"), Endpoint("h", 1, sni="a", name="b")),
        (("h", 1, "proxy=http://p:8080/"), Endpoint("h", 1, proxy=("p", 8080))),
        (("h", 1, "store=/a store=/b"), Endpoint("h", 1, stores=("/a", "/b"))),
        (("h", 1, "crl=/a crl=/b crl=/a"), Endpoint("h", 1, crls=("/a", "/b"))),
        (("h", 1, "timeout=2.5"), Endpoint("h", 1, timeout=2.5)),
        (("h", 1, ""), Endpoint("h", 1)),
    ],
)  # fmt: skip
def test_arguments_become_an_endpoint(values: tuple[object, ...], expected: Endpoint) -> None:
    found = Endpoint.parse(*values)
    assert replace(found, given="", options=None) == expected
    assert found.options == (values[2] if values[2:] else None)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ((), "0 arguments"),
        ((None, 443), "host is missing"),
        (("",), "host is missing"),
        ((7, 443), "host is missing"),
        (("db.example",), "has no port"),
        (("2001:db8::1:443",), r"\[address\]:port"),
        (("h", 0), "1 to 65535"),
        (("h", 65536), "1 to 65535"),
        (("h", Decimal("443.5")), "1 to 65535"),
        (("h", float("nan")), "1 to 65535"),
        (("h", float("inf")), "1 to 65535"),
        (("h", True), "1 to 65535"),
        (("h", "443x"), "1 to 65535"),
        (("https://h/", 443), "scheme and path"),
        (("a b", 443), "not a host name"),
        (("a\0b", 443), "not a host name"),
        (("a..b", 443), "empty part"),
        (("a%b", 443), "'%'"),
        (("a:b", 443), "neither a host name nor an IPv6 address"),
        (("h", 443, "name=a:b"), "neither a host name nor an IPv6 address"),
        (("a" * 254, 443), "253 characters"),
        (("\u2603" * 60, 443), "IDNA"),
        (("a" * 64 + ".example", 443), "at most 63 characters"),
        (("h", 1, "protocol=gopher"), "none of"),
        (("h", 1, "protocol"), "option protocol has no value"),
        (("h", 1, "protocol="), "option protocol has no value"),
        (("h", 1, "protocol = smtp"), "option protocol has no value"),
        (("h", 1, "protocol=smtp,timeout=3"), "option protocol: 'smtp,timeout=3' is none of"),
        (("h", 1, "verify=no"), "no option 'verify'; there are protocol, sni, name, proxy, store"),
        (("h", 1, "Protocol=smtp"), "no option 'Protocol'"),
        (("h", 1, "sni=a sni=b"), "option sni is given twice; only store and crl may be"),
        (("h", 1, "sni=a..b"), "option sni: 'a..b' has an empty part"),
        (("h", 1, " ".join(f"crl=/{n}" for n in range(17))), "option crl is given 17 times"),
        (("h", 1, "crl=relative"), "option crl: 'relative' is no absolute path"),
        (("h", 1, "timeout=0"), "seconds"),
        (("h", 1, "timeout=1e9"), "seconds"),
        (("h", 1, "timeout=nan"), "seconds"),
        (("h", 1, "store=relative"), "absolute"),
        (("h", 1, 5), "options"),
        (("h", 1, "proxy=p"), "has no port"),
    ],
)
def test_what_is_no_endpoint_is_refused_with_the_reason(
    values: tuple[object, ...], reason: str
) -> None:
    with pytest.raises(BadEndpoint, match=reason):
        Endpoint.parse(*values)


@pytest.mark.parametrize("options", ["colour=red", "sni", "sni=a sni=b", "proxy=p", "timeout=x", 5])
def test_a_bad_option_is_told_how_options_are_written_not_endpoints(options: object) -> None:
    with pytest.raises(BadOption) as caught:
        Endpoint.parse("db.example", 443, options)
    assert "options as key=value, divided by blanks" in caught.value.hint
    assert "HOST:PORT" not in caught.value.hint
    finding = diagnosis.bad_input(caught.value)
    assert finding.id == "BAD_INPUT"
    assert finding.action == "Write options as key=value, divided by blanks: " + (
        "'protocol=smtp timeout=10'."
    )


def test_a_bad_host_is_told_how_endpoints_are_written() -> None:
    with pytest.raises(BadEndpoint) as caught:
        Endpoint.parse("db.example")
    assert caught.value.hint == "write HOST:PORT, for example db.example:443"
    assert "'host:port'" in diagnosis.bad_input(caught.value).action


anything = st.one_of(
    st.none(), st.text(), st.integers(), st.floats(), st.decimals(), st.booleans(), st.dates()
)


@given(st.lists(anything, max_size=4))
def test_any_arguments_are_an_endpoint_or_refused(values: list[object]) -> None:
    try:
        endpoint = Endpoint.parse(*values)
    except BadEndpoint as error:
        words = str(error)
    else:
        assert endpoint.host.isascii()
        assert 0 < endpoint.port < 65536
        words = str(endpoint)
    assert words.isprintable()


def test_each_code_leads_to_one_finding_and_each_finding_has_its_texts() -> None:
    codes = [code for kind in findings.KINDS.values() for code in kind.codes]
    assert len(codes) == len(set(codes))
    for kind in findings.KINDS.values():
        assert kind.id == kind.id.upper()
        assert kind.severity in (findings.ERROR, findings.WARNING, findings.INFO)
        assert kind.cause.endswith(".")
        assert kind.action.endswith(".")


def test_every_finding_that_was_asked_for_is_declared() -> None:
    wanted = """TRUST_STORE_EMPTY CA_NOT_IN_TRUSTSTORE MISSING_INTERMEDIATE
        INTERMEDIATE_USED_AS_ANCHOR HOST_MISMATCH EXPIRED NOT_YET_VALID ANCHOR_EXPIRED EXPIRES_SOON
        SELF_SIGNED WEAK_KEY WEAK_SIGNATURE NAME_CONSTRAINT PATH_LENGTH BAD_PURPOSE BAD_SIGNATURE
        REVOKED REVOCATION_UNKNOWN STRICT_313_WILL_FAIL MITM_PROXY_SUSPECT DISTRUSTED_ROOT
        CHAIN_ORDER EXTRA_ROOT_SENT CLOCK_SKEW_SUSPECT CRL_UNREADABLE CHAIN_TOO_LARGE DNS
        REFUSED UNREACHABLE TIMEOUT NOT_TLS
        PROTOCOL_VERSION NO_CIPHER CLIENT_CERT_REQUIRED ALERT CLOSED BAD_INPUT"""
    assert set(wanted.split()) <= set(findings.KINDS)


def test_the_table_for_the_documentation_has_a_line_for_each_finding() -> None:
    lines = findings.markdown().splitlines()
    assert len(lines) == len(findings.KINDS) + 2
    assert all(line.count("|") == 6 for line in lines)


def test_a_missing_intermediate_is_certain_or_likely_as_the_documentation_says() -> None:
    seen = replace(evidence(HOST, "127.0.0.1"), received=evidence(HOST).received[:1])
    known = Examiner([store(ROOT)]).pool([evidence(HOST)])
    (certain,) = Examiner([store(ROOT)]).judge(seen, NOW, known)
    (likely,) = Examiner([store(ROOT)]).judge(seen, NOW)
    for examined, word in ((certain, "Missing"), (likely, "Probably")):
        (finding,) = (f for f in examined.findings if f.id == "MISSING_INTERMEDIATE")
        assert f" {word}" in finding.cause
        assert f"`{word}`" in findings.KINDS["MISSING_INTERMEDIATE"].certainty
    assert findings.KINDS["MISSING_INTERMEDIATE"].certainty in findings.document()


def evidence(host: str = "www.shop.de", address: str = "93.184.216.34") -> Evidence:
    leaf = make("leaf", MIDDLE, san=(host,))
    return Evidence(Endpoint(host, 443), address, True, received=(leaf.der, MIDDLE.der))


def sha256(made: object) -> str:
    import hashlib

    return hashlib.sha256(made.der).hexdigest()  # type: ignore[attr-defined]


def test_a_private_ca_on_a_public_host_is_suspect() -> None:
    default = Background(public_roots=frozenset())
    (seen,) = Examiner([store(ROOT)], default).judge(evidence(), NOW)
    assert ids(seen) == {"MITM_PROXY_SUSPECT"}
    assert seen.trusted is True
    (unknown,) = Examiner([store(make("x", ca=True))]).judge(evidence(), NOW)
    assert ids(unknown) == {"CA_NOT_IN_TRUSTSTORE", "MITM_PROXY_SUSPECT"}


@pytest.mark.parametrize(
    ("host", "address"),
    [("db.corp", "93.184.216.34"), ("db", "93.184.216.34"), ("www.shop.de", "10.1.2.3"),
     ("10.1.2.3", "10.1.2.3")],
)  # fmt: skip
def test_a_private_ca_on_a_private_host_is_not(host: str, address: str) -> None:
    default = Background(public_roots=frozenset())
    (seen,) = Examiner([store(ROOT)], default).judge(evidence(host, address), NOW)
    assert "MITM_PROXY_SUSPECT" not in ids(seen)


def test_a_public_root_and_an_unknown_default_set_are_no_grounds_for_suspicion() -> None:
    for roots in (None, frozenset([sha256(ROOT)])):
        (seen,) = Examiner([store(ROOT)], Background(public_roots=roots)).judge(evidence(), NOW)
        assert ids(seen) == set()


def test_a_ca_taken_out_of_trust_is_named_with_the_reason() -> None:
    removed = Background(removed={sha256(ROOT): "distrusted: compromised in 2026"})
    (trusted,) = Examiner([store(ROOT)], removed).judge(evidence(), NOW)
    (finding,) = trusted.findings
    assert (finding.id, finding.severity) == ("DISTRUSTED_ROOT", "WARNING")
    assert "compromised in 2026" in finding.cause


def test_a_problem_without_trust_stands_first_unless_trust_failed() -> None:
    alert = Problem("CLIENT_CERT_REQUIRED", "handshake", "certificate required")
    seen = replace(evidence(), problem=alert)
    good, bad = Examiner([store(ROOT), store()]).judge(seen, NOW)
    assert [f.id for f in good.findings] == ["CLIENT_CERT_REQUIRED"]
    assert [f.id for f in bad.findings] == ["TRUST_STORE_EMPTY", "CLIENT_CERT_REQUIRED"]


def test_a_certificate_that_we_cannot_read_is_a_finding_with_its_digest() -> None:
    seen = Evidence(Endpoint(HOST, 443), "127.0.0.1", True, received=(b"\x30\x00",))
    (examined,) = Examiner([store(ROOT)]).judge(seen, NOW)
    assert examined.trusted is False
    bad = next(f for f in examined.findings if f.id == "BAD_CERTIFICATE")
    assert (bad.depth, bad.sha256) == (0, hashlib.sha256(b"\x30\x00").hexdigest())


def test_an_unreadable_certificate_keeps_its_place_among_the_received_ones() -> None:
    seen = evidence(HOST, "127.0.0.1")
    seen = replace(seen, received=(seen.received[0], b"\x30\x00", MIDDLE.der))
    rows = list(chain_rows(Survey(NOW, (), tuple(Examiner([store(ROOT)]).judge(seen, NOW)))))
    received = [row for row in rows if row.chain == "received"]
    assert [row.position for row in received] == [1, 2, 3]
    assert [row.in_order for row in received] == [False, None, True]
    assert (received[1].subject, received[1].is_ca) == (None, None)
    assert ssl.PEM_cert_to_DER_cert(received[1].certificate_pem) == b"\x30\x00"
    assert [row.position for row in rows if row.chain == "verified"] == [1, 2, 3]


def test_only_likely_names_are_compared_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    ratio = SequenceMatcher.ratio

    def counted(matcher: SequenceMatcher[str]) -> float:
        compared.append(1)
        return ratio(matcher)

    monkeypatch.setattr(SequenceMatcher, "ratio", counted)
    offered = [*(f"{n:03}{'a' * 200}" for n in range(600)), "a" * 90_000, "db1.example"]
    assert wording.nearest("db2.example", offered[-400:]) == "db1.example"
    assert 0 < len(compared) <= 20


def test_a_namesake_with_another_key_is_pointed_out() -> None:
    namesake = make("Lab Root", ca=True, key=ec_key(99))
    (examined,) = Examiner([store(namesake)]).judge(evidence(HOST, "127.0.0.1"), NOW)
    (finding,) = examined.findings
    assert finding.id == "CA_NOT_IN_TRUSTSTORE"
    assert f"same name but another key is: CN=Lab Root,O=Lab (SHA-256 {sha256(namesake)})" in (
        finding.cause
    )


@pytest.mark.parametrize(
    ("san", "asked", "words"),
    [
        (("db1.example", "db2.example"), "db3.example", "the nearest is db"),
        (("*.example.de",), "a.b.example.de", "one label only"),
        (None, "db.example", "no subjectAltName"),
    ],
)
def test_the_difference_to_the_nearest_name_is_told(
    san: tuple[str, ...] | None, asked: str, words: str
) -> None:
    leaf = make("somebody", MIDDLE, san=san)
    seen = Evidence(Endpoint(asked, 443), None, True, received=(leaf.der, MIDDLE.der))
    (examined,) = Examiner([store(ROOT)]).judge(seen, NOW)
    assert examined.findings[0].id == "HOST_MISMATCH"
    assert words in examined.findings[0].cause


@pytest.mark.parametrize(
    "values",
    [("user:planted@h", 443), ("h", 443, "proxy=user:planted@proxy:8080"), ("h:1:planted@x:y",)],
)
def test_a_password_in_a_mistyped_endpoint_is_not_repeated(values: tuple[str, ...]) -> None:
    with pytest.raises(BadEndpoint) as caught:
        Endpoint.parse(*values)
    assert "planted" not in str(caught.value)
