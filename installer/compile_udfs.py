"""Compiles the UDF code for the Pythons of language containers, as far as this machine has them.

Part of the build: run by hatch_build.py for wheels and editable installs, and by `make`.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from exatrust_sandbox.containers import interpreters

INSTALLER = Path(__file__).parent
PYTHONS = ("3.10", "3.12")  # others compile the sources at each start


def compile_all() -> list[str]:
    """Write exatrust/bytecode/python<version>.zip for each; return what is missing, in words."""
    notes = [_compile(minor) for minor in PYTHONS]
    return [note for note in notes if note]


def _compile(minor: str) -> str:
    archive = INSTALLER / "exatrust" / "bytecode" / f"python{minor}.zip"
    archive.unlink(missing_ok=True)
    found, note = interpreters.find(minor)
    if not note:
        program = [str(INSTALLER / "exatrust" / "bytecode.py"), str(INSTALLER.parent / "udfs")]
        # A fixed seed, since the order of a set of texts goes into bytecode.
        environment = {"PYTHONHASHSEED": "0"}
        subprocess.run(
            [str(found.executable), "-S", "-s", *program, str(archive)], check=True, env=environment
        )
    return note and f"no bytecode: {note}"


if __name__ == "__main__":
    for line in compile_all():
        print(line)  # noqa: T201
