"""What analysts see of a release: snippets, scripts that follow it, and scripts that lag behind."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from exatrust import cli
from exatrust.errors import SqlFailed
from exatrust_sandbox.cluster import Sandbox

from .running import Exatrust, Rows, new_ca

ALIASES = "PYTHON3,PYTHON312"
SIGNATURE = "(x INT) RETURNS VARCHAR(2000) AS"
SHOWS = "import os\ndef run(ctx):\n    return os.environ.get('SSL_CERT_FILE')\n"
FOLLOWS = """\
exatrust_udf = exa.import_script("EXATRUST.EXATRUST_UDF{suffix}")

def run(ctx):
    exatrust_udf.activate()
    return exatrust_udf.bundle_path()
"""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One cluster with two releases for all tests of this file."""
    directory = tmp_path_factory.mktemp("cluster")
    with Sandbox(directory, nodes=1, replication_delay=0.05) as cluster:
        common = ("--aliases", ALIASES, "--config", str(cluster.layout.settings_file))
        assert cli.main(("install", "--yes", *common)) == 0
        assert cli.main(("install", *new_ca(directory)(), *common)) == 0
        yield cluster


@pytest.fixture
def schema(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(sandbox.layout.directory)
    monkeypatch.setenv("EXATRUST_SCRIPTS_ALIASES", ALIASES)
    return "EXATRUST"


@pytest.fixture
def analysts(rows: Rows) -> Iterator[str]:
    """An empty schema beside that of the release."""
    rows("CREATE SCHEMA ANALYSTS")
    yield "ANALYSTS"
    rows("DROP SCHEMA ANALYSTS CASCADE")


def snippet(exatrust: Exatrust, language: str = "python") -> str:
    shown = exatrust("snippet", language)
    assert shown.status == 0
    return shown.out


def bundle(rows: Rows, which: int = 0) -> str:
    """The path of the current release's bundle, or of the one before it."""
    history = rows("SELECT FILES FROM EXATRUST.RELEASE_HISTORY ORDER BY ACTIVATED_AT DESC")
    files = str(history[which][0]).split()
    (path,) = (p for p in files if "/ca-bundle-" in p and p.endswith(".pem"))
    return path


def create(rows: Rows, name: str, body: str, alias: str = "PYTHON3", head: str = "CREATE") -> str:
    text = f"{head} {alias} SCALAR SCRIPT {name}{SIGNATURE}\n{body}"
    rows(text)
    return text


def test_a_pasted_snippet_makes_the_udf_use_the_release(
    analysts: str, exatrust: Exatrust, rows: Rows
) -> None:
    create(rows, "ANALYSTS.F", snippet(exatrust) + SHOWS)
    assert rows("SELECT ANALYSTS.F(1)") == [(bundle(rows),)]


def test_java_and_r_get_lines_of_the_current_release(
    analysts: str, exatrust: Exatrust, rows: Rows
) -> None:
    folder = bundle(rows).rpartition("/")[0]
    assert f"%env CURL_CA_BUNDLE={bundle(rows)};" in snippet(exatrust, "r")
    first, *_ = snippet(exatrust, "java").splitlines()
    assert first.startswith(f"%jvmoption -Djavax.net.ssl.trustStore={folder}/ca-bundle-")


def test_r_takes_its_snippet_where_there_is_an_r(
    analysts: str, exatrust: Exatrust, rows: Rows, sandbox: Sandbox
) -> None:
    if shutil.which("Rscript") is None:
        pytest.skip("no R here: apt-get install r-base-core")
    sandbox.add_container("r-4", alias="R")
    told = 'run <- function(ctx) paste(Sys.getenv("CURL_CA_BUNDLE"), getOption("RCurlOptions"))\n'
    create(rows, "ANALYSTS.F", snippet(exatrust, "r") + told, "R")
    assert rows("SELECT ANALYSTS.F(1)") == [(f"{bundle(rows)} {bundle(rows)}",)]


def test_the_hint_beside_a_snippet_names_the_script_of_the_alias(
    analysts: str, exatrust: Exatrust
) -> None:
    assert 'exa.import_script("EXATRUST.EXATRUST_UDF"); ' in exatrust("snippet", "python").err
    other = exatrust("snippet", "python", "--alias", "python312", "--json")
    document = json.loads(other.out)
    assert 'exa.import_script("EXATRUST.EXATRUST_UDF_PYTHON312"); ' in document["import"]
    assert document["lines"][0].endswith(".pem;")
    unknown = exatrust("snippet", "python", "--alias", "R")
    assert (unknown.status, "alias R has no scripts of exatrust" in unknown.text) == (2, True)


def test_scripts_that_import_follow_every_release_by_themselves(
    analysts: str, exatrust: Exatrust, rows: Rows, tmp_path: Path
) -> None:
    create(rows, "ANALYSTS.F", FOLLOWS.format(suffix=""), "PYTHON3")
    create(rows, "ANALYSTS.G", FOLLOWS.format(suffix="_PYTHON312"), "PYTHON312")

    def both() -> list[object]:
        return [value for name in "FG" for (value,) in rows(f"SELECT ANALYSTS.{name}(1)")]

    before = both()
    assert before == [bundle(rows)] * 2
    assert exatrust("install", *new_ca(tmp_path)()).status == 0
    assert both() == [bundle(rows)] * 2
    assert both() != before
    assert exatrust("rollback", "--yes").status == 0
    assert both() == before


def test_a_bundle_that_was_altered_on_a_node_ends_the_udf_with_node_file_and_what_to_do(
    analysts: str, exatrust: Exatrust, rows: Rows, sandbox: Sandbox
) -> None:
    create(rows, "ANALYSTS.F", FOLLOWS.format(suffix=""))
    seen = sandbox.layout.replica(0) / bundle(rows).removeprefix("/buckets/")
    content = seen.read_bytes()
    seen.write_bytes(content + b"\n")
    try:
        with pytest.raises(SqlFailed) as caught:
            rows("SELECT ANALYSTS.F(1)")
    finally:
        seen.write_bytes(content)
    assert f"exatrust: node 0: {bundle(rows)} was altered: SHA-256 " in caught.value.text
    assert "Run `exatrust status`, then `exatrust install`." in caught.value.text


def test_who_has_the_readers_role_may_import_and_nobody_else(
    analysts: str, exatrust: Exatrust, rows: Rows, sandbox: Sandbox
) -> None:
    assert exatrust("roles").status == 0
    create(rows, "ANALYSTS.F", FOLLOWS.format(suffix=""))
    rows('CREATE USER ANNA IDENTIFIED BY "secret"')
    rows("GRANT CREATE SESSION TO ANNA")
    rows("GRANT EXECUTE ON SCHEMA ANALYSTS TO ANNA")
    anna = sandbox.engine.open_session("anna", "tests")
    with pytest.raises(
        Exception, match="insufficient privileges for executing script EXATRUST_UDF"
    ):
        anna.execute("SELECT ANALYSTS.F(1)")
    rows("GRANT EXATRUST_READER TO ANNA")
    assert anna.execute("SELECT ANALYSTS.F(1)").rows == [(bundle(rows),)]
    rows("DROP USER ANNA")


def lagging(rows: Rows, exatrust: Exatrust, name: str) -> str:
    """A script with the lines of the release before the current one; its text."""
    lines = snippet(exatrust).replace(bundle(rows), bundle(rows, 1))
    return create(rows, name, lines + SHOWS)


def test_a_script_that_lags_behind_is_listed_checked_and_kept_from_prune(
    analysts: str, exatrust: Exatrust, rows: Rows
) -> None:
    old = bundle(rows, 1).split("/")[-2]
    lagging(rows, exatrust, "ANALYSTS.F")
    shown = exatrust("repin")
    assert (shown.status, shown.out.split()[2:4]) == (1, ["ANALYSTS.F", old])
    found = json.loads(exatrust("check", "--only", "ANALYST_SCRIPTS_BEHIND", "--json").out)
    (problem,) = found["checks"][0]["problems"]
    assert problem["object_name"] == "ANALYSTS.F"
    assert problem["finding"].startswith(f"names release {old}, and the current one is ")
    pruned = exatrust("prune", "--keep", "1", "--yes")
    assert f"release {old} stays: script ANALYSTS.F reads it" in pruned.out
    assert rows("SELECT ANALYSTS.F(1)")


def test_repin_changes_the_lines_keeps_comment_and_grants_and_names_what_is_lost(
    analysts: str, exatrust: Exatrust, rows: Rows
) -> None:
    text = lagging(rows, exatrust, "ANALYSTS.F")
    rows("COMMENT ON SCRIPT ANALYSTS.F IS 'ours, ''really'''")
    rows("CREATE ROLE READERS")
    rows("GRANT EXECUTE ON SCRIPT ANALYSTS.F TO READERS")
    rows("CREATE CONNECTION ERP TO 'https://erp' USER 'u' IDENTIFIED BY 'p'")
    rows("GRANT ACCESS ON CONNECTION ERP FOR SCRIPT ANALYSTS.F TO READERS")
    done = exatrust("repin", "analysts.f", "--yes")
    assert done.status == 0
    ((now, comment),) = rows(
        "SELECT SCRIPT_TEXT, SCRIPT_COMMENT FROM EXA_DBA_SCRIPTS WHERE SCRIPT_SCHEMA = 'ANALYSTS'"
    )
    new = snippet(exatrust).splitlines()
    assert now == "\n".join(
        next((n for n in new if n.split("=")[0] == line.split("=")[0]), line)
        for line in text.replace("CREATE ", "CREATE OR REPLACE ", 1).rstrip().split("\n")
    )
    assert comment == "ours, 'really'"
    assert rows("SELECT GRANTEE FROM EXA_DBA_OBJ_PRIVS WHERE OBJECT_NAME = 'F'") == [("READERS",)]
    assert rows("SELECT ANALYSTS.F(1)") == [(bundle(rows),)]
    lost = 'GRANT ACCESS ON CONNECTION "ERP" FOR SCRIPT "ANALYSTS"."F" TO "READERS";'
    assert lost in done.out
    rows(lost.rstrip(";"))
    assert exatrust("repin").status == 0
    rows("DROP CONNECTION ERP")
    rows("DROP ROLE READERS")


def test_repin_asks_and_without_an_answer_changes_nothing(
    analysts: str, exatrust: Exatrust, rows: Rows
) -> None:
    lagging(rows, exatrust, "ANALYSTS.F")
    before = rows("SELECT SCRIPT_TEXT FROM EXA_DBA_SCRIPTS WHERE SCRIPT_SCHEMA = 'ANALYSTS'")
    asked = exatrust("repin", "--all")
    assert (asked.status, "nobody is there to agree" in asked.err) == (2, True)
    assert "- %env SSL_CERT_FILE=/buckets/" in asked.out
    assert "+ %env SSL_CERT_FILE=/buckets/" in asked.out
    assert (
        rows("SELECT SCRIPT_TEXT FROM EXA_DBA_SCRIPTS WHERE SCRIPT_SCHEMA = 'ANALYSTS'") == before
    )


def test_all_are_repinned_or_none(analysts: str, exatrust: Exatrust, rows: Rows) -> None:
    """The second script cannot be created again: its language is gone."""
    lagging(rows, exatrust, "ANALYSTS.A")
    ((languages,),) = rows(
        "SELECT SYSTEM_VALUE FROM EXA_PARAMETERS WHERE PARAMETER_NAME = 'SCRIPT_LANGUAGES'"
    )
    old = rows("SELECT SCRIPT_TEXT FROM EXA_DBA_SCRIPTS WHERE SCRIPT_NAME = 'A'")
    rows(f"ALTER SYSTEM SET SCRIPT_LANGUAGES='{languages} MINE=builtin_python3'")
    rows(old[0][0].replace("ANALYSTS.A", "ANALYSTS.B").replace("PYTHON3", "MINE"))
    rows(f"ALTER SYSTEM SET SCRIPT_LANGUAGES='{languages}'")
    failed = exatrust("repin", "--all", "--yes")
    assert (failed.status, "Unknown script language: MINE" in failed.err) == (1, True)
    assert rows("SELECT SCRIPT_TEXT FROM EXA_DBA_SCRIPTS WHERE SCRIPT_NAME = 'A'") == old


def test_a_script_that_was_created_without_its_schema_stays_where_it_is(
    analysts: str, exatrust: Exatrust, rows: Rows
) -> None:
    rows("OPEN SCHEMA ANALYSTS")
    lagging(rows, exatrust, '"mixed Case"')
    assert exatrust("repin", "ANALYSTS.mixed Case", "--yes").status == 0
    assert rows('SELECT ANALYSTS."mixed Case"(1)') == [(bundle(rows),)]


def test_what_cannot_be_repinned_is_said_with_what_to_do(
    analysts: str, exatrust: Exatrust, rows: Rows
) -> None:
    unknown = exatrust("repin", "ANALYSTS.NONE")
    assert (unknown.status, "script ANALYSTS.NONE: there is none" in unknown.err) == (2, True)
    both = exatrust("repin", "ANALYSTS.NONE", "--all")
    assert both.status == 2
    folder = bundle(rows).rpartition("/releases/")[0]
    create(rows, "ANALYSTS.F", f"CA = '{folder}/releases/0.0.1-x/roots.txt'\n{SHOWS}")
    refused = exatrust("repin", "ANALYSTS.F", "--yes")
    assert refused.status == 2
    assert "script ANALYSTS.F: release " in refused.err
    assert "has nothing like roots.txt" in refused.err
    lagging(rows, exatrust, "ANALYSTS.G")
    others = exatrust("repin", "--all", "--yes")
    assert (others.status, "left out: script ANALYSTS.F" in others.err) == (1, True)
    assert "Done: 1 scripts name release" in others.out
