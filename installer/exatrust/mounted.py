"""A bucket that is mounted as a directory on this machine.

Nothing outside the directory is ever touched: paths are walked from it part by part, and no
symbolic link below it is followed. A file appears whole, by a rename in its own directory.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from exatrust.errors import (
    BucketForbidden,
    BucketFSFailed,
    BucketFSUnreachable,
    ExatrustError,
    MissingBucket,
    UsageError,
)
from exatrust.log import logger
from exatrust.progress import Body, meter

_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_IN_THE_WAY = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG)
_NOT_THERE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
_DRAFT = ".exatrust-", ".part"
_DRAFT_SECONDS = 60.0  # older ones belong to an installer that was killed
_CHUNK = 1 << 16


class MountedBucket:
    """The Bucket of a directory. Raises MissingBucket where that is none."""

    def __init__(self, root: Path) -> None:
        self._root = root
        with self._mapped("open the bucket"), _opened(root):
            pass

    def close(self) -> None:
        """Nothing stays open between two calls."""

    def list(self) -> tuple[str, ...]:
        """All regular files, sorted."""
        with self._mapped("list the bucket"), _opened(self._root) as root:
            return tuple(sorted(_files(root)))

    def read(self, path: str) -> bytes | None:
        """A file's bytes; None where there is no file, or a link."""
        parts = _parts(path)
        with self._mapped(f"read {path}"), _opened(self._root) as root:
            try:
                with _walked(root, parts[:-1]) as folder:
                    return _content(parts[-1], folder)
            except OSError as error:
                if error.errno not in _IN_THE_WAY:
                    raise
                return None

    def write(self, path: str, content: bytes) -> None:
        """Beside its place first, so that nobody sees half a file."""
        *folders, name = _parts(path)
        draft = f"{_DRAFT[0]}{uuid.uuid4().hex}{_DRAFT[1]}"
        with (
            self._mapped(f"write {path}"),
            _opened(self._root) as root,
            _walked(root, folders, make=True) as folder,
        ):
            try:
                _fill(draft, folder, content, name)
                os.replace(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with suppress(OSError):
                    os.unlink(draft, dir_fd=folder)
                raise
            _sync(folder)
        logger.info("write %s: %d bytes", self._root / path, len(content))

    def delete(self, path: str) -> None:
        """Delete a file, and the directories that are empty then."""
        *folders, name = _parts(path)
        with self._mapped(f"delete {path}"), _opened(self._root) as root:
            with suppress(*_NOT_THERE), _walked(root, folders) as folder:
                os.unlink(name, dir_fd=folder)
                _drop_drafts(folder)
                logger.info("delete %s", self._root / path)
            _drop_empty(root, folders)

    @contextmanager
    def _mapped(self, task: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            logger.warning("%s in %s: %s", task, self._root, error.strerror)
            raise self._error(error, task) from error

    def _error(self, error: OSError, task: str) -> ExatrustError:
        text = f"{self._root}: could not {task}: {error.strerror}"
        if error.errno in (errno.ENOENT, errno.ENOTDIR) and not self._root.is_dir():
            return MissingBucket(
                f"{self._root} is no directory: {error.strerror}",
                "mount the bucket there, or correct bucketfs.path",
            )
        if error.errno in _FORBIDDEN:
            return BucketForbidden(
                text, "run it as a user who may write there, and see that it is mounted writable"
            )
        if error.errno in _FULL:
            return BucketFSFailed(text, "make room there, then run the command again")
        if error.errno in _IN_THE_WAY:
            return BucketFSFailed(text, "see what is in the way there, then run the command again")
        return BucketFSUnreachable(text, "see whether it is still mounted, and its server runs")


def _parts(path: str) -> Sequence[str]:
    """The parts of a path that stays below the bucket. Raises UsageError."""
    parts = path.split("/")
    if "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise UsageError(f"{path!r} is no path in a bucket", "leave out '..' and empty parts")
    return parts


@contextmanager
def _opened(path: str | Path, folder: int | None = None) -> Iterator[int]:
    """An open directory. Only the bucket's own, which a human named, may be a link."""
    flags = os.O_RDONLY | os.O_DIRECTORY | (0 if folder is None else os.O_NOFOLLOW)
    descriptor = os.open(path, flags, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _walked(root: int, folders: Sequence[str], *, make: bool = False) -> Iterator[int]:
    """The open directory that `folders` lead to; those that lack are made."""
    with ExitStack() as stack:
        folder = root
        for name in folders:
            if make:
                _make(name, folder)
            folder = stack.enter_context(_opened(name, folder))
        yield folder


def _make(name: str, folder: int) -> None:
    try:
        os.mkdir(name, 0o755, dir_fd=folder)
    except FileExistsError:
        return
    with _opened(name, folder) as made, suppress(OSError):  # some mounts know no modes
        os.fchmod(made, 0o755)  # whatever the umask: UDFs run as another user
    _sync(folder)


def _fill(name: str, folder: int, content: bytes, title: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    descriptor = os.open(name, flags, 0o644, dir_fd=folder)
    with os.fdopen(descriptor, "wb") as file, meter(title, len(content), "bytes") as bar:
        with suppress(OSError):
            os.fchmod(descriptor, 0o644)  # as for directories
        body = Body(content, bar)
        while part := body.read(_CHUNK):
            file.write(part)
        file.flush()
        os.fsync(descriptor)


def _sync(folder: int) -> None:
    """So that a rename outlives a power failure, where the file system knows how."""
    with suppress(OSError):
        os.fsync(folder)


def _content(name: str, folder: int) -> bytes | None:
    # Not blocking, for the case of a pipe of that name.
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _files(root: int) -> Iterator[str]:
    for folder, _, names, descriptor in os.fwalk(".", onerror=_unless_closed, dir_fd=root):
        for name in names:
            if _is_file(name, descriptor) and not _is_draft(name):
                yield posixpath.normpath(posixpath.join(folder, name))


def _unless_closed(error: OSError) -> None:
    """Others' directories may be closed to us (lost+found), or gone by now."""
    if not isinstance(error, (PermissionError, FileNotFoundError)):
        raise error


def _is_file(name: str, folder: int) -> bool:
    try:
        return stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _is_draft(name: str) -> bool:
    return name.startswith(_DRAFT[0]) and name.endswith(_DRAFT[1])


def _drop_drafts(folder: int) -> None:
    for name in filter(_is_draft, os.listdir(folder)):
        with suppress(OSError):
            if time.time() - os.stat(name, dir_fd=folder).st_mtime > _DRAFT_SECONDS:
                os.unlink(name, dir_fd=folder)


def _drop_empty(root: int, folders: Sequence[str]) -> None:
    with suppress(OSError):  # the first that is not empty, or not there
        for depth in range(len(folders), 0, -1):
            with _walked(root, folders[: depth - 1]) as folder:
                os.rmdir(folders[depth - 1], dir_fd=folder)
