"""The JDK and the R of this machine, which play those of a language container."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from exatrust_sandbox.containers.interpreters import SECONDS, Interpreter

_ETC = Path("/etc")


class NotInstalled(Exception):
    """This machine lacks the language; the text says what to install."""


@functools.cache
def find(language: str, version: str) -> tuple[Interpreter, str]:
    """The interpreter of a language, and a note when it is of another version.

    Raises NotInstalled.
    """
    found = _jdk() if language == "java" else _r()
    if found.version.split(".")[0] == version:
        return found, ""
    name = {"java": "Java", "r": "R"}[language]
    return found, f"no {name} {version} on this machine, {found.version} plays it"


def configuration(prefix: Path) -> tuple[Path, ...]:
    """The directories below /etc that files of an installation are links into (Debian's habit)."""
    found = {
        _ETC / target.relative_to(_ETC).parts[0]
        for target in _links(prefix)
        if _ETC in target.parents and target.is_file()
    }
    return tuple(sorted(item for item in found if item.is_dir() and item.name != "ssl"))


def alternatives() -> tuple[Path, ...]:
    """Debian's links below /etc to what R needs: two libraries, and `which`, at its start."""
    directory = _ETC / "alternatives"
    found = [directory.glob(name) for name in ("libblas.so*", "liblapack.so*", "which")]
    return tuple(sorted(link for links in found for link in links))


def _links(prefix: Path) -> Iterator[Path]:
    for place in ("etc", "conf", "conf/security", "lib", "lib/security"):
        directory = prefix / place
        if directory.is_dir():
            yield from (item.resolve() for item in directory.iterdir() if item.is_symlink())


def _jdk() -> Interpreter:
    compiler = shutil.which("javac")
    if compiler is None:
        raise NotInstalled("there is no JDK on this machine (javac; Debian: default-jdk-headless)")
    home = Path(compiler).resolve().parent.parent
    return Interpreter(home / "bin/java", _version([str(home / "bin/javac"), "-version"]), home)


def _r() -> Interpreter:
    program = shutil.which("R")
    if program is None:
        raise NotInstalled("there is no R on this machine (Debian: r-base-core)")
    home = Path(_said([program, "RHOME"]).strip())
    return Interpreter(home / "bin/R", _version([program, "--version"]), home)


def _version(command: list[str]) -> str:
    match = re.search(r"\d+(?:\.\d+)+|\d+", _said(command))
    if match is None:
        raise NotInstalled(f"`{' '.join(command)}` names no version")
    return match[0]


def _said(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise NotInstalled(f"`{' '.join(command)}` does not run: {error}") from error
    return done.stdout + done.stderr
