"""Judging in memory: NIST's PKITS, revocation lists, memory, and a libcrypto out of reach."""

from __future__ import annotations

import ctypes
import datetime as dt
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import cryptography_vectors
import pytest
from tls_lab import (
    DAY,
    HOST,
    NOW,
    Made,
    chain_context,
    examine,
    family,
    ids,
    make,
    revocation_list,
    server_context,
    serving,
    store,
    tls_manner,
)

from exatrust_udf import libcrypto, openssl
from exatrust_udf.crls import Lists
from exatrust_udf.endpoint import Endpoint
from exatrust_udf.examine import Examiner
from exatrust_udf.handshake import client_context, collect
from exatrust_udf.openssl import Anchors, Chain, judge

ROOT, MIDDLE = family()
LEAF = make("leaf", MIDDLE)
PKITS = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"

# PKITS sections 4.8 to 4.12: what they call invalid is so only for a verifier that is given a
# policy to insist on. TLS clients have none (Python and OpenSSL's s_client do not set one).
NEEDS_POLICIES = (
    "InvalidMappingFromanyPolicyTest7", "InvalidMappingToanyPolicyTest8",
    "InvalidPolicyMappingTest10", "InvalidPolicyMappingTest2", "InvalidPolicyMappingTest4",
    "InvalidSelfIssuedinhibitAnyPolicyTest10", "InvalidSelfIssuedinhibitAnyPolicyTest8",
    "InvalidSelfIssuedinhibitPolicyMappingTest10", "InvalidSelfIssuedinhibitPolicyMappingTest11",
    "InvalidSelfIssuedinhibitPolicyMappingTest8", "InvalidSelfIssuedinhibitPolicyMappingTest9",
    "InvalidSelfIssuedrequireExplicitPolicyTest7", "InvalidSelfIssuedrequireExplicitPolicyTest8",
    "InvalidinhibitAnyPolicyTest1", "InvalidinhibitAnyPolicyTest4", "InvalidinhibitAnyPolicyTest5",
    "InvalidinhibitAnyPolicyTest6", "InvalidinhibitPolicyMappingTest1",
    "InvalidinhibitPolicyMappingTest3", "InvalidinhibitPolicyMappingTest5",
    "InvalidinhibitPolicyMappingTest6", "InvalidrequireExplicitPolicyTest3",
    "InvalidrequireExplicitPolicyTest5",
)  # fmt: skip
# OpenSSL refuses these valid paths: it takes no DSA parameters from an issuer, and finds no way to
# the separate CRL issuer of the other one.
OPENSSL_REFUSES = {"ValidDSAParameterInheritanceTest5": 20, "ValidcRLIssuerTest30": 54}


def test_every_invalid_path_of_pkits_is_rejected_and_every_valid_one_accepted() -> None:
    certs = {p.stem: p.read_bytes() for p in sorted((PKITS / "certs").glob("*.crt"))}
    crls = [p.read_bytes() for p in sorted((PKITS / "crls").glob("*.crl"))]
    others = [der for stem, der in certs.items() if not stem.endswith("EE")]
    verdicts = {}
    with Anchors([certs["TrustAnchorRootCertificate"]]) as anchors:
        for stem, der in certs.items():
            if stem.endswith("EE"):
                at = dt.datetime(2020, 6, 1, tzinfo=dt.timezone.utc)
                verdict = judge([der, *others], anchors, at=at, security_level=0, crls=crls)
                verdicts[stem.removesuffix("EE")] = verdict.failures[:1]
    accepted = {n for n, failed in verdicts.items() if n.startswith("Invalid") and not failed}
    refused = {n: f[0].code for n, f in verdicts.items() if not n.startswith("Invalid") and f}
    assert len(verdicts) == 223
    assert accepted == set(NEEDS_POLICIES)
    assert refused == OPENSSL_REFUSES


def test_every_error_is_reported_with_its_depth() -> None:
    leaf = make("bad leaf", MIDDLE, san=("x.example",), days=(-30, -10))
    verdict = judge([leaf.der, MIDDLE.der], [make("other", ca=True).der], name=HOST)
    assert {(f.code, f.depth) for f in verdict.failures} == {(20, 1), (62, 0), (10, 0)}
    assert verdict.chain == (leaf.der, MIDDLE.der)


def test_a_trusted_chain_is_returned_with_its_root() -> None:
    verdict = judge([LEAF.der, MIDDLE.der], [ROOT.der], name=HOST)
    assert verdict.trusted
    assert verdict.chain == (LEAF.der, MIDDLE.der, ROOT.der)


def test_another_time_gives_another_verdict() -> None:
    late = judge([LEAF.der, MIDDLE.der], [ROOT.der], name=HOST, at=NOW + 500 * DAY)
    assert [(f.code, f.depth) for f in late.failures] == [(10, 0)]


