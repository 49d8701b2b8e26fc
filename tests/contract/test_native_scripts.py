"""Java and R aliases: scripts in their own language, installed, judged and removed like Python's.

Everything runs for real: a JVM and an R in containers of their own, against the cluster's servers.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from exatrust import native, resources
from exatrust_sandbox.cluster import Sandbox
from exatrust_sandbox.containers.image import ImageError
from exatrust_sandbox.layout import SandboxError
from exatrust_udf.kinds import KINDS

from .running import Exatrust, Rows, connect

DOCS = Path(__file__).parents[2] / "docs"
NODES = 2
LANGUAGES = "PYTHON3=builtin_python3 JAVA=builtin_java R=builtin_r"
_done: list[int] = []
ENDPOINTS = ("public", "company", "expired", "wrong-name", "no-intermediate")


def _add(sandbox: Sandbox, image: str, alias: str) -> str | None:
    """Why there is no such container."""
    try:
        sandbox.add_container(image, alias=alias)
    except (ImageError, SandboxError) as error:
        return str(error)
    return None


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One cluster for all tests of this file."""
    directory = tmp_path_factory.mktemp("cluster")
    with Sandbox(directory, nodes=NODES, replication_delay=0.05) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def java(sandbox: Sandbox) -> None:
    """JAVA has a container; skipped, loudly, where the machine has no JDK."""
    if (why := _add(sandbox, "java-17", "JAVA")) is not None:
        pytest.skip(why)


@pytest.fixture(scope="module")
def r(sandbox: Sandbox) -> None:
    """R has a container; skipped, loudly, where the machine has no R."""
    if (why := _add(sandbox, "r-4", "R")) is not None:
        pytest.skip(why)


@pytest.fixture(scope="module")
def schema(sandbox: Sandbox) -> Iterator[str]:
    """The schema of all tests of this file; aliases are discovered."""
    file = sandbox.layout.directory / "discovering.toml"
    text = sandbox.layout.settings_file.read_text()
    file.write_text(re.sub(r"^aliases = .*$", "", text, flags=re.MULTILINE))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(sandbox.layout.directory)
        # One Python alias, for speed.
        with closing(connect(sandbox)) as database:
            sql = f"ALTER SYSTEM SET SCRIPT_LANGUAGES='{LANGUAGES}'"
            database.transaction(lambda: database.execute(sql))
        yield "EXATRUST"


