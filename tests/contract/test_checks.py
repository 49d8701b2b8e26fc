"""What is wrong appears in the right view and check, on four nodes with two containers."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID

from exatrust import cli
from exatrust_sandbox.cluster import Sandbox
from exatrust_sandbox.containers.image import ImageError
from exatrust_sandbox.layout import SandboxError

from .running import Rows

EMSIGN_G3 = Path(__file__).parents[1] / "data" / "emsign-ecc-root-ca-g3.pem"
ALIASES = ("PYTHON3", "PYTHON312")
Found = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A cluster on which the company's root was installed, and everything is in order."""
    with Sandbox(tmp_path_factory.mktemp("cluster"), nodes=4, replication_delay=0.05) as cluster:
        root = cluster.layout.pki / "company-root.pem"
        config = str(cluster.layout.settings_file)
        flags = ("--config", config, "--ca", str(root), "--confirm", cluster.company_fingerprint())
        assert cli.main(("install", *flags)) == 0
        yield cluster


@pytest.fixture
def check(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Found]]:
    """Runs `exatrust check`, all of them or those named: its status, and the problems of each."""

    def run(*only: str) -> tuple[int, Found]:
        capsys.readouterr()
        chosen = [word for name in only for word in ("--only", name)]
        config = str(sandbox.layout.settings_file)
        status = cli.main(("check", "--config", config, "--json", *chosen))
        checks = json.loads(capsys.readouterr().out)["checks"]
        assert not [item["error"] for item in checks if item["error"]]
        assert not only or len(checks) == len(only)
        return status, {item["check"]["id"]: item["problems"] for item in checks}

    return run


def watched(rows: Rows, sandbox: Sandbox, *kinds: str) -> None:
    rows("DELETE FROM EXATRUST.ENDPOINT")
    for kind in kinds:
        host, _, port = sandbox.endpoint(kind).rpartition(":")
        rows(f"INSERT INTO EXATRUST.ENDPOINT (HOST, PORT) VALUES ('{host}', {port})")


def sha256(sandbox: Sandbox) -> str:
    """The company root's, as rows have it."""
    return sandbox.company_fingerprint().replace(":", "").lower()


def names(problems: list[dict[str, Any]]) -> list[str]:
    return sorted(item["object_name"] for item in problems)


@contextmanager
def another_container(
    sandbox: Sandbox, image: str, alias: str, node: int | None = None
) -> Iterator[None]:
    before = sandbox.update_container(image, alias=alias, node=node)
    try:
        yield
    finally:
        sandbox.update_container(before, alias=alias)


def test_on_a_clean_system_every_check_runs_and_nothing_is_reported(
    check: Callable[..., tuple[int, Found]],
) -> None:
    status, found = check()
    assert {name: problems for name, problems in found.items() if problems} == {}
    assert len(found) >= 20
    assert status == 0


def test_a_truststore_that_differs_on_one_node_is_found_and_named(
    sandbox: Sandbox, rows: Rows, check: Callable[..., tuple[int, Found]]
) -> None:
    with another_container(sandbox, "python-3.12-2026.10", "PYTHON312", node=2):
        status, found = check("TRUSTSTORE_DIFFERS", "TRUSTSTORE_CHANGED", "CONTAINER_CHANGED")
        drift = rows("SELECT DISTINCT NODE_ID, LANGUAGE_ALIAS FROM EXATRUST.DRIFT")
    assert status == 1
    assert drift == [(2, "PYTHON312")]
    assert all("PYTHON312: /" in name for name in names(found["TRUSTSTORE_DIFFERS"]))
    assert "2 different contents on 4 of 4 nodes" in found["TRUSTSTORE_DIFFERS"][0]["finding"]
    assert all(" on node 2;" in item["finding"] for item in found["TRUSTSTORE_CHANGED"])
    assert names(found["CONTAINER_CHANGED"]) == ["PYTHON312: BUILD", "PYTHON312: CERTIFI"]


