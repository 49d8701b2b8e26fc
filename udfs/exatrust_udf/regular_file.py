"""Reading a file that somebody named: it may be anything, and may not keep the reader waiting."""

from __future__ import annotations

import os
import stat


def read(path: str, limit: int) -> bytes:
    """Return a regular file's bytes, at most `limit`.

    A device or a pipe may never end, so it is an OSError, as is a file that is larger.
    """
    with open(path, "rb", opener=_open_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("not a regular file")
        data = file.read(limit + 1)
    if len(data) > limit:
        raise OSError(f"larger than {limit} bytes")
    return data


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)
