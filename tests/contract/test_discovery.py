"""What the database talks to, found through SQL and watched by `exatrust discover --watch`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from exatrust import cli
from exatrust.credentials import Secret
from exatrust.database import Database
from exatrust.dsn import parse_dsn
from exatrust.settings import DatabaseSettings
from exatrust_sandbox.cluster import Sandbox

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
Sql = Callable[..., list[tuple[Any, ...]]]
Exatrust = Callable[..., tuple[int, str]]


def _objects(company: str) -> list[str]:
    """Statements that create connections, scripts, views and a virtual schema with endpoints."""
    secret = f"IDENTIFIED BY '{PLANTED}'"
    return [
        f"CREATE CONNECTION ERP TO 'https://u:{PLANTED}@{company}/api' USER 'u' {secret}",
        f"CREATE CONNECTION PG TO 'jdbc:postgresql://pg.example/x?password={PLANTED}"
        f"&sslmode=disable' USER 'u' {secret}",
        f"CREATE CONNECTION NODES TO '10.0.0.1..2:8563' USER 'u' {secret}",
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
        with closing(session(cluster)) as database:
            statements = _objects(cluster.endpoint("company"))
            database.transaction(lambda: [database.execute(sql) for sql in statements])
        yield cluster


def session(sandbox: Sandbox, user: str = "sys", password: str | None = None) -> Database:
    settings = DatabaseSettings(parse_dsn(sandbox.dsn), user)
    return Database(settings, Secret(password or sandbox.layout.password("sys")))


@pytest.fixture
def sql(sandbox: Sandbox) -> Iterator[Sql]:
    """The rows of a query; other statements are committed together."""
    with closing(session(sandbox)) as database:

        def ask(*statements: str) -> list[tuple[Any, ...]]:
            if statements[0].startswith("SELECT"):
                found = database.rows(statements[0])
                database.rollback()
                return found
            database.transaction(lambda: [database.execute(text) for text in statements])
            return []

        yield ask


@pytest.fixture
def exatrust(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> Exatrust:
    def run(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        status = cli.main((*arguments, "--config", str(sandbox.layout.settings_file)))
        shown = capsys.readouterr()
        assert PLANTED not in shown.out + shown.err
        return status, shown.out + shown.err

    return run


def found(sandbox: Sandbox) -> set[tuple[Any, ...]]:
    host, _, port = sandbox.endpoint("company").rpartition(":")
    return {
        ("CONNECTION", "ERP", 1, "https", host, int(port), None, True),
        ("CONNECTION", "PG", 1, "jdbc:postgresql", "pg.example", 5432, "protocol=postgres", False),
        ("CONNECTION", "NODES", 1, "exa", "10.0.0.1", 8563, "protocol=exasol", True),
        ("CONNECTION", "NODES", 1, "exa", "10.0.0.2", 8563, "protocol=exasol", True),
        ("SCRIPT", "APP.LOADER", 6, "https", "api.example", 443, None, True),
        ("VIEW", "APP.LINKS", 2, "http", "plain.example", 80, None, False),
        ("VIRTUAL_SCHEMA", "REMOTE.ENDPOINT_URL", 1, "ldaps", "ad.example", 636, None, True),
    }


def test_every_endpoint_is_a_row_that_says_where_it_is_and_whether_it_is_encrypted(
    sandbox: Sandbox, sql: Sql
) -> None:
    rows = sql("SELECT * FROM EXATRUST.OUTBOUND_ENDPOINT")
    assert {row[:8] for row in rows} == found(sandbox)
    assert len(rows) == len(found(sandbox))
    assert PLANTED not in str(rows)
    assert {row[4] for row in rows if row[8] is None} == {"plain.example"}


def test_every_place_that_switches_verification_off_is_a_row(sql: Sql) -> None:
    rows = sql("SELECT * FROM EXATRUST.UNVERIFIED_TLS")
    assert {row[:5] for row in rows} == {
        ("CONNECTION", "PG", 1, "NO_ENCRYPTION", "ERROR"),
        ("SCRIPT", "APP.LOADER", 6, "VERIFY_FALSE", "ERROR"),
        ("VIEW", "APP.LINKS", 2, "IGNORE_CERTIFICATE", "ERROR"),
    }
    assert all(row[5] and row[6] for row in rows)
    assert PLANTED not in str(rows)


def test_watching_puts_what_has_tls_into_the_table_once_and_shows_its_last_verdict(
    sandbox: Sandbox, sql: Sql, exatrust: Exatrust
) -> None:
    status, shown = exatrust("discover")
    assert (status, "6 are not watched" in shown) == (0, True), shown
    status, shown = exatrust("discover", "--watch")
    assert (status, "left out: plain.example:80: it has no TLS" in shown) == (0, True), shown
    host, _, port = sandbox.endpoint("company").rpartition(":")
    watched = sql('SELECT HOST, PORT, "OPTIONS", NOTE FROM EXATRUST.ENDPOINT')
    assert len(watched) == 6
    assert (host, int(port), None, "found by exatrust discover in CONNECTION ERP") in watched
    status, shown = exatrust("discover", "--watch", "--json")
    document = json.loads(shown[: shown.rindex("}") + 1])
    assert (status, document["added"]) == (0, 0)
    assert sql("SELECT COUNT(*) FROM EXATRUST.ENDPOINT") == [(6,)]

    sql("DELETE FROM EXATRUST.ENDPOINT WHERE HOST NOT IN ('pg.example', 'localhost')",
        f"UPDATE EXATRUST.ENDPOINT SET HOST = UPPER(HOST) WHERE HOST = '{host}'")  # fmt: skip
    assert exatrust("snapshot")[0] == 0
    verdicts = sql(
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


def test_the_worst_of_the_newest_verdicts_counts(sandbox: Sandbox, sql: Sql) -> None:
    columns = (
        "SNAPSHOT_AT, NODE_ID, LANGUAGE_ALIAS, HOST, PORT, TRUSTSTORE, TRUSTED, FINDING, SEVERITY"
    )
    verdicts = [
        ("2026-01-01 00:00:00", 0, "shared-bundle", "FALSE", "EXPIRED", "ERROR"),
        ("2026-01-02 00:00:00", 0, "shared-bundle", "TRUE", "OK", "INFO"),
        ("2026-01-02 00:00:00", 1, "shared-bundle", "FALSE", "HOST_MISMATCH", "ERROR"),
        ("2026-01-02 00:00:00", 1, "certifi", "FALSE", "UNKNOWN_CA", "ERROR"),
    ]
    sql(*(
        f"INSERT INTO EXATRUST.ENDPOINT_RESULT ({columns}) VALUES ('{at}', {node}, 'PYTHON3',"
        f" 'AD.example', 636, '{store}', {trusted}, '{finding}', '{severity}')"
        for at, node, store, trusted, finding, severity in verdicts
    ))  # fmt: skip
    assert sql(
        "SELECT TO_CHAR(LAST_CHECKED_AT, 'YYYY-MM-DD'), LAST_TRUSTED, LAST_FINDING"
        " FROM EXATRUST.OUTBOUND_ENDPOINT WHERE HOST = 'ad.example'"
    ) == [("2026-01-02", False, "HOST_MISMATCH")]


def test_without_the_privilege_the_database_says_what_is_missing_and_nothing_is_installed(
    sql: Sql, exatrust: Exatrust, monkeypatch: pytest.MonkeyPatch
) -> None:
    rights = ("CREATE SESSION", "CREATE SCHEMA", "CREATE TABLE", "CREATE VIEW", "CREATE SCRIPT")
    sql(f'CREATE USER MODEST IDENTIFIED BY "{USER_PASSWORD}"',
        *(f"GRANT {right} TO MODEST" for right in rights))  # fmt: skip
    for name, value in (
        ("DATABASE_USER", "MODEST"), ("DATABASE_PASSWORD", USER_PASSWORD),
        ("DATABASE_SCHEMA", "MODESTLY"), ("BUCKETFS_PREFIX", "modestly"),
    ):  # fmt: skip
        monkeypatch.setenv(f"EXATRUST_{name}", value)
    status, shown = exatrust("install", "--yes")
    assert status == 1
    assert "SELECT ANY DICTIONARY" in shown
    assert "grant the missing privilege" in shown
    assert sql("SELECT 1 FROM EXA_SCHEMAS WHERE SCHEMA_NAME = 'MODESTLY'") == []
