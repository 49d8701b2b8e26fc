"""The command line: quick help, one place that exits, statuses that mean something."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from exatrust import cli, errors


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from exatrust.cli import main; main(['--help']);"
        "print(sorted({'requests', 'pyexasol', 'cryptography', 'rich', 'duckdb'} &"
        " set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"
    assert done.returncode == 0


@pytest.mark.parametrize(
    "command",
    [
        "plan",
        "install",
        "status",
        "doctor",
        "roles",
        "trust-server",
        "check",
        "probe",
        "diagnose",
        "uninstall",
        "version",
        "sandbox",
        "demo",
    ],
)
def test_help_lists_every_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    assert f"\n  {command} " in capsys.readouterr().out


def test_no_option_takes_a_password() -> None:
    options = [option for command in cli.cli.commands.values() for option in command.params]
    assert not [option.name for option in options if "password" in str(option.name)]


def test_a_usage_error_ends_with_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check"]) == 2
    assert cli.main(["nonsense"]) == 2
    assert "nonsense" in capsys.readouterr().err


def test_a_missing_configuration_is_one_sentence_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["status"]) == 2
    assert capsys.readouterr().err == (
        "exatrust: database.dsn is not set\n"
        "  set it in exatrust.toml, or as EXATRUST_DATABASE_DSN\n"
    )


def test_a_reader_that_goes_away_ends_a_command_without_a_traceback() -> None:
    code = "import sys; from exatrust.cli import main; sys.exit(main(['--help']))"
    started = [sys.executable, "-c", code]
    with subprocess.Popen(started, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
        assert (process.wait(60), said) == (1, b"")


def test_output_that_cannot_be_written_is_an_error_and_no_traceback() -> None:
    code = "import sys; from exatrust.cli import main; sys.exit(main(['--help']))"
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, timeout=60
        )
    assert done.returncode == 2
    assert done.stderr == b"exatrust: the output cannot be written: No space left on device\n"


def test_the_documented_tree_of_errors_is_the_real_one() -> None:
    documented = errors.__doc__ or ""
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.ExatrustError):
            assert f" {name} " in documented.replace("\n", " \n ") + " "
            assert kind.exit_code in (1, 2, 3)
