"""Which names a client may use, and which of them are archives (pure)."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes, urlsplit

# Confirmed: these four are unpacked (bucketfs-java UnsynchronizedBucket, bucketfs-python
# ARCHIVE_SUFFIXES). Inferred: only in lower case.
ARCHIVE_SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")
_LONGEST_NAME = 255  # bytes, NAME_MAX of the nodes' file systems
_LONGEST_PATH = 2000  # bytes; leaves room below PATH_MAX for the directory on the node


class PathError(ValueError):
    """A path no bucket can hold; the text says why."""


def split_target(target: str) -> tuple[str, str]:
    """Bucket name and path in the bucket (either may be empty) of an HTTP request target.

    Percent-encoding is undone once; a query is ignored; slashes around the path are dropped
    (documented by bucketfs-python for its uploads). Raises PathError for `.` and `..`, empty
    segments, control characters and what is not UTF-8 (inferred: the real answer is unknown).
    """
    raw = urlsplit(target).path if "://" in target else target.partition("?")[0].partition("#")[0]
    try:
        text = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise PathError("the path is not UTF-8") from error
    bucket, _, path = text.lstrip("/").partition("/")
    return bucket, checked_path(path.strip("/")) if path.strip("/") else ""


def checked_path(path: str) -> str:
    """The path itself; raises PathError when it could leave its bucket or break a listing."""
    if len(path.encode()) > _LONGEST_PATH:
        raise PathError("the path is too long")
    if any(ord(character) < 32 or ord(character) == 127 for character in path):
        raise PathError("the path has a control character")
    for segment in path.split("/"):
        if segment in ("", ".", ".."):
            raise PathError("the path has an empty, '.' or '..' segment")
        if len(segment.encode()) > _LONGEST_NAME:
            raise PathError("a name in the path is too long")
    return path


def archive_directory(path: str) -> str | None:
    """Where the nodes see an archive's content (path minus suffix); None for a plain file."""
    for suffix in ARCHIVE_SUFFIXES:
        stem = path.removesuffix(suffix)
        if stem != path and not stem.endswith("/") and stem:
            return stem
    return None