def test_an_intermediate_is_an_anchor_only_with_partial_chains() -> None:
    assert not judge([LEAF.der], [MIDDLE.der]).trusted
    assert judge([LEAF.der], [MIDDLE.der], partial_chain=True).trusted


def test_a_certificate_that_openssl_cannot_read_is_an_error_not_a_crash() -> None:
    assert judge([b"garbage"], [ROOT.der]).failures[0].code == 1
    assert judge([], [ROOT.der]).failures[0].code == 1
    verdict = judge([LEAF.der, b"\x30\x03\x02\x01\x01", MIDDLE.der], [b"", ROOT.der])
    assert verdict.trusted


def test_unreadable_anchors_are_counted() -> None:
    with Anchors([b"\x30\x00", ROOT.der, ROOT.der]) as anchors:
        assert anchors.unreadable == 1


@pytest.mark.parametrize(
    ("revoked", "days", "expected"),
    [
        ([], (-1, 9), set()),
        ([LEAF], (-1, 9), {"REVOKED"}),
        ([], (-9, -1), {"REVOCATION_UNKNOWN"}),
    ],
    ids=["not revoked", "revoked", "list out of date"],
)
def test_revocation_is_judged_when_lists_are_given(
    revoked: list[Made], days: tuple[int, int], expected: set[str]
) -> None:
    lists = [revocation_list(MIDDLE, revoked, days), revocation_list(ROOT, [], (-1, 9))]
    with serving(tls_manner(chain_context([LEAF, MIDDLE]))) as port:
        endpoint = Endpoint.parse(HOST, port)
        examiner = Examiner([store(ROOT)], lists=[Lists("given", tuple(lists))])
        (examined,) = examiner.examine([endpoint], dt.datetime.now(dt.timezone.utc))
        (without,) = examine(port, store(ROOT))
    assert ids(examined) == expected
    assert examined.trusted is (not expected)
    assert ids(without) == set()


def resident_kilobytes() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def test_a_chain_read_once_is_judged_like_one_read_anew() -> None:
    loose = make("loose", ROOT, ca=True, basic_critical=False)
    ders = [make("leaf", loose).der, b"garbage", loose.der]
    late = dt.datetime(2099, 1, 1, tzinfo=dt.timezone.utc)
    with Chain(ders) as chain, Anchors([ROOT.der]) as anchors:
        for asked in ({"strict": True}, {}, {"at": late}, {"name": "x.example"}, {"strict": True}):
            assert judge(chain, anchors, **asked) == judge(ders, [ROOT.der], **asked)  # type: ignore[arg-type]
        assert judge(chain, [MIDDLE.der]).failures


def test_many_judgements_leave_no_memory_behind() -> None:
    leaf = make("bad leaf", MIDDLE, san=("x.example",), days=(-30, -10))
    chain = [leaf.der, MIDDLE.der]

    def work(rounds: int) -> None:
        for _ in range(rounds):
            judge(chain, anchors, name=HOST)
            judge([b"garbage"], anchors)
            with Chain(chain) as read:
                judge(read, anchors)

    with Anchors([ROOT.der]) as anchors:
        work(500)
        before = resident_kilobytes()
        work(5000)
        grown = resident_kilobytes() - before
    # One leaked certificate is more than 1 kB, so 5000 of them would be more than 5 MB.
    assert grown < 1500


def test_stores_are_freed_too() -> None:
    ders = [make(f"root {n}", ca=True).der for n in range(20)]

    def work(rounds: int) -> None:
        for _ in range(rounds):
            with Anchors(ders):
                pass

    work(20)
    before = resident_kilobytes()
    work(200)
    assert resident_kilobytes() - before < 1500


def test_objects_are_freed_once_and_in_reverse_order() -> None:
    freed: list[int] = []
    owned = openssl._Owned()
    owned.own(1, freed.append)
    owned.own(2, freed.append)
    owned.close()
    owned.close()
    assert freed == [2, 1]
    with pytest.raises(MemoryError):
        owned.own(None, freed.append)


def test_the_library_is_the_one_of_this_pythons_ssl_module() -> None:
    import ssl

    assert libcrypto.library().OpenSSL_version_num() == ssl.OPENSSL_VERSION_NUMBER


def test_a_library_without_the_functions_counts_as_out_of_reach() -> None:
    with pytest.raises(libcrypto.LibcryptoOutOfReach, match="libc"):
        libcrypto._find(iter(["libc.so.6"]))
    with pytest.raises(libcrypto.LibcryptoOutOfReach, match="no libcrypto"):
        libcrypto._find(iter([]))
    with pytest.raises(libcrypto.LibcryptoOutOfReach, match="/no/such"):
        libcrypto._find(iter(["/no/such/libcrypto.so"]))


