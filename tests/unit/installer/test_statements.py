"""SQL: one substitution pass, quoted identifiers, markers that show a change by hand."""

from __future__ import annotations

import ast
import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exatrust import resources
from exatrust.bundle import compose
from exatrust.distrust import Distrust, curated
from exatrust.intake import read_certificates
from exatrust.plan import ALTERED, FOREIGN, DatabaseObject
from exatrust.release import Release, build
from exatrust.statements import (
    VIEW_SCRIPTS,
    VIEWS,
    Statements,
    comment_digest,
    files_text,
    identifier,
    literal,
    render,
    script_digest,
    timestamp,
)

ROOT = Path(__file__).resolve().parents[3]
STATEMENTS = Statements("exatrust", ("PYTHON3", "PYTHON312"), resources.sql, resources.udf_text)


@pytest.fixture(scope="module")
def release(pem: Callable[..., bytes]) -> Release:
    bundle = compose(read_certificates(pem("A"), "x"), "set", [], Distrust())
    return build("1.0", resources.udf_sources(), bundle, Distrust())


def views(release: Release) -> tuple[DatabaseObject, ...]:
    return STATEMENTS.views(release, "/buckets/x", Distrust(curated(resources.distrusted_roots())))


def test_what_a_value_contains_is_not_substituted_again() -> None:
    assert render("{{a}}-{{b}}", {"a": "{{b}}", "b": "2"}) == "{{b}}-2"


def test_a_placeholder_without_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        render("{{unknown}}", {})


@given(st.text().filter(lambda text: "\0" not in text))
def test_a_literal_holds_any_text(text: str) -> None:
    quoted = literal(text)
    assert quoted[0] == quoted[-1] == "'"
    assert quoted[1:-1].replace("''", "") == text.replace("'", "")


@pytest.mark.parametrize("name", ['A"B', "A.B", "", "1A", "A B", "A;", "Ä", "A" * 129])
def test_what_is_no_plain_identifier_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="plain SQL identifier"):
        identifier(name)


def test_a_time_is_written_in_utc_with_microseconds() -> None:
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert timestamp(moment) == "CAST('2026-01-02 01:04:05.000006' AS TIMESTAMP)"


def test_scripts_of_the_first_alias_have_no_suffix(release: Release) -> None:
    names = [item.name for item in STATEMENTS.scripts(["probe_node"], release, "/buckets/x")]
    assert names == ["PROBE_NODE", "PROBE_NODE_PYTHON312"]


def test_a_scripts_text_carries_its_marker_and_valid_python(release: Release) -> None:
    for item in STATEMENTS.scripts(resources.script_names(), release, "/buckets/x"):
        assert script_digest(item.sql) == item.digest
        ast.parse(item.sql.partition(") AS\n")[2])
        assert "{{" not in item.sql.partition("PIN = ")[0]


def test_the_database_may_write_the_head_its_own_way(release: Release) -> None:
    item = STATEMENTS.scripts(["list_truststores"], release, "/buckets/x")[0]
    body = item.sql.partition("PIN = ")[2]
    assert script_digest(f"CREATE PYTHON3 SET SCRIPT X(...) EMITS (...) AS\n\nPIN = {body}\n") == (
        item.digest
    )


def test_a_changed_body_is_seen(release: Release) -> None:
    item = STATEMENTS.scripts(["list_truststores"], release, "/buckets/x")[0]
    assert script_digest(item.sql.replace("PIN[", "PIM[", 1)) == ALTERED
    assert script_digest(item.sql + "\nimport os\n") == ALTERED
    assert script_digest("CREATE PYTHON3 SET SCRIPT X() AS\npass\n") == FOREIGN


def test_another_release_is_another_digest_except_for_the_self_contained_probe(
    release: Release,
) -> None:
    for stem in resources.script_names():
        here, there = (
            STATEMENTS.scripts([stem], release, path)[0].digest for path in ("/buckets/x", "/y")
        )
        assert (here == there) == (stem == "probe_node")


def test_a_view_carries_its_digest_in_its_comment(release: Release) -> None:
    for item in views(release):
        comment = item.sql.rpartition("COMMENT IS '")[2].rstrip("'")
        assert comment_digest(comment) == item.digest
    assert comment_digest(None) == FOREIGN
    assert comment_digest("mine") == FOREIGN


def test_every_view_covers_every_alias(release: Release) -> None:
    for item in views(release):
        if item.name.lower() in {*VIEW_SCRIPTS} - {"drift"}:
            assert item.sql.count("\nUNION ALL\nSELECT ") == 1


def test_every_column_of_tables_and_views_is_explained(release: Release) -> None:
    for item in (*STATEMENTS.tables(), *views(release)):
        head = item.sql.partition("(\n")[2].partition("\n)")[0]
        assert all("COMMENT IS '" in line for line in head.splitlines())


@pytest.mark.parametrize("view", sorted({*VIEW_SCRIPTS} - {"coverage", "drift"}))
def test_a_view_names_the_columns_of_its_rows_in_their_order(view: str) -> None:
    declared = re.findall(r'^    "(\w+)" COMMENT', resources.sql(f"views/{view}.sql"), re.MULTILINE)
    selected = resources.sql(f"rows/{view}.sql").partition("\nFROM (")[0]
    assert re.findall(r'"(\w+)"', selected) == declared


@pytest.mark.parametrize("view", ["endpoint_status", "endpoint_findings", "peer_chain"])
def test_a_view_about_endpoints_shows_all_that_its_script_says(view: str) -> None:
    script = resources.sql(f"scripts/{VIEW_SCRIPTS[view]}.sql")
    emitted = re.findall(r'^    "(\w+)"', script.partition("EMITS")[2], re.MULTILINE)
    declared = re.findall(r'^    "(\w+)"', resources.sql(f"views/{view}.sql"), re.MULTILINE)
    assert declared == emitted


def test_every_file_of_a_view_is_in_use() -> None:
    assert {path.stem for path in (ROOT / "sql" / "views").glob("*.sql")} == set(VIEWS)


def test_the_files_of_a_release_are_lines_of_digest_and_path(release: Release) -> None:
    lines = files_text(release, "/buckets/b/d/exatrust").splitlines()
    assert lines[1] == f"{release.bundle.sha256} /buckets/b/d/exatrust/{release.bundle.name}"


def test_every_query_renders(release: Release) -> None:
    assert '"EXATRUST"."RELEASE_HISTORY"' in STATEMENTS.query("current_release")
    assert STATEMENTS.create_schema() == 'CREATE SCHEMA IF NOT EXISTS "EXATRUST"'
    assert STATEMENTS.drop("view", "V") == 'DROP VIEW IF EXISTS "EXATRUST"."V"\n'
