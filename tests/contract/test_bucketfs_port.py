"""The BucketFS port against the mock BucketFS: TLS, passwords, retries, errors."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from exatrust.bucketfs import BucketFS
from exatrust.credentials import Secret
from exatrust.errors import (
    BucketFSFailed,
    BucketFSUnreachable,
    CertificateRefused,
    MissingBucket,
    WrongPassword,
)
from exatrust.settings import BucketFSSettings
from exatrust_sandbox.database.certificate import (
    ServerCertificate,
    default_style,
    server_context,
    signed_by,
)
from exatrust_sandbox.mock_bucketfs.service import BucketFS as Service
from exatrust_sandbox.mock_bucketfs.service import BucketSpec

WRITE = "planted-write-password"


class Clock:
    """The mock's clock, which the port's pauses move."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def serve(tmp_path: Path, clock: Clock) -> Iterator[Callable[..., Service]]:
    """Starts the mock with a certificate, on HTTP and HTTPS."""
    running: list[Service] = []

    def start(certificate: ServerCertificate, port: int = 0) -> Service:
        buckets = [
            BucketSpec("default", "read", WRITE, public=False),
            BucketSpec("other", "read", WRITE, public=True),
        ]
        service = Service(
            tmp_path / "bucketfs", [], buckets=buckets, clock=clock,
            tls=server_context(certificate),
        )  # fmt: skip
        service.start(http_port=0, https_port=port)
        running.append(service)
        return service

    yield start
    for service in running:
        service.stop()


@pytest.fixture
def service(serve: Callable[..., Service], authority: trustme.CA) -> Service:
    return serve(signed_by(authority, "localhost"))


@pytest.fixture
def connect(service: Service, ca_file: Path, clock: Clock) -> Iterator[Callable[..., BucketFS]]:
    """Opens the bucket, by default as it should be."""
    opened: list[BucketFS] = []

    def open_bucket(password: str = WRITE, **options: Any) -> BucketFS:
        defaults: dict[str, Any] = {
            "url": f"https://localhost:{service.https_port}",
            "ca_file": ca_file,
        }
        settings = BucketFSSettings(**{**defaults, **options})
        opened.append(BucketFS(settings, Secret(password), sleep=clock.sleep))
        return opened[-1]

    yield open_bucket
    for bucket in opened:
        bucket.close()


@pytest.fixture
def bucket(connect: Callable[..., BucketFS]) -> BucketFS:
    return connect()


def test_what_was_written_is_read_listed_and_deleted(bucket: BucketFS) -> None:
    bucket.write("exatrust/releases/a/manifest.json", b"\x00\xff{}")
    assert bucket.read("exatrust/releases/a/manifest.json") == b"\x00\xff{}"
    assert bucket.list() == ("exatrust/releases/a/manifest.json",)
    bucket.delete("exatrust/releases/a/manifest.json")
    assert bucket.list() == ()


def test_a_missing_file_is_none_and_deleting_it_is_no_error(bucket: BucketFS) -> None:
    assert bucket.read("nothing/here") is None
    bucket.delete("nothing/here")


def test_a_missing_bucket_is_named_with_those_that_exist(
    connect: Callable[..., BucketFS],
) -> None:
    with pytest.raises(MissingBucket, match="no bucket absent; it has: default, other"):
        connect(bucket="absent").list()


