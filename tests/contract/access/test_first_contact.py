"""First contact with a certificate that nobody vouches for, and what a later change looks like."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exatrust.cli import access
from exatrust.report import Report
from exatrust.terminal import Terminal
from exatrust_sandbox.cluster import Sandbox
from exatrust_sandbox.database.certificate import default_style, server_context
from exatrust_sandbox.database.server import DatabaseServer

OTHER = "ab" * 32
pytestmark = pytest.mark.usefixtures("one_alias")


def pin(sandbox: Sandbox) -> str:
    return sandbox.fingerprint.lower()


@pytest.fixture
def unpinned(schema: str, sandbox: Sandbox) -> Path:
    """The settings file as on the first day: no fingerprint, and no CA for BucketFS."""
    path = Path("exatrust.toml")
    kept = [line for line in path.read_text().splitlines() if not line.startswith("ca_file")]
    text = "\n".join(kept).replace(f"/{sandbox.fingerprint}", "") + "\n"
    path.write_text(text)
    return path


def bucketfs_pin(sandbox: Sandbox) -> str:
    import hashlib
    import ssl

    pem = (sandbox.layout.tls / "bucketfs.pem").read_text()
    end = "-----END CERTIFICATE-----"
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.split(end)[0] + end)).hexdigest()


def test_first_contact_shows_the_fingerprint_and_how_to_confirm_it(
    exatrust, sandbox: Sandbox, unpinned: Path
) -> None:
    refused = exatrust("status")
    assert refused.status == 3
    assert f"it presents SHA-256 {pin(sandbox)}, which is 'CN=*.exacluster.local'" in refused.err
    assert "valid 2021-01-01 to 2044-01-01; no password was sent" in refused.err
    assert "openssl x509 -in /exa/etc/ssl/ssl.crt -noout -fingerprint -sha256" in refused.err
    assert "exatrust trust-server database" in refused.err


def test_first_contact_with_bucketfs_says_the_same_of_its_certificate(
    exatrust, sandbox: Sandbox, unpinned: Path
) -> None:
    unpinned.write_text(unpinned.read_text().replace("127.0.0.1:", f"127.0.0.1/{pin(sandbox)}:", 1))
    refused = exatrust("plan")
    assert refused.status == 3, refused.text
    assert f"it presents SHA-256 {bucketfs_pin(sandbox)}" in refused.err
    assert "exatrust trust-server bucketfs" in refused.err


def test_a_confirmed_fingerprint_is_pinned_and_all_else_in_the_file_stays(
    exatrust, sandbox: Sandbox, unpinned: Path
) -> None:
    before = unpinned.read_text()
    nobody = exatrust("trust-server")
    assert (nobody.status, "nobody vouched for" in nobody.err) == (2, True), nobody.text
    wrong = exatrust("trust-server", "database", "--confirm", OTHER)
    assert (wrong.status, "--confirm is not the fingerprint" in wrong.err) == (2, True), wrong.text
    assert unpinned.read_text() == before
    done = exatrust("trust-server", "--confirm", pin(sandbox), "--confirm", bucketfs_pin(sandbox))
    assert done.status == 0, done.text
    url = next(line for line in before.splitlines() if line.startswith("replication_timeout"))
    expected = before.replace("127.0.0.1:", f"127.0.0.1/{pin(sandbox)}:", 1)
    expected = expected.replace(f"{url}\n", f'{url}\nfingerprint = "{bucketfs_pin(sandbox)}"\n')
    assert unpinned.read_text() == expected
    assert exatrust("plan").status == 1
    again = exatrust("trust-server", "--json")
    assert [item["pinned_now"] for item in json.loads(again.out)["servers"]] == [False, False]


def typing(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """A human who types; the questions asked."""
    asked: list[str] = []
    waiting = list(answers)

    def line(question: str) -> str:
        asked.append(question)
        return waiting.pop(0)

    monkeypatch.setattr(
        access, "terminal_for", lambda as_json: Terminal(Report(as_json), None, line)
    )
    return asked


def test_a_human_types_what_the_node_says_in_openssls_spelling(
    exatrust, sandbox: Sandbox, unpinned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spelled = ":".join(sandbox.fingerprint[n : n + 2] for n in range(0, 64, 2))
    asked = typing(monkeypatch, spelled)
    done = exatrust("trust-server", "database")
    assert done.status == 0, done.text
    assert asked == ["Type the fingerprint that you read on the node, to trust it"]
    assert f"SHA-256   {spelled}" in done.out
    assert f"/{pin(sandbox)}:" in unpinned.read_text()


def test_what_is_typed_wrongly_changes_nothing(
    exatrust, unpinned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = unpinned.read_text()
    typing(monkeypatch, OTHER)
    refused = exatrust("trust-server", "database")
    assert (refused.status, "what was typed is not the fingerprint" in refused.err) == (2, True)
    assert unpinned.read_text() == before


def test_trust_on_first_use_must_be_asked_for_warns_and_never_replaces_a_pin(
    exatrust, sandbox: Sandbox, unpinned: Path
) -> None:
    done = exatrust("trust-server", "database", "--trust-on-first-use")
    assert done.status == 0, done.text
    assert f"warning: nobody compared {pin(sandbox)} with the node" in done.err
    unpinned.write_text(unpinned.read_text().replace(pin(sandbox), OTHER))
    refused = exatrust("trust-server", "database", "--trust-on-first-use")
    assert (refused.status, "this is no first use" in refused.err) == (2, True), refused.text
    assert OTHER in unpinned.read_text()


def test_a_changed_certificate_explains_itself_and_is_pinned_anew_once_confirmed(
    exatrust, sandbox: Sandbox, unpinned: Path
) -> None:
    exatrust("trust-server", "--confirm", pin(sandbox), "--confirm", bucketfs_pin(sandbox))
    unpinned.write_text(unpinned.read_text().replace(pin(sandbox), OTHER))
    refused = exatrust("status")
    assert refused.status == 3
    assert f"SHA-256 {pin(sandbox)}, pinned {OTHER}; the one it presents is" in refused.err
    assert "normal after an administrator renewed the certificate" in refused.err
    assert "exatrust trust-server database" in refused.err
    shown = exatrust("trust-server", "database")
    assert (shown.status, f"Pinned    {OTHER}" in shown.out) == (2, True)
    assert exatrust("trust-server", "database", "--confirm", pin(sandbox)).status == 0
    assert exatrust("plan").status == 1


def test_a_variable_that_is_stronger_than_the_file_is_named_and_nothing_is_written(
    exatrust, sandbox: Sandbox, unpinned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = unpinned.read_text()
    monkeypatch.setenv("EXATRUST_DATABASE_DSN", f"127.0.0.1:{sandbox.database.port}")
    refused = exatrust("trust-server", "database", "--confirm", pin(sandbox))
    assert (refused.status, "stronger than the settings file" in refused.err) == (2, True)
    assert unpinned.read_text() == before


def test_a_server_that_does_not_answer_is_unreachable(exatrust, unpinned: Path) -> None:
    text = unpinned.read_text()
    unpinned.write_text(text.replace(text.split("127.0.0.1:")[1].partition('"')[0], "1", 1))
    refused = exatrust("trust-server", "database")
    assert (refused.status, "the database does not answer" in refused.err) == (3, True)


@pytest.fixture
def impostor(sandbox: Sandbox) -> Iterator[Callable[[], DatabaseServer]]:
    """A second server of the same cluster with a certificate of its own."""
    servers = []

    def start() -> DatabaseServer:
        server = DatabaseServer(
            sandbox.engine, server_context(default_style()), nodes=2, release_version="8.34.0"
        )
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


def test_hosts_of_one_cluster_with_different_certificates_are_refused(
    exatrust, sandbox: Sandbox, unpinned: Path, impostor: Callable[[], DatabaseServer]
) -> None:
    port = sandbox.database.port
    both = f"127.0.0.1:{port},127.0.0.1:{impostor().port}"
    unpinned.write_text(unpinned.read_text().replace(f"127.0.0.1:{port}", both))
    refused = exatrust("trust-server", "database", "--confirm", pin(sandbox))
    assert (refused.status, "2 different certificates" in refused.err) == (3, True), refused.text


def test_without_tls_there_is_nothing_to_trust(exatrust, unpinned: Path) -> None:
    unpinned.write_text(unpinned.read_text().replace("https://", "http://"))
    refused = exatrust("trust-server", "bucketfs")
    assert (refused.status, "addressed without TLS" in refused.err) == (2, True)


def test_trust_needs_no_password(exatrust, sandbox: Sandbox, unpinned: Path) -> None:
    kept = [line for line in unpinned.read_text().splitlines() if "password_file" not in line]
    unpinned.write_text("\n".join(kept))
    assert exatrust("trust-server", "database", "--confirm", pin(sandbox)).status == 0
