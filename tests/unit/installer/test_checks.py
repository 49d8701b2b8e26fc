"""The catalogue of checks, and what becomes of an outcome."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator

import junitparser
import pytest
from prometheus_client.parser import text_string_to_metric_families

from exatrust import resources
from exatrust.checks import Check, Outcome, catalogue, run
from exatrust.errors import SqlFailed, UsageError
from exatrust.monitoring import junit, prometheus
from exatrust.reference import severities
from exatrust.statements import Statements

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.timezone.utc)
CHECK = Check("A_CHECK", "Things that are wrong.", "-- Things that are wrong.\nSELECT 1")
ROW = ("A_CHECK", "ERROR", "node 1", "it is\x00 <broken>", "Mend it.")
ALL = catalogue()


@pytest.mark.parametrize("check", ALL, ids=[check.id for check in ALL])
def test_a_check_explains_itself_and_names_its_five_columns(check: Check) -> None:
    assert re.fullmatch(r"[A-Z].+\.", check.title)
    assert f"'{check.id}' AS CHECK_ID" in check.sql
    head = check.sql.partition("\nFROM ")[0]
    for column in ("SEVERITY", "OBJECT_NAME", "FINDING", '"ACTION"'):
        assert re.search(rf"(AS |, ){column}(,|$|\n)", head), column
    assert severities(check.sql)


@pytest.mark.parametrize("check", ALL, ids=[check.id for check in ALL])
def test_a_check_is_one_query_for_any_client_in_the_schema_that_is_open(check: Check) -> None:
    assert "{{" not in check.sql
    assert ";" not in re.sub(r"'[^']*'", "", check.sql)
    assert "EXATRUST." not in check.sql  # schemas have other names, too


def test_there_are_at_least_twenty_checks_each_with_a_name_of_its_own() -> None:
    assert len({check.id for check in ALL}) == len(ALL) >= 20


def test_checks_are_chosen_by_name_in_any_case() -> None:
    assert [check.id for check in catalogue(["script_pins", "BUNDLE_OLD"])] == [
        "BUNDLE_OLD",
        "SCRIPT_PINS",
    ]


def test_an_unknown_check_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UsageError, match="no check NOPE") as caught:
        catalogue(["NOPE"])
    assert "BUNDLE_OLD" in caught.value.action


class FakeDatabase:
    """Answers with rows, or refuses; `refused` are beginnings of statements it refuses."""

    def __init__(
        self, answer: list[tuple[str, ...]] | SqlFailed = (), refused: dict[str, str] | None = None
    ) -> None:
        self._answer = answer or []
        self._refused = refused or {}
        self.executed: list[str] = []
        self.asked: list[str] = []

    def execute(self, sql: str) -> int:
        self.executed.append(sql.strip())
        for beginning, text in self._refused.items():
            if sql.startswith(beginning):
                raise SqlFailed("42500", text, "")
        return 0

    def rows(self, sql: str) -> list[tuple[str, ...]]:
        self.asked.append(sql)
        if isinstance(self._answer, SqlFailed):
            raise self._answer
        return self._answer

    def rolled_back(self, work: Callable[[], tuple[Outcome, ...]]) -> tuple[Outcome, ...]:
        return work()


STATEMENTS = Statements("my", ("PYTHON3",), resources.sql, str)


def outcome(answer: list[tuple[str, ...]] | SqlFailed) -> Outcome:
    ticks: Iterator[float] = iter((1.0, 1.25))
    database, told = FakeDatabase(answer), list[Outcome]()
    (found,) = run([CHECK], database, STATEMENTS, told.append, clock=lambda: next(ticks))  # type: ignore[arg-type]
    assert database.executed == ['OPEN SCHEMA "MY"']
    assert told == [found]
    return found


def reading(*views: str) -> list[Check]:
    return [Check(f"C{i}", "It.", f"-- It.\nSELECT 1 FROM {v}") for i, v in enumerate(views)]


def run_over(database: FakeDatabase, *views: str) -> tuple[Outcome, ...]:
    return run(reading(*views), database, STATEMENTS, lambda _: None)  # type: ignore[arg-type]


def test_a_view_is_read_once_for_all_checks_and_their_queries_read_what_is_stored() -> None:
    database = FakeDatabase()
    names = ("ENDPOINT_STATUS", "COVERAGE, ENDPOINT_STATUS", "ENDPOINT", "COVERAGE -- not DRIFT")
    run_over(database, *names)
    scratch = database.executed[1].removeprefix("CREATE SCHEMA ")
    assert database.executed == [
        'OPEN SCHEMA "MY"',
        f"CREATE SCHEMA {scratch}",
        'OPEN SCHEMA "MY"',
        *(
            f'CREATE TABLE {scratch}."{view}" AS SELECT * FROM "MY"."{view}"'
            for view in ("ENDPOINT_STATUS", "COVERAGE")
        ),
    ]
    assert database.asked[0] == (
        f'WITH "ENDPOINT_STATUS" AS (SELECT * FROM {scratch}."ENDPOINT_STATUS")\n'
        "-- It.\nSELECT 1 FROM ENDPOINT_STATUS"
    )
    assert database.asked[1].count(" AS (SELECT * FROM ") == 2
    assert database.asked[2] == "-- It.\nSELECT 1 FROM ENDPOINT"


def test_who_may_not_create_a_schema_reads_the_views_themselves() -> None:
    database = FakeDatabase(refused={"CREATE SCHEMA": "insufficient privileges"})
    found = run_over(database, "DRIFT", "NODE_STATUS")
    assert database.asked == [f"-- It.\nSELECT 1 FROM {view}" for view in ("DRIFT", "NODE_STATUS")]
    assert all(item.passed for item in found)


def test_a_view_that_cannot_be_read_is_tried_once_and_breaks_each_check_that_needs_it() -> None:
    database = FakeDatabase(refused={"CREATE TABLE": "VM error"})
    found = run_over(database, "DRIFT", "DRIFT", "ENDPOINT")
    assert [item.error for item in found] == ["VM error", "VM error", None]
    assert len([sql for sql in database.executed if sql.startswith("CREATE TABLE")]) == 1


def test_a_check_passes_without_rows_and_with_rows_that_are_only_worth_knowing() -> None:
    assert outcome([]).passed
    assert outcome([("A_CHECK", "INFO", "x", "y", "z")]).passed
    assert not outcome([ROW]).passed
    assert not outcome([("A_CHECK", "WARNING", "x", "y", "z")]).passed


def test_a_cell_that_is_null_is_a_dash() -> None:
    (problem,) = outcome([("A_CHECK", "ERROR", None, "y", "z")]).problems  # type: ignore[list-item]
    assert problem.object_name == "-"


def test_a_check_that_the_database_refuses_is_an_outcome_and_not_the_end() -> None:
    found = outcome(SqlFailed("42500", "insufficient privileges", "grant it"))
    assert (found.passed, found.error, found.seconds) == (False, "insufficient privileges", 0.25)


def outcomes() -> list[Outcome]:
    broken = SqlFailed("42500", "insufficient privileges", "grant it")
    return [outcome([]), outcome([ROW]), outcome(broken), outcome([("A", "INFO", "x", "y", "z")])]


def test_the_junit_file_is_read_by_a_junit_parser() -> None:
    suite = junitparser.JUnitXml.fromstring(junit(outcomes(), NOW).encode())
    assert (suite.tests, suite.failures, suite.errors, suite.time) == (4, 1, 1, 1.0)
    cases = [case for inner in suite for case in inner]
    results = [[type(item).__name__ for item in case.result] for case in cases]
    assert results == [[], ["Failure"], ["Error"], []]
    failure = cases[1].result[0]
    assert failure.message == "Things that are wrong."
    assert failure.text == "ERROR node 1: it is\ufffd <broken> Mend it."


def test_the_prometheus_file_is_read_by_the_client_library_of_prometheus() -> None:
    families = {f.name: f for f in text_string_to_metric_families(prometheus(outcomes()[1:3], NOW))}
    assert set(families) == {
        "exatrust_check_problems",
        "exatrust_check_broken",
        "exatrust_check_seconds",
        "exatrust_check_timestamp_seconds",
    }
    samples = families["exatrust_check_problems"].samples
    assert [(s.labels["severity"], s.value) for s in samples][:3] == [
        ("ERROR", 1.0),
        ("WARNING", 0.0),
        ("INFO", 0.0),
    ]
    assert families["exatrust_check_timestamp_seconds"].samples[0].value == NOW.timestamp()
