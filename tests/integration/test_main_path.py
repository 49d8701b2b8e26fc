"""The main path on one cluster: installed once, then looked at from every side."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import time
from pathlib import Path

import pyexasol
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from exatrust_sandbox.cluster import Sandbox
from exatrust_sandbox.endpoints import KINDS

from .commands import exatrust


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    """A cluster of four nodes with exatrust and the company's CA installed."""
    with Sandbox(tmp_path_factory.mktemp("cluster"), nodes=4) as cluster:
        done = exatrust(
            cluster.layout.directory, "install", "--yes", "--ca", "pki/company-root.pem",
            "--confirm", cluster.company_fingerprint(),
        )  # fmt: skip
        assert done.status == 0, done.output
        yield cluster


@pytest.fixture
def connection(sandbox):
    """A plain pyexasol session, as any client of the database has it."""
    with pyexasol.connect(
        dsn=sandbox.dsn, user="sys", password=sandbox.layout.password("sys")
    ) as connection:
        yield connection


def test_a_second_install_does_nothing_and_says_so(sandbox):
    done = exatrust(sandbox.layout.directory, "install", "--yes")
    assert done.status == 0
    assert "Nothing to do" in done.output


def test_truststores_are_rows_of_every_node_in_a_plain_session(connection):
    rows = connection.execute(
        'SELECT NODE_ID, LANGUAGE_ALIAS, STORE, "PATH", CERTIFICATES FROM EXATRUST.TRUSTSTORES'
    ).fetchall()
    found = {(node, alias) for node, alias, *_ in rows}
    assert found == {(n, alias) for n in range(4) for alias in ("PYTHON3", "PYTHON312")}
    bundles = [row for row in rows if row[2] == "shared-bundle"]
    assert len(bundles) == 8
    assert len({row[4] for row in bundles}) == 1


def test_node_status_and_coverage_name_every_node(connection):
    intact = connection.execute(
        "SELECT COUNT(DISTINCT NODE_ID) FROM EXATRUST.NODE_STATUS"
        " WHERE FILES_INTACT = FILES_EXPECTED"
    ).fetchval()
    assert intact == 4
    coverage = connection.execute(
        "SELECT NODES_EXPECTED, NODES_SEEN, NODES_INTACT, NODES_MISSING FROM EXATRUST.COVERAGE"
        " WHERE NODES_EXPECTED IS NOT NULL"
    ).fetchall()
    assert coverage == [(4, 4, 4, None)] * 2


def test_an_analyst_s_select_checks_an_endpoint(connection, sandbox):
    port = sandbox.endpoints.ports["company"]
    rows = connection.execute(
        "SELECT TRUSTSTORE, TRUSTED, FINDING FROM"
        f" (SELECT EXATRUST.CHECK_ENDPOINT('localhost', {port}))"
    ).fetchall()
    assert {row[0]: row[1] for row in rows} == {
        "shared-bundle": True, "container": False, "certifi": False,
    }  # fmt: skip


def test_the_readme_s_statements_run_as_written(connection):
    text = Path(__file__).resolve().parents[2].joinpath("README.md").read_text()
    blocks = re.findall(r"```sql\n(.*?)```", text, flags=re.DOTALL)
    statements = [part.strip() for block in blocks for part in block.split(";") if part.strip()]
    assert len(statements) >= 3
    connection.set_autocommit(False)
    for statement in statements:
        done = connection.execute(statement)
        assert not statement.startswith("SELECT") or done.fetchall()
    connection.rollback()


def test_the_statements_about_endpoints_run_as_written(connection):
    text = Path(__file__).resolve().parents[2].joinpath("docs", "endpoints.md").read_text()
    (block,) = re.findall(r"```sql\n(.*?)```", text, flags=re.DOTALL)
    for statement in filter(str.strip, block.split(";")):
        done = connection.execute(statement)
        if statement.strip().startswith("SELECT"):
            findings = {str(row) for row in done.fetchall()}
            assert findings
            assert "BAD_INPUT" not in str(findings)
    connection.execute("DELETE FROM EXATRUST.ENDPOINT WHERE NOTE = 'warehouse'")


