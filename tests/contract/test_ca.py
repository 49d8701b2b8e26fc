"""Adding, removing, listing and comparing CAs, against a whole stand-in cluster."""

from __future__ import annotations

import itertools
import json
import re
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from exatrust.database import Database, Row
from exatrust_sandbox.cluster import Sandbox
from exatrust_udf.certificate import parse

from .running import Exatrust

PASSWORD = "planted-password"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One cluster for all tests of this file."""
    with Sandbox(tmp_path_factory.mktemp("ca"), nodes=1, replication_delay=0.05) as cluster:
        yield cluster


@pytest.fixture
def schema(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> str:
    """A schema and a bucket prefix that no other test uses, in the sandbox's directory."""
    name = f"CA{next(_numbers)}"
    monkeypatch.chdir(sandbox.layout.directory)
    monkeypatch.setenv("EXATRUST_DATABASE_SCHEMA", name)
    monkeypatch.setenv("EXATRUST_BUCKETFS_PREFIX", name.lower())
    monkeypatch.setenv("EXATRUST_SCRIPTS_ALIASES", "PYTHON3")
    return name


@pytest.fixture
def decisions(database: Database, schema: str) -> Callable[[], list[Row]]:
    """Kind, subject, reason and user of every decision, the oldest first."""

    def read() -> list[Row]:
        database.rollback()
        return database.rows(
            f"SELECT DECISION, SUBJECT, REASON, DECIDED_BY FROM {schema}.CA_DECISION"
            " WHERE DECISION <> 'LEFT_OUT' ORDER BY DECIDED_AT"
        )

    return read


@pytest.fixture
def company(sandbox: Sandbox) -> Path:
    return sandbox.layout.pki / "company-root.pem"


def sha256(path: Path) -> str:
    return parse(ssl.PEM_cert_to_DER_cert(path.read_text())).sha256


def listed(exatrust: Exatrust) -> dict[str, dict[str, object]]:
    """What `ca list` says of every CA, by SHA-256."""
    found = json.loads(exatrust("ca", "list", "--json").out)
    return {item["sha256"]: item for item in [*found["certificates"], *found["absent"]]}


def release(exatrust: Exatrust) -> str:
    return str(json.loads(exatrust("ca", "list", "--json").out)["release"])


def test_a_ca_is_added_used_removed_and_taken_back_and_every_decision_is_kept(
    exatrust: Exatrust, sandbox: Sandbox, database: Database, schema: str, company: Path,
    decisions: Callable[[], list[Row]],
) -> None:  # fmt: skip
    endpoint, digest = sandbox.endpoint("company"), sha256(company)
    subject = parse(ssl.PEM_cert_to_DER_cert(company.read_text())).subject
    assert exatrust("install").status == 0
    first = release(exatrust)

    unconfirmed = exatrust("ca", "add", str(company), "--yes")
    assert (unconfirmed.status, digest in unconfirmed.err) == (2, True)
    assert "any name in the world" in unconfirmed.err
    added = exatrust("ca", "add", str(company), "--confirm", digest, "--reason", "ticket 1")
    assert added.status == 0, added.text
    second = release(exatrust)
    assert exatrust("check", endpoint).status == 0
    assert listed(exatrust)[digest]["origin"] == "added"
    again = exatrust("ca", "add", str(company))
    assert (again.status, "Nothing to do" in again.out) == (0, True)

    host, port = endpoint.split(":")
    database.transaction(
        lambda: database.execute(f"INSERT INTO {schema}.ENDPOINT VALUES ('{host}', {port}, '', '')")
    )
    assert exatrust("snapshot").status == 0
    used = exatrust("ca", "remove", digest[:8], "--yes")
    assert (used.status, f"{endpoint} (PYTHON3, 1 nodes" in used.err) == (2, True), used.err
    assert "the last one of" in used.err
    assert exatrust("check", endpoint).status == 0
    undecided = exatrust("ca", "remove", digest[:8], "--force")
    assert (undecided.status, "give --yes" in undecided.err) == (2, True)
    removed = exatrust("ca", "remove", digest[:8], "--force", "--yes", "--reason", "ticket 2")
    assert removed.status == 0, removed.text
    assert exatrust("check", endpoint).status == 1
    again = exatrust("ca", "remove", digest[:8], "--yes")
    assert (again.status, f"{subject} was removed before" in again.err) == (0, True)
    assert listed(exatrust)[digest]["origin"] == "removed"
    assert listed(exatrust)[digest]["decision"]["reason"] == "ticket 2 (with --force)"  # type: ignore[index]
    assert exatrust("check", "--only", "ANCHOR_MISSING").status == 0
    assert "Nothing to do" in exatrust("install").out

    back = exatrust("ca", "add", str(company), "--confirm", digest)
    assert back.status == 0, back.text
    assert exatrust("check", endpoint).status == 0
    confirmed = "a human confirmed its fingerprint"
    assert decisions() == [
        ("ADDED", subject, f"ticket 1 ({confirmed})", "SYS"),
        ("REMOVED", subject, "ticket 2 (with --force)", "SYS"),
        ("ADDED", subject, confirmed, "SYS"),
    ]

    differ = exatrust("ca", "diff", first, second.rpartition("-")[2], "--json")
    (only,) = json.loads(differ.out)["differences"]
    assert (differ.status, only["change"], only["sha256"]) == (1, "added", digest)
    assert only["why"] == "added from company-root.pem"
    assert "removed  " in exatrust("ca", "diff", second, first).out
    same = exatrust("ca", "diff", first, first)
    assert (same.status, "trust the same" in same.out) == (0, True)
    unknown = exatrust("ca", "diff", first, "0.1.0-nothing")
    assert (unknown.status, first in unknown.err, second in unknown.err) == (2, True, True)


