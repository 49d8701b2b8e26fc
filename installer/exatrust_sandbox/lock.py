"""One running sandbox to a directory: an advisory lock that also tells who runs.

The kernel drops the lock when the process ends, however it ends, so that a crash never leaves
a directory that looks busy.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from pathlib import Path
from typing import IO

from exatrust_sandbox.layout import SandboxError

STOP_SECONDS = 15.0


class DirectoryLock:
    """Held by the process whose sandbox runs in a directory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock; raises SandboxError when another process holds it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.close()
            raise SandboxError(
                f"a sandbox already runs in {self._path.parent} (process {holder(self._path)}); "
                "stop it first: exatrust sandbox stop --dir ..."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None


def holder(path: Path) -> int | None:
    """The process that holds the lock, None when nobody does."""
    if not path.exists():
        return None
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = file.read().strip()
            return int(text) if text.isdigit() else 0
    return None


def stop_holder(path: Path) -> bool:
    """Ask the process that holds the lock to end, and wait for it; False when nobody held it."""
    process = holder(path)
    if process is None:
        return False
    if process:
        os.kill(process, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while holder(path) is not None:
        if time.monotonic() > deadline:
            raise SandboxError(f"process {process} still holds {path} after {STOP_SECONDS:.0f} s")
        time.sleep(0.05)
    return True