def test_a_wrong_password_is_said_without_repeating_it(
    connect: Callable[..., BucketFS], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(WrongPassword) as refused:
        connect("planted-wrong-password").list()
    assert "as user w" in refused.value.message
    assert "planted" not in f"{refused.value} {refused.value.action} {caplog.text}"


def test_a_wrong_write_password_shows_on_a_public_bucket_too(
    connect: Callable[..., BucketFS], clock: Clock
) -> None:
    bucket = connect("wrong", bucket="other")
    with pytest.raises(WrongPassword, match="refused to list the bucket"):
        bucket.list()
    with pytest.raises(WrongPassword, match="refused to write x"):
        bucket.write("x", b"1")
    assert sum(clock.pauses) < 1


def test_a_write_soon_after_a_delete_waits_until_bucketfs_takes_it(
    bucket: BucketFS, clock: Clock
) -> None:
    bucket.write("exatrust/a", b"1")
    bucket.delete("exatrust/a")
    bucket.write("exatrust/a", b"2")
    assert bucket.read("exatrust/a") == b"2"
    assert 20 < sum(clock.pauses) <= 40
    assert bucket.list() == ("exatrust/a",)


def test_a_few_5xx_are_waited_out(bucket: BucketFS, service: Service, clock: Clock) -> None:
    service.faults.fail_puts = 2
    bucket.write("a", b"1")
    service.faults.fail_gets = 3
    assert bucket.read("a") == b"1"
    assert len(clock.pauses) == 5


def test_a_cut_connection_is_tried_again(bucket: BucketFS, service: Service) -> None:
    service.faults.cut_puts, service.faults.cut_put_after = 1, 10
    bucket.write("a", b"x" * 200_000)
    assert bucket.read("a") == b"x" * 200_000


def test_a_full_disk_is_bounded_and_said(bucket: BucketFS, service: Service, clock: Clock) -> None:
    service.faults.full_after = 0
    with pytest.raises(BucketFSFailed, match="could not write a: HTTP 507") as failed:
        bucket.write("a", b"1")
    assert sum(clock.pauses) < 10
    assert "disk" in failed.value.action


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_nobody_listening_is_unreachable_and_named(
    connect: Callable[..., BucketFS], scheme: str
) -> None:
    with socket.socket() as placeholder:
        placeholder.bind(("127.0.0.1", 0))
        url = f"{scheme}://127.0.0.1:{placeholder.getsockname()[1]}"
        with pytest.raises(BucketFSUnreachable, match=f"{url} does not answer"):
            connect(url=url).list()


def test_nobody_listening_is_unreachable_with_a_pin_too(
    connect: Callable[..., BucketFS],
) -> None:
    with socket.socket() as placeholder:
        placeholder.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{placeholder.getsockname()[1]}"
        with pytest.raises(BucketFSUnreachable):
            connect(url=url, ca_file=None, fingerprint="ab" * 32)


def test_a_certificate_for_another_name_is_refused(
    connect: Callable[..., BucketFS], service: Service
) -> None:
    with pytest.raises(CertificateRefused, match="not accepted"):
        connect(url=f"https://127.0.0.1:{service.https_port}").list()


def test_without_ca_file_and_pin_the_systems_roots_decide(
    connect: Callable[..., BucketFS],
) -> None:
    with pytest.raises(CertificateRefused) as refused:
        connect(ca_file=None).list()
    assert "bucketfs.ca_file" in refused.value.action


def test_a_variable_of_requests_adds_no_trust(
    connect: Callable[..., BucketFS], ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca_file))
    with pytest.raises(CertificateRefused):
        connect(ca_file=None).list()


def test_a_pinned_default_certificate_is_accepted_though_it_has_no_name(
    serve: Callable[..., Service], connect: Callable[..., BucketFS]
) -> None:
    certificate = default_style()
    port = serve(certificate).https_port
    bucket = connect(
        url=f"https://127.0.0.1:{port}", ca_file=None, fingerprint=certificate.fingerprint.lower()
    )
    bucket.write("a", b"1")
    assert bucket.read("a") == b"1"


def test_another_certificate_than_the_pinned_one_is_refused_and_shown(
    serve: Callable[..., Service], connect: Callable[..., BucketFS]
) -> None:
    certificate = default_style()
    port = serve(certificate).https_port
    with pytest.raises(CertificateRefused, match=certificate.fingerprint.lower()):
        connect(url=f"https://127.0.0.1:{port}", ca_file=None, fingerprint="ab" * 32)


def test_a_certificate_exchanged_after_the_pin_was_compared_is_refused(
    serve: Callable[..., Service], connect: Callable[..., BucketFS]
) -> None:
    certificate = default_style()
    service = serve(certificate)
    port = service.https_port
    bucket = connect(
        url=f"https://127.0.0.1:{port}", ca_file=None, fingerprint=certificate.fingerprint.lower()
    )
    service.stop()
    serve(default_style(), port)
    with pytest.raises(CertificateRefused):
        bucket.list()


def test_plain_http_works_when_it_was_written(
    connect: Callable[..., BucketFS], service: Service
) -> None:
    bucket = connect(url=f"http://localhost:{service.http_port}")
    bucket.write("a", b"1")
    assert bucket.read("a") == b"1"


def test_names_with_blanks_and_percent_signs_survive(bucket: BucketFS) -> None:
    bucket.write("exatrust/a b%20c.txt", b"1")
    assert bucket.read("exatrust/a b%20c.txt") == b"1"
    assert bucket.list() == ("exatrust/a b%20c.txt",)