def test_a_default_root_that_was_removed_stays_out_though_bucketfs_lost_everything(
    exatrust: Exatrust, sandbox: Sandbox, schema: str
) -> None:
    assert exatrust("install").status == 0
    root = next(
        item for item in listed(exatrust).values() if "ISRG Root X1" in str(item["subject"])
    )
    nobody = exatrust("ca", "remove", "CN=Nobody", "--yes")
    assert (nobody.status, "no CA of the bundle is 'CN=Nobody'" in nobody.err) == (2, True)
    removed = exatrust("ca", "remove", str(root["subject"]), "--yes", "--reason", "not ours")
    assert removed.status == 0, removed.text
    assert "no endpoint was ever checked" in removed.err
    lose_releases(sandbox, schema.lower())
    installed = exatrust("install", "--yes")
    assert installed.status == 0, installed.text
    assert "taken from the table CA_DECISION" in installed.err
    after = listed(exatrust)[str(root["sha256"])]
    assert (after["origin"], after["decision"]["reason"]) == ("removed", "not ours")  # type: ignore[index]
    assert "1 removed or left out" in exatrust("ca", "list").out


def lose_releases(sandbox: Sandbox, prefix: str) -> None:
    """Put something else in place of all files, and wait until BucketFS no longer serves the old.

    Deleted paths would be locked for half a minute.
    """
    url = f"{sandbox.bucketfs_url}/default"
    auth, root = ("w", sandbox.layout.password("w")), str(sandbox.services_root_file)
    for path in requests.get(url, auth=auth, verify=root, timeout=10).text.split():
        if path.startswith(f"{prefix}/"):
            target = f"{url}/{path}"
            answer = requests.put(target, data=b"lost", auth=auth, verify=root, timeout=10)
            assert answer.status_code == 200
            while requests.get(target, auth=auth, verify=root, timeout=10).content != b"lost":
                time.sleep(0.1)


