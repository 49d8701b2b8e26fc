"""What travels with the installer: SQL text, the UDF package, certifi's roots.

The SQL files are found in the wheel (exatrust/sql) as well as in a checkout (sql/).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from exatrust.bytecode import fresh

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


@cache
def _sql_root() -> Traversable:
    packaged = files("exatrust").joinpath("sql")
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "sql"


def sql(name: str) -> str:
    """The text of sql/<name>, for example "views/coverage.sql"."""
    return _sql_root().joinpath(*name.split("/")).read_text(encoding="utf-8")


def script_names() -> tuple[str, ...]:
    """The names of the database scripts, sorted, for example "check_endpoint"."""
    return _names("scripts")


def view_names() -> tuple[str, ...]:
    """The names of the views, sorted, for example "coverage"."""
    return _names("views")


def check_names() -> tuple[str, ...]:
    """The names of the checks, sorted, for example "nodes_missing"."""
    return _names("checks")


def _names(folder: str) -> tuple[str, ...]:
    found = _sql_root().joinpath(folder).iterdir()
    return tuple(sorted(item.name[:-4] for item in found if item.name.endswith(".sql")))


def udf_sources() -> Mapping[str, bytes]:
    """The Python files of exatrust_udf by their path, such as exatrust_udf/der.py."""
    return dict(_walk(files("exatrust_udf"), "exatrust_udf"))


def udf_files() -> Mapping[str, bytes]:
    """What a release's archive holds: the sources, and the bytecode that was compiled of them."""
    found = dict(sources := udf_sources())
    folder = files("exatrust").joinpath("bytecode")
    for item in folder.iterdir() if folder.is_dir() else ():
        found.update(fresh(item.read_bytes(), sources))
    return found


def udf_text(name: str) -> str:
    """The text of one file of exatrust_udf, for example "stub.py"."""
    return files("exatrust_udf").joinpath(*name.split("/")).read_text(encoding="utf-8")


def distrusted_roots() -> str:
    """The text of the curated list, distrusted_roots.csv."""
    return files("exatrust").joinpath("distrusted_roots.csv").read_text(encoding="utf-8")


def certifi_roots() -> tuple[bytes, str]:
    """certifi's PEM file, and what to call it, for example "certifi 2026.10.18"."""
    pem = files("certifi").joinpath("cacert.pem").read_bytes()
    return pem, f"certifi {version('certifi')}"


def _walk(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for item in folder.iterdir():
        if item.is_dir() and item.name != "__pycache__":
            yield from _walk(item, f"{path}/{item.name}")
        elif item.name.endswith(".py"):
            yield f"{path}/{item.name}", item.read_bytes()
