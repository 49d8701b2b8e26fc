"""A setting is written into exatrust.toml without touching anything else in it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from exatrust.dsn import parse_dsn, with_fingerprint
from exatrust.errors import SettingsError
from exatrust.tomledit import read_exactly, replace_file, text_of, with_text

PIN = "ab" * 32
OLD = "cd" * 32
TEXT = """\
# Ours. Do not edit on Fridays.
[database]
dsn = "db.example:8563"   # the test cluster
user = "sys"

# BucketFS has a certificate of its own.
[bucketfs]   # data node 11
url = 'https://bfs.example:2581'
# fingerprint = "not yet"

[bundle]
roots = "certifi"
"""


def test_a_value_is_replaced_and_its_comment_stays() -> None:
    edited = with_text(TEXT, "database", "dsn", "other:1")
    assert edited == TEXT.replace('"db.example:8563"', '"other:1"')


def test_a_new_key_goes_behind_the_last_one_of_its_section() -> None:
    edited = with_text(TEXT, "bucketfs", "fingerprint", PIN)
    line = "url = 'https://bfs.example:2581'\n"
    assert edited == TEXT.replace(line, f'{line}fingerprint = "{PIN}"\n')


def test_a_missing_section_is_appended() -> None:
    assert with_text(TEXT, "scripts", "x", "y") == f'{TEXT}\n[scripts]\nx = "y"\n'
    assert with_text("", "scripts", "x", "y") == '[scripts]\nx = "y"\n'
    assert with_text("a = 1", "s", "x", "y") == 'a = 1\n\n[s]\nx = "y"\n'


def test_line_ends_stay_as_they_are() -> None:
    text = TEXT.replace("\n", "\r\n")
    edited = with_text(text, "bucketfs", "fingerprint", PIN)
    assert edited.count("\r\n") == edited.count("\n") == text.count("\n") + 1


@pytest.mark.parametrize(
    "text",
    [
        'database.dsn = "db"\n',
        'database = { dsn = "db" }\n',
        '[database]\ndsn = """\ndb"""\n',
        '[database]\n"dsn" = "db"\n',
        '[database]\nnote = """\n[database]\ndsn = "db"\n"""\ndsn = "db"\n[other]\n',
    ],
)
def test_a_file_that_is_written_otherwise_is_left_to_its_owner(text: str) -> None:
    with pytest.raises(SettingsError, match=r"cannot set database.dsn") as refused:
        with_text(text, "database", "dsn", "new")
    assert 'dsn = "new"' in refused.value.action


def test_a_value_that_is_not_there_is_an_error() -> None:
    assert text_of(TEXT, "database", "dsn") == "db.example:8563"
    with pytest.raises(SettingsError, match=r"scripts.aliases is not in the settings file"):
        text_of(TEXT, "scripts", "aliases")


def test_the_file_keeps_its_mode_and_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "exatrust.toml"
    real.write_text(TEXT)
    real.chmod(0o640)
    link.symlink_to(real)
    replace_file(link, "new", lambda path: None)
    assert (link.is_symlink(), real.read_text()) == (True, "new")
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert sorted(tmp_path.iterdir()) == [link, real]


def test_a_check_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "exatrust.toml"
    path.write_bytes(b"old\r\n")

    def refuse(new: Path) -> None:
        assert read_exactly(new) == "new"
        raise SettingsError("no", "none")

    with pytest.raises(SettingsError):
        replace_file(path, "new", refuse)
    assert read_exactly(path) == "old\r\n"
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        ("db", f"db/{PIN}"),
        ("db:8563", f"db/{PIN}:8563"),
        (f"db/{OLD}:8563", f"db/{PIN}:8563"),
        ("10.0.0.11..14:8563", f"10.0.0.11..14/{PIN}:8563"),
        (f"a/{OLD}:1, b:2", f"a:1,b/{PIN}:2"),
        (f"a,b/{OLD}", f"a,b/{PIN}"),
    ],
)
def test_a_dsn_gets_one_fingerprint_and_keeps_its_hosts(dsn: str, expected: str) -> None:
    changed = with_fingerprint(dsn, PIN)
    assert changed == expected
    assert parse_dsn(changed).hosts == parse_dsn(dsn).hosts
    assert parse_dsn(changed).fingerprint == PIN
