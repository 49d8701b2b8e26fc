"""The log file of a command: what was done, when, and what came of it.

Nothing secret is ever given to it: of a statement only the words before its first literal, of a
request only method, path and status. It is appended to, and only its owner may read it.
"""

from __future__ import annotations

import logging
import os
import re
import time
from pathlib import Path

from exatrust.errors import SettingsError

logger = logging.getLogger("exatrust")
logger.addHandler(logging.NullHandler())  # nothing on the terminal, whoever uses the package
_HEAD = re.compile(r'(?:[\w.]+|"[^"\n]*"|[ *])+')
_WORDS = 10


def to_file(path: Path, first_line: str) -> None:
    """Begin to write; a second call for the same file does nothing. Raises SettingsError."""
    if any(getattr(item, "baseFilename", "") == os.fspath(path.absolute()) for item in _files()):
        return
    try:
        path.touch(mode=0o600)
        handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise SettingsError(
            f"--log-file {path}: {error.strerror}", "name a file in a directory that can be written"
        ) from error
    formatter = logging.Formatter("%(asctime)sZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(_OneLine(formatter))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.info("%s", first_line)


def close() -> None:
    """Write no more; a process may run several commands."""
    for handler in _files():
        logger.removeHandler(handler)
        handler.close()


def _files() -> list[logging.FileHandler]:
    return [item for item in logger.handlers if isinstance(item, logging.FileHandler)]


class _OneLine(logging.Formatter):
    """One event, one line: what a server says must not look like an event of its own."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self._formatter = formatter

    def format(self, record: logging.LogRecord) -> str:
        text = self._formatter.format(record)
        return "".join(c if c.isprintable() else " " for c in text)


def statement_head(sql: str) -> str:
    """The first words of a statement, up to its first literal, bracket or line end."""
    match = _HEAD.match(sql.lstrip())
    words = match[0].split() if match else []
    return " ".join(words[:_WORDS])
