"""What the database talks to, found through SQL and watched by `exatrust discover --watch`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from exatrust import cli
from exatrust_sandbox.cluster import Sandbox

from .running import Exatrust, Rows, Run, connect

PLANTED = "Gk7xQz-planted"
USER_PASSWORD = "Planted_Password_1"
ADAPTER = """
import json

def adapter_call(request_json):
    reply = {"type": json.loads(request_json)["type"]}
    if reply["type"] == "createVirtualSchema":
        reply["schemaMetadata"] = {"tables": []}
    return json.dumps(reply)
"""


def _objects(company: str) -> list[str]:
    """Statements that create connections, scripts, views and a virtual schema with endpoints."""
    secret = f"IDENTIFIED BY '{PLANTED}'"
    return [
        f"CREATE CONNECTION ERP TO 'https://u:{PLANTED}@{company}/api' USER 'u' {secret}",
        f"CREATE CONNECTION PG TO 'jdbc:postgresql://pg.example/x?password={PLANTED}"
        f"&sslmode=disable' USER 'u' {secret}",
        f"CREATE CONNECTION NODES TO '10.0.0.1..2:8563' USER 'u' {secret}",
        f"CREATE CONNECTION PINNED TO '10.0.0.3/{'AB' * 32}:8563' USER 'u' {secret}",
        "CREATE CONNECTION BUCKET TO 'bucketfs:bfsdefault/default'",
        "CREATE SCHEMA APP",
        "CREATE PYTHON3 SCALAR SCRIPT APP.LOADER() RETURNS INT AS\nimport requests\n"
        f"# https://comment.example, verify=False\nPASSWORD = '{PLANTED}'\n"
        "def run(ctx):\n    requests.get('https://api.example/x', verify=False)\n",
        "CREATE VIEW APP.LINKS AS\nSELECT 'http://plain.example/x IGNORE CERTIFICATE' AS LINK",
        f"CREATE PYTHON3 ADAPTER SCRIPT APP.ADAPTER AS{ADAPTER}",
        "CREATE VIRTUAL SCHEMA REMOTE USING APP.ADAPTER WITH"
        f" ENDPOINT_URL = 'ldaps://ad.example' API_SECRET = '{PLANTED}.example:8563'",
    ]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A cluster on which exatrust was installed, with a user's objects."""
    with Sandbox(tmp_path_factory.mktemp("cluster"), nodes=2, replication_delay=0.05) as cluster:
        root = str(cluster.layout.pki / "company-root.pem")
        config = str(cluster.layout.settings_file)
        flags = ("--config", config, "--ca", root, "--confirm", cluster.company_fingerprint())
        assert cli.main(("install", *flags)) == 0
        with closing(connect(cluster)) as database:
            statements = _objects(cluster.endpoint("company"))
            database.transaction(lambda: [database.execute(sql) for sql in statements])
        yield cluster


