"""Passwords come from a variable, a file or a prompt, and show themselves nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from exatrust.credentials import Secret, Sources
from exatrust.errors import SettingsError


def sources(environ: dict[str, str], warned: list[str], answer: str | None = None) -> Sources:
    return Sources(environ, None if answer is None else lambda _: answer, warned.append)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sys"
    path.write_text("from file\n")
    path.chmod(0o600)
    return path


def test_the_variable_is_stronger_than_the_file(file: Path) -> None:
    found = sources({"EXATRUST_DATABASE_PASSWORD": "from env"}, []).password(
        "database", "sys", file
    )
    assert found.reveal() == "from env"


def test_exactly_one_line_end_is_not_part_of_the_password(file: Path) -> None:
    file.write_text("read\n\n")
    assert sources({}, []).password("bucketfs", "w", file).reveal() == "read\n"


def test_a_file_that_everybody_may_read_is_used_with_a_warning(file: Path) -> None:
    warned: list[str] = []
    file.chmod(0o644)
    assert sources({}, warned).password("database", "sys", file).reveal() == "from file"
    assert f"chmod 600 {file}" in warned[0]


def test_a_private_file_is_used_without_a_warning(file: Path) -> None:
    warned: list[str] = []
    sources({}, warned).password("database", "sys", file)
    assert warned == []


def test_an_empty_file_is_no_password(file: Path) -> None:
    file.write_text("\n")
    with pytest.raises(SettingsError, match=r"database\.password_file: .* is empty"):
        sources({}, []).password("database", "sys", file)


def test_a_human_is_asked_when_nothing_else_is_set() -> None:
    assert sources({}, [], "typed").password("database", "sys", None).reveal() == "typed"


def test_without_any_source_the_error_names_two() -> None:
    with pytest.raises(SettingsError, match="no password for user sys") as refused:
        sources({}, []).password("database", "sys", None)
    assert "EXATRUST_DATABASE_PASSWORD" in refused.value.action
    assert "database.password_file" in refused.value.action


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"database\.password_file: .*gone: No such file"):
        sources({}, []).password("database", "sys", tmp_path / "gone")


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("planted")
    assert "planted" not in f"{secret} {secret!r} {[secret]}"
