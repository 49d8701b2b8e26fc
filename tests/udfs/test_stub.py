"""The stub that every script but PROBE_NODE is made of: pinned code, and nothing else, runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from udf_harness import Machine, archive, release, render
from udf_interpreters import VERSIONS, run_script

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
    error = str(answer["error"])
    assert error.startswith(f"RuntimeError: exatrust: node 2: {archive_of(pin)} was altered.")
    assert f"Expected SHA-256 {pin['pyz_sha256']}, found: SHA-256 " in error
    assert error.endswith("Run `exatrust status`, then `exatrust install`.")


def test_a_missing_archive_is_refused_with_node_and_path(pin: dict[str, str]) -> None:
    archive_of(pin).unlink()
    machine = Machine(render("list_truststores", pin), node_id=3)
    with pytest.raises(RuntimeError, match=r"node 3: .*\.pyz is missing\. Expected SHA-256"):
        machine.run((1, None))


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
