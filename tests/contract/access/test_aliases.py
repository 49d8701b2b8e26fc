"""Language aliases that are discovered: Python ones get scripts, broken ones a reason."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from exatrust.database import Row

from .parameters import BROKEN, BUILTIN, CONTAINER, WORKING

Query = Callable[[str], list[Row]]


@pytest.fixture
def scripts(query: Query, schema: str) -> Callable[[], dict[str, str]]:
    """The alias of each of the test's scripts, by name."""

    def read() -> dict[str, str]:
        rows = query(
            "SELECT SCRIPT_NAME, SCRIPT_LANGUAGE FROM SYS.EXA_ALL_SCRIPTS"
            f" WHERE SCRIPT_SCHEMA = '{schema}'"
        )
        return dict(rows)  # type: ignore[arg-type]

    return read


def test_without_a_setting_all_python_aliases_get_scripts_and_the_others_are_explained(
    exatrust, languages, scripts, schema, query
) -> None:
    languages(BROKEN)
    planned = exatrust("plan")
    assert "JAVA is Java: it gets no scripts, truststore files serve it" in planned.out
    assert "R is R: it gets no scripts" in planned.out
    assert "skipped: language alias ABSENT is broken: " in planned.err
    assert "cannot be started" in planned.err
    installed = exatrust("install", "--yes")
    assert installed.status == 0, installed.text
    assert scripts()["PROBE_NODE"] == "PYTHON3"
    assert scripts()["PROBE_NODE_PYTHON312"] == "PYTHON312"
    assert not [name for name in scripts() if name.endswith("ABSENT")]
    assert query(f"SELECT ALIASES FROM {schema}.RELEASE_HISTORY") == [("PYTHON3,PYTHON312",)]
    coverage = query(f"SELECT LANGUAGE_ALIAS, STATUS, REASON FROM {schema}.COVERAGE")
    assert {(alias, status) for alias, status, _ in coverage} == {
        ("ABSENT", "BROKEN"), ("JAVA", "NOT_PYTHON"), ("PYTHON3", "COMPLETE"),
        ("PYTHON312", "COMPLETE"), ("R", "NOT_PYTHON"),
    }  # fmt: skip
    reasons = {alias: reason for alias, _, reason in coverage}
    assert "cannot be started" in reasons["ABSENT"]
    assert "truststore files" in reasons["R"]
    again = exatrust("plan", "--json")
    assert again.status == 0, again.text
    known = {item["name"]: item for item in json.loads(again.out)["aliases"]}
    assert known["JAVA"]["language"] == "java"
    assert "cannot be started" in known["ABSENT"]["broken"]
    assert exatrust("status").status == 0


def test_an_alias_that_breaks_keeps_its_scripts_and_gets_new_ones_when_it_works_again(
    exatrust, languages, scripts, schema, query
) -> None:
    assert exatrust("install", "--yes").status == 0
    before = scripts()
    languages(BUILTIN)
    assert exatrust("status").status == 1
    kept = exatrust("install", "--yes")
    assert kept.status == 0, kept.text
    assert "scripts of language alias PYTHON312 stay as they are" in kept.err
    assert scripts() == before
    nodes = query(f"SELECT DISTINCT LANGUAGE_ALIAS FROM {schema}.NODE_STATUS")
    assert nodes == [("PYTHON3",)]
    languages(f"{BUILTIN} NEW=localzmq+protobuf:///b/c?lang=python#buckets/x")
    named = query(f"SELECT STATUS, REASON FROM {schema}.COVERAGE WHERE LANGUAGE_ALIAS = 'NEW'")
    assert [status for status, _ in named] == ["NO_SCRIPTS"]
    assert "run `exatrust install`" in named[0][1]
    languages(BUILTIN)
    assert exatrust("status").status == 0
    assert exatrust("plan").status == 0
    languages(WORKING)
    assert exatrust("install", "--yes").status == 0
    nodes = query(f"SELECT DISTINCT LANGUAGE_ALIAS FROM {schema}.NODE_STATUS ORDER BY 1")
    assert nodes == [("PYTHON3",), ("PYTHON312",)]
    assert exatrust("uninstall", "--yes").status == 0
    assert scripts() == {}


def test_a_default_alias_that_breaks_changes_nothing_and_says_what_to_do(
    exatrust, languages, scripts
) -> None:
    assert exatrust("install", "--yes").status == 0
    before = scripts()
    languages(CONTAINER.format("PYTHON312"))
    refused = exatrust("install", "--yes")
    assert refused.status == 2
    assert "default language alias PYTHON3, whose scripts have no suffix" in refused.err
    assert scripts() == before


def test_a_further_builtin_alias_does_not_become_the_default(exatrust, languages, scripts) -> None:
    languages(CONTAINER.format("PYTHON312"))
    assert exatrust("install", "--yes").status == 0
    assert scripts()["PROBE_NODE"] == "PYTHON312"
    languages(WORKING)
    assert exatrust("install", "--yes").status == 0
    assert scripts()["PROBE_NODE"] == "PYTHON312"
    assert scripts()["PROBE_NODE_PYTHON3"] == "PYTHON3"


def test_a_broken_alias_that_is_named_is_an_error_and_so_is_none_that_works(
    exatrust, languages, scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    languages(f"{CONTAINER.format('ABSENT')} JAVA=builtin_java")
    none = exatrust("plan")
    assert (none.status, "no Python language alias works: ABSENT is broken" in none.err) == (
        2, True,
    ), none.text  # fmt: skip
    languages(BROKEN)
    monkeypatch.setenv("EXATRUST_SCRIPTS_ALIASES", "PYTHON3,ABSENT")
    named = exatrust("install", "--yes")
    assert (named.status, "language alias ABSENT is broken" in named.err) == (2, True), named.text
    assert scripts() == {}


@pytest.mark.usefixtures("languages")
def test_another_default_alias_is_never_taken_silently(
    exatrust, scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert exatrust("install", "--yes").status == 0
    monkeypatch.setenv("EXATRUST_SCRIPTS_ALIASES", "PYTHON312,PYTHON3")
    changed = exatrust("install", "--yes")
    assert changed.status == 0, changed.text
    assert "scripts without suffix were those of language alias PYTHON3, and are" in changed.err
    assert scripts()["PROBE_NODE"] == "PYTHON312"
    monkeypatch.delenv("EXATRUST_SCRIPTS_ALIASES")
    assert exatrust("plan").status == 0