def test_another_openssl_than_the_ssl_modules_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libcrypto, "ssl", SimpleNamespace(OPENSSL_VERSION_NUMBER=0x1010100F))
    path = next(iter(libcrypto._candidates()))
    with pytest.raises(libcrypto.LibcryptoOutOfReach, match="not 0x1010100f"):
        libcrypto._find(iter([path]))


def test_every_bound_function_is_in_openssl_1_1_1_and_3() -> None:
    """The manual pages of 1.1.1 name them all; those renamed in 3.0 must not be bound."""
    renamed = {"EVP_PKEY_get_bits", "X509_STORE_CTX_set_verify", "SSL_get1_peer_certificate"}
    assert not renamed & set(libcrypto._SIGNATURES)


def test_without_libcrypto_the_first_error_is_known_and_the_row_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def out_of_reach() -> ctypes.CDLL:
        raise libcrypto.LibcryptoOutOfReach("planted")

    monkeypatch.setattr(openssl, "library", out_of_reach)
    bad = make("bad leaf", MIDDLE, san=("x.example",), days=(-30, -10))
    with serving(tls_manner(chain_context([bad, MIDDLE]))) as port:
        own, other = examine(port, store(ROOT), others=[store(ROOT, MIDDLE)])
    assert [f.id for f in own.findings] == ["HOST_MISMATCH", "VERDICT_UNKNOWN"]
    assert own.trusted is False
    assert [f.id for f in other.findings] == ["VERDICT_UNKNOWN"]
    assert other.trusted is None
    with serving(tls_manner(chain_context([LEAF, MIDDLE]))) as port:
        (good,) = examine(port, store(ROOT))
    assert (good.trusted, good.findings) == (True, ())
    assert [c.subject for c in good.case.chain][-1] == "CN=Lab Root,O=Lab"


STRICT_DEFECTS = {
    "no AKI": lambda: [make("leaf", MIDDLE, aki=False), MIDDLE],
    "CA without SKI": lambda: _below(make("no SKI", ROOT, ca=True, ski=False)),
    "CA without key usage": lambda: _below(make("no KU", ROOT, ca=True, key_usage=False)),
    "basic constraints not critical": lambda: _below(
        make("loose", ROOT, ca=True, basic_critical=False)
    ),
    "nothing": lambda: [LEAF, MIDDLE],
}


def _below(ca: Made) -> list[Made]:
    return [make("leaf", ca), ca]


CLIENT = """
import socket, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
try:
    with socket.create_connection(("localhost", int(sys.argv[1])), 5) as raw:
        context.wrap_socket(raw, server_hostname="localhost").close()
    print(0)
except ssl.SSLCertVerificationError as error:
    print(error.verify_code)
"""


def python_313() -> str:
    homes = (Path.home() / ".pyenv" / "versions").glob("3.13.*/bin/python3")
    for candidate in (shutil.which("python3.13"), *map(str, homes)):
        if candidate:
            done = subprocess.run([candidate, "-c", "import ssl"], capture_output=True, timeout=30)
            if done.returncode == 0:
                return candidate
    pytest.skip("no Python 3.13 on this machine")


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="strict already")
@pytest.mark.parametrize("defect", STRICT_DEFECTS)
def test_the_forecast_for_python_313_is_what_python_313_does(defect: str, tmp_path: Path) -> None:
    python = python_313()
    chain = STRICT_DEFECTS[defect]()
    (tmp_path / "root.pem").write_bytes(ROOT.pem)
    with serving(tls_manner(chain_context(chain))) as port:
        (examined,) = examine(port, store(ROOT))
        done = subprocess.run(
            [python, "-I", "-c", CLIENT, str(port), str(tmp_path / "root.pem")],
            capture_output=True, text=True, timeout=30, check=True,
        )  # fmt: skip
    assert examined.trusted is True
    forecast = {f.id: f.code for f in examined.findings}
    real = int(done.stdout)
    assert forecast == ({} if real == 0 else {"STRICT_313_WILL_FAIL": real})
    assert (defect == "nothing") is (real == 0)


def test_the_handshakes_verdict_and_the_judgement_are_the_same() -> None:
    chain = [make("leaf", MIDDLE, days=(-30, -10)), MIDDLE]
    context = server_context(chain[0].key_pem, b"".join(m.pem for m in chain))
    with serving(tls_manner(context)) as port:
        (evidence,) = collect([Endpoint.parse(HOST, port)], client_context([ROOT.der]))
    verdict = judge(evidence.received, [ROOT.der], name=HOST)
    assert evidence.verify_code == verdict.failures[0].code == 10