@pytest.fixture
def schema(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> str:
    monkeypatch.chdir(sandbox.layout.directory)
    return "EXATRUST"


@pytest.fixture
def exatrust(exatrust: Exatrust) -> Exatrust:
    """What it shows never holds a planted password."""

    def run(*arguments: str) -> Run:
        done = exatrust(*arguments)
        assert PLANTED not in done.text
        return done

    return run


def found(sandbox: Sandbox) -> set[tuple[Any, ...]]:
    host, _, port = sandbox.endpoint("company").rpartition(":")
    return {
        ("CONNECTION", "ERP", 1, "https", host, int(port), None, True),
        ("CONNECTION", "PG", 1, "jdbc:postgresql", "pg.example", 5432, "protocol=postgres", False),
        ("CONNECTION", "NODES", 1, "exa", "10.0.0.1", 8563, "protocol=exasol", True),
        ("CONNECTION", "NODES", 1, "exa", "10.0.0.2", 8563, "protocol=exasol", True),
        ("CONNECTION", "PINNED", 1, "exa", "10.0.0.3", 8563, "protocol=exasol", True),
        ("SCRIPT", "APP.LOADER", 6, "https", "api.example", 443, None, True),
        ("VIEW", "APP.LINKS", 2, "http", "plain.example", 80, None, False),
        ("VIRTUAL_SCHEMA", "REMOTE.ENDPOINT_URL", 1, "ldaps", "ad.example", 636, None, True),
    }


def test_every_endpoint_is_a_row_that_says_where_it_is_and_whether_it_is_encrypted(
    sandbox: Sandbox, rows: Rows
) -> None:
    seen = rows("SELECT * FROM EXATRUST.OUTBOUND_ENDPOINT")
    assert {row[:8] for row in seen} == found(sandbox)
    assert len(seen) == len(found(sandbox))
    assert PLANTED not in str(seen)
    assert {row[4] for row in seen if row[8]} == {"10.0.0.3"}  # pinned
    assert {row[4] for row in seen if row[9] is None} == {"plain.example", "10.0.0.3"}


def test_every_place_that_switches_verification_off_is_a_row(rows: Rows) -> None:
    seen = rows("SELECT * FROM EXATRUST.UNVERIFIED_TLS")
    assert {row[:5] for row in seen} == {
        ("CONNECTION", "PG", 1, "NO_ENCRYPTION", "ERROR"),
        ("SCRIPT", "APP.LOADER", 6, "VERIFY_FALSE", "ERROR"),
        ("VIEW", "APP.LINKS", 2, "IGNORE_CERTIFICATE", "ERROR"),
    }
    assert all(row[5] and row[6] for row in seen)
    assert PLANTED not in str(seen)


def test_watching_puts_what_has_tls_into_the_table_once_and_shows_its_last_verdict(
    sandbox: Sandbox, rows: Rows, exatrust: Exatrust
) -> None:
    seen = exatrust("discover")
    assert (seen.status, "5 are not watched" in seen.text) == (0, True), seen.text
    seen = exatrust("discover", "--watch")
    assert seen.status == 0
    assert "left out: plain.example:80: it has no TLS" in seen.text
    assert "left out: pg.example:5432: it is used without TLS" in seen.text
    assert "left out: 10.0.0.3:8563: a fingerprint names its certificate" in seen.text
    host, _, port = sandbox.endpoint("company").rpartition(":")
    watched = rows('SELECT HOST, PORT, "OPTIONS", NOTE FROM EXATRUST.ENDPOINT')
    assert len(watched) == 5
    assert (host, int(port), None, "found by exatrust discover in CONNECTION ERP") in watched
    document = json.loads(exatrust("discover", "--watch", "--json").out)
    assert document["added"] == 0
    assert rows("SELECT COUNT(*) FROM EXATRUST.ENDPOINT") == [(5,)]

    rows("DELETE FROM EXATRUST.ENDPOINT WHERE HOST <> 'localhost'")
    rows("INSERT INTO EXATRUST.ENDPOINT (HOST, PORT) VALUES ('pg.example', 5432)")
    rows(f"UPDATE EXATRUST.ENDPOINT SET HOST = UPPER(HOST) WHERE HOST = '{host}'")
    assert exatrust("snapshot").status == 0
    verdicts = rows(
        "SELECT HOST, IS_WATCHED, LAST_TRUSTED, LAST_FINDING, LAST_CHECKED_AT IS NOT NULL"
        f" FROM EXATRUST.OUTBOUND_ENDPOINT WHERE HOST IN ('{host}', 'pg.example', 'api.example')"
    )
    assert sorted(verdicts) == sorted(
        [
            (host, True, True, None, True),
            ("pg.example", True, False, "DNS", True),
            ("api.example", False, None, None, False),
        ]
    )


def test_the_worst_of_the_newest_verdicts_counts(sandbox: Sandbox, rows: Rows) -> None:
    columns = (
        "SNAPSHOT_AT, NODE_ID, LANGUAGE_ALIAS, HOST, PORT, TRUSTSTORE, TRUSTED, FINDING, SEVERITY"
    )
    verdicts = [
        ("2026-01-01 00:00:00", 0, "shared-bundle", "FALSE", "EXPIRED", "ERROR"),
        ("2026-01-02 00:00:00", 0, "shared-bundle", "TRUE", "OK", "INFO"),
        ("2026-01-02 00:00:00", 1, "shared-bundle", "FALSE", "HOST_MISMATCH", "ERROR"),
        ("2026-01-02 00:00:00", 1, "certifi", "FALSE", "UNKNOWN_CA", "ERROR"),
    ]
    for at, node, store, trusted, finding, severity in verdicts:
        rows(
            f"INSERT INTO EXATRUST.ENDPOINT_RESULT ({columns}) VALUES ('{at}', {node}, 'PYTHON3',"
            f" 'AD.example', 636, '{store}', {trusted}, '{finding}', '{severity}')"
        )
    assert rows(
        "SELECT TO_CHAR(LAST_CHECKED_AT, 'YYYY-MM-DD'), LAST_TRUSTED, LAST_FINDING"
        " FROM EXATRUST.OUTBOUND_ENDPOINT WHERE HOST = 'ad.example'"
    ) == [("2026-01-02", False, "HOST_MISMATCH")]


def test_without_the_privilege_the_database_says_what_is_missing_and_nothing_is_installed(
    rows: Rows, exatrust: Exatrust, monkeypatch: pytest.MonkeyPatch
) -> None:
    rights = ("CREATE SESSION", "CREATE SCHEMA", "CREATE TABLE", "CREATE VIEW", "CREATE SCRIPT")
    rows(f'CREATE USER MODEST IDENTIFIED BY "{USER_PASSWORD}"')
    for right in rights:
        rows(f"GRANT {right} TO MODEST")
    for name, value in (
        ("DATABASE_USER", "MODEST"), ("DATABASE_PASSWORD", USER_PASSWORD),
        ("DATABASE_SCHEMA", "MODESTLY"), ("BUCKETFS_PREFIX", "modestly"),
    ):  # fmt: skip
        monkeypatch.setenv(f"EXATRUST_{name}", value)
    done = exatrust("install", "--yes")
    assert done.status == 1
    assert "SELECT ANY DICTIONARY" in done.text
    assert "grant the missing privilege" in done.text
    assert rows("SELECT 1 FROM EXA_SCHEMAS WHERE SCHEMA_NAME = 'MODESTLY'") == []
