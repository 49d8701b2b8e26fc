"""Python interpreters of this machine that can play the Python of a language container."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ASK = "import json, sys; print(json.dumps([sys.version.split()[0], sys.base_prefix]))"
SECONDS = 10


@dataclass(frozen=True)
class Interpreter:
    """A Python that was run and answered. `prefix` is the directory it needs to run."""

    executable: Path
    version: str
    prefix: Path

    @property
    def minor(self) -> str:
        """Such as "3.12"."""
        return ".".join(self.version.split(".")[:2])


@functools.cache
def find(minor: str) -> tuple[Interpreter, str]:
    """The interpreter for a version such as "3.12", and a note when it is another one."""
    for candidate in _candidates(minor):
        found = _ask(candidate)
        if found is not None and found.minor == minor:
            return found, ""
    running = _ask(Path(sys.executable))
    if running is None:
        raise RuntimeError(f"{sys.executable} does not answer")
    return running, f"no Python {minor} on this machine, {running.version} plays it"


def _candidates(minor: str) -> Iterator[Path]:
    if on_path := shutil.which(f"python{minor}"):
        yield Path(on_path)
    yield Path("/usr/bin") / f"python{minor}"
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(root.glob(f"versions/{minor}.*/bin/python{minor}"), reverse=True)


def _ask(executable: Path) -> Interpreter | None:
    """Run it: what is named python3.12 may be a shim that only complains."""
    try:
        answer = subprocess.run(
            [str(executable), "-S", "-E", "-c", _ASK],
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
        version, prefix = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    # The interpreter itself, not a link in a virtual environment or a shim.
    minor = ".".join(version.split(".")[:2])
    real = Path(prefix) / "bin" / f"python{minor}"
    return Interpreter(real if real.exists() else executable.resolve(), version, Path(prefix))
