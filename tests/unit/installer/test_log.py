"""The log file: one line an event, for its owner's eyes, and nothing that a literal could hold."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from exatrust import log
from exatrust.errors import SettingsError


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    log.close()


def test_lines_have_a_time_and_a_level_and_the_file_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "exatrust.log"
    log.to_file(path, "begin")
    log.to_file(path, "begin")
    log.logger.warning("two\nlines \x1b[31m")
    log.close()
    log.logger.warning("unheard")
    lines = path.read_text().splitlines()
    assert [re.sub(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ", "", line) for line in lines] == [
        "INFO begin",
        "WARNING two lines  [31m",
    ]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_second_command_appends(tmp_path: Path) -> None:
    path = tmp_path / "exatrust.log"
    for text in ("one", "two"):
        log.to_file(path, text)
        log.close()
    assert [line.split()[-1] for line in path.read_text().splitlines()] == ["one", "two"]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--log-file .*absent/x: No such file"):
        log.to_file(tmp_path / "absent" / "x", "begin")


@pytest.mark.parametrize(
    ("sql", "head"),
    [
        ("SELECT 'planted'", "SELECT"),
        ('CREATE PYTHON3 SET SCRIPT "S"."X" (\n"a"', 'CREATE PYTHON3 SET SCRIPT "S"."X"'),
        ('INSERT INTO "S"."T"\n ("A") VALUES (\'planted\')', 'INSERT INTO "S"."T"'),
        ("\n  COMMIT", "COMMIT"),
        ("CREATE CONNECTION C TO 'planted' IDENTIFIED BY 'planted'", "CREATE CONNECTION C TO"),
        ("'planted", ""),
        ("SELECT " + "X " * 50, "SELECT" + " X" * 9),
    ],
)  # fmt: skip
def test_of_a_statement_only_the_words_before_the_first_literal_are_kept(
    sql: str, head: str
) -> None:
    assert log.statement_head(sql) == head


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("option proxy: 'user:planted@host:1'", "option proxy: '***@host:1'"),
        ("https://w:plan/ted@bfs:2581 x", "https://***@bfs:2581 x"),
        ("no alias A; it has: B@C, host:443", "no alias A; it has: B@C, host:443"),
        ("PYTHON3: node 1: missing", "PYTHON3: node 1: missing"),
    ],
)
def test_an_error_never_repeats_the_credentials_of_an_address(text: str, shown: str) -> None:
    error = SettingsError(text, "correct it")
    assert (error.message, str(error)) == (shown, shown)
