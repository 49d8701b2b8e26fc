"""A bucket that is a directory: nothing outside it is touched, and no file is seen half."""

from __future__ import annotations

import errno
import os
import stat
import threading
import time
from pathlib import Path

import pytest

from exatrust.bucket import may_write
from exatrust.errors import (
    BucketForbidden,
    BucketFSFailed,
    BucketFSUnreachable,
    ExatrustError,
    MissingBucket,
    UsageError,
)
from exatrust.mounted import MountedBucket

SECRET = b"outside of the bucket"


@pytest.fixture
def bucket(directory: Path) -> MountedBucket:
    return MountedBucket(directory)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory that is not in the bucket."""
    path = tmp_path / "outside"
    path.mkdir()
    (path / "file").write_bytes(SECRET)
    return path


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../file", "a/../../file", "a//b", "./a", "a/.", "a/", "a\0b"]
)
def test_a_path_that_could_lead_out_is_refused(bucket: MountedBucket, path: str) -> None:
    for act in (bucket.read, bucket.delete, lambda where: bucket.write(where, b"1")):
        with pytest.raises(UsageError, match="no path in a bucket"):
            act(path)


def test_links_are_not_followed(bucket: MountedBucket, directory: Path, outside: Path) -> None:
    (directory / "folder").symlink_to(outside)
    (directory / "link").symlink_to(outside / "file")
    assert bucket.list() == ()
    assert bucket.read("folder/file") is None
    assert bucket.read("link") is None
    with pytest.raises(BucketFSFailed, match="could not write folder/new"):
        bucket.write("folder/new", b"1")
    bucket.delete("folder/file")
    assert [path.name for path in outside.iterdir()] == ["file"]


def test_a_file_takes_the_place_of_a_link_and_not_of_its_target(
    bucket: MountedBucket, directory: Path, outside: Path
) -> None:
    (directory / "link").symlink_to(outside / "file")
    bucket.write("link", b"ours")
    assert (outside / "file").read_bytes() == SECRET
    assert bucket.read("link") == b"ours"


def test_the_mount_point_itself_may_be_a_link(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(directory)
    MountedBucket(tmp_path / "link").write("a", b"1")
    assert (directory / "a").read_bytes() == b"1"


def test_a_pipe_is_no_file_and_nobody_waits_for_it(bucket: MountedBucket, directory: Path) -> None:
    os.mkfifo(directory / "pipe")
    assert bucket.read("pipe") is None
    assert bucket.list() == ()


def test_every_user_can_read_what_was_written_whatever_the_umask(
    bucket: MountedBucket, directory: Path
) -> None:
    before = os.umask(0o077)
    try:
        bucket.write("a/b/c", b"1")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.rglob("*")}
    assert modes == {"a": 0o755, "b": 0o755, "c": 0o644}


def test_a_reader_sees_the_old_file_or_the_new_one(bucket: MountedBucket) -> None:
    contents = [bytes([n]) * 300_000 for n in range(8)]
    bucket.write("file", contents[0])
    seen: set[bytes | None] = set()
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            seen.add(bucket.read("file"))

    reader = threading.Thread(target=read)
    reader.start()
    for content in contents * 5:
        bucket.write("file", content)
    ended.set()
    reader.join()
    assert seen <= set(contents)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    bucket: MountedBucket, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.write("a/file", b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BucketFSFailed, match="No space left") as failed:
        bucket.write("a/file", b"new")
    assert "room" in failed.value.action
    assert [path.name for path in (directory / "a").iterdir()] == ["file"]
    assert bucket.read("a/file") == b"old"


def test_what_a_killed_installer_left_is_not_listed_and_goes_with_its_neighbours(
    bucket: MountedBucket, directory: Path
) -> None:
    bucket.write("a/file", b"1")
    draft = directory / "a" / ".exatrust-0123.part"
    draft.write_bytes(b"half a fi")
    os.utime(draft, (time.time() - 3600,) * 2)
    assert bucket.list() == ("a/file",)
    bucket.delete("a/file")
    assert list(directory.iterdir()) == []


def test_a_directory_that_is_not_there_says_so(tmp_path: Path, directory: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    for path in (tmp_path / "absent", file):
        with pytest.raises(MissingBucket, match=str(path)) as missing:
            MountedBucket(path)
        assert "bucketfs.path" in missing.value.action
    bucket = MountedBucket(directory)
    directory.rmdir()
    for act in (bucket.list, lambda: bucket.read("a"), lambda: bucket.write("a", b"")):
        with pytest.raises(MissingBucket):
            act()


@pytest.mark.parametrize(
    ("number", "kind", "status"),
    [
        (errno.EACCES, BucketForbidden, 2),
        (errno.EROFS, BucketForbidden, 2),
        (errno.EDQUOT, BucketFSFailed, 1),
        (errno.ENOTDIR, BucketFSFailed, 1),
        (errno.ESTALE, BucketFSUnreachable, 3),
        (errno.ENOTCONN, BucketFSUnreachable, 3),
        (errno.EIO, BucketFSUnreachable, 3),
    ],
)
def test_errors_of_the_file_system_say_what_to_do(
    bucket: MountedBucket, directory: Path, monkeypatch: pytest.MonkeyPatch, number: int,
    kind: type[ExatrustError], status: int,
) -> None:  # fmt: skip
    def fail(*arguments: object, **options: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(kind, match=f"{directory}: could not write a: ") as failed:
        bucket.write("a", b"1")
    assert failed.value.exit_code == status
    assert failed.value.action


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_without_the_right_to_write_is_refused(
    bucket: MountedBucket, directory: Path
) -> None:
    directory.chmod(0o555)
    try:
        assert not may_write(bucket, "exatrust")
    finally:
        directory.chmod(0o755)


def test_no_permission_is_an_answer_of_may_write(
    bucket: MountedBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*arguments: object, **options: object) -> None:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "mkdir", refused)
    assert not may_write(bucket, "exatrust")
