"""Settings from exatrust.toml, weaker than EXATRUST_* variables, weaker than flags.

A relative path in the file counts from the file, one in a variable or flag from where the
command runs. Passwords are no settings: see credentials.py.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from exatrust import values
from exatrust.dsn import Dsn, fingerprint, parse_dsn
from exatrust.errors import SettingsError
from exatrust.values import Value

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CONFIG_NAME = "exatrust.toml"


@dataclass(frozen=True)
class DatabaseSettings:
    dsn: Dsn
    user: str
    schema: str = "EXATRUST"
    password_file: Path | None = None
    ca_file: Path | None = None


@dataclass(frozen=True)
class BucketFSSettings:
    """Exactly one of `url`, `path` (a mounted bucket) and `saas_url` says where the bucket is.

    `saas_database` is an id or a name. `replication_timeout` in seconds: how long nodes may take
    to see an upload.
    """

    url: str = ""
    service: str = "bfsdefault"
    bucket: str = "default"
    prefix: str = "exatrust"
    user: str = "w"
    password_file: Path | None = None
    ca_file: Path | None = None
    fingerprint: str | None = None
    replication_timeout: float = 120.0
    path: Path | None = None
    saas_url: str = ""
    saas_account_id: str = ""
    saas_database: str = ""

    @property
    def encrypted(self) -> bool:
        """Whether nobody on the way learns the password; a mounted bucket has none."""
        return not self.url.startswith("http://")

    @property
    def place(self) -> str:
        """Where the bucket is, for a human."""
        if self.path is not None:
            return f"the mounted bucket {self.path}"
        if self.saas_url:
            return f"Exasol SaaS {self.saas_url}, database {self.saas_database}"
        return f"bucket {self.url}/{self.bucket}, user {self.user}"

    @property
    def udf_directory(self) -> str:
        """Where UDFs see the bucket's prefix (Exasol documentation, BucketFS, database access)."""
        return f"/buckets/{self.service}/{self.bucket}/{self.prefix}"


@dataclass(frozen=True)
class BundleSettings:
    """`roots` is "certifi", "container" (what the first alias trusts), or the path of a file."""

    roots: str = "certifi"
    ca_files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class ScriptSettings:
    """Language aliases, the first one's scripts have no suffix; none: all that run Python."""

    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    database: DatabaseSettings
    bucketfs: BucketFSSettings
    bundle: BundleSettings = field(default_factory=BundleSettings)
    scripts: ScriptSettings = field(default_factory=ScriptSettings)


SECTIONS: Mapping[str, type[Any]] = {
    "database": DatabaseSettings,
    "bucketfs": BucketFSSettings,
    "bundle": BundleSettings,
    "scripts": ScriptSettings,
}
Values = dict[tuple[str, str], Value]
_Section = TypeVar("_Section")


def load(
    config: Path | None, environ: Mapping[str, str], flags: Mapping[tuple[str, str], object]
) -> Settings:
    """The settings of one command. `flags` maps (section, key) to a value, None when not given.

    Without `config`, EXATRUST_CONFIG or ./exatrust.toml is read, the latter only if it exists.
    Raises SettingsError.
    """
    here = Path.cwd()
    file = settings_file(config, environ)
    values = {} if file is None else _from_file(file)
    values |= _from_environment(environ, here)
    values |= {
        key: Value(raw, f"--{key[1].replace('_', '-')}", here)
        for key, raw in flags.items()
        if raw is not None
    }
    return resolve(values)