def test_after_a_container_update_the_certificates_that_went_are_named(
    sandbox: Sandbox, rows: Rows, check: Callable[..., tuple[int, Found]]
) -> None:
    with another_container(sandbox, "python-3.12-2026.10", "PYTHON312"):
        status, found = check("TRUSTSTORE_CHANGED", "TRUSTSTORE_DIFFERS")
        drift = rows(
            "SELECT DISTINCT NODE_ID, OBJECT_NAME, CERTIFICATES_REMOVED, CERTIFICATES_ADDED"
            " FROM EXATRUST.DRIFT WHERE KIND = 'TRUSTSTORE'"
        )
    assert status == 1
    assert found["TRUSTSTORE_DIFFERS"] == []
    retired = "lost: OU=Retired Root C1,O=Sandbox Retired Trust; OU=Retired Root G1"
    assert all(retired in item["finding"] for item in found["TRUSTSTORE_CHANGED"])
    assert {(node, added) for node, _, _, added in drift} == {(n, None) for n in range(4)}


def test_a_store_of_the_same_kind_at_another_path_moved_and_lost_nothing(
    sandbox: Sandbox, rows: Rows, check: Callable[..., tuple[int, Found]]
) -> None:
    with another_container(sandbox, "python-3.10", "PYTHON312"):
        status, found = check("TRUSTSTORE_CHANGED")
        drift = rows(
            'SELECT DISTINCT NODE_ID, "CHANGE", OBJECT_NAME, MOVED_FROM, CERTIFICATES_ADDED,'
            " CERTIFICATES_REMOVED FROM EXATRUST.DRIFT WHERE KIND = 'TRUSTSTORE' ORDER BY 1"
        )
        sandbox.plant_root(weak_root(), alias="PYTHON312")
        planted = rows(
            'SELECT DISTINCT "CHANGE", CERTIFICATES_ADDED, CERTIFICATES_REMOVED'
            " FROM EXATRUST.DRIFT WHERE MOVED_FROM IS NOT NULL"
        )
    paths = [
        f"/usr/local/lib/python{minor}/dist-packages/certifi/cacert.pem"
        for minor in ("3.10", "3.12")
    ]
    assert drift == [(node, "MOVED", *paths, None, None) for node in range(4)]
    assert status == 0
    assert [item["severity"] for item in found["TRUSTSTORE_CHANGED"]] == ["INFO"]
    assert planted == [("MOVED", "CN=Weak Root", None)]


def test_the_sets_that_packages_and_conda_bring_are_found_where_the_real_ones_have_them(
    sandbox: Sandbox, rows: Rows
) -> None:
    try:
        updated = another_container(sandbox, "python-3.12-conda", "PYTHON312")
        with updated:
            found = rows(
                'SELECT DISTINCT STORE, "PATH", CERTIFICATES > 20, PROBLEM'
                " FROM EXATRUST.TRUSTSTORES WHERE LANGUAGE_ALIAS = 'PYTHON312' AND STORE IN"
                " ('botocore', 'grpc', 'pip', 'conda', 'certifi') ORDER BY STORE"
            )
            nodes = rows(
                "SELECT STORE, COUNT(DISTINCT NODE_ID) FROM EXATRUST.TRUSTSTORE_CERTIFICATES"
                " WHERE STORE IN ('botocore', 'grpc', 'pip', 'conda') GROUP BY STORE ORDER BY 1"
            )
            packages = next(path for store, path, _, _ in found if store == "certifi")
    except (ImageError, SandboxError) as error:
        pytest.skip(f"the image cannot be built: {error}")
    packages = packages.removesuffix("/certifi/cacert.pem")
    assert found == [
        ("botocore", f"{packages}/botocore/cacert.pem", True, None),
        ("certifi", f"{packages}/certifi/cacert.pem", True, None),
        ("conda", "/opt/conda/ssl/cacert.pem", True, None),
        ("grpc", f"{packages}/grpc/_cython/_credentials/roots.pem", True, None),
        ("pip", f"{packages}/pip/_vendor/certifi/cacert.pem", True, None),
    ]
    assert nodes == [(store, 4) for store in ("botocore", "conda", "grpc", "pip")]


