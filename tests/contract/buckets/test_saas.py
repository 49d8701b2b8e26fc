"""Exasol SaaS: what is asked of it, and what becomes of its errors."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from exatrust.bucket import may_write
from exatrust.buckets import open_bucket
from exatrust.credentials import Sources
from exatrust.errors import (
    BucketFSFailed,
    BucketFSUnreachable,
    CertificateRefused,
    MissingBucket,
    SettingsError,
    WrongPassword,
)
from exatrust.saas import SaasBucket
from exatrust.settings import BucketFSSettings

from ..saas_double import ACCOUNT, DATABASE, SaasDouble
from .conftest import TOKEN

Open = Callable[..., SaasBucket]


@pytest.fixture
def bucket(open_saas: Open) -> SaasBucket:
    return open_saas()


def test_keys_are_encoded_once_and_the_database_is_found_by_its_name(
    bucket: SaasBucket, saas: SaasDouble
) -> None:
    bucket.write("exatrust/a b", b"1")
    files = f"/api/v1/accounts/{ACCOUNT}/databases/{DATABASE}/files"
    assert [(item.method, item.path) for item in saas.api_requests] == [
        ("GET", f"/api/v1/accounts/{ACCOUNT}/databases"),
        ("POST", f"{files}/exatrust%2Fa%20b"),
    ]


def test_a_database_is_found_by_its_id_too(open_saas: Open) -> None:
    assert open_saas(saas_database=DATABASE).list() == ()


@pytest.mark.parametrize("wanted", ["absent", "oldDatabase0000000000A"])
def test_a_database_that_is_not_there_is_named_with_those_that_are(
    open_saas: Open, wanted: str
) -> None:
    with pytest.raises(MissingBucket) as missing:
        open_saas(saas_database=wanted).list()
    assert f"database {wanted}; it has: analytics ({DATABASE}), other (" in missing.value.message
    assert "bucketfs.saas_database" in missing.value.action


def test_the_token_goes_to_the_api_alone(bucket: SaasBucket, saas: SaasDouble) -> None:
    bucket.write("a", b"1")
    bucket.read("a")
    assert {item.headers["authorization"] for item in saas.api_requests} == {f"Bearer {TOKEN}"}
    assert len(saas.store_requests) == 2
    assert TOKEN not in str(saas.store_requests)


def test_a_wrong_token_is_said_without_repeating_it(
    open_saas: Open, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(WrongPassword) as refused:
        open_saas("planted-wrong-token").list()
    assert "EXATRUST_BUCKETFS_PASSWORD" in refused.value.action
    assert "planted-wrong" not in f"{refused.value} {refused.value.action} {caplog.text}"


def test_a_token_that_is_revoked_in_between_is_no_permission(
    bucket: SaasBucket, saas: SaasDouble
) -> None:
    bucket.list()
    saas.token = "another"
    assert not may_write(bucket, "exatrust")


def test_an_unknown_account_names_the_setting(open_saas: Open) -> None:
    with pytest.raises(BucketFSFailed, match="could not list the databases: HTTP 404") as failed:
        open_saas(saas_account_id="absent").list()
    assert "bucketfs.saas_account_id" in failed.value.action


@pytest.mark.parametrize("missing", [("api", 404), ("store", 404), ("store", 403)])
def test_a_missing_file_is_none_whoever_says_so(
    bucket: SaasBucket, saas: SaasDouble, missing: tuple[str, int]
) -> None:
    saas.faults.missing = missing
    assert bucket.read("exatrust/absent") is None
    bucket.delete("exatrust/absent")


def test_a_file_that_is_listed_and_not_given_is_an_error(
    bucket: SaasBucket, saas: SaasDouble
) -> None:
    bucket.write("a", b"1")
    saas.faults.expired = True
    with pytest.raises(BucketFSFailed, match="lists a, and its object store does not give it"):
        bucket.read("a")
    with pytest.raises(BucketFSFailed, match="could not write b: HTTP 403"):
        bucket.write("b", b"1")


def test_empty_folders_are_no_files(bucket: SaasBucket, saas: SaasDouble) -> None:
    saas.faults.empty_folders = ("exatrust/empty",)
    bucket.write("exatrust/a", b"1")
    assert bucket.list() == ("exatrust/a",)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_passing_errors_are_waited_out(
    bucket: SaasBucket, saas: SaasDouble, pauses: list[float], status: int
) -> None:
    saas.faults.api_statuses = [0, status, status]
    saas.faults.store_statuses = [status]
    bucket.write("a", b"1" * 100_000)
    assert saas.files == {"a": b"1" * 100_000}
    assert len(pauses) == 3


def test_a_lasting_error_is_bounded_and_said(
    bucket: SaasBucket, saas: SaasDouble, pauses: list[float]
) -> None:
    bucket.list()
    saas.faults.store_statuses = [502] * 100
    with pytest.raises(BucketFSFailed, match="could not write a: HTTP 502"):
        bucket.write("a", b"1")
    assert sum(pauses) < 10


def test_slow_answers_are_waited_for_and_silence_is_not(
    open_saas: Open, saas: SaasDouble, pauses: list[float]
) -> None:
    saas.faults.slow_seconds = 0.3
    assert open_saas().list() == ()
    with pytest.raises(BucketFSUnreachable, match=f"does not answer at {saas.url}: .*timed out"):
        open_saas(seconds=0.1).list()
    assert len(pauses) == 4


def test_nobody_listening_is_unreachable_and_named(open_saas: Open) -> None:
    with socket.socket() as placeholder:
        placeholder.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{placeholder.getsockname()[1]}"
        with pytest.raises(BucketFSUnreachable, match=f"at {url}: .*refused") as unreachable:
            open_saas(saas_url=url).list()
    assert "bucketfs.saas_url" in unreachable.value.action


def test_something_else_that_speaks_https_is_no_saas(open_saas: Open, saas: SaasDouble) -> None:
    saas.faults.api_statuses = [200]
    with pytest.raises(BucketFSFailed, match="is not understood") as failed:
        open_saas().list()
    assert "bucketfs.saas_url" in failed.value.action


def test_a_redirect_is_not_followed(open_saas: Open, saas: SaasDouble) -> None:
    saas.faults.api_statuses = [302]
    with pytest.raises(BucketFSFailed, match="HTTP 302"):
        open_saas().list()


def test_an_address_without_tls_is_not_used(bucket: SaasBucket, saas: SaasDouble) -> None:
    saas.faults.scheme = "http"
    with pytest.raises(BucketFSFailed, match="is not understood"):
        bucket.write("a", b"1")
    assert saas.store_requests == []


def test_only_the_given_ca_is_trusted(
    open_saas: Open, saas: SaasDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    ca_file: Path,
) -> None:  # fmt: skip
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(ca_file))
    with pytest.raises(CertificateRefused, match="not accepted") as refused:
        open_saas(ca_file=other).list()
    assert "bucketfs.ca_file" in refused.value.action
    assert saas.api_requests == []


def test_without_ca_file_the_systems_roots_decide(open_saas: Open) -> None:
    with pytest.raises(CertificateRefused):
        open_saas(ca_file=None).list()


def test_a_certificate_for_another_name_is_refused(open_saas: Open, saas: SaasDouble) -> None:
    with pytest.raises(CertificateRefused):
        open_saas(saas_url=saas.url.replace("localhost", "127.0.0.1")).list()


def test_no_secret_is_logged_by_anybody(
    bucket: SaasBucket, saas: SaasDouble, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        bucket.write("exatrust/a", b"1")
        bucket.read("exatrust/a")
        saas.faults.store_statuses = [403, 403]
        with pytest.raises(BucketFSFailed) as failed:
            bucket.write("exatrust/b", b"1")
        bucket.delete("exatrust/a")
    shown = f"{caplog.text} {failed.value} {failed.value.action}"
    assert [secret for secret in (TOKEN, "X-Amz", *saas.signatures) if secret in shown] == []
    assert f"PUT {saas.store_url}/(presigned): 200" in caplog.text


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "exatrust.saas")
    monkeypatch.setitem(sys.modules, "exasol.saas.client.openapi", None)
    settings = BucketFSSettings(saas_url="https://saas.example")
    with pytest.raises(SettingsError, match="exasol") as refused:
        open_bucket(settings, Sources({"EXATRUST_BUCKETFS_PASSWORD": "t"}, None, print))
    assert "exatrust[saas]" in refused.value.action