def _verify_code(sandbox: Sandbox, port: int, bundle: Path) -> int:
    """What `openssl s_client` says of an endpoint with the bundle: 0, or the first error."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost",
         "-verify_hostname", "localhost", "-verify_return_error", "-CAfile", str(bundle),
         "-no-CApath"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    errors = re.findall(r"verify error:num=(\d+)", done.stdout + done.stderr)
    return int(errors[0]) if errors else 0


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_the_verdict_equals_that_of_openssl_s_client(sandbox, connection, kind):
    bundles = list(sandbox.layout.replica(2).rglob("ca-bundle-*.pem"))
    assert len(bundles) == 1
    port = sandbox.endpoints.ports[kind]
    trusted, code = connection.execute(
        "SELECT TRUSTED, VERIFY_CODE FROM"
        f" (SELECT EXATRUST.CHECK_ENDPOINT('localhost', {port}))"
        " WHERE TRUSTSTORE = 'shared-bundle'"
    ).fetchone()
    expected = _verify_code(sandbox, port, bundles[0])
    assert (trusted, code) == (expected == 0, expected)


def test_what_a_bucket_writer_changes_does_not_run(sandbox, connection):
    """Whoever can write to the bucket can break the scripts, but not run code in the database."""
    node = sandbox.layout.replica(0)
    (archive,) = node.rglob("exatrust_udf-*.pyz")
    original = archive.read_bytes()
    archive.write_bytes(original + b"changed")
    try:
        told = connection.execute(
            "SELECT DISTINCT NODE_ID, PROBLEM FROM (SELECT EXATRUST.LIST_TRUSTSTORES(I, NULL)"
            " FROM VALUES BETWEEN 1 AND 64 AS v(I) GROUP BY I) WHERE STORE IS NULL"
        ).fetchall()
        assert [node for node, _ in told] == [0]
        assert re.search("was altered.*exatrust install", told[0][1])
        status = exatrust(sandbox.layout.directory, "status")
        assert status.status == 1
        assert archive.name in status.output
    finally:
        archive.write_bytes(original)
    assert exatrust(sandbox.layout.directory, "status").status == 0


def _revocation_list(sandbox: Sandbox, name: str, revoked: list[int]) -> bytes:
    """A list that one of the sandbox's CAs signs, PEM."""
    pki = sandbox.layout.pki
    issuer = x509.load_pem_x509_certificate((pki / f"{name}.pem").read_bytes())
    key = serialization.load_pem_private_key((pki / f"{name}.key").read_bytes(), None)
    now = dt.datetime.now(dt.timezone.utc)
    builder = x509.CertificateRevocationListBuilder(
        issuer.subject, now - dt.timedelta(days=1), now + dt.timedelta(days=9)
    )
    for serial in revoked:
        entry = x509.RevokedCertificateBuilder(serial, now - dt.timedelta(hours=1))
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _upload(sandbox: Sandbox, path: str, content: bytes) -> str:
    """Put a file into the bucket; the path under which UDFs see it, once every node has it."""
    answer = requests.put(
        f"{sandbox.bucketfs_url}/default/{path}", data=content, timeout=10,
        auth=("w", sandbox.layout.password("w")), verify=sandbox.services_root_file,
    )  # fmt: skip
    assert answer.ok, answer.text
    deadline = time.monotonic() + 30
    while len(list(sandbox.layout.replica(0).parent.rglob(path))) < len(sandbox.nodes):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return f"/buckets/bfsdefault/default/{path}"


def test_a_revoked_certificate_is_found_from_inside_the_database(sandbox, connection):
    port = sandbox.endpoints.ports["company"]
    pem = connection.execute(
        f"SELECT CERTIFICATE_PEM FROM (SELECT EXATRUST.FETCH_CHAIN('localhost', {port}))"
        ' WHERE "CHAIN" = \'received\' AND "POSITION" = 1'
    ).fetchval()
    serial = x509.load_pem_x509_certificate(pem.encode()).serial_number
    root = _revocation_list(sandbox, "company-root", [])
    good = _upload(
        sandbox, "good.crl", root + _revocation_list(sandbox, "company-issuing", [serial + 1])
    )
    bad = _upload(sandbox, "bad.crl", root + _revocation_list(sandbox, "company-issuing", [serial]))
    found = {}
    for path in (good, bad, "/buckets/bfsdefault/default/typo.crl"):
        found[path] = connection.execute(
            "SELECT TRUSTED, FINDING, CAUSE FROM (SELECT EXATRUST.CHECK_ENDPOINT"
            f"('localhost', {port}, 'crl={path}')) WHERE TRUSTSTORE = 'shared-bundle'"
        ).fetchone()
    assert found.pop(good) == (True, None, None)
    assert found.pop(bad)[:2] == (False, "REVOKED")
    ((trusted, finding, cause),) = found.values()
    assert (trusted, finding) == (False, "CRL_UNREADABLE")
    assert "typo.crl: No such file or directory" in cause


def test_a_wrong_pin_of_the_database_is_refused_and_explained(sandbox):
    wrong = f"127.0.0.1/{'0' * 64}:{sandbox.database.port}"
    done = exatrust(sandbox.layout.directory, "status", "--dsn", wrong)
    assert done.status in (2, 3)
    assert "fingerprint" in done.output.lower()