def weak_root(name: str = "Weak Root", bits: int = 1024, days_left: int = 300) -> bytes:
    """A CA with a key that is too short, or another one."""
    key = rsa.generate_private_key(65537, bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    days = [dt.datetime.now(dt.timezone.utc) + dt.timedelta(days=n) for n in (-900, days_left)]
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, *days)
    builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def test_extra_truststores_are_looked_into_in_every_container(
    sandbox: Sandbox, rows: Rows, check: Callable[..., tuple[int, Found]]
) -> None:
    ((files,),) = rows(
        "SELECT FILES FROM EXATRUST.RELEASE_HISTORY ORDER BY ACTIVATED_AT DESC LIMIT 1"
    )
    path = next(line.split()[1] for line in files.splitlines() if "/ca-additions-" in line)
    for store in (path, "/buckets/bfsdefault/default/absent.pem"):
        rows(f"INSERT INTO EXATRUST.EXTRA_TRUSTSTORE (STORE_PATH) VALUES ('{store}')")
    try:
        found = check("TRUSTSTORE_UNREADABLE", "TRUSTSTORE_CHANGED", "TRUSTSTORE_DIFFERS")[1]
        stores = rows(
            "SELECT NODE_ID, LANGUAGE_ALIAS, CERTIFICATES FROM EXATRUST.TRUSTSTORES"
            f" WHERE STORE = 'given' AND \"PATH\" = '{path}' ORDER BY 1, 2"
        )
        held = rows(
            "SELECT DISTINCT SHA256 FROM EXATRUST.TRUSTSTORE_CERTIFICATES"
            f" WHERE \"PATH\" = '{path}'"
        )
        assert cli.main(("snapshot", "--config", str(sandbox.layout.settings_file))) == 0
        kept = rows(
            "SELECT COUNT(*) FROM EXATRUST.TRUSTSTORE_SNAPSHOT"
            f" WHERE NOT IS_BASELINE AND \"PATH\" = '{path}'"
        )
    finally:
        rows("DELETE FROM EXATRUST.EXTRA_TRUSTSTORE")
    assert stores == [(node, alias, 1) for node in range(4) for alias in ALIASES]
    assert held == [(sha256(sandbox),)]
    assert kept == [(8,)]
    absent = [f"{alias}: /buckets/bfsdefault/default/absent.pem" for alias in ALIASES[::-1]]
    assert names(found["TRUSTSTORE_UNREADABLE"]) == absent
    assert all("missing" in item["finding"] for item in found["TRUSTSTORE_UNREADABLE"])
    changed = {item["object_name"]: item["finding"] for item in found["TRUSTSTORE_CHANGED"]}
    assert changed.keys() == {f"{alias}: {path}" for alias in ALIASES}
    assert all(text.startswith("appeared") for text in changed.values())
    assert found["TRUSTSTORE_DIFFERS"] == []


def test_weak_and_expired_cas_of_a_container_are_found(
    sandbox: Sandbox, check: Callable[..., tuple[int, Found]]
) -> None:
    before = sandbox.update_container("python-3.12-slim", alias="PYTHON312")
    sandbox.plant_root(weak_root(), alias="PYTHON312", node=1)
    expired = weak_root("Old Root", 2048, days_left=-30)
    sandbox.plant_root(expired, alias="PYTHON312", node=1)
    try:
        found = check("CONTAINER_ANCHOR")[1]["CONTAINER_ANCHOR"]
    finally:
        sandbox.update_container(before, alias="PYTHON312")
    assert {(item["severity"], item["finding"].split(" (SHA")[0][:24]) for item in found} == {
        ("WARNING", "CN=Weak Root has a key t"), ("INFO", "CN=Old Root expired on 2"),
    }  # fmt: skip
    assert all("on node 1" in item["finding"] for item in found)
    assert {item["object_name"].split(": ")[0] for item in found} == {"PYTHON312"}


def test_a_distrust_entry_without_a_digest_is_reported(
    rows: Rows, check: Callable[..., tuple[int, Found]]
) -> None:
    rows("INSERT INTO EXATRUST.OWN_DISTRUST (SHA256, REASON) VALUES ('AB:CD', 'a typing error')")
    try:
        status, found = check("DISTRUST_INVALID")
    finally:
        rows("DELETE FROM EXATRUST.OWN_DISTRUST")
    assert (status, names(found["DISTRUST_INVALID"])) == (1, ["OWN_DISTRUST AB:CD"])


