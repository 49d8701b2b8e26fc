"""File formats of IMPORT and EXPORT over HTTP, told by the suffix of the FILE clause."""

from __future__ import annotations

import bz2
import gzip
import io
import zipfile
import zlib


class FormatError(Exception):
    """The bytes are not in the format that the file name promises."""


def unpack(file: str, data: bytes) -> bytes:
    """The content of a file; raises FormatError."""
    try:
        if file.endswith(".gz"):
            return gzip.decompress(data)
        if file.endswith(".bz2"):
            return bz2.decompress(data)
        if file.endswith(".zip"):
            return _unzip(data)
    except (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile) as error:
        raise FormatError(str(error)) from error
    return data


def pack(file: str, data: bytes) -> bytes:
    """The bytes of a file with this content."""
    if file.endswith(".gz"):
        return gzip.compress(data, mtime=0)
    if file.endswith(".bz2"):
        return bz2.compress(data)
    if file.endswith(".zip"):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
            target.writestr(file.removesuffix(".zip"), data)
        return archive.getvalue()
    return data


def _unzip(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        if len(names) != 1:
            raise FormatError(f"the archive holds {len(names)} files instead of one")
        return archive.read(names[0])
