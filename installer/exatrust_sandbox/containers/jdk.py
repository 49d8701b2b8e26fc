"""The Java client, and scripts compiled for it: each text once, whatever runs it how often."""

from __future__ import annotations

import functools
import hashlib
import shutil
import subprocess
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

SOURCES = Path(__file__).with_name("java_client") / "com/exasol"
SECONDS = 120
_locks: defaultdict[Path, threading.Lock] = defaultdict(threading.Lock)
_making = threading.Lock()


class CannotCompile(Exception):
    """What the compiler says."""


@functools.cache
def client_digest() -> str:
    """SHA-256 over the client's sources."""
    digest = hashlib.sha256()
    for file in sorted(SOURCES.glob("*.java")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def compile_client(home: Path, target: Path) -> None:
    """Write the client's classes below `target`. Raises CannotCompile."""
    target.mkdir(parents=True)
    files = [str(file) for file in sorted(SOURCES.glob("*.java"))]
    command = [str(home / "bin/javac"), "-proc:none", "-d", str(target), *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    if done.returncode:
        raise CannotCompile(done.stderr.strip())


def compiled(
    cache: Path,
    inputs: Sequence[str],
    compile_into: Callable[[Path], subprocess.CompletedProcess[str]],
) -> Path:
    """The directory of a script's classes: kept, or made by running the compiler now.

    `inputs` is everything that the classes depend on. Raises CannotCompile.
    """
    key = hashlib.sha256("\0".join(inputs).encode("utf-8", "surrogateescape")).hexdigest()
    directory = cache / key[:32]
    with _making:
        lock = _locks[directory]
    with lock:  # the nodes of one statement meet here
        if directory.is_dir():
            return directory
        draft = directory.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        done = compile_into(draft)
        if done.returncode:
            raise CannotCompile(done.stdout or done.stderr)
        draft.rename(directory)
        return directory
