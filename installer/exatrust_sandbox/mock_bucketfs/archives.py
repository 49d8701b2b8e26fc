"""Archives are unpacked beside themselves, as UDFs see them.

Confirmed: .tar, .tgz, .tar.gz and .zip are extracted, a UDF sees the path without its suffix as a
directory, over HTTP the archive itself comes back, extraction is asynchronous. Not atomic as a
set: a UDF may see half of it. Members that would leave the directory, and links, are left out.
"""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")
MAX_UNPACKED = 2 << 30


def directory_of(path: str) -> str | None:
    """The directory an archive of that path is unpacked to; None when it is no archive."""
    for suffix in SUFFIXES:
        if path.lower().endswith(suffix) and len(path) > len(suffix):
            return path[: -len(suffix)]
    return None


def unpack(archive: Path, name: str, target: Path) -> None:
    """Unpack the archive, kind told by `name`, into `target`; a broken one leaves what it gave."""
    left = MAX_UNPACKED
    try:
        for member, size, source in _members(archive, name):
            left -= size
            if left < 0:
                return
            _write(target / member, source)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError):
        # The real one logs it on the node; a UDF sees an incomplete directory.
        return


def _members(archive: Path, name: str) -> Iterator[tuple[str, int, IO[bytes]]]:
    if name.lower().endswith(".zip"):
        yield from _zip_members(archive)
    else:
        yield from _tar_members(archive)


def _zip_members(archive: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            if not info.is_dir() and _stays_inside(info.filename):
                with file.open(info) as source:
                    yield info.filename, info.file_size, source


def _tar_members(archive: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    with tarfile.open(archive) as file:
        for member in file:
            source = file.extractfile(member) if member.isfile() else None
            if source is not None and _stays_inside(member.name):
                yield member.name, member.size, source


def _stays_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def _write(target: Path, source: IO[bytes]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        shutil.copyfileobj(source, file)
    target.chmod(0o644)
