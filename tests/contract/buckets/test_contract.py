"""What every bucket does, however it is reached."""

from __future__ import annotations

import pytest

from exatrust.bucket import Bucket, may_write

NAMES = [
    "plain.txt",
    "exatrust/releases/0.1.0-abc/manifest.json",
    "exatrust/a b%20c+d&e=f?g#h.txt",
    "exatrust/Größe/ÄÖÜ ß.pem",
    "exatrust/.hidden",
    "exatrust/quote'\"back\\slash",
]


def test_a_new_bucket_is_empty(bucket: Bucket) -> None:
    assert bucket.list() == ()


@pytest.mark.parametrize("name", NAMES)
def test_what_was_written_is_read_listed_and_deleted(bucket: Bucket, name: str) -> None:
    bucket.write(name, b"\x00\xff{}\r\n")
    assert bucket.read(name) == b"\x00\xff{}\r\n"
    assert bucket.list() == (name,)
    bucket.delete(name)
    assert bucket.read(name) is None
    assert bucket.list() == ()


def test_the_list_is_flat_and_sorted(bucket: Bucket) -> None:
    for name in ("b/c/d", "a", "b/c.txt", "b/b", "z/y/x/w"):
        bucket.write(name, name.encode())
    assert bucket.list() == ("a", "b/b", "b/c.txt", "b/c/d", "z/y/x/w")
    assert bucket.read("b/c/d") == b"b/c/d"


def test_a_missing_file_is_none_and_deleting_it_is_no_error(bucket: Bucket) -> None:
    assert bucket.read("nothing/here") is None
    bucket.delete("nothing/here")
    bucket.write("there", b"1")
    assert bucket.read("there/below") is None
    bucket.delete("there/below")
    assert bucket.read("there") == b"1"


def test_a_directory_is_no_file(bucket: Bucket) -> None:
    bucket.write("folder/file", b"1")
    assert bucket.read("folder") is None
    bucket.delete("folder")
    assert bucket.list() == ("folder/file",)


def test_a_file_that_is_written_again_has_the_new_content(bucket: Bucket) -> None:
    bucket.write("a", b"the first, which is longer")
    bucket.write("a", b"the second")
    assert bucket.read("a") == b"the second"
    assert bucket.list() == ("a",)


@pytest.mark.parametrize("size", [0, 1, 1 << 20])
def test_every_size_arrives(bucket: Bucket, size: int) -> None:
    content = bytes(n * 31 % 251 for n in range(size))
    bucket.write("file", content)
    assert bucket.read("file") == content


def test_writing_can_be_tried_without_a_trace(bucket: Bucket) -> None:
    assert may_write(bucket, "exatrust")
    assert bucket.list() == ()
