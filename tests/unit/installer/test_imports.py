"""Verdicts read out of IMPORT's errors, and the steps for each version."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exatrust import imports
from exatrust.host_steps import numbers, rule, steps
from exatrust.imports import Answer, read_error, together

READ = "ETL-5105: Following error occured while reading data from external connection"


def curl(text: str, code: int, name: str = "name") -> str:
    return (
        f"{READ} [https://h:1/x.csv failed after 0 bytes. [{text}],[{code}],[{name}]] (Session: 1)"
    )


@pytest.mark.parametrize(
    ("text", "code", "verdict", "finding"),
    [
        ("SSL certificate problem: unable to get local issuer certificate", 60, "NOT_TRUSTED",
         "CA_NOT_IN_TRUSTSTORE"),
        ("SSL certificate problem: self-signed certificate in certificate chain", 60,
         "NOT_TRUSTED", "CA_NOT_IN_TRUSTSTORE"),
        ("SSL certificate problem: self signed certificate", 60, "NOT_TRUSTED", "SELF_SIGNED"),
        ("SSL certificate problem: certificate has expired", 60, "NOT_TRUSTED", "EXPIRED"),
        ("SSL: no alternative certificate subject name matches target host name 'h'", 60,
         "NOT_TRUSTED", "HOST_MISMATCH"),
        ("SSL certificate problem: something new", 60, "NOT_TRUSTED", "VERIFY_ERROR"),
        ("Could not resolve host: h", 6, "UNREACHABLE", "DNS"),
        ("Failed to connect to h port 1: Connection refused", 7, "UNREACHABLE", "REFUSED"),
        ("Connection timed out after 10000 milliseconds", 28, "UNREACHABLE", "TIMEOUT"),
        ("error:0A00010B:SSL routines::wrong version number", 35, "NO_HANDSHAKE", "NOT_TLS"),
        ("Empty reply from server", 52, "TRUSTED", None),
        ("transfer closed with outstanding read data remaining", 18, "TRUSTED", None),
        ("no idea", 99, "UNKNOWN", None),
    ],
)  # fmt: skip
def test_libcurl_s_code_and_text_tell_the_verdict(text, code, verdict, finding) -> None:
    found = read_error("42636", curl(text, code))
    assert (found.verdict, found.finding) == (verdict, finding)


@pytest.mark.parametrize(
    ("code", "text", "verdict"),
    [
        ("42636", f"{READ} [https://h/x failed with error code=404 after 9 bytes. Not Found]",
         "TRUSTED"),
        ("42636", "ETL-2106: row 1 has 3 columns, expected 1", "TRUSTED"),
        ("42636", f"{READ} [SSL certificate problem: self-signed certificate]", "NOT_TRUSTED"),
        ("42000", "syntax error, unexpected VERIFY_, expecting FILE_ [line 1]", "NOT_SUPPORTED"),
        ("42636", "ETL-9999: what is this", "UNKNOWN"),
    ],
)  # fmt: skip
def test_other_answers_tell_it_too(code, text, verdict) -> None:
    assert read_error(code, text).verdict == verdict


@given(st.text(), st.text())
def test_no_error_is_taken_for_trust_unless_a_file_or_http_answered(code, text) -> None:
    if read_error(code, text).verdict == "TRUSTED":
        assert "ETL-" in text or "error code=" in text or "],[" in text


def test_one_try_that_fails_makes_the_verdict_and_is_counted() -> None:
    found = together("h:1", [Answer("TRUSTED"), Answer("NOT_TRUSTED", "EXPIRED", "x")])
    assert (found.verdict, found.finding, found.agreeing, found.tries) == (
        "NOT_TRUSTED", "EXPIRED", 1, 2,
    )  # fmt: skip
    assert not found.trusted


def test_the_documentation_has_every_verdict_and_every_step() -> None:
    document = (Path(__file__).parents[3] / "docs/import.md").read_text(encoding="utf-8")
    for verdict in imports.SEVERITY:
        assert f"\n| `{verdict}` |" in document
    plain = " ".join(document.split())
    for word in (
        "update-ca-trust",
        "keytool -importcert",
        "-etlCheckCertsDefault=0",
        "cert_update",
    ):
        assert word in plain


def test_each_version_has_its_rule_and_its_steps() -> None:
    assert numbers("2025.1.8") == (2025, 1)
    assert numbers("unknown") == (0, 0)
    assert "verifies no certificate" in rule("7.1.30")
    assert "where the statement says VERIFY CERTIFICATE" in rule("8.34.0")
    assert "unless the statement says IGNORE CERTIFICATE" in rule("2025.1.8")
    assert "8.32" in steps("8.29.13")[0]
    assert any("keytool" in line for line in steps("8.32.0"))
