"""LIST_TRUSTSTORES and LIST_CERTIFICATES, run as the text the database would run."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path
from typing import Any

import certifi
import pytest
from udf_harness import release, render
from udf_interpreters import VERSIONS, run_script

from exatrust_udf.pem import pem_blocks

ANCHORS = [block.data or b"" for block in pem_blocks(Path(certifi.where()).read_bytes())][:3]


def pem(*ders: bytes) -> bytes:
    return "".join(map(ssl.DER_cert_to_PEM_cert, ders)).encode()


def sha256(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest()


def rows(version: str, script: str, directory: Path, paths: str | None) -> list[dict[str, Any]]:
    origins = {sha256(ANCHORS[0]): "default", sha256(ANCHORS[1]): "added"}
    pin = release(directory, script, pem(*ANCHORS[:2]), origins)
    answer = run_script(version, render(script, pin), [[[4, paths]]], node_id=1)
    assert "error" not in answer, answer
    found = answer["rows"]
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_each_store_is_one_row_with_its_counts(version: str, tmp_path: Path) -> None:
    store = tmp_path / "corp.pem"
    broken = b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
    store.write_bytes(pem(ANCHORS[0], ANCHORS[0]) + broken)
    bundle, given, *_ = rows(version, "list_truststores", tmp_path / "release", f"\n{store}\n")
    assert (bundle["STORE"], bundle["FORMAT"], bundle["CERTIFICATES"]) == (
        "shared-bundle",
        "PEM",
        2,
    )
    assert (given["PATH"], given["FOUND_BY"]) == (str(store), "argument")
    assert given["SHA256"] == hashlib.sha256(store.read_bytes()).hexdigest()
    assert given["SIZE_BYTES"] == store.stat().st_size
    counts = {
        n: given[n] for n in ("CERTIFICATES", "DUPLICATES", "NON_CA", "EXPIRED", "UNREADABLE")
    }
    assert list(counts.values()) == [2, 1, 0, 0, 1]
    assert given["PROBLEM"].startswith("block 3: offset 2: tbsCertificate")
    keys = (given["SAMPLE"], given["NODE_ID"], given["LANGUAGE_ALIAS"], given["RELEASE"])
    assert keys == (4, 1, "PYTHON3", "0.1.0-test")


@pytest.mark.parametrize("version", VERSIONS)
def test_each_certificate_says_whether_the_bundle_has_it(version: str, tmp_path: Path) -> None:
    store = tmp_path / "three.pem"
    store.write_bytes(pem(*ANCHORS))
    found = rows(version, "list_certificates", tmp_path / "release", str(store))
    given = [row for row in found if row["PATH"] == str(store)]
    assert [row["POSITION"] for row in given] == [1, 2, 3]
    assert [row["SHA256"] for row in given] == [sha256(der) for der in ANCHORS]
    assert [row["IN_SHARED_BUNDLE"] for row in given] == [True, True, False]
    assert [row["IN_DEFAULT_SET"] for row in given] == [True, False, False]
    assert all(row["IS_CA"] and row["SELF_SIGNED"] for row in given)


def test_a_node_answers_once_for_all_groups_of_one_call(tmp_path: Path) -> None:
    pin = release(tmp_path, "list_truststores", pem(*ANCHORS), {})
    given = str(tmp_path / pin["bundle"])
    groups = [[[1, given]], [[2, given]], [[1, given], [3, "/nowhere"]]]
    answer = run_script("3.12", render("list_truststores", pin), groups)
    samples = [row["SAMPLE"] for row in answer["rows"] if row["STORE"] == "shared-bundle"]  # type: ignore[union-attr]
    assert samples == [1, 1, 3]  # one comes again: another call; three asks for another path


def test_with_an_altered_manifest_nothing_is_said_of_the_bundle_and_the_rows_say_why(
    tmp_path: Path,
) -> None:
    pin = release(tmp_path, "list_certificates", pem(*ANCHORS), {})
    (tmp_path / "manifest.json").write_text('{"certificates": [] }')
    answer = run_script("3.11", render("list_certificates", pin), [[[1, None]]])
    bundle = [row for row in answer["rows"] if row["STORE"] == "shared-bundle"]  # type: ignore[union-attr]
    assert [row["SHA256"] for row in bundle] == [sha256(der) for der in ANCHORS]
    for row in bundle:
        assert (row["IN_SHARED_BUNDLE"], row["IN_DEFAULT_SET"]) == (None, None)
        assert row["PROBLEM"].startswith(f"exatrust: {tmp_path}/manifest.json was altered")


def test_an_altered_bundle_is_a_row_that_says_so(tmp_path: Path) -> None:
    pin = release(tmp_path, "list_truststores", pem(*ANCHORS), {})
    (tmp_path / pin["bundle"]).write_bytes(pem(*ANCHORS[:1]))
    (tmp_path / "manifest.json").unlink()
    answer = run_script("3.11", render("list_truststores", pin), [[[1, None]]])
    bundle = answer["rows"][0]  # type: ignore[index]
    assert bundle["CERTIFICATES"] == 1
    assert bundle["PROBLEM"] == f"altered: the release has SHA-256 {pin['bundle_sha256']}"


def test_a_missing_bundle_is_a_row_that_says_so(tmp_path: Path) -> None:
    pin = release(tmp_path, "list_truststores", pem(*ANCHORS), {})
    (tmp_path / pin["bundle"]).unlink()
    answer = run_script("3.11", render("list_truststores", pin), [[[1, None]]])
    bundle = answer["rows"][0]  # type: ignore[index]
    assert bundle["PROBLEM"] == "missing: nothing is trusted through it"
