"""Unpacking what somebody uploaded, without trusting it.

Confirmed: .tar, .tgz, .tar.gz and .zip are unpacked asynchronously. Inferred: an archive that
cannot be unpacked whole (damaged, too large, a name or link that leads out of it, a device) is
not unpacked at all, which shows only in the log; empty directories do not appear; of the modes
only "executable" is kept; a link in a zip appears as a plain file that holds its target.
"""

from __future__ import annotations

import gzip
import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from exatrust_sandbox.mock_bucketfs.body import BLOCK
from exatrust_sandbox.mock_bucketfs.model import Limits
from exatrust_sandbox.mock_bucketfs.paths import PathError, checked_path
from exatrust_sandbox.mock_bucketfs.view import Entry

_FOREIGN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    gzip.BadGzipFile,
    EOFError,
    OSError,
    RuntimeError,  # zipfile: encrypted member
    NotImplementedError,  # zipfile: unknown compression
    ValueError,  # tarfile, zipfile: nonsense in headers; PathError
)


class ArchiveError(Exception):
    """The archive is not unpacked; the text says why."""


@dataclass
class _Target:
    """The directory that receives the members, and what may still go in."""

    root: Path
    bytes_left: int
    files_left: int

    def write(self, name: str, source: IO[bytes], *, executable: bool) -> None:
        path = self._place(name)
        path.unlink(missing_ok=True)  # a later member of the same name replaces the earlier one
        with path.open("xb") as file:
            while data := source.read(BLOCK):
                self.bytes_left -= len(data)
                if self.bytes_left < 0:
                    raise ArchiveError("the content is too large")
                file.write(data)
        path.chmod(0o755 if executable else 0o644)

    def link(self, name: str, target: str) -> None:
        """Only for use after the last write(): nothing is ever written through a link."""
        if not link_stays_inside(name, target):
            raise ArchiveError(f"link {name!r} leads out of the archive")
        path = self._place(name)
        path.unlink(missing_ok=True)
        path.symlink_to(target)

    def _place(self, name: str) -> Path:
        self.files_left -= 1
        if self.files_left < 0:
            raise ArchiveError("too many members")
        path = self.root / checked_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.root.resolve() not in (path.parent.resolve() / "x").parents:
            raise ArchiveError(f"member {name!r} leads out of the archive")
        return path


def link_stays_inside(name: str, target: str) -> bool:
    """Whether a symbolic link cannot lead out of the tree, whatever other links it meets.

    `..` is allowed only in front: there the link's real directories count, which are no links
    themselves. Behind a name `..` could climb out of wherever another link had led to.
    """
    if not target or target.startswith("/") or "\0" in target:
        return False
    parts = [part for part in target.split("/") if part not in ("", ".")]
    climbs = next((i for i, part in enumerate(parts) if part != ".."), len(parts))
    return ".." not in parts[climbs:] and climbs <= name.count("/")


def unpack(archive: Path, name: str, target: Path, limits: Limits) -> None:
    """Unpack `archive`, called `name` in the bucket, into `target`, which appears when complete.

    Raises ArchiveError.
    """
    draft = target.with_name(f"{target.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        receiver = _Target(draft, limits.unpacked_bytes, limits.unpacked_files)
        with _as_archive_errors():
            (_unpack_zip if name.endswith(".zip") else _unpack_tar)(archive, receiver)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def _as_archive_errors() -> Iterator[None]:
    try:
        yield
    except _FOREIGN as error:
        raise ArchiveError(f"{type(error).__name__}: {error}") from error


def _unpack_tar(archive: Path, target: _Target) -> None:
    links: list[tuple[str, str]] = []
    with tarfile.open(archive, "r:*") as tar:
        for member in tar:
            name = _member_name(member.name)
            if member.isdir():
                continue
            if member.issym():
                links.append((name, member.linkname))
            elif member.islnk():
                _copy(target, name, _member_name(member.linkname))
            elif member.isreg() and (source := tar.extractfile(member)) is not None:
                target.write(name, source, executable=bool(member.mode & 0o111))
            else:
                raise ArchiveError(f"member {name!r} is a device or the like")
    for name, link in links:
        target.link(name, link)


def _copy(target: _Target, name: str, original: str) -> None:
    path = target.root / original
    with path.open("rb") as source:
        target.write(name, source, executable=bool(path.stat().st_mode & 0o111))


def _unpack_zip(archive: Path, target: _Target) -> None:
    with zipfile.ZipFile(archive) as bundle:
        for member in bundle.infolist():
            name = _member_name(member.filename)
            if member.is_dir():
                continue
            with bundle.open(member) as source:
                executable = bool((member.external_attr >> 16) & 0o111)
                target.write(name, source, executable=executable)


def _member_name(name: str) -> str:
    """A member's path; raises PathError when it leads out. `./a/` is the usual form of `a`."""
    if name.startswith("/"):
        raise PathError(f"member {name!r} is absolute")
    name = name.rstrip("/")
    while name.startswith("./"):
        name = name[2:].lstrip("/")
    return "" if name in ("", ".") else checked_path(name)


def members(directory: Path, prefix: str, version: int) -> dict[str, Entry]:
    """What an unpacked archive brings onto a node, by its path in the bucket."""
    found: dict[str, Entry] = {}
    for folder, folders, files in os.walk(directory):
        for item in (Path(folder, name) for name in folders + files):
            status = item.lstat()
            path = f"{prefix}/{item.relative_to(directory).as_posix()}"
            if stat.S_ISLNK(status.st_mode):
                found[path] = Entry(0, 0, link=os.readlink(item))  # noqa: PTH115 - the text itself
            elif stat.S_ISREG(status.st_mode):
                found[path] = Entry(version, status.st_size, source=item)
    return found
