"""Bytecode in a release: what it is made of, which Python runs it, and which runs the sources."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from udf_harness import PACKAGE, archive, release, render
from udf_interpreters import VERSIONS, require, run_script

from exatrust import bytecode

SCRIPT = "exatrust_udf/scripts/list_truststores.py"
BROKEN = (SCRIPT, "raise SystemExit('the sources ran')")


def sources() -> dict[str, bytes]:
    root = PACKAGE.parent
    return {str(path.relative_to(root)): path.read_bytes() for path in PACKAGE.rglob("*.py")}


def compiled_by(version: str, folder: Path) -> Path:
    """As the build does it."""
    file = folder / f"python{version}.zip"
    command = [require(version), "-S", "-s", str(bytecode.__file__), str(PACKAGE.parent), str(file)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": "0"}, timeout=60)
    return file


@pytest.fixture
def pin(tmp_path: Path) -> dict[str, str]:
    return release(tmp_path / "release", "list_truststores", b"", {})


def answer(version: str, pin: dict[str, str], extra: Mapping[str, object]) -> dict[str, object]:
    """Run the script from an archive that has more in it, or other things."""
    content = archive(extra.items())  # type: ignore[arg-type]
    (Path(pin["directory"]) / pin["pyz"]).write_bytes(content)
    pinned = {**pin, "pyz_sha256": hashlib.sha256(content).hexdigest()}
    return run_script(version, render("list_truststores", pinned), [[[1, "/nowhere"]]])


@pytest.mark.parametrize("version", VERSIONS)
def test_a_script_runs_from_the_bytecode_of_its_python(
    version: str, pin: dict[str, str], tmp_path: Path
) -> None:
    found = bytecode.fresh(compiled_by(version, tmp_path).read_bytes(), sources())
    assert len(found) == len(sources())
    ran = answer(version, pin, {**found, **dict([BROKEN])})
    assert "error" not in ran
    assert [row["PATH"] for row in ran["rows"]][1] == "/nowhere"  # type: ignore[attr-defined]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_python_without_bytecode_runs_the_sources(version: str, pin: dict[str, str]) -> None:
    foreign = bytecode.fresh(bytecode.compiled(sources()), sources())
    elsewhere = {name.replace(str(sys.implementation.cache_tag), "cpython-399"): content
                 for name, content in foreign.items()}  # fmt: skip
    assert "error" not in answer(version, pin, elsewhere)


def test_the_same_sources_give_the_same_bytecode(tmp_path: Path) -> None:
    for version in VERSIONS[::2]:
        first = compiled_by(version, tmp_path).read_bytes()
        assert compiled_by(version, tmp_path).read_bytes() == first


def test_bytecode_of_other_sources_is_left_out() -> None:
    given = sources()
    made = bytecode.compiled(given)
    assert bytecode.fresh(made, given)
    assert not bytecode.fresh(made, {**given, SCRIPT: given[SCRIPT] + b"\n"})
    assert not bytecode.fresh(made, {**given, "exatrust_udf/new.py": b""})
    assert not bytecode.fresh(made, {name: text for name, text in given.items() if name != SCRIPT})
