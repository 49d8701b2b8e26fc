"""One bucket's directory on one node: what UDFs see below /buckets.

Every name appears whole, by a rename from a directory that UDFs do not see; so that directory
and the replica must be on the same file system. Readable by everyone: language containers run
as another user.
"""

from __future__ import annotations

import os
import shutil
import stat
import uuid
from pathlib import Path

from exatrust_sandbox.mock_bucketfs.view import Entry


class Replica:
    """The files of a bucket on a node. Not safe for use by several threads."""

    def __init__(self, directory: Path, incoming: Path) -> None:
        self._directory, self._incoming = directory, incoming

    def prepare(self) -> None:
        """Make the directories; a bucket's directory is there although it is empty."""
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._incoming.mkdir(parents=True, mode=0o700)
        for path in (self._directory.parent.parent, self._directory.parent, self._directory):
            _open_directory(path)
        # Left behind when a run ended between making a directory and filling it.
        for folder, _, _ in os.walk(self._directory, topdown=False):
            self._prune(Path(folder))

    def scan(self) -> dict[str, Entry]:
        """What is there now. What is neither file nor link gets a version no file has."""
        present: dict[str, Entry] = {}
        for folder, folders, files in os.walk(self._directory):
            for item in (Path(folder, name) for name in folders + files):
                status = item.lstat()
                name = item.relative_to(self._directory).as_posix()
                if stat.S_ISLNK(status.st_mode):
                    present[name] = Entry(0, 0, link=os.readlink(item))  # noqa: PTH115
                elif stat.S_ISREG(status.st_mode):
                    present[name] = Entry(status.st_mtime_ns, status.st_size)
                elif not stat.S_ISDIR(status.st_mode):
                    present[name] = Entry(-1, 0)
        return present

    def remove(self, name: str) -> None:
        """Remove a file, and the directories that are empty then."""
        path = self._directory / name
        path.unlink(missing_ok=True)
        self._prune(path.parent)

    def write(self, name: str, entry: Entry) -> None:
        """Bring a file or link into view; raises OSError, and then nothing has changed."""
        path = self._directory / name
        draft = self._incoming / uuid.uuid4().hex
        try:
            _make(draft, entry)
            self._open_parents(path)
            draft.replace(path)
        except OSError:
            self._prune(path.parent)
            raise
        finally:
            draft.unlink(missing_ok=True)

    def _prune(self, path: Path) -> None:
        while path != self._directory:
            try:
                path.rmdir()
            except OSError:
                return
            path = path.parent

    def _open_parents(self, path: Path) -> None:
        missing = []
        parent = path.parent
        while not parent.is_dir():
            missing.append(parent)
            parent = parent.parent
        for directory in reversed(missing):
            _open_directory(directory)


def _make(draft: Path, entry: Entry) -> None:
    if entry.link is not None:
        draft.symlink_to(entry.link)
        return
    if entry.source is None:
        raise FileNotFoundError(f"the content of version {entry.version} is gone")
    shutil.copyfile(entry.source, draft)
    executable = entry.source.stat().st_mode & 0o111
    draft.chmod(0o755 if executable else 0o644)
    os.utime(draft, ns=(entry.version, entry.version))


def _open_directory(path: Path) -> None:
    # The process's umask must not decide what containers can read.
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o755)
