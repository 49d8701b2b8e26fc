"""What all tests share."""

from __future__ import annotations

import os

import pytest


def pytest_configure() -> None:
    """Keep pyexasol from contacting its telemetry host, and settings of the shell out of tests."""
    os.environ["EXASOL_TELEMETRY_DISABLE"] = "1"
    for name in [name for name in os.environ if name.startswith("EXATRUST_")]:
        del os.environ[name]


def pytest_report_header() -> list[str]:
    """Say at the top whether containers are really isolated in this run."""
    from exatrust_sandbox.containers import isolation

    kind, note = isolation.probe()
    return [f"container isolation: {kind.value}" + (f" ({note})" if note else "")]


pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def _no_environment_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EXATRUST_CONFIG", "EXATRUST_DATABASE_PASSWORD", "EXATRUST_BUCKETFS_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what tests counted: `record_property("counted", text)`, from any worker."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in getattr(report, "user_properties", ()):
            if name == "counted" and report.when == "call":
                terminalreporter.write_line(f"counted: {value}")
