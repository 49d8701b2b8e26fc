"""Run the command line as a user does: in a process of its own, in a directory with settings."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SECONDS = 120


@dataclass(frozen=True)
class Outcome:
    """How a command ended. `output` is what a person saw: both streams, one after the other."""

    status: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


def exatrust(directory: Path, *arguments: str, **environment: str) -> Outcome:
    """Run `exatrust ARGUMENTS` in the directory, without a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "exatrust", *arguments],
        cwd=directory,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)
