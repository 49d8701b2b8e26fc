"""What the documentation says is what there is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from exatrust import reference
from exatrust.cli import cli
from exatrust_sandbox.database.names import RESERVED
from exatrust_udf import findings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FINDINGS = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
COMMANDS = cli.list_commands(click.Context(cli))


def names(folder: str) -> list[str]:
    """The objects that the SQL files of a folder create."""
    return sorted(path.stem.upper() for path in (ROOT / "sql" / folder).glob("*.sql"))


def test_the_table_of_findings_is_the_generated_one() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "exatrust_udf.findings"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == FINDINGS, "run: make docs"


def test_the_reference_of_the_sql_is_the_generated_one() -> None:
    document = (ROOT / "docs" / "sql.md").read_text(encoding="utf-8")
    assert reference.document() == document, "run: make docs"


def test_names_are_quoted_in_the_reference_where_exasol_reserves_them() -> None:
    names = re.findall(r"^\| `(\w+)` \|", reference.document().partition("## Scripts")[0], re.M)
    assert names
    assert not set(names) & RESERVED


@pytest.mark.parametrize("finding", sorted(findings.KINDS))
def test_every_finding_is_in_the_documentation(finding: str) -> None:
    assert f"\n| {finding} |" in FINDINGS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"`exatrust {command}" in README


@pytest.mark.parametrize("name", [*names("scripts"), *names("views")])
def test_every_script_and_view_is_in_the_readme(name: str) -> None:
    assert re.search(rf"^\|.*`{name}`", README, re.MULTILINE)


def test_every_exit_status_of_the_command_line_is_explained() -> None:
    for status in ("0 means in order", "1 findings or drift", "2 bad usage or input", "3 when the"):
        assert status in README


def test_the_readme_links_to_files_that_exist() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]
