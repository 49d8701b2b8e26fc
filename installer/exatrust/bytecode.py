"""Bytecode of the UDF code, compiled when exatrust is built, one archive for a minor Python.

A UDF's virtual machine starts for every query, and compiling our code took half of that time. A
release carries the sources and, in a directory named for each Python's cache tag, their bytecode;
scripts pin the one archive that holds both. A Python without bytecode compiles the sources.

Run with the Python to compile for, standard library alone: bytecode.py SOURCES ARCHIVE
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import marshal
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

_UNCHECKED = (1).to_bytes(4, "little")  # PEP 552: by hash, and never compared with a source
FIRST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def compiled(sources: Mapping[str, bytes]) -> bytes:
    """A zip of this Python's bytecode, <cache tag>/<path>c for each path; raises SyntaxError.

    An entry's comment is the SHA-256 of the source it was made from.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, source in sorted(sources.items()):
            entry = zipfile.ZipInfo(f"{sys.implementation.cache_tag}/{path}c", FIRST_ZIP_DATE)
            entry.comment = hashlib.sha256(source).hexdigest().encode("ascii")
            archive.writestr(entry, _pyc(path, source))
    return out.getvalue()


def _pyc(path: str, source: bytes) -> bytes:
    """The content of a .pyc file, see PEP 552."""
    code = compile(source, path, "exec", dont_inherit=True, optimize=0)
    header = importlib.util.MAGIC_NUMBER + _UNCHECKED + importlib.util.source_hash(source)
    return header + marshal.dumps(code)


def fresh(archive: bytes, sources: Mapping[str, bytes]) -> dict[str, bytes]:
    """The content of an archive that was made from exactly these sources, nothing of another."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        entries = opened.infolist()
        made_from = {
            entry.filename.partition("/")[2][:-1]: entry.comment.decode("ascii")
            for entry in entries
        }
        wanted = {path: hashlib.sha256(source).hexdigest() for path, source in sources.items()}
        return {e.filename: opened.read(e) for e in entries} if made_from == wanted else {}


def _main(root: Path, archive: Path) -> None:
    files = sorted(root.glob("exatrust_udf/**/*.py"))
    content = compiled({file.relative_to(root).as_posix(): file.read_bytes() for file in files})
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(content)


if __name__ == "__main__":
    _main(*map(Path, sys.argv[1:]))