@pytest.fixture(autouse=True)
def _settings(sandbox: Sandbox, schema: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXATRUST_CONFIG", str(sandbox.layout.directory / "discovering.toml"))


@pytest.fixture
def installed(exatrust: Exatrust, schema: str, sandbox: Sandbox) -> str:
    """The schema of an install whose bundle has the company's CA; done once for what there is."""
    path = sandbox.layout.pki / "company-root.pem"
    flags = ("--ca", str(path), "--confirm", sandbox.company_fingerprint(), "--yes")
    containers = len(sandbox.layout.aliases())
    if _done != [containers]:
        done = exatrust("install", *flags)
        assert done.status == 0, done.text
        _done[:] = [containers]
    return schema


def _asked(sandbox: Sandbox, script: str) -> str:
    endpoints = [sandbox.endpoint(kind) for kind in ENDPOINTS]
    endpoints += ["localhost:1", "nosuch.invalid:443", "localhost", sandbox.endpoint("public")]
    union = " UNION ALL ".join(f"SELECT '{text}' AS E" for text in endpoints)
    return f"SELECT {script}(E) FROM ({union})"


def _by(rows: list[tuple], *names: str, script: str, language: str) -> list[dict]:
    text = resources.sql(f"scripts/{language}/{script}.sql").partition("EMITS (")[2]
    columns = re.findall(r'^    "(\w+)"', text, re.MULTILINE)
    return [dict(zip(columns, row, strict=True)) for row in rows]


@pytest.mark.usefixtures("java")
def test_java_says_itself_what_it_trusts_and_why_not(
    installed: str, rows: Rows, sandbox: Sandbox
) -> None:
    found = _by(
        rows(_asked(sandbox, f"{installed}.CHECK_ENDPOINT_JAVA")),
        script="check_endpoint", language="java",
    )  # fmt: skip
    ports = {sandbox.endpoints.ports[kind]: kind for kind in ENDPOINTS}
    verdicts = {
        (ports.get(row["PORT"], row["HOST"]), row["TRUSTSTORE"]): (row["TRUSTED"], row["FINDING"])
        for row in found
    }
    assert verdicts["public", "java"] == verdicts["public", "shared-bundle"] == (True, None)
    assert verdicts["company", "shared-bundle"] == (True, None)
    assert verdicts["company", "java"] == (False, "CA_NOT_IN_TRUSTSTORE")
    assert verdicts["expired", "shared-bundle"] == (False, "EXPIRED")
    assert verdicts["wrong-name", "shared-bundle"] == (False, "HOST_MISMATCH")
    assert verdicts["no-intermediate", "shared-bundle"] == (False, "CA_NOT_IN_TRUSTSTORE")
    assert verdicts["nosuch.invalid", "java"] == (False, "DNS")
    refused = [row for row in found if row["PORT"] == 1]
    assert {row["FINDING"] for row in refused} == {"REFUSED"}
    assert {row["FINDING"] for row in found if row["PORT"] is None} == {"BAD_INPUT"}
    company = next(
        row for row in found
        if ports.get(row["PORT"]) == "company" and row["TRUSTSTORE"] == "shared-bundle"
    )  # fmt: skip
    assert company["ANCHOR_SHA256"] == sandbox.company_fingerprint().lower()
    assert company["TLS_VERSION"] == "TLSv1.3"
    assert (company["LANGUAGE_ALIAS"], company["CONNECTED"]) == ("JAVA", True)
    assert "PKIX path building failed" in next(
        row["VERIFY_TEXT"] for row in found
        if ports.get(row["PORT"]) == "company" and row["TRUSTSTORE"] == "java"
    )  # fmt: skip


@pytest.mark.usefixtures("java")
def test_java_lists_both_truststores_as_it_loads_them(
    installed: str, rows: Rows, sandbox: Sandbox
) -> None:
    listed = _by(
        rows(
            f"SELECT {installed}.LIST_CERTIFICATES_JAVA(I)"
            " FROM (SELECT I FROM VALUES BETWEEN 1 AND 32 AS v(I)) GROUP BY I"
        ),
        script="list_certificates", language="java",
    )  # fmt: skip
    for node in range(NODES):
        mine = [row for row in listed if row["NODE_ID"] == node]
        bundle = {row["SHA256"] for row in mine if row["STORE"] == "shared-bundle"}
        default = {row["SHA256"]: row for row in mine if row["STORE"] == "java"}
        assert sandbox.company_fingerprint().lower() in bundle - set(default)
        in_bundle = {digest for digest, row in default.items() if row["IN_SHARED_BUNDLE"]}
        assert in_bundle == bundle & set(default)
        # The public CAs are not lost: what Java trusts by itself is in the release's truststore,
        # but for roots that were retired.
        lost = [row["SUBJECT"] for row in default.values() if not row["IN_SHARED_BUNDLE"]]
        assert all("Retired" in subject for subject in lost), lost
    python = dict(
        rows(
            f"SELECT SHA256, SUBJECT || ISSUER || SERIAL || NOT_BEFORE || NOT_AFTER || DAYS_LEFT"
            f" FROM {installed}.TRUSTSTORE_CERTIFICATES WHERE STORE = 'shared-bundle'"
            " AND NODE_ID = 0 AND LANGUAGE_ALIAS = 'PYTHON3'"
        )
    )
    assert set(python) == {row["SHA256"] for row in listed if row["STORE"] == "shared-bundle"}


@pytest.mark.usefixtures("java")
def test_an_altered_truststore_is_a_row_that_says_so_and_is_never_trusted(
    installed: str, rows: Rows, sandbox: Sandbox
) -> None:
    files = list(sandbox.nodes[0].buckets.rglob("exatrust/releases/*/ca-bundle-*.p12"))
    assert len(files) == 1
    before = files[0].read_bytes()
    files[0].write_bytes(before + b"x")
    try:
        found = _by(
            rows(
                f"SELECT {installed}.CHECK_ENDPOINT_JAVA('{sandbox.endpoint('company')}')"
                " FROM (SELECT I FROM VALUES BETWEEN 1 AND 32 AS v(I)) GROUP BY I"
            ),
            script="check_endpoint", language="java",
        )  # fmt: skip
    finally:
        files[0].write_bytes(before)
    bundle = {row["NODE_ID"]: row for row in found if row["TRUSTSTORE"] == "shared-bundle"}
    assert (bundle[0]["TRUSTED"], bundle[0]["FINDING"]) == (False, "TRUST_STORE_EMPTY")
    assert "was altered. Expected SHA-256" in bundle[0]["VERIFY_TEXT"]
    assert bundle[1]["TRUSTED"] is True


@pytest.mark.usefixtures("r")
def test_r_reports_what_its_libcurl_says(installed: str, rows: Rows, sandbox: Sandbox) -> None:
    found = _by(
        rows(_asked(sandbox, f"{installed}.CHECK_ENDPOINT_R")),
        script="check_endpoint", language="r",
    )  # fmt: skip
    ports = {sandbox.endpoints.ports[kind]: kind for kind in ENDPOINTS}
    verdicts = {
        (ports.get(row["PORT"], row["HOST"]), row["TRUSTSTORE"]): (row["TRUSTED"], row["FINDING"])
        for row in found
    }
    assert verdicts["public", "shared-bundle"] == (True, None), found
    assert verdicts["public", "libcurl"] == verdicts["company", "shared-bundle"] == (True, None)
    assert verdicts["company", "libcurl"] == (False, "CA_NOT_IN_TRUSTSTORE")
    assert verdicts["expired", "shared-bundle"] == (False, "EXPIRED")
    assert verdicts["wrong-name", "shared-bundle"] == (False, "HOST_MISMATCH")
    assert verdicts["no-intermediate", "shared-bundle"] == (False, "CA_NOT_IN_TRUSTSTORE")
    assert verdicts["nosuch.invalid", "libcurl"] == (False, "DNS")
    assert {row["FINDING"] for row in found if row["PORT"] == 1} == {"REFUSED"}
    assert {row["FINDING"] for row in found if row["PORT"] is None} == {"BAD_INPUT"}
    told = next(
        row for row in found
        if ports.get(row["PORT"]) == "company" and row["TRUSTSTORE"] == "libcurl"
    )  # fmt: skip
    assert (told["CURL_CODE"], told["LANGUAGE_ALIAS"]) == (60, "R")
    assert told["VERIFY_TEXT"].startswith("SSL certificate problem:")


def _recipe(name: str, rows: Rows) -> str:
    """The script of docs/java-and-r.md with the paths of the current release."""
    text = (DOCS / "java-and-r.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    block = next(item for item in blocks if f"SCRIPT {name}(" in item)
    files = rows("SELECT FILES FROM EXATRUST.RELEASE_HISTORY ORDER BY ACTIVATED_AT DESC")[0][0]
    for suffix in (".p12", ".pem"):
        path = next(
            line.partition(" ")[2] for line in files.splitlines()
            if "/ca-bundle-" in line and line.endswith(suffix)
        )  # fmt: skip
        block = re.sub(rf"/buckets/\S+<digest>{re.escape(suffix)}", path, block)
    assert "<" not in block.partition(" AS\n")[2].partition(";")[0]
    return block.replace(f"SCRIPT {name}(", f"SCRIPT RECIPES.{name}(")


@pytest.fixture
def recipes(rows: Rows) -> None:
    rows("CREATE SCHEMA IF NOT EXISTS RECIPES")


@pytest.mark.usefixtures("java", "recipes")
def test_the_recipe_for_java_reaches_java_s_clients_and_loses_no_public_ca(
    installed: str, rows: Rows, sandbox: Sandbox
) -> None:
    recipe = _recipe("MY_JAVA_UDF", rows)
    union = " UNION ALL ".join(
        f"SELECT 'https://{sandbox.endpoint(kind)}/' AS U, '{kind}' AS K" for kind in ENDPOINTS
    )
    asked = f"SELECT K, RECIPES.MY_JAVA_UDF(U) FROM ({union})"
    rows(recipe)
    told = dict(rows(asked))
    assert told["public"] == told["company"] == "status 200"
    assert "validity check failed" in told["expired"]
    assert "No subject alternative DNS name matching localhost" in told["wrong-name"]
    rows("\n".join(line for line in recipe.split("\n") if not line.startswith("%")))
    told = dict(rows(asked))
    assert told["public"] == "status 200"
    assert "PKIX path building failed" in told["company"]
    rows(re.sub(r"/buckets/\S+;", "/buckets/bfsdefault/default/absent.p12;", recipe))
    told = dict(rows(asked))
    assert told["public"] == "status 200"
    assert "PKIX path building failed" in told["company"]


@pytest.mark.usefixtures("r", "recipes")
def test_the_recipe_for_r_reaches_each_client_and_the_table_says_by_what(
    installed: str, rows: Rows, sandbox: Sandbox, record_property
) -> None:
    missing = [name for name in ("RCurl", "curl", "httr") if not _has_package(name)]
    if missing:
        pytest.skip(f"this R has no {', '.join(missing)} (Debian: r-cran-rcurl, r-cran-httr)")
    recipe = _recipe("MY_R_UDF", rows)
    cainfo = ("options(RCurl", "httr::set_config", "handle <-")
    bare = "\n".join(line for line in recipe.split("\n") if not line.startswith(cainfo))
    bare = bare.replace(", handle()", "")

    def trusted(script: str, kind: str) -> set[str]:
        rows(script)
        asked = f"SELECT RECIPES.MY_R_UDF('https://{sandbox.endpoint(kind)}/')"
        return {client for client, outcome in rows(asked) if outcome == "trusted"}

    everyone = {"R", "RCurl", "httr", "curl"}
    assert trusted(recipe, "company") == trusted(recipe, "public") == everyone
    assert trusted(recipe, "wrong-name") == trusted(recipe, "expired") == set()
    by_variable = {
        "CURL_CA_BUNDLE": trusted(bare, "company"),
        "SSL_CERT_FILE": trusted(
            bare.replace("%env CURL_CA_BUNDLE", "%env SSL_CERT_FILE"), "company"
        ),
    }
    assert by_variable == {"CURL_CA_BUNDLE": {"R"}, "SSL_CERT_FILE": set()}
    record_property("counted", f"R clients by %env variable: {by_variable}")


def _has_package(name: str) -> bool:
    program = shutil.which("Rscript") or "Rscript"
    return not subprocess.run([program, "-e", f"library({name})"], capture_output=True).returncode


@pytest.mark.usefixtures("java", "r")
def test_the_scripts_are_planned_pinned_repaired_and_removed_like_the_others(
    installed: str, exatrust: Exatrust, rows: Rows, sandbox: Sandbox
) -> None:
    ours = {"CHECK_ENDPOINT_JAVA", "LIST_CERTIFICATES_JAVA", "CHECK_ENDPOINT_R"}
    planned_release = exatrust("plan", "--json")
    assert planned_release.status == 0, planned_release.text
    known = {item["name"]: item for item in json.loads(planned_release.out)["aliases"]}
    assert (known["JAVA"]["broken"], known["R"]["broken"]) == (None, None)
    history = f"SELECT SCRIPTS FROM {installed}.RELEASE_HISTORY ORDER BY ACTIVATED_AT DESC"
    recorded = rows(history)[0][0].splitlines()
    assert ours <= {line.partition(" ")[2] for line in recorded}
    assert exatrust("check", "--only", "SCRIPT_PINS").status == 0
    text = _script_text(rows, installed)
    rows(text.replace('setEndpointIdentificationAlgorithm("HTTPS")', "getCipherSuites()"))
    pins = exatrust("check", "--only", "SCRIPT_PINS")
    assert (pins.status, "CHECK_ENDPOINT_JAVA" in pins.out) == (1, True), pins.text
    assert "script CHECK_ENDPOINT_JAVA was changed by hand" in exatrust("status").out
    rows(f"DROP SCRIPT {installed}.CHECK_ENDPOINT_R")
    planned = exatrust("plan")
    assert re.search(r"replace +script +CHECK_ENDPOINT_JAVA +somebody changed it", planned.out)
    assert re.search(r"create +script +CHECK_ENDPOINT_R +it does not exist", planned.out)
    # An install of another release repairs them, and a rollback takes them back with all others.
    first = json.loads(planned_release.out)["release"]
    root = sandbox.layout.pki / "public-root.pem"
    digest = x509.load_pem_x509_certificate(root.read_bytes()).fingerprint(SHA256()).hex()
    assert exatrust("ca", "remove", digest, "--yes", "--reason", "test").status == 0
    assert first not in _script_text(rows, installed)
    assert exatrust("check", "--only", "SCRIPT_PINS").status == 0
    back = exatrust("rollback", "--yes")
    assert back.status == 0, back.text
    assert first in _script_text(rows, installed)
    assert exatrust("uninstall", "--yes").status == 0
    left = rows(f"SELECT COUNT(*) FROM SYS.EXA_ALL_SCRIPTS WHERE SCRIPT_SCHEMA = '{installed}'")
    assert left == [(0,)]


def _script_text(rows: Rows, schema: str) -> str:
    return rows(
        "SELECT SCRIPT_TEXT FROM SYS.EXA_ALL_SCRIPTS WHERE SCRIPT_NAME = 'CHECK_ENDPOINT_JAVA'"
        f" AND SCRIPT_SCHEMA = '{schema}'"
    )[0][0]


def test_every_finding_of_java_and_r_is_one_of_exatrust_s() -> None:
    for language, scripts in native.SOURCES.items():
        for name in {name for names in scripts.values() for name in names}:
            text = resources.sql(f"scripts/{language}/{name}")
            found = set(re.findall(r'"([A-Z]{3,}(?:_[A-Z]+)*)"', text))
            others = {"HTTPS", "TLS", "PKIX", "UTC", "CURL_CA_BUNDLE"}
            assert found - set(KINDS) <= others, name


def test_no_script_has_a_way_around_verification() -> None:
    text = "".join(
        resources.sql(f"scripts/{language}/{name}")
        for language, scripts in native.SOURCES.items()
        for names in scripts.values()
        for name in names
    )
    assert not re.search(r"verify *= *FALSE|TrustAll|HostnameVerifier|ssl_verifypeer", text)