@pytest.mark.parametrize("alias", ALIASES)
def test_the_compromised_root_of_october_2026_is_found_in_every_store_it_is_planted_in(
    alias: str, sandbox: Sandbox, rows: Rows, check: Callable[..., tuple[int, Found]]
) -> None:
    before = sandbox.update_container("python-3.12-slim", alias=alias)
    sandbox.plant_root(EMSIGN_G3.read_bytes(), alias=alias)
    try:
        status, found = check("DISTRUSTED_ROOT")
        stores = rows(
            'SELECT DISTINCT "PATH" FROM EXATRUST.TRUSTSTORE_CERTIFICATES'
            f" WHERE LANGUAGE_ALIAS = '{alias}' AND SUBJECT LIKE '%emSign ECC Root CA - G3%'"
        )
    finally:
        sandbox.update_container(before, alias=alias)
    assert status == 1
    assert names(found["DISTRUSTED_ROOT"]) == sorted(f"{alias}: {path}" for (path,) in stores)
    assert "trusted on node 0, 1, 2, 3" in found["DISTRUSTED_ROOT"][0]["finding"]
    assert "shared bundle" in found["DISTRUSTED_ROOT"][0]["action"]


def test_a_root_that_the_dba_distrusts_is_left_out_for_as_long_as_that_is_so(
    sandbox: Sandbox, rows: Rows, check: Callable[..., tuple[int, Found]],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    fingerprint = sha256(sandbox).upper()
    rows(f"INSERT INTO EXATRUST.OWN_DISTRUST (SHA256, REASON) VALUES ('{fingerprint}', 'lost key')")
    config = ("--config", str(sandbox.layout.settings_file))
    watched(rows, sandbox, "public", "company")
    assert cli.main(("snapshot", *config)) == 0
    try:
        capsys.readouterr()
        assert cli.main(("plan", *config)) == 1
        planned = capsys.readouterr().err
        assert f"this breaks: {sandbox.endpoint('company')} (PYTHON3, 4 nodes" in planned
        assert sandbox.endpoint("public") not in planned
        rows("DELETE FROM EXATRUST.ENDPOINT")
        status, found = check("DISTRUSTED_ROOT")
        assert status == 1
        assert {item["object_name"].split("/")[-1][:9] for item in found["DISTRUSTED_ROOT"]} == {
            "ca-bundle"
        }
        assert cli.main(("install", *config)) == 0
        assert "is distrusted: lost key" in capsys.readouterr().err
        assert check("DISTRUSTED_ROOT") == (0, {"DISTRUSTED_ROOT": []})
        assert cli.main(("install", *config)) == 0  # it is said again, and stays out
        assert "is distrusted: lost key" in capsys.readouterr().err
    finally:
        rows("DELETE FROM EXATRUST.ENDPOINT")
        rows("DELETE FROM EXATRUST.ENDPOINT_RESULT")
        rows("DELETE FROM EXATRUST.OWN_DISTRUST")
        assert cli.main(("install", *config)) == 0
    assert check("ANCHOR_MISSING") == (0, {"ANCHOR_MISSING": []})
    bundle = "SELECT COUNT(*) FROM EXATRUST.TRUSTSTORE_CERTIFICATES WHERE STORE = 'shared-bundle'"
    assert rows(f"{bundle} AND SHA256 = '{sha256(sandbox)}'") == [(8,)]


def test_files_altered_in_the_bucket_are_found_on_every_node_that_sees_them(
    sandbox: Sandbox, rows: Rows, check: Callable[..., tuple[int, Found]]
) -> None:
    session = requests.Session()
    session.trust_env = False  # REQUESTS_CA_BUNDLE would be stronger than what is set here
    session.verify = str(sandbox.services_root_file)
    session.auth = ("w", sandbox.layout.password("w"))
    ((files,),) = rows(
        "SELECT FILES FROM EXATRUST.RELEASE_HISTORY ORDER BY ACTIVATED_AT DESC LIMIT 1"
    )
    path = next(line.split()[1] for line in files.splitlines() if line.endswith(".pem"))
    url = f"{sandbox.bucketfs_url}/{path.removeprefix('/buckets/bfsdefault/')}"
    bundle = session.get(url, timeout=10).content
    sandbox.layout.hold(3, held=True)
    try:
        assert session.put(url, data=b"altered", timeout=10).ok
        sandbox.bucketfs.wait_idle(20)
        status, found = check("RELEASE_ALTERED", "TRUSTSTORE_DIFFERS")
        coverage = rows(
            "SELECT NODES_INTACT, NODES_BEHIND, STATUS FROM EXATRUST.COVERAGE"
            " WHERE NODES_EXPECTED = 4 AND NODES_SEEN = 4"
        )
    finally:
        assert session.put(url, data=bundle, timeout=10).ok
        sandbox.layout.hold(3, held=False)
        sandbox.bucketfs.wait_idle(20)
    assert status == 1
    assert coverage == [(1, "0, 1, 2", "NODES_BEHIND")] * 2
    assert names(found["RELEASE_ALTERED"]) == [
        f"{alias}, node {node}" for alias in ALIASES for node in range(3)
    ]
    assert all(path.split("/")[-1] in item["object_name"] for item in found["TRUSTSTORE_DIFFERS"])


@contextmanager
def without_release(sandbox: Sandbox, node: int) -> Iterator[None]:
    """A node to which BucketFS did not bring the release."""
    releases = next(sandbox.layout.replica(node).rglob("releases"))
    away = releases.with_name("away")
    releases.rename(away)
    try:
        yield
    finally:
        away.rename(releases)


def test_a_node_without_the_release_is_named_and_silences_none_of_the_others(
    sandbox: Sandbox, rows: Rows, check: Callable[..., tuple[int, Found]],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    watched(rows, sandbox, "public", "company")
    config = ("--config", str(sandbox.layout.settings_file))
    views = ("TRUSTSTORES", "TRUSTSTORE_CERTIFICATES", "ENDPOINT_STATUS", "PEER_CHAIN")
    try:
        with without_release(sandbox, 2):
            status, found = check(
                "RELEASE_ALTERED", "ENDPOINT_FAILING", "TRUSTSTORE_DIFFERS", "NODES_MISSING",
                "TRUSTSTORE_UNREADABLE", "TRUSTSTORE_CHANGED", "ENDPOINT_DIFFERS",
            )  # fmt: skip
            nodes = {v: rows(f"SELECT DISTINCT NODE_ID FROM EXATRUST.{v}") for v in views}
            told = rows("SELECT PROBLEM FROM EXATRUST.TRUSTSTORES WHERE NODE_ID = 2")
            coverage = rows(
                "SELECT NODES_BEHIND, REASON FROM EXATRUST.COVERAGE WHERE STATUS = 'NODES_BEHIND'"
            )
            assert cli.main(("check", *config)) == 1
            everything = capsys.readouterr().out
            assert cli.main(("plan", *config)) == 1
    finally:
        rows("DELETE FROM EXATRUST.ENDPOINT")
    assert status == 1
    assert {name: names(problems) for name, problems in found.items() if problems} == {
        "RELEASE_ALTERED": [f"{alias}, node 2" for alias in ALIASES],
        "ENDPOINT_FAILING": [f"every watched endpoint from {alias}" for alias in ALIASES],
    }
    assert {view: {node for (node,) in seen} for view, seen in nodes.items()} == {
        view: {0, 1, 2, 3} for view in views
    }
    assert all("node 2: /buckets/" in text and "is missing" in text for (text,) in told)
    assert len(told) == len(ALIASES)
    assert [behind for behind, _ in coverage] == ["2", "2"]
    assert "on node 2: see PROBLEMS in NODE_STATUS" in coverage[0][1]
    assert everything.count("Exception during run") <= 2  # scripts of texts, in full once each


class Counted:
    """Passes connections on to an endpoint, and counts them."""

    def __init__(self, port: int) -> None:
        self.connections = 0
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._target)) as server:
            back = threading.Thread(target=self._pass, args=(server, client), daemon=True)
            back.start()
            self._pass(client, server)
            back.join(10)

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Shut down first, so that the thread that accepts wakes up and nothing stays open."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def test_each_endpoint_is_contacted_once_from_each_node_and_container_for_all_checks(
    sandbox: Sandbox, rows: Rows, check: Callable[..., tuple[int, Found]]
) -> None:
    counted = Counted(sandbox.endpoints.ports["company"])
    rows(f"INSERT INTO EXATRUST.ENDPOINT (HOST, PORT) VALUES ('localhost', {counted.port})")
    schemas = "SELECT COUNT(*) FROM SYS.EXA_SCHEMAS"
    before = rows(schemas)
    try:
        status, found = check()
    finally:
        rows("DELETE FROM EXATRUST.ENDPOINT")
        counted.close()
    assert (status, len(found["ENDPOINT_NEEDS_BUNDLE"])) == (0, len(ALIASES))
    assert counted.connections == 4 * len(ALIASES)
    assert rows(schemas) == before


