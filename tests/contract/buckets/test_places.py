"""The settings that say where a bucket is: exactly one of three."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from exatrust.buckets import open_bucket
from exatrust.contact import servers
from exatrust.credentials import Sources
from exatrust.errors import SettingsError
from exatrust.mounted import MountedBucket
from exatrust.settings import BucketFSSettings, Settings, load

URL, PATH, SAAS = 'url = "https://bfs:2581"', 'path = "bucket"', 'saas_url = "https://saas.example"'
IDS = 'saas_account_id = "org"\nsaas_database = "analytics"'

DOCUMENT = (Path(__file__).parents[3] / "docs" / "bucketfs.md").read_text(encoding="utf-8")


def read(tmp_path: Path, *lines: str, **environ: str) -> Settings:
    file = tmp_path / "exatrust.toml"
    head = '[database]\ndsn = "db.example:8563"\nuser = "sys"\n[bucketfs]\n'
    file.write_text(head + "\n".join(lines))
    return load(file, {f"EXATRUST_BUCKETFS_{name}": text for name, text in environ.items()}, {})


@pytest.mark.parametrize(
    ("lines", "directory"),
    [
        ((URL,), "/buckets/bfsdefault/default/exatrust"),
        ((PATH,), "/buckets/bfsdefault/default/exatrust"),
        ((PATH, 'service = "s"', 'bucket = "b"'), "/buckets/s/b/exatrust"),
        ((SAAS, IDS), "/buckets/uploads/default/exatrust"),
        ((SAAS, IDS, 'service = "bfsdefault"'), "/buckets/bfsdefault/default/exatrust"),
    ],
)
def test_where_udfs_see_the_bucket_follows(
    tmp_path: Path, lines: tuple[str, ...], directory: str
) -> None:
    assert read(tmp_path, *lines).bucketfs.udf_directory == directory


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), "none is set"),
        ((URL, PATH), "bucketfs.saas_url says where the bucket is, and url and path are given"),
        ((PATH, SAAS, IDS), "path and saas_url are given"),
        ((URL, PATH, SAAS, IDS), "url and path and saas_url are given"),
        ((SAAS,), "bucketfs.saas_account_id is not set"),
        ((SAAS, 'saas_account_id = "org"'), "bucketfs.saas_database is not set"),
        ((URL, 'saas_database = "x"'), "bucketfs.saas_database: of no use with bucketfs.url"),
        ((PATH, 'ca_file = "x"', 'user = "w"'), "bucketfs.user, bucketfs.ca_file: of no use with"),
        ((SAAS, IDS, f'fingerprint = "{"ab" * 32}"'), "bucketfs.fingerprint: of no use with"),
        (('saas_url = "http://saas.example"', IDS), "saas_url: no address of Exasol SaaS"),
        (('saas_url = "https://saas.example/api"', IDS), "saas_url: no address of Exasol SaaS"),
        (('saas_url = "https://planted@saas.example"', IDS), "saas_url: credentials do not belong"),
        ((SAAS, IDS, "verify = false"), "bucketfs.verify is no setting"),
        ((SAAS, IDS, 'password = "planted"'), "no place for a password"),
    ],
)
def test_what_does_not_fit_together_is_refused_naming_the_keys(
    tmp_path: Path, lines: tuple[str, ...], said: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, *lines)
    assert said in refused.value.message
    assert "planted" not in f"{refused.value} {refused.value.action}"


def test_a_variable_beside_another_place_in_the_file_is_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="url and path are given"):
        read(tmp_path, URL, PATH="/mnt/bucket")


def test_a_mounted_bucket_needs_no_password_and_has_no_server(tmp_path: Path) -> None:
    (tmp_path / "bucket").mkdir()
    settings = read(tmp_path, PATH)
    assert isinstance(open_bucket(settings.bucketfs, Sources({}, None, print)), MountedBucket)
    assert [server.section for server in servers(settings)] == ["database"]


def test_the_server_of_saas_is_looked_at_as_any_other(tmp_path: Path) -> None:
    server = servers(read(tmp_path, SAAS, IDS))[1]
    assert (server.hosts, server.encrypted) == ((("saas.example", 443),), True)
    assert (server.name, server.address_setting) == ("Exasol SaaS", "bucketfs.saas_url")


def test_a_token_is_asked_for_in_its_own_words(tmp_path: Path) -> None:
    section = read(tmp_path, SAAS, IDS).bucketfs
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return "planted-token"

    open_bucket(section, Sources({}, answer, print)).close()
    assert asked == ["Personal access token of Exasol SaaS"]
    with pytest.raises(SettingsError, match="no personal access token") as refused:
        open_bucket(section, Sources({}, None, print))
    assert "EXATRUST_BUCKETFS_PASSWORD or bucketfs.password_file" in refused.value.action


def rows() -> list[list[str]]:
    lines = [line for line in DOCUMENT.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_of_settings_is_complete_and_says_which_belong_together(tmp_path: Path) -> None:
    assert {name.strip("`") for name, *_ in rows()} == {f.name for f in fields(BucketFSSettings)}
    ways = {"url": (URL,), "path": (PATH,), "saas_url": (SAAS, IDS)}
    for name, belongs, *_ in rows():
        for way, lines in ways.items() if belongs and name != "`replication_timeout`" else ():
            key, fits = name.strip("`"), belongs == "all" or f"`{way}`" in belongs
            if key in "\n".join(lines):
                continue
            extra = f'{key} = "{"ab" * 32}"'
            if fits:
                read(tmp_path, *lines, extra)
            else:
                with pytest.raises(SettingsError, match=f"{key}.*: of no use with bucketfs.{way}"):
                    read(tmp_path, *lines, extra)


def test_the_examples_of_the_documentation_are_taken(tmp_path: Path) -> None:
    examples = re.findall(r"```toml\n\[bucketfs\]\n(.*?)```", DOCUMENT, re.DOTALL)
    assert len(examples) == 3
    for example in examples:
        read(tmp_path, example)
