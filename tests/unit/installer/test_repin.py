"""Which lines of somebody's script `exatrust repin` changes, and that it changes nothing else."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exatrust.errors import RepinRefused
from exatrust.observe import Installed
from exatrust.repin import Pinned, Target, chosen, repinned, replacing, target

FOLDER = "/buckets/bfsdefault/default/exatrust/releases/"
NOW = "0.2.0-new"
NAMES = ("ca-bundle-bbbbbbbbbbbb.pem", "ca-bundle-cccccccccccc.p12", "manifest.json")
TO = Target(NOW, FOLDER, frozenset(NAMES))
OLD = f"{FOLDER}0.1.0-old/ca-bundle-aaaaaaaaaaaa.pem"
NEW = f"{FOLDER}{NOW}/ca-bundle-bbbbbbbbbbbb.pem"


def script(text: str) -> Pinned:
    return Pinned("S", "F", text, None, ("0.1.0-old",))


def installed(files: str) -> Installed:
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
    return Installed(NOW, ("PYTHON3",), files, moment, "SYS", 1)


def test_the_folder_of_releases_is_that_of_the_recorded_files() -> None:
    files = "\n".join(f"{'0' * 64} {FOLDER}{NOW}/{name}" for name in NAMES)
    assert target(installed(files)) == TO


@pytest.mark.parametrize("files", ["", f"{'0' * 64} {FOLDER}other/manifest.json"])
def test_a_record_of_another_form_is_refused(files: str) -> None:
    with pytest.raises(ValueError, match="several directories"):
        target(installed(files))


def test_paths_of_older_releases_are_changed_wherever_they_stand() -> None:
    text = (
        f"CREATE PYTHON3 SCALAR SCRIPT F() RETURNS INT AS\n%env SSL_CERT_FILE={OLD};\r\n"
        f"%jvmoption -Dx={FOLDER}0.0.9-x/ca-bundle-dddddddddddd.p12 -Dy=1;\n"
        f"CA = '{OLD}'  # {NEW}\n\n/"
    )
    found = repinned(script(text), TO)
    assert found.text == (
        f"CREATE PYTHON3 SCALAR SCRIPT F() RETURNS INT AS\n%env SSL_CERT_FILE={NEW};\r\n"
        f"%jvmoption -Dx={FOLDER}{NOW}/ca-bundle-cccccccccccc.p12 -Dy=1;\n"
        f"CA = '{NEW}'  # {NEW}\n\n/"
    )
    assert [number for number, _, _ in found.changes] == [2, 3, 4]
    assert found.changes[0] == (2, f"%env SSL_CERT_FILE={OLD};", f"%env SSL_CERT_FILE={NEW};")


@pytest.mark.parametrize("name", ["ca-additions-aaaaaaaaaaaa.pem", "exatrust_udf-a.pyz", "odd.txt"])
def test_a_file_that_the_current_release_lacks_is_refused_by_name(name: str) -> None:
    with pytest.raises(RepinRefused, match=f"S.F: release {NOW} has nothing like {name}"):
        repinned(script(f"CREATE x\n%env A={FOLDER}0.1.0-old/{name};"), TO)


pieces = st.sampled_from(
    [OLD, NEW, FOLDER, "/buckets/x/releases/0.1.0-old/ca-bundle-a.pem", "\r\n"]
)


@given(st.lists(st.one_of(st.text(st.characters(exclude_characters="/")), pieces)))
def test_only_whole_paths_of_ours_are_changed_and_a_second_time_nothing(parts: list[str]) -> None:
    text = ";".join(parts)
    once = repinned(script(text), TO)
    assert once.text == text.replace(OLD, NEW)
    assert repinned(script(once.text), TO).changes == ()


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("CREATE PYTHON3 SCALAR", "CREATE OR REPLACE PYTHON3 SCALAR"),
        ("create or  replace\nJAVA SET", "create or  replace\nJAVA SET"),
        ("--/\n  CREATE R SET", "--/\n  CREATE OR REPLACE R SET"),
        ("-- CREATE\n/* CREATE\n*/ CREATE R", "-- CREATE\n/* CREATE\n*/ CREATE OR REPLACE R"),
    ],
)  # fmt: skip
def test_the_statement_is_the_text_and_replaces(text: str, statement: str) -> None:
    assert replacing(repinned(script(text), TO)) == statement


@pytest.mark.parametrize("text", ["", "SELECT 1", "-- CREATE", "ALTER SCRIPT"])
def test_a_text_that_creates_nothing_is_refused(text: str) -> None:
    with pytest.raises(RepinRefused, match=r"S\.F: its text does not begin with CREATE"):
        replacing(repinned(script(text), TO))


def test_names_are_taken_as_they_are_or_in_upper_case() -> None:
    one, two = script("x"), Pinned("s", "f", "y", None, ())
    assert chosen([one, two], ["s.F", "S.F"]) == (one,)
    assert chosen([one, two], ["s.f"]) == (two,)
    odd = Pinned("low er", 'my "F', "", None, ())
    assert chosen([one, odd], ['"low er"."my ""F"']) == (odd,)
    with pytest.raises(RepinRefused, match=r"script S\.G: there is none"):
        chosen([one], ["S.G"])