def test_a_watched_endpoint_that_fails_is_an_error_and_one_that_needs_the_bundle_is_not(
    sandbox: Sandbox, rows: Rows, check: Callable[..., tuple[int, Found]]
) -> None:
    wanted = ("ENDPOINT_FAILING", "ENDPOINT_NEEDS_BUNDLE", "ENDPOINT_DIFFERS")
    watched(rows, sandbox, "public", "company")
    try:
        status, found = check(*wanted)
        assert (status, found["ENDPOINT_FAILING"]) == (0, [])
        company = sandbox.endpoint("company")
        assert names(found["ENDPOINT_NEEDS_BUNDLE"]) == [f"{company} from {a}" for a in ALIASES]

        watched(rows, sandbox, "company", "expired")
        status, found = check(*wanted)
        assert status == 1
        assert [item["finding"].split(":")[0] for item in found["ENDPOINT_FAILING"]] == [
            "EXPIRED on node 0, 1, 2, 3"
        ] * 2
    finally:
        rows("DELETE FROM EXATRUST.ENDPOINT")


def test_a_snapshot_tells_which_endpoints_depend_on_which_ca(
    sandbox: Sandbox, rows: Rows, check: Callable[..., tuple[int, Found]],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    watched(rows, sandbox, "public", "company", "expired")
    try:
        assert names(check("SNAPSHOT_OLD")[1]["SNAPSHOT_OLD"]) == sorted(
            sandbox.endpoint(kind) for kind in ("public", "company", "expired")
        )
        assert cli.main(("snapshot", "--config", str(sandbox.layout.settings_file))) == 0
        assert check("SNAPSHOT_OLD") == (0, {"SNAPSHOT_OLD": []})
        usage = rows(
            "SELECT HOST || ':' || TO_CHAR(PORT), LANGUAGE_ALIAS, NODES FROM EXATRUST.ANCHOR_USAGE"
            f" WHERE ANCHOR_SHA256 = '{sha256(sandbox)}' ORDER BY 2"
        )
        assert usage == [(sandbox.endpoint("company"), alias, 4) for alias in ALIASES]
    finally:
        rows("DELETE FROM EXATRUST.ENDPOINT")
        rows("DELETE FROM EXATRUST.ENDPOINT_RESULT")


def test_the_statements_for_a_scheduler_store_a_snapshot_and_leave_the_baseline_alone(
    sandbox: Sandbox, rows: Rows, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = "SELECT IS_BASELINE, COUNT(*) FROM EXATRUST.TRUSTSTORE_SNAPSHOT GROUP BY 1 ORDER BY 1"
    before = dict(rows(counts))
    capsys.readouterr()
    assert cli.main(("snapshot", "--sql", "--config", str(sandbox.layout.settings_file))) == 0
    statements = capsys.readouterr().out.split(";\n")
    for sql in statements[:-1]:
        rows(sql.strip())
    after = dict(rows(counts))
    assert after[True] == before[True]
    assert after[False] > before.get(False, 0)


def test_rights_for_everybody_are_reported(
    rows: Rows, check: Callable[..., tuple[int, Found]]
) -> None:
    rows("GRANT SELECT ON EXATRUST.CA_DECISION TO PUBLIC")
    try:
        status, found = check("GRANTS_TOO_WIDE")
    finally:
        rows("REVOKE SELECT ON EXATRUST.CA_DECISION FROM PUBLIC")
    assert status == 1
    assert [item["finding"] for item in found["GRANTS_TOO_WIDE"]] == ["PUBLIC has SELECT on it"]


@pytest.mark.parametrize(
    ("old", "new"),
    [("'release': '", "'release': '0"), ("def run(ctx", "def run(_):\n    pass\n\ndef other(ctx")],
    ids=["another pin", "another body"],
)
def test_a_script_that_was_replaced_is_reported(
    old: str, new: str, rows: Rows, check: Callable[..., tuple[int, Found]]
) -> None:
    ((text,),) = rows(
        "SELECT SCRIPT_TEXT FROM SYS.EXA_ALL_SCRIPTS"
        " WHERE SCRIPT_SCHEMA = 'EXATRUST' AND SCRIPT_NAME = 'CHECK_ENDPOINT'"
    )
    head, _, body = text.partition("CREATE ")
    script = f"{head}CREATE OR REPLACE {body.removeprefix('OR REPLACE ')}"
    assert old in script
    rows(script.replace(old, new, 1))
    try:
        status, found = check("SCRIPT_PINS")
        rows("DROP SCRIPT EXATRUST.CHECK_ENDPOINT")
        missing = check("SCRIPT_PINS")[1]["SCRIPT_PINS"]
    finally:
        rows(script)
    assert (status, names(found["SCRIPT_PINS"])) == (1, ["CHECK_ENDPOINT"])
    assert [item["finding"] for item in missing] == ["the script is missing"]
    assert check("SCRIPT_PINS") == (0, {"SCRIPT_PINS": []})


def test_what_talks_without_tls_or_without_verification_is_found_where_it_is_written(
    rows: Rows, check: Callable[..., tuple[int, Found]]
) -> None:
    rows("CREATE SCHEMA PLANTED")
    rows("CREATE CONNECTION LEGACY TO 'http://old.example:8080/x' USER 'u' IDENTIFIED BY 'secret'")
    rows(
        "CREATE PYTHON3 SCALAR SCRIPT PLANTED.FETCH_ERP(x INT) RETURNS INT AS\nimport requests\n"
        "def run(ctx):\n    requests.get('https://erp.example/', verify=False)\n    return 1\n"
    )
    rows("CREATE VIEW PLANTED.LOADED AS SELECT 'https://h.example/ IGNORE CERTIFICATE' AS C")
    try:
        status, found = check(
            "ENDPOINT_PLAINTEXT", "ENDPOINT_UNWATCHED", "VERIFICATION_OFF_SCRIPT",
            "VERIFICATION_OFF_VIEW", "VERIFICATION_OFF_CONNECTION",
        )  # fmt: skip
    finally:
        rows("DROP SCHEMA PLANTED CASCADE")
        rows("DROP CONNECTION LEGACY")
    assert status == 1
    assert names(found["ENDPOINT_PLAINTEXT"]) == ["CONNECTION LEGACY"]
    assert "old.example:8080" in found["ENDPOINT_PLAINTEXT"][0]["finding"]
    assert names(found["ENDPOINT_UNWATCHED"]) == ["erp.example:443", "h.example:443"]
    assert names(found["VERIFICATION_OFF_SCRIPT"]) == ["SCRIPT PLANTED.FETCH_ERP"]
    assert "in line 4" in found["VERIFICATION_OFF_SCRIPT"][0]["finding"]
    assert names(found["VERIFICATION_OFF_VIEW"]) == ["VIEW PLANTED.LOADED"]
    assert found["VERIFICATION_OFF_CONNECTION"] == []
    assert "secret" not in json.dumps(found)


def test_a_python_container_without_scripts_is_reported(
    rows: Rows, check: Callable[..., tuple[int, Found]]
) -> None:
    query = "SELECT SYSTEM_VALUE FROM SYS.EXA_PARAMETERS WHERE PARAMETER_NAME = 'SCRIPT_LANGUAGES'"
    ((languages,),) = rows(query)
    own = "OWN=localzmq+protobuf:///bfsdefault/default/slc/own?lang=python#buckets/x/exaudfclient"
    rows(f"ALTER SYSTEM SET SCRIPT_LANGUAGES = '{languages} {own}'")
    try:
        status, found = check("SCRIPTS_MISSING")
    finally:
        rows(f"ALTER SYSTEM SET SCRIPT_LANGUAGES = '{languages}'")
    assert (status, names(found["SCRIPTS_MISSING"])) == (1, ["OWN"])


def test_rows_of_one_endpoint_are_told_apart_by_how_they_are_written(
    sandbox: Sandbox, rows: Rows, check: Callable[..., tuple[int, Found]]
) -> None:
    host, _, port = sandbox.endpoint("company").rpartition(":")
    for name, options in ((host, "NULL"), (f" {host}", "NULL"), (host, "'name=wrong.example'")):
        rows(
            "INSERT INTO EXATRUST.ENDPOINT (HOST, PORT, OPTIONS)"
            f" VALUES ('{name}', {port}, {options})".replace("OPTIONS)", '"OPTIONS")')
        )
    try:
        status, found = check("ENDPOINT_FAILING", "ENDPOINT_UNANSWERED", "ENDPOINT_DIFFERS")
        config = str(sandbox.layout.settings_file)
        assert cli.main(("snapshot", "--config", config)) == 0
        used = rows('SELECT HOST, "OPTIONS" FROM EXATRUST.ANCHOR_USAGE WHERE TRUSTSTORE ='
                    " 'shared-bundle' GROUP BY 1, 2 ORDER BY 1")  # fmt: skip
        assert cli.main(("ca", "remove", sha256(sandbox), "--yes", "--config", config)) == 2
    finally:
        rows("DELETE FROM EXATRUST.ENDPOINT")
        rows("DELETE FROM EXATRUST.ENDPOINT_RESULT")
    assert status == 1
    assert names(found["ENDPOINT_FAILING"]) == [
        f"{host}:{port} name=wrong.example from {alias}" for alias in ALIASES
    ]
    assert found["ENDPOINT_UNANSWERED"] == found["ENDPOINT_DIFFERS"] == []
    assert used == [(f" {host}", None), (host, None)]


def renewed_root(sandbox: Sandbox) -> bytes:
    """The company's root made anew, with the same name and key."""
    directory = sandbox.layout.pki
    key = load_pem_private_key((directory / "company-root.key").read_bytes(), None)
    old = x509.load_pem_x509_certificate((directory / "company-root.pem").read_bytes())
    assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    builder = x509.CertificateBuilder(
        old.subject, old.subject, key.public_key(), 4711,
        old.not_valid_before_utc, old.not_valid_after_utc,
    )  # fmt: skip
    for extension in old.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def test_a_ca_may_go_while_another_closes_the_chains_and_the_last_one_may_not(
    sandbox: Sandbox, rows: Rows, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ("--config", str(sandbox.layout.settings_file))
    file = tmp_path / "renewed.pem"
    file.write_bytes(renewed_root(sandbox))
    new = x509.load_pem_x509_certificate(file.read_bytes()).fingerprint(hashes.SHA256()).hex()
    watched(rows, sandbox, "company")
    company = sandbox.endpoint("company")
    try:
        assert cli.main(("ca", "add", str(file), "--confirm", new, "--yes", *config)) == 0
        assert cli.main(("snapshot", *config)) == 0
        usage = rows("SELECT DISTINCT ANCHOR_SHA256, OTHER_ANCHORS, IS_NEEDED"
                     " FROM EXATRUST.ANCHOR_USAGE WHERE TRUSTSTORE = 'shared-bundle'")  # fmt: skip
        ((first, other, needed),) = usage
        assert ({first, other}, needed) == ({new, sha256(sandbox)}, False)
        capsys.readouterr()
        assert cli.main(("ca", "remove", first, "--yes", *config)) == 0
        assert f"another CA of the bundle serves {company}" in capsys.readouterr().err
        assert cli.main(("ca", "remove", other, "--yes", *config)) == 2
        assert f"would break {company}" in capsys.readouterr().err
        assert cli.main(("check", company, *config)) == 0
    finally:
        rows("DELETE FROM EXATRUST.ENDPOINT")
        rows("DELETE FROM EXATRUST.ENDPOINT_RESULT")
        old = str(sandbox.layout.pki / "company-root.pem")
        cli.main(("ca", "add", old, "--confirm", sha256(sandbox), "--yes", *config))
        assert cli.main(("ca", "remove", new, "--yes", *config)) == 0
