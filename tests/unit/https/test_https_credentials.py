"""Credentials of a CONNECTION: sent to one host, in one of four ways, and shown nowhere."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme

from exatrust_udf.https_credentials import BadCredentials, Credentials, client_context, read

SECRET = "s3cr3t-planted"


def given(user: str | None, password: str | None, address: str | None = "https://erp.example"):
    return SimpleNamespace(type="password", address=address, user=user, password=password)


@pytest.mark.parametrize(
    ("user", "password", "headers"),
    [
        ("alice", "pässword:1", {"Authorization": "Basic YWxpY2U6cMOkc3N3b3JkOjE="}),
        ("bearer:", "abc.def", {"Authorization": "Bearer abc.def"}),
        ("header:X-Api-Key", "abc", {"X-Api-Key": "abc"}),
    ],
)
def test_the_user_says_how_the_password_is_sent(
    user: str, password: str, headers: dict[str, str]
) -> None:
    found = read("API", given(user, password))
    assert found == Credentials("API", ("erp.example", 443), headers)
    assert password not in repr(found)


@pytest.mark.parametrize(
    ("connection", "why"),
    [
        (given("a", SECRET, None), "says to which host"),
        (given("a", SECRET, "erp.example"), "says to which host"),
        (given("a", SECRET, "http://erp.example"), "only https"),
        (given("a", SECRET, "https://*.example"), "not a host name"),
        (given("a", SECRET, "https://erp.example/v1/"), "has a path"),
        (given("a", SECRET, f"https://a:{SECRET}@erp.example"), "CONNECTION"),
        (given(None, SECRET), "has no USER"),
        (given(" ", SECRET), "has no USER"),
        (given("a", None), "has no password"),
        (given("a", ""), "has no password"),
        (given("oauth:", SECRET), "none of bearer:"),
        (given("bearer:", SECRET + "\n"), "line break"),
        (given("bearer:", f"x\r\nX: {SECRET}"), "line break"),
        (given("header:", SECRET), "cannot be sent"),
        (given("header:X Y", SECRET), "cannot be sent"),
        (given("header:Content-Length", SECRET), "not for secrets"),
        (given("header:X", SECRET + "€"), "Latin-1"),
        (given("certificate:", SECRET), "PEM"),
        (given("certificate:", "-----BEGIN ENCRYPTED PRIVATE KEY----- "
               f"{SECRET} -----BEGIN CERTIFICATE-----"), "encrypted"),
    ],
)  # fmt: skip
def test_a_connection_that_cannot_be_used_is_refused_without_its_secret(
    connection: SimpleNamespace, why: str
) -> None:
    with pytest.raises(BadCredentials, match=why) as refused:
        read("API", connection)
    assert SECRET not in str(refused.value)
    assert "API" in str(refused.value)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_client_certificate_reaches_openssl_and_leaves_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    leaf = trustme.CA().issue_cert("client.example")
    pem = leaf.private_key_and_cert_chain_pem.bytes().decode()
    found = read("API", given("certificate:", pem))
    assert found.headers == {}
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = descriptors()
    client_context(ssl.create_default_context(), found)
    assert descriptors() == before
    assert not list(tmp_path.iterdir())
    assert "PRIVATE KEY" not in repr(found)


def test_without_memory_files_the_key_is_in_a_file_without_a_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delattr(os, "memfd_create")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    leaf = trustme.CA().issue_cert("client.example")
    pem = leaf.private_key_and_cert_chain_pem.bytes().decode()
    client_context(ssl.create_default_context(), read("API", given("certificate:", pem)))
    assert not list(tmp_path.iterdir())


def test_a_certificate_with_the_key_of_another_is_refused() -> None:
    ca = trustme.CA()
    one, other = ca.issue_cert("a.example"), ca.issue_cert("b.example")
    pem = one.private_key_pem.bytes() + other.cert_chain_pems[0].bytes()
    found = read("API", given("certificate:", pem.decode()))
    with pytest.raises(BadCredentials, match="cannot be used") as refused:
        client_context(ssl.create_default_context(), found)
    assert "PRIVATE KEY" not in str(refused.value)


def test_a_damaged_key_is_refused_and_asks_for_nothing() -> None:
    leaf = trustme.CA().issue_cert("a.example")
    pem = leaf.private_key_and_cert_chain_pem.bytes().decode()
    legacy = pem.replace("PRIVATE KEY-----\n", "PRIVATE KEY-----\nDEK-Info: AES-256-CBC,00\n\n", 1)
    found = read("API", given("certificate:", legacy))
    with pytest.raises(BadCredentials, match="cannot be used"):
        client_context(ssl.create_default_context(), found)
