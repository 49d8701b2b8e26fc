"""PROBE_NODE, run as the text the database would run."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from udf_harness import Machine, render
from udf_interpreters import VERSIONS, run_script

PIN = {"alias": "PYTHON312", "version": "0.1.0"}


def lines(*paths: Path) -> str:
    return "\n".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()} {p}" for p in paths)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    first, second = tmp_path / "manifest.json", tmp_path / "ca bundle.pem"
    first.write_bytes(b"{}")
    second.write_bytes(b"-----BEGIN")
    return first, second


@pytest.mark.parametrize("version", VERSIONS)
def test_it_runs_on_every_python_of_a_language_container(
    version: str, files: tuple[Path, Path]
) -> None:
    answer = run_script(version, render("probe_node", PIN), [[[5, "r1", lines(*files)]]], 3)
    (row,) = answer["rows"]  # type: ignore[misc]
    assert (row["SAMPLE"], row["NODE_ID"], row["LANGUAGE_ALIAS"]) == (5, 3, "PYTHON312")
    assert (row["FILES_EXPECTED"], row["FILES_INTACT"], row["PROBLEMS"]) == (2, 2, None)
    assert row["PYTHON_VERSION"].startswith(version + ".")
    assert row["OPENSSL_VERSION"].startswith("OpenSSL")


def test_a_missing_file_is_named(files: tuple[Path, Path]) -> None:
    expected = lines(*files)
    files[0].unlink()
    (row,) = Machine(render("probe_node", PIN)).run((1, "r1", expected))
    assert (row["FILES_EXPECTED"], row["FILES_INTACT"]) == (2, 1)
    assert row["PROBLEMS"] == f"missing: {files[0]}"


def test_an_altered_file_is_named_with_both_hashes(files: tuple[Path, Path]) -> None:
    expected = lines(*files)
    files[1].write_bytes(b"evil")
    (row,) = Machine(render("probe_node", PIN)).run((1, "r1", expected))
    before = hashlib.sha256(b"-----BEGIN").hexdigest()
    after = hashlib.sha256(b"evil").hexdigest()
    assert row["PROBLEMS"] == f"altered: {files[1]} expected {before} found {after}"


def test_it_speaks_when_bucketfs_is_empty() -> None:
    listed = f"{'0' * 64} /buckets/none/a\n{'1' * 64} /buckets/none/b\n"
    (row,) = Machine(render("probe_node", PIN)).run((1, "r1", listed))
    assert (row["FILES_INTACT"], row["RELEASE"]) == (0, "r1")
    assert row["PROBLEMS"] == "missing: /buckets/none/a\nmissing: /buckets/none/b"


def test_without_files_it_says_what_the_container_is() -> None:
    (row,) = Machine(render("probe_node", PIN)).run((1, None, None))
    assert (row["FILES_EXPECTED"], row["FILES_INTACT"], row["RELEASE"]) == (0, 0, None)
    assert row["DATABASE_VERSION"] == "8.34.0"


def test_a_device_or_directory_is_not_read(tmp_path: Path) -> None:
    listed = f"{'0' * 64} /dev/zero\n{'0' * 64} {tmp_path}"
    (row,) = Machine(render("probe_node", PIN)).run((1, "r1", listed))
    assert row["PROBLEMS"] == (
        f"unreadable: /dev/zero not a regular file\nunreadable: {tmp_path} not a regular file"
    )


def test_a_second_group_of_the_statement_reads_no_file_again(files: tuple[Path, Path]) -> None:
    machine = Machine(render("probe_node", PIN))
    expected = lines(*files)
    (first,) = machine.run((1, "r1", expected))
    files[0].unlink()
    (second,) = machine.run((2, "r1", expected))
    assert (second["SAMPLE"], second["FILES_INTACT"]) == (2, 2)
    assert first["CHECKED_AT"] == second["CHECKED_AT"]


def test_the_next_statement_reads_the_files_again(files: tuple[Path, Path]) -> None:
    machine = Machine(render("probe_node", PIN))
    expected = lines(*files)
    machine.run((1, "r1", expected))
    files[0].unlink()
    machine.meta.statement_id += 1
    (row,) = machine.run((1, "r1", expected))
    assert row["FILES_INTACT"] == 1


def test_a_long_list_of_problems_is_cut_to_its_column() -> None:
    listed = "\n".join(f"{'0' * 64} /buckets/{'x' * 3000}/{i}" for i in range(900))
    (row,) = Machine(render("probe_node", PIN)).run((1, "r1", listed))
    problems = row["PROBLEMS"]
    assert isinstance(problems, str)
    assert len(problems) == 2_000_000
    assert problems.endswith("…")


def test_no_line_of_a_script_ends_it_early() -> None:
    for script in ("probe_node", "list_truststores"):
        text = render(script, {**PIN, "script": script})
        assert "/" not in {line.strip() for line in text.splitlines()}
        assert "{{" not in text