def test_a_server_is_asked_for_its_cas_and_trusted_for_nothing(
    exatrust: Exatrust, sandbox: Sandbox
) -> None:
    endpoint = sandbox.endpoint("company")
    rootless = exatrust("ca", "add", endpoint, "--yes")
    assert (rootless.status, "sends no root" in rootless.err) == (2, True), rootless.text
    assert "that alone proves nothing" in rootless.out
    digest = sha256(sandbox.layout.pki / "company-issuing.pem")
    assert re.search(rf"2\. intermediate CA: .*\n.*\n.*\n   SHA-256 {digest}", rootless.out)
    assert "1. the server's own: " in rootless.out

    wrong = exatrust("ca", "add", endpoint, "--confirm", "ab" * 32)
    assert wrong.status == 2
    added = exatrust("ca", "add", endpoint, "--confirm", digest)
    assert added.status == 0, added.text
    assert "is an intermediate" in added.err
    assert listed(exatrust)[digest]["source"] == f"chain of {endpoint}"
    closed = exatrust("ca", "add", "localhost:1")
    assert (closed.status, "localhost:1 sent no certificate" in closed.err) == (3, True)
    nowhere = exatrust("ca", "add", "no-such-file")
    assert (nowhere.status, "no-such-file: No such file" in nowhere.err) == (2, True)


def test_a_pkcs12_file_opens_with_a_password_from_a_file_and_nobody_ever_sees_it(
    exatrust: Exatrust, company: Path, tmp_path: Path
) -> None:
    ca = x509.load_pem_x509_certificate(company.read_bytes())
    path, secret = tmp_path / "corp.p12", tmp_path / "secret"
    secret.write_text(f"{PASSWORD}\n")
    secret.chmod(0o600)
    encryption = BestAvailableEncryption(PASSWORD.encode())
    path.write_bytes(pkcs12.serialize_key_and_certificates(None, None, None, [ca], encryption))
    unopened = exatrust("ca", "add", str(path))
    assert (unopened.status, "a password of its own" in unopened.err) == (2, True)
    wrong = tmp_path / "wrong"
    wrong.write_text("planted-wrong")
    refused = exatrust("ca", "add", str(path), "--password-file", str(wrong))
    assert (refused.status, "does not open" in refused.err) == (2, True)
    opened = exatrust("ca", "add", str(path), "--password-file", str(secret), "--yes")
    assert (opened.status, "nobody vouched for" in opened.err) == (2, True)
    assert "planted" not in unopened.text + refused.text + opened.text


def test_what_must_not_be_trusted_is_refused_and_nothing_is_installed(
    exatrust: Exatrust, sandbox: Sandbox, tmp_path: Path
) -> None:
    key = sandbox.layout.pki / "company-root.key"
    both = tmp_path / "both.pem"
    both.write_bytes((sandbox.layout.pki / "company-root.pem").read_bytes() + key.read_bytes())
    refused = exatrust("ca", "add", str(both), "--force", "--yes")
    assert (refused.status, "PRIVATE KEY" in refused.err) == (2, True), refused.err
    assert key.read_text().split("\n")[1] not in refused.text
    assert exatrust("ca", "list").status == 1
    assert exatrust("ca", "diff", "a", "b").status == 1


def test_the_containers_own_roots_may_be_the_default_set_but_never_a_distrusted_one(
    exatrust: Exatrust, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, database: Database,
    schema: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("EXATRUST_BUNDLE_ROOTS", "container")
    installed = exatrust("install")
    assert installed.status == 0, installed.text
    assert "container of PYTHON3" in installed.out
    assert exatrust("plan").status == 0

    lost = trustme.CA(organization_name="Lost Root").cert_pem.bytes()
    digest = parse(ssl.PEM_cert_to_DER_cert(lost.decode())).sha256
    sandbox.plant_root(lost, alias="PYTHON3")
    assert exatrust("plan").status == 1
    database.transaction(
        lambda: database.execute(
            f"INSERT INTO {schema}.OWN_DISTRUST (SHA256, SUBJECT, REASON)"
            f" VALUES ('{digest}', 'O=Lost Root', 'key lost')"
        )
    )
    updated = exatrust("install", "--yes")
    assert updated.status == 0, updated.text
    assert "left out of the bundle: O=Lost Root is distrusted: key lost" in updated.err
    assert stores(database, schema, "shared-bundle") | {digest} == stores(
        database, schema, "openssl-file"
    )


def stores(database: Database, schema: str, store: str) -> set[str]:
    """The certificates of a truststore as the UDFs see it, by SHA-256."""
    rows = database.rows(
        f"SELECT SHA256 FROM {schema}.TRUSTSTORE_CERTIFICATES WHERE STORE = '{store}'"
    )
    assert len(rows) > 50
    return {sha256 for (sha256,) in rows}
