"""crl=: revocation lists in files, judged beside the handshake of a real server."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from tls_lab import (
    HOST,
    Made,
    chain_context,
    examine,
    family,
    ids,
    make,
    revocation_list,
    serving,
    store,
    tls_manner,
)

from exatrust_udf import crls, libcrypto, openssl
from exatrust_udf.endpoint import Endpoint
from exatrust_udf.examine import Examined, Examiner

ROOT, MIDDLE = family()
LEAF = make("leaf", MIDDLE)
CURRENT, STALE = (-1, 9), (-9, -1)


def pem(der: bytes) -> bytes:
    return x509.load_der_x509_crl(der).public_bytes(Encoding.PEM)


def written(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def lists(directory: Path, revoked: Sequence[Made] = (), days: tuple[int, int] = CURRENT) -> str:
    """The path of a file with a list of each CA; the intermediate's revokes `revoked`."""
    both = revocation_list(MIDDLE, list(revoked), days), revocation_list(ROOT, [], CURRENT)
    return written(directory / "both.pem", b"".join(map(pem, both)))


def judged(*paths: str, chain: Sequence[Made] = (LEAF, MIDDLE), anchor: Made = ROOT) -> Examined:
    with serving(tls_manner(chain_context(chain))) as port:
        options = " ".join(f"crl={path}" for path in paths)
        (examined,) = examine(port, store(anchor), options=options)
    return examined


def test_a_chain_that_its_lists_answer_for_is_trusted(tmp_path: Path) -> None:
    found = judged(lists(tmp_path))
    assert (found.trusted, found.findings) == (True, ())


def test_a_revoked_certificate_is_the_primary_finding_although_the_handshake_went_well(
    tmp_path: Path,
) -> None:
    found = judged(lists(tmp_path, [LEAF]))
    assert (found.trusted, found.case.evidence.verify_code) == (False, 0)
    (finding,) = found.findings
    assert (finding.id, finding.depth, finding.subject) == ("REVOKED", 0, "CN=leaf,O=Lab")


def test_pem_and_der_may_be_given_in_files_of_their_own(tmp_path: Path) -> None:
    root = written(tmp_path / "root.crl", revocation_list(ROOT, [MIDDLE], CURRENT))
    middle = written(tmp_path / "middle.pem", pem(revocation_list(MIDDLE, [], CURRENT)))
    found = judged(root, middle)
    assert [(f.id, f.depth) for f in found.findings] == [("REVOKED", 1)]


def test_a_list_out_of_date_answers_for_nothing_and_names_the_ca(tmp_path: Path) -> None:
    found = judged(lists(tmp_path, days=STALE))
    assert found.trusted is False
    (finding,) = found.findings
    assert (finding.id, finding.depth) == ("REVOCATION_UNKNOWN", 0)
    assert "Its CA is CN=Lab Issuing,O=Lab" in finding.cause


def test_a_ca_without_a_list_leaves_its_certificates_unanswered_for(tmp_path: Path) -> None:
    found = judged(written(tmp_path / "root.crl", revocation_list(ROOT, [], CURRENT)))
    assert found.trusted is False
    assert {(f.id, f.depth) for f in found.findings} == {("REVOCATION_UNKNOWN", 0)}


