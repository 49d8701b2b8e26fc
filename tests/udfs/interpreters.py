"""The Python versions that language containers have, as far as this machine has them."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

VERSIONS = ("3.10", "3.11", "3.12", "3.13")
HARNESS = Path(__file__).with_name("harness.py")


@functools.cache
def find(version: str) -> str | None:
    """Return the path of an interpreter of `version` (major.minor); None where there is none."""
    if version == ".".join(map(str, sys.version_info[:2])):
        return sys.executable
    installed = (Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python3")
    for candidate in (shutil.which(f"python{version}"), *map(str, installed)):
        if candidate and _answers(candidate, version):
            return candidate
    return None


def _answers(path: str, version: str) -> bool:
    # pyenv leaves shims on the PATH for versions that are not active: they fail when run.
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    done = subprocess.run([path, "-c", code], capture_output=True, text=True, timeout=30)
    return done.returncode == 0 and done.stdout.strip() == version


def require(version: str) -> str:
    """Return the interpreter, or skip the test and say what is missing."""
    path = find(version)
    if path is None:
        pytest.skip(f"no Python {version} on this machine")
    return path


def run_script(
    version: str, statement: str, groups: Sequence[Sequence[Sequence[object]]], node_id: int = 0
) -> dict[str, object]:
    """Run a script's text under `version` with neither site nor user packages, as a UDF runs."""
    request = json.dumps({"statement": statement, "groups": groups, "node_id": node_id})
    done = subprocess.run(
        [require(version), "-I", "-S", "-W", "error", str(HARNESS)],
        input=request, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    assert answer["python"] == version
    return answer
