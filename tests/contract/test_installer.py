"""The installer, command by command, against a whole stand-in cluster."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import requests

from exatrust.database import Database
from exatrust_sandbox.cluster import Sandbox, update_container

from .running import Exatrust, connect

NODES = 2
LANGUAGES = (
    "PYTHON3=builtin_python3 R=builtin_r JAVA=builtin_java "
    "PYTHON312=localzmq+protobuf:///bfsdefault/default/slc/python312?lang=python"
    "#buckets/bfsdefault/default/slc/python312/exaudf/exaudfclient"
)
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One cluster for all tests of this file."""
    directory = tmp_path_factory.mktemp("cluster")
    with Sandbox(directory, nodes=NODES, replication_delay=0.05) as cluster:
        with closing(connect(cluster)) as database:
            sql = f"ALTER SYSTEM SET SCRIPT_LANGUAGES='{LANGUAGES}'"
            database.transaction(lambda: database.execute(sql))
        yield cluster


@pytest.fixture
def schema(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> str:
    """A schema and a bucket prefix that no other test uses, in the sandbox's directory.

    One alias, for speed; `two_aliases` asks for both.
    """
    name = f"TRUST{next(_numbers)}"
    monkeypatch.chdir(sandbox.layout.directory)
    monkeypatch.setenv("EXATRUST_DATABASE_SCHEMA", name)
    monkeypatch.setenv("EXATRUST_BUCKETFS_PREFIX", name.lower())
    monkeypatch.setenv("EXATRUST_SCRIPTS_ALIASES", "PYTHON3")
    return name


@pytest.fixture
def two_aliases(schema: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXATRUST_SCRIPTS_ALIASES", "PYTHON3,PYTHON312")


@pytest.fixture
def company(sandbox: Sandbox) -> tuple[str, ...]:
    """The flags that add the company's root."""
    path = sandbox.layout.pki / "company-root.pem"
    return ("--ca", str(path), "--confirm", sandbox.company_fingerprint())


@pytest.fixture
def objects(database: Database, schema: str) -> Callable[[], list[str]]:
    """The names of all tables, scripts and views in the test's schema."""

    def read() -> list[str]:
        database.rollback()
        found = []
        for table, column in (("TABLES", "TABLE"), ("SCRIPTS", "SCRIPT"), ("VIEWS", "VIEW")):
            found += database.rows(
                f"SELECT {column}_NAME FROM SYS.EXA_ALL_{table} WHERE {column}_SCHEMA = '{schema}'"
            )
        return sorted(name for (name,) in found)

    return read


@pytest.mark.usefixtures("two_aliases")
def test_a_first_install_puts_everything_in_place_and_the_second_has_nothing_to_do(
    exatrust: Exatrust, database: Database, schema: str
) -> None:
    planned = exatrust("plan")
    assert planned.status == 1
    assert "it does not exist" in planned.out
    assert exatrust("status").status == 1

    installed = exatrust("install")
    assert installed.status == 0, installed.text
    assert "verified on every node" in installed.out
    assert exatrust("plan").status == 0

    again = exatrust("install")
    assert again.status == 0
    assert "Nothing to do" in again.out
    assert "upload" not in again.out

    nodes = database.rows(f"SELECT NODE_ID, LANGUAGE_ALIAS FROM {schema}.NODE_STATUS")
    assert sorted(nodes) == [
        (node, alias) for node in range(NODES) for alias in ("PYTHON3", "PYTHON312")
    ]
    assert database.rows(
        f"SELECT LANGUAGE_ALIAS, NODES_EXPECTED, NODES_SEEN, NODES_INTACT, STATUS"
        f" FROM {schema}.COVERAGE ORDER BY 1"
    ) == [
        ("JAVA", None, None, None, "NOT_PYTHON"),
        ("PYTHON3", NODES, NODES, NODES, "COMPLETE"),
        ("PYTHON312", NODES, NODES, NODES, "COMPLETE"),
        ("R", None, None, None, "NOT_PYTHON"),
    ]


@pytest.mark.usefixtures("two_aliases")
def test_status_after_an_install_is_in_order_and_readable_by_machines(
    exatrust: Exatrust,
) -> None:
    assert exatrust("install").status == 0
    status = exatrust("status", "--json")
    found = json.loads(status.out)
    assert (status.status, found["in_order"], found["bundle_intact"]) == (0, True, True)
    assert len(found["nodes"]) == 2 * NODES


@pytest.mark.usefixtures("two_aliases")
def test_truststores_and_certificates_are_rows_of_every_node(
    exatrust: Exatrust, database: Database, schema: str
) -> None:
    assert exatrust("install").status == 0
    stores = database.rows(
        f"SELECT LANGUAGE_ALIAS, COUNT(DISTINCT NODE_ID) FROM {schema}.TRUSTSTORES"
        f" WHERE CERTIFICATES > 50 GROUP BY LANGUAGE_ALIAS ORDER BY 1"
    )
    assert stores == [("PYTHON3", NODES), ("PYTHON312", NODES)]
    certificates = database.rows(
        f"SELECT COUNT(*) FROM {schema}.TRUSTSTORE_CERTIFICATES WHERE IN_SHARED_BUNDLE"
    )
    assert certificates[0][0] > 100 * NODES


def test_a_ca_is_added_once_and_carried_over_by_the_next_install(
    exatrust: Exatrust, company: tuple[str, ...], database: Database, schema: str
) -> None:
    assert exatrust("install").status == 0
    unconfirmed = exatrust("install", "--yes", *company[:2])
    assert unconfirmed.status == 2
    assert "nobody vouched for" in unconfirmed.err
    assert exatrust("install", "--yes", *company).status == 0
    assert exatrust("plan").status == 0
    assert "Nothing to do" in exatrust("install").out
    assert database.rows(
        f"SELECT DECISION, \"SOURCE\" FROM {schema}.CA_DECISION WHERE DECISION = 'ADDED'"
    ) == [("ADDED", "company-root.pem")]
    assert database.rows(f"SELECT COUNT(*) FROM {schema}.RELEASE_HISTORY") == [(2,)]


@pytest.mark.usefixtures("two_aliases")
def test_check_says_what_the_shared_bundle_changes(
    exatrust: Exatrust, company: tuple[str, ...], sandbox: Sandbox
) -> None:
    good, expired = sandbox.endpoint("company"), sandbox.endpoint("expired")
    assert exatrust("install").status == 0
    assert exatrust("check", good).status == 1
    assert exatrust("install", *company).status == 0
    after = exatrust("check", good, "--json")
    found = json.loads(after.out)
    assert (after.status, found["failed"]) == (0, [])
    shared = [item for item in found["verdicts"] if item["truststore"] == "shared-bundle"]
    assert [item["nodes"] for item in shared] == [[*range(NODES)]] * 2
    assert exatrust("check", good, expired).status == 1


@pytest.mark.usefixtures("two_aliases")
def test_watched_endpoints_show_every_finding_and_chain_once_for_each_node_and_alias(
    exatrust: Exatrust, company: tuple[str, ...], database: Database, schema: str, sandbox: Sandbox
) -> None:
    assert exatrust("install", *company).status == 0
    expired, port = sandbox.endpoint("expired").split(":")
    for options in ("NULL", "'sni=other.example'"):
        sql = f"INSERT INTO {schema}.ENDPOINT VALUES ('{expired}', {port}, {options}, NULL)"
        database.transaction(lambda sql=sql: database.execute(sql))  # type: ignore[misc]
    database.rollback()
    seen = [(node, alias) for node in range(NODES) for alias in ("PYTHON3", "PYTHON312")]
    findings = database.rows(
        f"SELECT NODE_ID, LANGUAGE_ALIAS, SNI, FINDING, IS_PRIMARY FROM {schema}.ENDPOINT_FINDINGS"
        f" WHERE TRUSTSTORE = 'shared-bundle' AND SEVERITY = 'ERROR'"
    )
    assert sorted(findings) == sorted(
        (*place, *row)
        for place in seen
        for row in (
            (expired, "EXPIRED", True),
            ("other.example", "HOST_MISMATCH", True),
            ("other.example", "EXPIRED", False),
        )
    )
    chain = database.rows(
        f'SELECT NODE_ID, LANGUAGE_ALIAS, "CHAIN", "POSITION" FROM {schema}.PEER_CHAIN'
        f" WHERE SNI = '{expired}'"
    )
    assert sorted(chain) == sorted((*place, "received", n) for place in seen for n in (1, 2))


def test_a_container_update_is_told_and_the_next_install_takes_a_new_baseline(
    exatrust: Exatrust, sandbox: Sandbox
) -> None:
    assert exatrust("install").status == 0
    old = update_container(sandbox.layout, "PYTHON3", "python-3.12-2026.10")
    try:
        changed = exatrust("status")
        assert changed.status == 1
        assert "PYTHON3: Python changed from 3.10" in changed.out
        assert "intact on every node" in changed.out
        assert exatrust("plan").status == 1
        assert exatrust("install").status == 0
        assert exatrust("status").status == 0
    finally:
        update_container(sandbox.layout, "PYTHON3", old)


def test_a_script_changed_by_hand_is_seen_and_replaced_only_with_consent(
    exatrust: Exatrust, database: Database, schema: str
) -> None:
    assert exatrust("install").status == 0
    database.transaction(
        lambda: database.execute(
            f"CREATE OR REPLACE PYTHON3 SET SCRIPT {schema}.LIST_TRUSTSTORES (x INT)"
            " EMITS (y INT) AS\ndef run(ctx):\n    pass\n"
        )
    )
    assert "script LIST_TRUSTSTORES was changed by hand" in exatrust("status").out
    assert "somebody changed it by hand" in exatrust("plan").out
    refused = exatrust("install")
    assert (refused.status, "give --yes" in refused.err) == (2, True)
    assert exatrust("install", "--yes").status == 0
    assert exatrust("status").status == 0


@pytest.mark.usefixtures("two_aliases")
def test_an_alias_that_is_taken_out_takes_its_scripts_along(
    exatrust: Exatrust, objects: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert exatrust("install").status == 0
    assert "PROBE_NODE_PYTHON312" in objects()
    monkeypatch.setenv("EXATRUST_SCRIPTS_ALIASES", "PYTHON3")
    assert exatrust("install", "--yes").status == 0
    assert not [name for name in objects() if name.endswith("PYTHON312")]
    assert exatrust("status").status == 0


def test_a_column_that_a_table_lost_comes_back_or_the_statement_is_told(
    exatrust: Exatrust, database: Database, schema: str
) -> None:
    assert exatrust("install").status == 0
    database.transaction(
        lambda: database.execute(f"ALTER TABLE {schema}.ENDPOINT DROP COLUMN NOTE")
    )
    planned = exatrust("plan")
    assert (planned.status, "ENDPOINT.NOTE" in planned.out) == (1, True)
    assert exatrust("install").status == 0
    assert database.rows(f"SELECT NOTE FROM {schema}.ENDPOINT") == []
    database.rollback()
    drop = f"ALTER TABLE {schema}.RELEASE_HISTORY DROP COLUMN FILES"
    database.transaction(lambda: database.execute(drop))
    told = exatrust("plan")
    assert told.status == 1
    assert f"the table {schema}.RELEASE_HISTORY lacks columns" in told.err
    assert 'ADD COLUMN "FILES" VARCHAR(2000000)' in told.err


def test_roots_that_come_and_go_with_the_default_set_are_named_and_asked_about(
    exatrust: Exatrust, sandbox: Sandbox, tmp_path: Path
) -> None:
    both = tmp_path / "both.pem"
    public = (sandbox.layout.pki / "public-roots.pem").read_text()
    assert exatrust("install").status == 0
    both.write_text(public + (sandbox.layout.pki / "company-root.pem").read_text())
    more = exatrust("install", "--roots", str(both))
    assert (more.status, "New among the default roots: OU=Example" in more.out) == (0, True)
    fewer = exatrust("install")
    assert (fewer.status, "UDFs will no longer trust: OU=Example" in fewer.out) == (2, True)
    assert "is in no source of the bundle any more" in fewer.err
    assert exatrust("check", sandbox.endpoint("company")).status == 0
    assert exatrust("install", "--yes").status == 0


def test_a_file_that_one_node_lost_is_written_anew(
    exatrust: Exatrust, sandbox: Sandbox, schema: str
) -> None:
    assert exatrust("install").status == 0
    lost = next(sandbox.layout.replica(1).glob(f"*/*/{schema.lower()}/releases/*/ca-bundle-*.pem"))
    lost.unlink()
    assert exatrust("status").status == 1
    healed = exatrust("install", "--yes")
    assert healed.status == 0, healed.text
    assert lost.is_file()
    assert "written once more" in healed.out
    assert exatrust("status").status == 0


def test_uninstall_leaves_nothing_of_ours_and_touches_nothing_else(
    exatrust: Exatrust, database: Database, schema: str, objects: Callable[[], list[str]],
    sandbox: Sandbox,
) -> None:  # fmt: skip
    assert exatrust("install").status == 0
    database.transaction(lambda: database.execute(f"CREATE TABLE {schema}.MINE (I INT)"))
    assert exatrust("uninstall").status == 2
    removed = exatrust("uninstall", "--yes")
    assert removed.status == 0, removed.text
    assert f"schema {schema} stays, it also has: table MINE" in removed.out
    assert objects() == ["MINE"]
    assert not [path for path in bucket_paths(sandbox) if path.startswith(f"{schema.lower()}/")]
    assert "Nothing of exatrust is installed" in exatrust("uninstall", "--yes").out


def test_an_uninstall_that_keeps_the_history_leaves_the_decisions_for_the_next_install(
    exatrust: Exatrust, objects: Callable[[], list[str]], company: tuple[str, ...],
    sandbox: Sandbox,
) -> None:  # fmt: skip
    assert exatrust("install", *company).status == 0
    removed = exatrust("uninstall", "--keep-history", "--yes", "--json")
    assert removed.status == 0, removed.text
    kept = json.loads(removed.out)["history"]
    assert {"CA_DECISION", "ENDPOINT", "RELEASE_HISTORY"} <= set(kept)
    assert objects() == kept
    after = exatrust("status")
    assert (after.status, "only the history of earlier" in after.err) == (1, True)
    assert exatrust("install", "--yes").status == 0
    assert sandbox.company_fingerprint().lower() in exatrust("ca", "list", "--json").out


def test_an_uninstall_spares_the_files_that_another_installation_reads(
    exatrust: Exatrust, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert exatrust("install").status == 0
    monkeypatch.setenv("EXATRUST_DATABASE_SCHEMA", f"{schema}_OTHER")
    assert exatrust("install").status == 0
    removed = exatrust("uninstall", "--yes")
    assert removed.status == 0
    assert f"stays in the bucket: script {schema}." in removed.out
    monkeypatch.setenv("EXATRUST_DATABASE_SCHEMA", schema)
    assert exatrust("status").status == 0
    assert "deleted 4 files" in exatrust("uninstall", "--yes").out


def test_uninstall_drops_a_schema_that_is_empty_then(
    exatrust: Exatrust, database: Database, schema: str
) -> None:
    assert exatrust("install").status == 0
    assert exatrust("uninstall", "--yes").status == 0
    rows = database.rows(f"SELECT COUNT(*) FROM SYS.EXA_SCHEMAS WHERE SCHEMA_NAME = '{schema}'")
    assert rows == [(0,)]


def bucket_paths(sandbox: Sandbox) -> tuple[str, ...]:
    listing = requests.get(
        f"{sandbox.bucketfs_url}/default",
        auth=("w", sandbox.layout.password("w")),
        verify=str(sandbox.services_root_file),
        timeout=10,
    )
    assert listing.status_code == 200
    return tuple(listing.text.splitlines())


def test_a_node_that_never_catches_up_is_named_and_nothing_is_installed(
    exatrust: Exatrust, sandbox: Sandbox, objects: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("EXATRUST_BUCKETFS_REPLICATION_TIMEOUT", "3")
    sandbox.layout.hold(1, held=True)
    try:
        behind = exatrust("install")
    finally:
        sandbox.layout.hold(1, held=False)
    assert behind.status == 1
    assert "PYTHON3: node 1: missing: /buckets/bfsdefault/default/" in behind.err
    assert "node 0" not in behind.err
    assert objects() == []
    assert exatrust("install").status == 0


def test_a_node_that_is_behind_keeps_scripts_on_the_old_release(
    exatrust: Exatrust, sandbox: Sandbox, company: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assert exatrust("install").status == 0
    before = json.loads(exatrust("status", "--json").out)["release"]
    monkeypatch.setenv("EXATRUST_BUCKETFS_REPLICATION_TIMEOUT", "3")
    sandbox.layout.hold(0, held=True)
    try:
        assert exatrust("install", *company).status == 1
    finally:
        sandbox.layout.hold(0, held=False)
    after = json.loads(exatrust("status", "--json").out)
    assert (after["release"], after["in_order"]) == (before, True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "bad.pem is empty"),
        (b"not a certificate", "is neither PEM nor DER"),
        (b"-----BEGIN RSA PRIVATE KEY-----\nplanted-key-material\n", "is RSA PRIVATE KEY"),
        (b"-----BEGIN CERTIFICATE-----\nplanted*\n-----END CERTIFICATE-----", "not valid base64"),
        (None, "No such file"),
    ],
)
def test_a_bad_ca_file_is_named_and_changes_nothing(
    exatrust: Exatrust, objects: Callable[[], list[str]], tmp_path: Path,
    content: bytes | None, message: str,
) -> None:  # fmt: skip
    path = tmp_path / "bad.pem"
    if content is not None:
        path.write_bytes(content)
    refused = exatrust("install", "--yes", "--ca", str(path))
    assert (refused.status, message in refused.err) == (2, True), refused.err
    assert "planted" not in refused.text
    assert objects() == []


@pytest.mark.parametrize(
    ("variable", "value", "status", "message"),
    [
        ("EXATRUST_SCRIPTS_ALIASES", "PYTHON3,PYTHON4", 2, "no language alias PYTHON4"),
        ("EXATRUST_SCRIPTS_ALIASES", "JAVA", 2, "JAVA is java, and the default one"),
        ("EXATRUST_BUCKETFS_BUCKET", "absent", 2, "no bucket absent; it has: default"),
        ("EXATRUST_BUCKETFS_URL", "https://127.0.0.1:1", 3, "does not answer"),
        ("EXATRUST_DATABASE_DSN", "127.0.0.1/" + "ab" * 32 + ":1", 3, "does not answer"),
        ("EXATRUST_DATABASE_PASSWORD", "planted-wrong", 2, "refused user sys"),
        ("EXATRUST_BUCKETFS_PASSWORD", "planted-wrong", 2, "as user w"),
        ("EXATRUST_DATABASE_USER", "nobody", 2, "refused user nobody"),
    ],
)
def test_bad_input_is_named_with_the_right_status_and_nothing_is_half_installed(
    exatrust: Exatrust, objects: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch,
    variable: str, value: str, status: int, message: str,
) -> None:  # fmt: skip
    monkeypatch.setenv(variable, value)
    refused = exatrust("install", "--yes")
    assert (refused.status, message in refused.err) == (status, True), refused.err
    assert "planted" not in refused.text
    assert objects() == []


def test_another_database_certificate_is_explained(
    exatrust: Exatrust, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = sandbox.dsn.replace(sandbox.fingerprint, "ab" * 32)
    monkeypatch.setenv("EXATRUST_DATABASE_DSN", wrong)
    refused = exatrust("status")
    assert refused.status == 3
    assert f"SHA-256 {sandbox.fingerprint.lower()}, pinned abab" in refused.err


def test_a_table_of_somebody_elses_is_not_taken_over(
    exatrust: Exatrust, database: Database, schema: str
) -> None:
    def work() -> None:
        database.execute(f"CREATE SCHEMA {schema}")
        database.execute(f"CREATE TABLE {schema}.ENDPOINT (I INT)")

    database.transaction(work)
    refused = exatrust("install", "--yes")
    assert (refused.status, "did not make: table ENDPOINT" in refused.err) == (2, True)


def test_check_before_an_install_says_what_to_do(exatrust: Exatrust) -> None:
    refused = exatrust("check", "localhost:1")
    assert refused.status == 1
    assert "exatrust install" in refused.err


def test_no_password_shows_in_any_output_or_log(
    exatrust: Exatrust, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    secrets = [sandbox.layout.password(user) for user in ("sys", "w", "r")]
    with caplog.at_level(logging.DEBUG):
        text = "".join(
            exatrust(*command).text
            for command in (
                ("plan",), ("install", "--yes"), ("status", "--json"), ("check", "localhost:1"),
                ("uninstall", "--yes"),
            )
        )  # fmt: skip
    product = [record for record in caplog.records if not record.name.startswith("websockets")]
    shown = text + "".join(record.getMessage() for record in product)
    assert all(len(secret) > 10 for secret in secrets)
    assert not [secret for secret in secrets if secret in shown]


def test_check_explains_every_cause_and_not_the_primary_one_alone(
    exatrust: Exatrust, sandbox: Sandbox
) -> None:
    endpoint = sandbox.endpoint("expired")
    assert exatrust("install").status == 0
    found = json.loads(exatrust("check", endpoint, "--json").out)["findings"]
    told = [item for item in found if item["truststore"] == "shared-bundle"]
    assert {"CA_NOT_IN_TRUSTSTORE", "EXPIRED"} <= {item["finding"] for item in told}
    assert all(item["nodes"] == [*range(NODES)] for item in told)
    out = exatrust("check", endpoint).out
    assert out.count("  Cause:  ") == len([i for i in told if i["severity"] != "INFO"])
