"""A whole stand-in cluster with an alias that is broken, and settings that name no alias."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exatrust.database import Database, Row
from exatrust_sandbox.cluster import Sandbox

from .parameters import WORKING

NODES = 2
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One cluster for all tests of this folder."""
    directory = tmp_path_factory.mktemp("access")
    with Sandbox(directory, nodes=NODES, replication_delay=0.05) as cluster:
        yield cluster


@pytest.fixture
def run_sql(database: Database) -> Callable[..., None]:
    """Runs statements as SYS, and commits."""

    def run(*statements: str) -> None:
        for sql in statements:
            database.transaction(lambda sql=sql: database.execute(sql))  # type: ignore[misc]

    return run


@pytest.fixture
def query(database: Database) -> Callable[[str], list[Row]]:
    """Rows that SYS sees now."""

    def ask(sql: str) -> list[Row]:
        database.rollback()
        return database.rows(sql)

    return ask


@pytest.fixture
def languages(run_sql: Callable[..., None]) -> Iterator[Callable[[str], None]]:
    """Sets SCRIPT_LANGUAGES; afterwards it has the working aliases."""

    def set_languages(value: str) -> None:
        run_sql(f"ALTER SYSTEM SET SCRIPT_LANGUAGES='{value}'")

    set_languages(WORKING)
    yield set_languages
    set_languages(WORKING)


@pytest.fixture
def schema(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, tmp_path: Path) -> str:
    """A schema and a bucket prefix that no other test uses, and settings of the test's own in its
    directory. They name no alias, so that aliases are discovered."""
    name = f"ACCESS{next(_numbers)}"
    text = sandbox.layout.settings_file.read_text()
    text = re.sub(r"^aliases = .*$", "", text, flags=re.MULTILINE)
    for path in re.findall(r'"((?:passwords|pki)/[^"]+)"', text):
        text = text.replace(f'"{path}"', f'"{sandbox.layout.directory / path}"')
    text = text.replace('"EXATRUST"', f'"{name}"').replace('prefix = "exatrust"',
                                                          f'prefix = "{name.lower()}"')  # fmt: skip
    (tmp_path / "exatrust.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    return name


@pytest.fixture
def one_alias(schema: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For speed, where aliases are not what a test is about."""
    monkeypatch.setenv("EXATRUST_SCRIPTS_ALIASES", "PYTHON3")