def settings_file(config: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file that `load` reads, None where nothing is named and ./exatrust.toml is not there."""
    named = config or (Path(environ["EXATRUST_CONFIG"]) if "EXATRUST_CONFIG" in environ else None)
    here = Path.cwd() / CONFIG_NAME
    return named or (here if here.exists() else None)


def resolve(values: Values) -> Settings:
    """Check every value and put them together; pure. Raises SettingsError."""
    settings = Settings(
        database=_section(DatabaseSettings, "database", values, _DATABASE),
        bucketfs=_bucketfs(values),
        bundle=_section(BundleSettings, "bundle", values, _BUNDLE),
        scripts=_section(ScriptSettings, "scripts", values, _SCRIPTS),
    )
    _one_anchor("database", settings.database.dsn.fingerprint, settings.database.ca_file)
    _one_anchor("bucketfs", settings.bucketfs.fingerprint, settings.bucketfs.ca_file)
    return settings


def _bucketfs(values: Values) -> BucketFSSettings:
    """The section, and what follows from where the bucket is. Raises SettingsError."""
    found = _section(BucketFSSettings, "bucketfs", values, _BUCKETFS)
    given = {key for section, key in values if section == "bucketfs"}
    place = _place(given)
    useless = [f"bucketfs.{key}" for key in _USELESS[place] if key in given]
    if useless:
        raise SettingsError(
            f"{', '.join(useless)}: of no use with bucketfs.{place}", "leave it out"
        )
    if place != "saas_url":
        return found
    for key in ("saas_account_id", "saas_database"):
        _require("bucketfs", key, given)
    return found if "service" in given else replace(found, service="uploads")


def _place(given: Collection[str]) -> str:
    """The one setting that says where the bucket is."""
    places = [key for key in _USELESS if key in given]
    if len(places) == 1:
        return places[0]
    found = f"{' and '.join(places)} are given" if places else "none is set"
    raise SettingsError(
        "exactly one of bucketfs.url, bucketfs.path and bucketfs.saas_url says where the bucket "
        f"is, and {found}",
        f"set one of them in {CONFIG_NAME}, or as a variable such as EXATRUST_BUCKETFS_URL",
    )


def _one_anchor(section: str, pin: str | None, ca_file: Path | None) -> None:
    if pin and ca_file:
        raise SettingsError(
            f"{section}: both a fingerprint and ca_file are given",
            "keep one: the fingerprint pins one certificate, ca_file trusts what that CA signs",
        )


def _from_file(path: Path) -> Values:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(
            f"{path}: {error.strerror}", "name the settings file with --config FILE"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}", "correct the file") from error
    values: Values = {}
    for section, content in document.items():
        if section not in SECTIONS or not isinstance(content, dict):
            raise _unknown(f"{path}: unknown section [{section}]", SECTIONS)
        for key, raw in content.items():
            _check_key(section, key, f"{path}: {section}.{key}")
            where = f"{path}: {section}.{key}"
            values[section, key] = Value(raw, where, path.resolve().parent)
    return values


def _from_environment(environ: Mapping[str, str], here: Path) -> Values:
    values: Values = {}
    for name, raw in environ.items():
        section, _, key = name.removeprefix("EXATRUST_").lower().partition("_")
        if not name.startswith("EXATRUST_") or section not in SECTIONS or key == "password":
            continue
        _check_key(section, key, f"the variable {name}")
        values[section, key] = Value(raw, name, here)
    return values


def _check_key(section: str, key: str, where: str) -> None:
    if key == "password":
        raise SettingsError(
            f"{where}: a settings file is no place for a password",
            "name a file of mode 0600 with password_file, or set "
            f"EXATRUST_{section.upper()}_PASSWORD",
        )
    known = [item.name for item in fields(SECTIONS[section])]
    if key not in known:
        raise _unknown(f"{where} is no setting", known)


def _unknown(message: str, known: Mapping[str, object] | list[str]) -> SettingsError:
    return SettingsError(message, f"known here: {', '.join(known)}")


def _section(
    kind: type[_Section], section: str, values: Values, readers: Mapping[str, Any]
) -> _Section:
    given = {key: readers[key](values[section, key]) for key in readers if (section, key) in values}
    for key in _REQUIRED.get(section, ()):
        _require(section, key, given)
    return kind(**given)


def _require(section: str, key: str, given: Collection[str]) -> None:
    if key not in given:
        raise SettingsError(
            f"{section}.{key} is not set",
            f"set it in {CONFIG_NAME}, or as EXATRUST_{section.upper()}_{key.upper()}",
        )


_REQUIRED = {"database": ("dsn", "user")}
# What says where the bucket is, and settings that would have no effect then: somebody who gives
# one expects something of it. SaaS has more than one server, so that no fingerprint fits.
_USELESS: Mapping[str, tuple[str, ...]] = {
    "url": ("saas_account_id", "saas_database"),
    "path": ("user", "password_file", "ca_file", "fingerprint", "saas_account_id", "saas_database"),
    "saas_url": ("user", "fingerprint"),
}
_DATABASE: Mapping[str, Any] = {
    "dsn": lambda value: parse_dsn(values.text(value)),
    "user": values.text,
    "schema": values.own_schema,
    "password_file": values.path,
    "ca_file": values.path,
}
_BUCKETFS: Mapping[str, Any] = {
    "url": values.url,
    "service": values.bucketfs_name,
    "bucket": values.bucketfs_name,
    "prefix": values.prefix,
    "user": values.text,
    "password_file": values.path,
    "ca_file": values.path,
    "fingerprint": lambda value: fingerprint(values.text(value), value.where),
    "replication_timeout": values.seconds,
    "path": values.path,
    "saas_url": values.saas_url,
    "saas_account_id": values.text,
    "saas_database": values.text,
}
_BUNDLE: Mapping[str, Any] = {
    "roots": values.roots,
    "ca_files": lambda value: tuple(values.path(item) for item in values.items(value)),
}
_SCRIPTS: Mapping[str, Any] = {"aliases": values.aliases}