UNREADABLE = {
    "missing": (None, "No such file or directory"),
    "empty": (b"", "no revocation list in it"),
    "text": (b"hello", "no revocation list in it"),
    "a certificate": (ROOT.pem, "block 1: CERTIFICATE, not X509 CRL"),
    "a certificate in DER": (ROOT.der, "the file is no revocation list"),
    "garbage in DER": (b"\x30\x03abc", "the file is no revocation list"),
    "not base64": (b"-----BEGIN X509 CRL-----\n!\n-----END X509 CRL-----\n", "not base64"),
    "without end": (b"-----BEGIN X509 CRL-----\nAAAA\n", "no END X509 CRL follows"),
    "not one": (b"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n", "block 1 is no rev"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_an_unreadable_list_is_a_row_and_what_it_should_answer_for_is_not_trusted(
    case: str, tmp_path: Path
) -> None:
    content, reason = UNREADABLE[case]
    path = tmp_path / "x.crl"
    if content is not None:
        path.write_bytes(content)
    found = judged(str(path))
    assert found.trusted is False
    first = found.findings[0]
    assert (first.id, first.severity) == ("CRL_UNREADABLE", "ERROR")
    assert str(path) in first.cause
    assert reason in first.cause
    assert "Check the path after crl=" in first.action
    assert ids(found) == {"CRL_UNREADABLE", "REVOCATION_UNKNOWN"}


def test_a_directory_and_a_pipe_are_rows_too(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        first = judged(str(path)).findings[0]
        assert first.id == "CRL_UNREADABLE"
        assert str(path) in first.cause


def test_a_list_too_many_that_cannot_be_read_is_a_warning(tmp_path: Path) -> None:
    found = judged(lists(tmp_path), str(tmp_path / "missing.crl"))
    assert found.trusted is True
    assert [(f.id, f.severity) for f in found.findings] == [("CRL_UNREADABLE", "WARNING")]


def test_a_broken_block_does_not_spoil_the_others(tmp_path: Path) -> None:
    path = Path(lists(tmp_path))
    path.write_bytes(path.read_bytes() + ROOT.pem)
    found = judged(str(path))
    assert found.trusted is True
    assert "block 3: CERTIFICATE, not X509 CRL" in found.findings[0].cause


def test_what_the_handshake_refused_stays_the_primary_finding(tmp_path: Path) -> None:
    expired = make("late", MIDDLE, days=(-90, -30))
    found = judged(str(tmp_path / "missing.crl"), chain=[expired, MIDDLE])
    assert found.findings[0].id == "EXPIRED"
    assert "CRL_UNREADABLE" in ids(found)


def test_a_list_of_somebody_else_who_has_the_cas_name_is_not_believed(tmp_path: Path) -> None:
    _, stranger = family()
    forged = revocation_list(stranger, [], CURRENT)
    real = revocation_list(ROOT, [], CURRENT)
    found = judged(written(tmp_path / "forged.crl", forged), written(tmp_path / "r.crl", real))
    assert found.trusted is False
    assert ids(found) == {"REVOCATION_UNKNOWN"}


def test_a_new_list_counts_from_the_next_statement_on(tmp_path: Path) -> None:
    examiner = Examiner([store(ROOT)])
    now = dt.datetime.now(dt.timezone.utc)
    verdicts = []
    with serving(tls_manner(chain_context([LEAF, MIDDLE]))) as port:
        for revoked in ([], [LEAF], []):
            endpoint = Endpoint.parse(HOST, port, f"crl={lists(tmp_path, revoked)}")
            verdicts += [found.trusted for found in examiner.examine([endpoint], now)]
    assert verdicts == [True, False, True]


def test_endpoints_with_and_without_lists_do_not_mix(tmp_path: Path) -> None:
    revoked = lists(tmp_path, [LEAF])
    with serving(tls_manner(chain_context([LEAF, MIDDLE]))) as port:
        endpoints = [
            Endpoint.parse(HOST, port, options)
            for options in (None, f"crl={revoked}", f"crl={tmp_path}/missing", "timeout=3")
        ]
        found = Examiner([store(ROOT)]).examine(endpoints, dt.datetime.now(dt.timezone.utc))
        verdicts = [examined.trusted for examined in found]
    assert verdicts == [True, False, False, True]


def test_without_libcrypto_nobody_says_that_a_certificate_is_not_revoked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_reach() -> object:
        raise libcrypto.LibcryptoOutOfReach("planted")

    monkeypatch.setattr(openssl, "library", out_of_reach)
    found = judged(lists(tmp_path, [LEAF]))
    assert found.trusted is None
    assert ids(found) == {"VERDICT_UNKNOWN"}


def test_a_file_with_a_nul_in_its_name_is_a_problem_not_an_exception() -> None:
    assert crls.read("/a\0b").problems == ("embedded null byte",)
