"""One raw setting each: read and checked, with errors that say where it was found. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from exatrust.errors import SettingsError

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")
_BUCKETFS_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Value:
    """A raw setting, where it was found (for messages), and what its paths are relative to."""

    raw: object
    where: str
    base: Path


def text(value: Value) -> str:
    if not isinstance(value.raw, str) or not value.raw.strip():
        raise SettingsError(f"{value.where}: {value.raw!r} is no text", "give a text in quotes")
    return value.raw.strip()


def path(value: Value) -> Path:
    return value.base / Path(text(value)).expanduser()


def roots(value: Value) -> str:
    """A set by its name; anything else is the path of a file."""
    return text(value) if text(value) in ("certifi", "container") else str(path(value))


def items(value: Value) -> tuple[Value, ...]:
    """A list's elements; a variable or flag may join them with commas."""
    raw = value.raw
    if isinstance(raw, str):
        raw = [item for item in raw.split(",") if item.strip()]
    if not isinstance(raw, (list, tuple)):
        raise SettingsError(f"{value.where}: {raw!r} is no list", "give a list of texts")
    return tuple(Value(item, value.where, value.base) for item in raw)


def seconds(value: Value) -> float:
    try:
        found = float(value.raw)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        found = -1.0
    if isinstance(value.raw, bool) or not 0 < found <= 86400:
        raise SettingsError(
            f"{value.where}: {value.raw!r} is no number of seconds", "give 1 to 86400"
        )
    return found


def matching(pattern: re.Pattern[str], what: str) -> Callable[[Value], str]:
    def read(value: Value) -> str:
        found = text(value)
        if not pattern.fullmatch(found):
            raise SettingsError(f"{value.where}: {found!r} is no {what}", "correct its spelling")
        return found

    return read


def prefix(value: Value) -> str:
    found = text(value).strip("/")
    if not all(_BUCKETFS_NAME.fullmatch(part) for part in found.split("/")):
        raise SettingsError(
            f"{value.where}: {found!r} is no path in a bucket",
            "use letters, digits, '.', '_' and '-', parts divided by '/'",
        )
    return found


def url(value: Value) -> str:
    found = _address(value, ("https", "http"), "BucketFS address", "https://HOST:PORT")
    if urlsplit(found).username or urlsplit(found).password:
        raise SettingsError(
            f"{value.where}: credentials do not belong into the address",
            "set bucketfs.user and bucketfs.password_file",
        )
    return found


def saas_url(value: Value) -> str:
    """Without TLS the token would be readable on the way: there is no such SaaS."""
    found = _address(value, ("https",), "address of Exasol SaaS", "https://cloud.exasol.com")
    if "@" in urlsplit(found).netloc:
        raise SettingsError(
            f"{value.where}: credentials do not belong into the address",
            "set EXATRUST_BUCKETFS_PASSWORD or bucketfs.password_file to the token",
        )
    return found


def _address(value: Value, schemes: Sequence[str], what: str, example: str) -> str:
    found = text(value).rstrip("/")
    parts = urlsplit(found)
    if parts.scheme not in schemes or not parts.hostname or parts.path:
        raise SettingsError(f"{value.where}: no {what}", f"write {example}, without a path")
    return found


identifier = matching(_IDENTIFIER, "plain SQL identifier")


def own_schema(value: Value) -> str:
    """A schema's name; those of the system hold nobody's tables."""
    name = identifier(value)
    if name.upper() in ("SYS", "EXA_STATISTICS"):
        raise SettingsError(
            f"{value.where}: {name} is a schema of the database system",
            "name one of exatrust's own",
        )
    return name


bucketfs_name = matching(_BUCKETFS_NAME, "BucketFS name")


def aliases(value: Value) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(identifier(item).upper() for item in items(value)))
    if not names:
        raise SettingsError(f"{value.where}: no language alias", 'give at least "PYTHON3"')
    return names
