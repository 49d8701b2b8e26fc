"""The script that says what a container trusts, run as the text the database would run."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from udf_harness import Machine
from udf_interpreters import VERSIONS, run_script

from exatrust import resources
from exatrust.statements import Statements
from exatrust_udf import container_roots
from exatrust_udf.stores import parse_store

TEXT = Statements("exatrust", ("PYTHON3",), resources.sql, resources.udf_text).query(
    "create_container_roots",
    alias="PYTHON3",
    script='"EXATRUST_ROOTS"',
    body=resources.udf_text("container_roots.py"),
)


@pytest.mark.parametrize("version", VERSIONS)
def test_it_runs_on_every_python_of_a_language_container(version: str) -> None:
    answer = run_script(version, TEXT, [[[5]]], 3)
    (row,) = answer["rows"]  # type: ignore[misc]
    assert (row["SAMPLE"], row["NODE_ID"]) == (5, 3)


def test_file_and_directory_count_once_and_nothing_else_in_them_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem, _ = resources.certifi_roots()
    one, two, three = (f"{text}-----END CERTIFICATE-----" for text in
                       pem.decode().split("-----END CERTIFICATE-----")[:3])  # fmt: skip
    file, folder = tmp_path / "ca.crt", tmp_path / "certs"
    folder.mkdir()
    file.write_text(f"{one}\n{two.replace(chr(10), chr(13) + chr(10))}\n")
    (folder / "0a1b2c3d.0").write_text(two)
    (folder / "readme.pem").write_text(three)
    (folder / "ffffffff.0").symlink_to(tmp_path / "gone")
    paths = ssl.DefaultVerifyPaths("", "", "", str(file), "", str(folder))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    (row,) = Machine(TEXT).run((1,))
    store = parse_store(row["ROOTS"].encode(), "given", "/store", "argument")
    wanted = [ssl.PEM_cert_to_DER_cert(text[text.index("-----BEGIN") :]) for text in (one, two)]
    assert sorted(item.der for item in store.certificates) == sorted(wanted)
    assert store.problems == ()


def test_a_container_without_a_store_trusts_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = ssl.DefaultVerifyPaths("", "", "", "/none/file", "", "/none/folder")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    assert container_roots.roots() == []
