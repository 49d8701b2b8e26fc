"""The README's commands, run as they stand there, and the demo."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"
SECONDS = 240


def _shell(text: str, directory: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=directory,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )


def _blocks(marker: str) -> list[str]:
    return re.findall(
        rf"<!-- run: {marker} -->\n```sh\n(.*?)```", README.read_text(), flags=re.DOTALL
    )


def test_the_sandbox_tour_runs_as_written(tmp_path):
    (tour,) = _blocks("sandbox")
    try:
        done = _shell(tour, tmp_path)
    finally:
        _shell("exatrust sandbox stop --dir sandbox || true", tmp_path)
    assert done.returncode == 0, done.stdout
    assert "CA_NOT_IN_TRUSTSTORE" in done.stdout
    assert "Stopped." in done.stdout


def test_the_demo_tells_its_story_and_leaves_nothing_running():
    done = _shell("exatrust demo --nodes 4", Path.cwd())
    assert done.returncode == 0, done.stdout
    assert "isolation" in done.stdout
    assert "4/4" in done.stdout
    directory = re.search(r"settings +(\S+)/exatrust.toml", done.stdout)
    assert directory is not None
    assert not Path(directory[1]).exists()
    left = subprocess.run(["pgrep", "-f", directory[1]], capture_output=True, timeout=10)
    assert left.stdout == b""


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_the_two_commands_are_targets_of_the_makefile(command):
    assert command in README.read_text()
    target = command.split()[1]
    makefile = README.with_name("Makefile").read_text()
    assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE)
