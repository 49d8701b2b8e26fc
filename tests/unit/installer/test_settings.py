"""Settings: exatrust.toml is weaker than the environment, which is weaker than flags."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from exatrust.errors import SettingsError
from exatrust.settings import load

PIN = "ab" * 32
TOML = """
[database]
dsn = "db.example:8563"
user = "sys"
password_file = "passwords/sys"
[bucketfs]
url = "https://bfs.example:2581"
[scripts]
aliases = ["PYTHON3", "python312"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "exatrust.toml"
    path.write_text(TOML)
    return path


def test_a_minimal_file_gives_the_documented_defaults(config: Path) -> None:
    settings = load(config, {}, {})
    assert settings.database.schema == "EXATRUST"
    assert settings.bucketfs.udf_directory == "/buckets/bfsdefault/default/exatrust"
    assert settings.bundle.roots == "certifi"
    assert settings.scripts.aliases == ("PYTHON3", "PYTHON312")


def test_a_path_in_the_file_counts_from_the_file(config: Path) -> None:
    assert load(config, {}, {}).database.password_file == config.parent / "passwords/sys"


def test_a_path_in_the_environment_counts_from_the_working_directory(
    config: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    settings = load(config, {"EXATRUST_DATABASE_PASSWORD_FILE": "secret"}, {})
    assert settings.database.password_file == elsewhere / "secret"


@pytest.mark.parametrize(
    ("in_file", "in_environment", "in_flag"), [*itertools.product([False, True], repeat=3)]
)
def test_the_strongest_source_that_has_a_value_wins(
    tmp_path: Path, in_file: bool, in_environment: bool, in_flag: bool
) -> None:
    path = tmp_path / "exatrust.toml"
    path.write_text(TOML.replace("[bucketfs]", 'schema = "FILE"\n[bucketfs]' if in_file else
                                 "[bucketfs]"))  # fmt: skip
    environ = {"EXATRUST_DATABASE_SCHEMA": "ENVIRONMENT"} if in_environment else {}
    flags = {("database", "schema"): "FLAG" if in_flag else None}
    given = [("FILE", in_file), ("ENVIRONMENT", in_environment), ("FLAG", in_flag)]
    expected = [name for name, there in given if there]
    assert load(path, environ, flags).database.schema == (expected or ["EXATRUST"])[-1]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[database]\nhost = "x"', "database.host"),
        ('[databse]\nuser = "x"', "[databse]"),
        ('user = "x"', "[user]"),
        ("[bucketfs]\nurl = 7", "bucketfs.url"),
        ('[bucketfs]\nurl = "bfs:2581"', "bucketfs.url"),
        ('[bucketfs]\nreplication_timeout = "soon"', "replication_timeout"),
        ("[scripts]\naliases = []", "scripts.aliases"),
        ('[scripts]\naliases = ["PY-3"]', "scripts.aliases"),
        ('[database]\nschema = "A; DROP"', "database.schema"),
        ('[bucketfs]\nprefix = "../other"', "bucketfs.prefix"),
        ("[database\n", "not valid TOML"),
    ],
)
def test_what_cannot_be_used_is_refused_naming_file_and_key(
    tmp_path: Path, text: str, named: str
) -> None:
    path = tmp_path / "exatrust.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as refused:
        load(path, {"EXATRUST_DATABASE_DSN": f"h/{PIN}", "EXATRUST_DATABASE_USER": "sys",
                    **({} if "bucketfs" in text else {"EXATRUST_BUCKETFS_URL": "https://b:1"})},
             {})  # fmt: skip
    assert str(path) in refused.value.message
    assert named in refused.value.message


def test_a_file_may_begin_with_a_byte_order_mark(config: Path) -> None:
    config.write_bytes(b"\xef\xbb\xbf" + config.read_bytes())
    assert load(config, {}, {}).database.user == "sys"


def test_a_schema_of_the_system_is_refused(config: Path) -> None:
    with pytest.raises(SettingsError, match="SYS is a schema of the database system"):
        load(config, {"EXATRUST_DATABASE_SCHEMA": "SYS"}, {})


def test_an_unknown_variable_is_refused_by_its_name(config: Path) -> None:
    with pytest.raises(SettingsError, match="EXATRUST_BUCKETFS_BUKET"):
        load(config, {"EXATRUST_BUCKETFS_BUKET": "x"}, {})


def test_variables_of_other_programs_and_of_passwords_are_left_alone(config: Path) -> None:
    environ = {"EXATRUST_DATABASE_PASSWORD": "planted", "EXATRUST_CI": "1", "PATH": "/bin"}
    assert "planted" not in repr(load(config, environ, {}))


def test_a_password_in_the_file_is_refused_without_repeating_it(tmp_path: Path) -> None:
    path = tmp_path / "exatrust.toml"
    path.write_text('[database]\npassword = "planted-secret"')
    with pytest.raises(SettingsError, match="no place for a password") as refused:
        load(path, {}, {})
    assert "planted-secret" not in str(refused.value) + refused.value.action


def test_credentials_in_the_address_are_refused_without_repeating_them(config: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load(config, {"EXATRUST_BUCKETFS_URL": "https://w:planted-secret@bfs:2581"}, {})
    assert "planted-secret" not in str(refused.value) + refused.value.action


def test_a_pin_and_a_ca_file_together_are_refused(config: Path) -> None:
    environ = {"EXATRUST_BUCKETFS_FINGERPRINT": PIN, "EXATRUST_BUCKETFS_CA_FILE": "ca.pem"}
    with pytest.raises(SettingsError, match="bucketfs: both"):
        load(config, environ, {})


def test_a_missing_setting_says_where_it_can_be_set(tmp_path: Path) -> None:
    path = tmp_path / "exatrust.toml"
    path.write_text("")
    with pytest.raises(SettingsError, match=r"database\.dsn is not set") as refused:
        load(path, {}, {})
    assert "EXATRUST_DATABASE_DSN" in refused.value.action


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml: No such file"):
        load(tmp_path / "nowhere.toml", {}, {})


def test_lists_in_the_environment_are_divided_by_commas(config: Path) -> None:
    environ = {"EXATRUST_SCRIPTS_ALIASES": "A,B", "EXATRUST_BUNDLE_CA_FILES": "/x.pem,/y.pem"}
    settings = load(config, environ, {})
    assert settings.scripts.aliases == ("A", "B")
    assert settings.bundle.ca_files == (Path("/x.pem"), Path("/y.pem"))
