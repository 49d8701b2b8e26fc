"""The truststores of the container this code runs in: finding them and reading them.

This is the rim: files are opened here, everything else about stores is in `stores` and `locate`.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping

from exatrust_udf import regular_file
from exatrust_udf.locate import Candidate, Surroundings, locate
from exatrust_udf.pem import pem_blocks
from exatrust_udf.stores import (
    CERTIFICATE_FILE,
    Store,
    choose_names,
    parse_directory,
    parse_store,
)

__all__ = [
    "Candidate", "Store", "find", "locate", "parse_store", "pem_blocks", "read", "surroundings",
]  # fmt: skip

# The largest known store is under 1 MB; what is 64 times larger is something else.
MAX_BYTES = 64 << 20
MAX_FILES = 20_000

_JVM_DIRECTORY = "/usr/lib/jvm"


def find(bundle: str | None, given: Iterable[str] = ()) -> Iterator[Store]:
    """Yield every store of this container once, however many ways lead to it.

    `bundle` is the path of the shared bundle, `given` are further paths. Missing stores that were
    asked for (the bundle, a given path, an environment variable) are yielded with their problem.
    """
    merged: dict[str, Candidate] = {}
    for candidate in locate(surroundings(os.environ, bundle, given), os.path.exists):
        real = os.path.realpath(candidate.path)
        first = merged.get(real)
        merged[real] = candidate if first is None else _both(first, candidate)
    for candidate in merged.values():
        yield read(candidate.path, candidate.name, candidate.found_by)


def _both(first: Candidate, second: Candidate) -> Candidate:
    way = f"{second.name}: {second.found_by} {second.path}"
    return Candidate(first.name, first.path, f"{first.found_by}; {way}", first.required)


def surroundings(
    environ: Mapping[str, str], bundle: str | None, given: Iterable[str]
) -> Surroundings:
    """Collect what decides where this container's stores are."""
    defaults = ssl.get_default_verify_paths()
    return Surroundings(
        environ=environ,
        openssl_file=defaults.openssl_cafile,
        openssl_directory=defaults.openssl_capath,
        search_path=tuple(dict.fromkeys(sys.path)),
        prefixes=tuple(
            dict.fromkeys(p for p in (environ.get("CONDA_PREFIX"), "/opt/conda", sys.prefix) if p)
        ),
        java_homes=_java_homes(environ),
        bundle=bundle,
        given=tuple(given),
    )


def _java_homes(environ: Mapping[str, str]) -> tuple[str, ...]:
    homes = [environ["JAVA_HOME"]] if environ.get("JAVA_HOME") else []
    with contextlib.suppress(OSError):
        homes += [f"{_JVM_DIRECTORY}/{name}" for name in sorted(os.listdir(_JVM_DIRECTORY))]  # noqa: PTH208
    return tuple(homes)


def read(path: str, name: str = "given", found_by: str = "argument") -> Store:
    """Read a file or directory; what goes wrong is a problem of the returned store."""
    empty = Store(name, path, found_by)
    try:
        if stat.S_ISDIR(os.stat(path).st_mode):  # noqa: PTH116
            return _read_directory(path, empty)
        return parse_store(regular_file.read(path, MAX_BYTES), name, path, found_by, _decrypt)
    except (OSError, ValueError) as error:
        return Store(name, path, found_by, problems=(_reason(error),))


def _decrypt(name: str, key: bytes, iv: bytes, data: bytes) -> bytes:
    from exatrust_udf import cipher  # ctypes and more, for encrypted PKCS#12 alone

    return cipher.decrypt(name, key, iv, data)


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "missing: nothing is trusted through it"
    return str(getattr(error, "strerror", None) or error)


def _read_directory(path: str, empty: Store) -> Store:
    present = os.listdir(path)  # noqa: PTH208
    kind, names = choose_names(present)
    files = _Files(path)
    for name in names[:MAX_FILES]:
        files.read(name)
    if kind == "DIRECTORY":
        return parse_directory(kind, files.first, files.failures, empty)
    beside = _Files(path, files.contents)
    for name in [n for n in sorted(present) if CERTIFICATE_FILE.fullmatch(n)][:MAX_FILES]:
        beside.read(name)
    return parse_directory(kind, files.first, files.failures, empty, files.every, beside.first)


class _Files:
    """The files of a directory, each read once however many names lead to it.

    `first` has each file under its first name, `every` each name that could be read.
    """

    def __init__(self, path: str, known: Mapping[str, bytes | None] | None = None) -> None:
        self._path = path
        self.contents: dict[str, bytes | None] = dict(known or {})
        self.first: list[tuple[str, bytes]] = []
        self.every: list[tuple[str, bytes]] = []
        self.failures: list[tuple[str, str]] = []

    def read(self, name: str) -> None:
        full = f"{self._path}/{name}"
        real = os.path.realpath(full)
        if real not in self.contents:
            self._read_first(name, full, real)
        content = self.contents[real]
        if content is not None:
            self.every.append((name, content))

    def _read_first(self, name: str, full: str, real: str) -> None:
        try:
            content = self.contents[real] = regular_file.read(full, MAX_BYTES)
        except OSError as error:
            self.contents[real] = None
            self.failures.append((name, _reason(error)))
            return
        self.first.append((name, content))
