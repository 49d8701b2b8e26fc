"""What the documentation says is what there is."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from exatrust import reference
from exatrust.cli import cli
from exatrust_sandbox.database.names import RESERVED
from exatrust_udf import endpoint, findings
from exatrust_udf.handshake import Limits

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FINDINGS = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
ENDPOINTS = (ROOT / "docs" / "endpoints.md").read_text(encoding="utf-8")
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


def table(heading: str) -> list[list[str]]:
    """The cells of the table of docs/endpoints.md under a heading, without its head."""
    part = ENDPOINTS.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def option_texts() -> list[str]:
    """Every text of options in docs/endpoints.md."""
    pairs = rf"(?:{'|'.join(endpoint.OPTIONS)})=[^\s'`]+"
    return re.findall(rf"['`]({pairs}(?: {pairs})*)['`]", ENDPOINTS)


def test_the_table_of_options_is_complete_and_its_examples_are_taken() -> None:
    rows = table("Options")
    assert [name.strip("`") for name, *_ in rows] == list(endpoint.OPTIONS)
    for name, meaning, default, example in rows:
        assert meaning
        given = endpoint.Endpoint.parse("erp.example.com", 443, example.strip("`"))
        assert given != endpoint.Endpoint("erp.example.com", 443), name
        assert default


def test_the_defaults_of_the_options_are_those_of_the_code() -> None:
    defaults = {name.strip("`"): default.strip("`") for name, _, default, _ in table("Options")}
    plain, limits = endpoint.Endpoint("h", 1), Limits()
    assert defaults["protocol"] == plain.protocol
    assert {limits.resolve, limits.connect, limits.handshake} == {float(defaults["timeout"])}
    assert (plain.proxy, plain.stores, plain.crls) == (None, (), ())
    assert {defaults[name] for name in ("proxy", "store", "crl")} == {"none"}


def test_the_table_of_protocols_is_complete_and_its_ports_are_those_of_the_hints() -> None:
    rows = {name.strip("`"): ports for name, _, ports in table("Protocols")}
    assert set(rows) == endpoint.PROTOCOLS
    for port, protocol in endpoint.USUAL_PORTS.items():
        assert str(port) in rows[protocol].split(", ")


def test_every_text_of_options_in_the_documentation_is_taken() -> None:
    texts = option_texts()
    assert len(texts) > len(endpoint.OPTIONS) + 5
    for text in texts:
        endpoint.Endpoint.parse("erp.example.com", 443, text)


@pytest.mark.parametrize(
    ("options", "announced", "verified"),
    [
        ("", "host.example", "host.example"),
        ("sni=other.example", "other.example", "other.example"),
        ("name=other.example", "host.example", "other.example"),
        ("sni=a.example name=b.example", "a.example", "b.example"),
    ],
)
def test_the_names_announced_and_verified_are_those_the_documentation_says(
    options: str, announced: str, verified: str
) -> None:
    found = endpoint.Endpoint.parse("host.example", 443, options)
    assert (found.announced, found.expected) == (announced, verified)


def test_the_documented_commands_exist_with_their_flags() -> None:
    (block,) = re.findall(r"```sh\n(.*?)```", ENDPOINTS, re.DOTALL)
    for line in block.splitlines():
        program, command, *arguments = shlex.split(line)
        assert program == "exatrust"
        known = cli.get_command(click.Context(cli), command)
        assert known is not None
        known.make_context(command, arguments)


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
