"""docs/analysts.md, run from its first cell to its last as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyexasol
import pytest

from exatrust import cli
from exatrust_sandbox.cluster import Sandbox
from exatrust_udf.clients import CLIENTS

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "analysts.md"
SECONDS = 120
ANYTHING = "…"


@dataclass(frozen=True)
class Cell:
    """What is run, and what it is to say; None where only that it works counts."""

    kind: str
    text: str
    said: str | None


def cells() -> list[Cell]:
    """The fenced blocks in order, each `text` as the output of the one before."""
    blocks = re.findall(r"^```(\w+)\n(.*?)\n```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    found: list[Cell] = []
    for kind, text in blocks:
        if kind == "text":
            assert found[-1].said is None
            found[-1] = Cell(found[-1].kind, found[-1].text, text)
        else:
            found.append(Cell(kind, text, None))
    return found


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A cluster on which an administrator has added the company's root."""
    with Sandbox(tmp_path_factory.mktemp("guide"), nodes=1, replication_delay=0.05) as cluster:
        root = cluster.layout.pki / "company-root.pem"
        flags = ("--ca", str(root), "--confirm", cluster.company_fingerprint())
        common = ("--config", str(cluster.layout.settings_file), "--aliases", "PYTHON3")
        assert cli.main(("install", *flags, *common)) == 0
        yield cluster


class Notebook:
    """Runs cells one after the other, on one session of the database and in one directory."""

    def __init__(self, sandbox: Sandbox, connection: pyexasol.ExaConnection) -> None:
        self._sandbox = sandbox
        self._connection = connection
        (files,) = connection.execute("SELECT FILES FROM EXATRUST.RELEASE_HISTORY").fetchone()
        found = re.search(r"/releases/([^/]+)/ca-bundle-([0-9a-f]+)\.pem", files)
        assert found is not None
        self._release, self._hash = found.groups()

    def run(self, cell: Cell) -> str:
        return self._sql(cell.text) if cell.kind == "sql" else self._shell(cell.text)

    def _sql(self, text: str) -> str:
        text = text.replace("erp.example.com", self._sandbox.endpoint("company"))
        text = text.replace("<release>", self._release).replace("<hash>", self._hash)
        try:
            result = self._connection.execute(text)
        except pyexasol.ExaQueryError as error:
            return str(error.message)
        if not text.startswith("SELECT"):
            return ""
        return "\n".join(" | ".join(map(str, row)) for row in result.fetchall())

    def _shell(self, text: str) -> str:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self._sandbox.layout.directory,
            env={**os.environ, "PATH": path, "EXATRUST_SCRIPTS_ALIASES": "PYTHON3"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.rstrip("\n")


def fits(said: str, expected: str) -> bool:
    """Whether a text is the expected one, where … stands for anything."""
    pattern = ".*".join(map(re.escape, expected.split(ANYTHING)))
    return re.fullmatch(pattern, said, re.DOTALL) is not None


def test_the_guide_runs_as_written(sandbox: Sandbox) -> None:
    with pyexasol.connect(
        dsn=sandbox.dsn, user="sys", password=sandbox.layout.password("sys")
    ) as connection:
        notebook = Notebook(sandbox, connection)
        for cell in cells():
            said = notebook.run(cell)
            assert fits(said, cell.said or ""), (
                f"{cell.text}\n--- says\n{said}\n--- not\n{cell.said}"
            )


def test_the_guide_has_cells_of_both_kinds_with_outputs() -> None:
    found = cells()
    assert {cell.kind for cell in found} == {"sql", "sh"}
    assert sum(cell.said is not None for cell in found) >= 8


@pytest.mark.parametrize(
    ("said", "expected", "fit"),
    [("200", "200", True), ("2000", "200", False), ("a b\nc", "a…c", True), ("b", "", False)],
)
def test_an_output_is_compared_whole(said: str, expected: str, fit: bool) -> None:
    assert fits(said, expected) is fit


def test_the_table_of_clients_is_what_the_tests_of_the_real_ones_hold_it_to() -> None:
    """tests/clients tries CLIENTS with the real libraries, one variable at a time."""
    rows = [
        (
            f"`{client.name}`",
            ", ".join(f"`{name}`" for name in client.variables) or "none",
            client.otherwise,
            client.needs,
        )
        for client in CLIENTS
    ]
    table = GUIDE.read_text().partition("| client | variables that reach it |")[2]
    lines = table.partition("\n\n")[0].splitlines()[2:]
    assert [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines] == rows
