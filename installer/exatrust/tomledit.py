"""Set one text in a settings file; every other byte, comments included, stays as it is."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from exatrust.errors import SettingsError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_HEADER = re.compile(r"\s*\[")
_KEY = re.compile(r"\s*[\w-]+\s*=")


def with_text(text: str, section: str, key: str, value: str) -> str:
    """`text` (TOML) with section.key = "value". Pure.

    Raises SettingsError where the file is written in a way that would need more than a line.
    """
    edited = _edited(text, section, key, value)
    wanted = tomllib.loads(text)
    wanted.setdefault(section, {})[key] = value
    if not _is(edited, wanted):
        raise SettingsError(
            f"cannot set {section}.{key} without touching more of the file",
            f'write it there by hand: [{section}] {key} = "{value}"',
        )
    return edited


def text_of(text: str, section: str, key: str) -> str:
    """A text in TOML. Raises SettingsError where it is not there."""
    found = tomllib.loads(text).get(section, {}).get(key)
    if not isinstance(found, str):
        raise SettingsError(
            f"{section}.{key} is not in the settings file", "write it there, not in a variable"
        )
    return found


def _is(text: str, wanted: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False


def _edited(text: str, section: str, key: str, value: str) -> str:
    lines = text.splitlines(keepends=True)
    end_of_line = "\r\n" if "\r\n" in text else "\n"
    new = f'{key} = "{value}"{end_of_line}'
    span = _span(lines, section)
    if span is None:
        gap = "" if not text or text.endswith(("\n\n", "\r\n\r\n")) else end_of_line
        last = "" if not text or text.endswith("\n") else end_of_line
        return f"{text}{last}{gap}[{section}]{end_of_line}{new}"
    start, end = span
    for number in range(start + 1, end):
        if line := _replaced(lines[number], key, value):
            return "".join([*lines[:number], line, *lines[number + 1 :]])
    after = max(n for n in range(start, end) if n == start or _KEY.match(lines[n])) + 1
    if not lines[after - 1].endswith("\n"):
        lines[after - 1] += end_of_line
    return "".join([*lines[:after], new, *lines[after:]])


def _span(lines: list[str], section: str) -> tuple[int, int] | None:
    """The section's header line, and the line after its last one."""
    header = re.compile(rf"\s*\[\s*{re.escape(section)}\s*\]\s*(?:#.*)?\s*\Z")
    start = next((n for n, line in enumerate(lines) if header.match(line)), None)
    if start is None:
        return None
    rest = range(start + 1, len(lines))
    return start, next((n for n in rest if _HEADER.match(lines[n])), len(lines))


def _replaced(line: str, key: str, value: str) -> str | None:
    """The line with another value, what stands behind it kept; None where it is no such line."""
    match = re.match(rf"""(\s*{key}\s*=\s*)(?:"[^"\\]*"|'[^']*')(\s*(?:#.*)?\s*)\Z""", line)
    return f'{match[1]}"{value}"{match[2]}' if match else None


def replace_file(path: Path, text: str, check: Callable[[Path], None]) -> None:
    """Write `text` beside the file, let `check` read that, and put it in the file's place at once.

    Raises SettingsError for a file that cannot be written, and what `check` raises; nothing has
    changed then.
    """
    path = path.resolve()  # a link stays a link
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
        beside = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            shutil.copymode(path, beside)
            check(beside)
            beside.replace(path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                beside.unlink()
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}", "make the file writable") from error


def read_exactly(path: Path) -> str:
    """The file's text with its line ends as they are. Raises SettingsError."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise SettingsError(f"{path}: {reason}", "name a readable settings file") from error
