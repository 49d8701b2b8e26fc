"""The stub that every script but PROBE_NODE is made of: pinned code, and nothing else, runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from udf_harness import Machine, archive, release, render
from udf_interpreters import VERSIONS, run_script

from exatrust_udf.kinds import KINDS

EVIL = ("exatrust_udf/scripts/list_truststores.py", "raise SystemExit('foreign code ran')")


@pytest.fixture
def pin(tmp_path: Path) -> dict[str, str]:
    return release(tmp_path / "release", "list_truststores", b"", {})


@pytest.fixture(autouse=True)
def _clean_modules() -> Iterator[None]:
    """Let each virtual machine begin without the package, as a process of its own would."""
    kept, path = dict(sys.modules), list(sys.path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "exatrust_udf"]:
        del sys.modules[name]
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "exatrust_udf"]:
        del sys.modules[name]
    sys.modules.update(kept)
    sys.path[:] = path


def archive_of(pin: dict[str, str]) -> Path:
    return Path(pin["directory"]) / pin["pyz"]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_pinned_code_runs(version: str, pin: dict[str, str]) -> None:
    answer = run_script(version, render("list_truststores", pin), [[[1, "/nowhere"]]])
    assert "error" not in answer
    paths = [row["PATH"] for row in answer["rows"]]  # type: ignore[attr-defined]
    assert paths[:2] == [f"{pin['directory']}/{pin['bundle']}", "/nowhere"]


@pytest.mark.parametrize("version", VERSIONS)
def test_an_altered_archive_is_refused_with_both_hashes(version: str, pin: dict[str, str]) -> None:
    archive_of(pin).write_bytes(archive([EVIL]))
    answer = run_script(version, render("list_truststores", pin), [[[1, None]]], node_id=2)
    (row,) = answer["rows"]  # type: ignore[misc]
    assert row["PROBLEM"].startswith(f"exatrust: node 2: {archive_of(pin)} was altered.")
    assert f"Expected SHA-256 {pin['pyz_sha256']}, found: SHA-256 " in row["PROBLEM"]
    assert row["PROBLEM"].endswith("Run `exatrust status`, then `exatrust install`.")
    keys = ("SAMPLE", "NODE_ID", "LANGUAGE_ALIAS", "RELEASE", "STORE", "PATH", "CERTIFICATES")
    assert [row[key] for key in keys] == [1, 2, "PYTHON3", "0.1.0-test", None, None, None]


def without_archive(directory: Path, script: str, *groups: list[object]) -> list[dict[str, object]]:
    pin = release(directory, script, b"", {})
    archive_of(pin).unlink()
    machine = Machine(render(script, pin), node_id=3)
    return [row for group in groups for row in machine.run(*group)]  # type: ignore[arg-type]


@pytest.mark.parametrize("script", ["check_endpoint", "diagnose_endpoint", "fetch_chain"])
def test_without_the_archive_every_endpoint_is_a_row_that_says_so(
    script: str, tmp_path: Path
) -> None:
    asked = [("a.example", 443, None), ("b.example", 5432, "protocol=postgres"), (7, "x", "")]
    rows = without_archive(tmp_path, script, asked)
    assert [(row["HOST"], row["PORT"], row["OPTIONS"]) for row in rows] == [
        ("a.example", 443, None), ("b.example", 5432, "protocol=postgres"), (None, None, ""),
    ]  # fmt: skip
    for row in rows:
        text = str(row.get("CAUSE") or row.get("PROBLEM"))
        assert "node 3: " in text
        assert ".pyz is missing. Expected SHA-256" in text
        assert row.get("FINDING", "RELEASE_DAMAGED") in KINDS
        assert row.get("ACTION", KINDS["RELEASE_DAMAGED"].action) == KINDS["RELEASE_DAMAGED"].action
        assert not row.get("TRUSTED")


def test_a_node_without_the_archive_tells_no_certificate_and_why(tmp_path: Path) -> None:
    (row,) = without_archive(tmp_path, "list_certificates", [(4, None)])
    assert (row["SAMPLE"], row["SHA256"], row["PATH"]) == (4, None, None)
    assert "is missing" in str(row["PROBLEM"])


@pytest.mark.parametrize("script", ["find_endpoints", "find_unverified"])
def test_where_texts_would_go_unread_a_missing_archive_is_an_error(
    script: str, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError, match=r"node 3: .*\.pyz is missing\. Expected SHA-256"):
        without_archive(tmp_path, script, [("SCRIPT", "X.Y", "text")])


def test_a_node_answers_as_soon_as_it_has_the_archive(pin: dict[str, str]) -> None:
    content = archive_of(pin).read_bytes()
    archive_of(pin).unlink()
    machine = Machine(render("list_truststores", pin))
    assert "is missing" in str(machine.run((1, None))[0]["PROBLEM"])
    archive_of(pin).write_bytes(content)
    assert machine.run((2, "/nowhere"))[1]["PATH"] == "/nowhere"


def test_an_archive_swapped_between_check_and_import_has_no_effect(pin: dict[str, str]) -> None:
    machine = Machine(render("list_truststores", pin))
    keep = machine.globals["keep"]

    def swap_then_keep(data: bytes) -> str:
        archive_of(pin).write_bytes(archive([EVIL]))
        path = keep(data)
        archive_of(pin).write_bytes(archive([EVIL]))
        return str(path)

    machine.globals["keep"] = swap_then_keep
    assert machine.run((1, "/nowhere"))[1]["PATH"] == "/nowhere"


def test_the_memory_that_holds_the_code_cannot_be_written(pin: dict[str, str]) -> None:
    path = Machine(render("list_truststores", pin)).globals["keep"](b"code")
    # Written to through /proc, as another process of the same user would.
    with pytest.raises(PermissionError), Path(path).open("r+b") as file:
        file.write(b"evil")
    assert Path(path).read_bytes() == b"code"


def test_without_sealed_memory_an_unlinked_file_holds_the_code(
    pin: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: str, flags: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("os.memfd_create", refuse)
    assert Machine(render("list_truststores", pin)).run((1, "/nowhere"))[1]["PATH"] == "/nowhere"


def test_code_of_the_same_name_on_the_path_is_not_used(pin: dict[str, str], tmp_path: Path) -> None:
    scripts = tmp_path / "shadow" / "exatrust_udf" / "scripts"
    scripts.mkdir(parents=True)
    (scripts.parent / "__init__.py").write_text("raise SystemExit('foreign code ran')")
    sys.path.insert(0, str(tmp_path / "shadow"))
    machine = Machine(render("list_truststores", pin))
    assert machine.run((1, "/nowhere"))[1]["PATH"] == "/nowhere"
    assert machine.globals["_loaded"][0].__file__.startswith("/proc/self/fd/")


def test_the_code_is_loaded_once_in_a_virtual_machine(pin: dict[str, str]) -> None:
    machine = Machine(render("list_truststores", pin))
    machine.run((1, "/nowhere"))
    archive_of(pin).unlink()
    assert machine.run((2, "/elsewhere"))[1]["SAMPLE"] == 2
