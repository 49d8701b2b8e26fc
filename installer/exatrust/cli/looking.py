"""Commands that say what is installed, trusted and reached."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from exatrust.cli.group import cli
from exatrust.cli.options import (
    FILE,
    as_json_option,
    report_for,
    settings_of,
    settings_options,
    terminal_for,
)


@cli.command()
@settings_options
@as_json_option
def status(as_json: bool, **options: Any) -> int:
    """Say what is installed, whether every node has it, and what changed since."""
    from exatrust.commands.status import run_status

    return run_status(settings_of(options), terminal_for(as_json))


@cli.command()
@click.argument("endpoints", nargs=-1, metavar="[HOST:PORT...]")
@settings_options
@click.option("--options", "text", metavar="TEXT", help="Options of CHECK_ENDPOINT, key=value.")
@click.option("--import", "by_import", is_flag=True, help="Ask IMPORT, too, about HOST:PORT.")
@click.option("--only", multiple=True, metavar="CHECK", help="Run this check alone; repeatable.")
@click.option("--junit", type=FILE, metavar="FILE", help="Write the checks as JUnit XML, too.")
@click.option("--prometheus", type=FILE, metavar="FILE", help="... as Prometheus text, too.")
@as_json_option
def check(
    endpoints: tuple[str, ...],
    text: str | None,
    by_import: bool,
    only: tuple[str, ...],
    junit: Path | None,
    prometheus: Path | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Run all checks of the database; or check the given endpoints, on every node."""
    from exatrust.commands.checks import Outputs, run_checks
    from exatrust.commands.endpoints import run_check
    from exatrust.commands.imports import run_check_import

    if endpoints and (only or junit or prometheus):
        raise click.UsageError("--only, --junit and --prometheus are for checks, not for HOST:PORT")
    if (text or by_import) and not endpoints:
        flag = "--import is about" if by_import else "--options are those of"
        raise click.UsageError(f"{flag} an endpoint: give HOST:PORT")
    if text and by_import:
        raise click.UsageError("--options are CHECK_ENDPOINT's: IMPORT takes none of them")
    settings, terminal = settings_of(options), terminal_for(as_json)
    if by_import:
        return run_check_import(settings, terminal, endpoints)
    if endpoints:
        return run_check(settings, terminal, endpoints, text)
    return run_checks(settings, terminal, only, Outputs(junit, prometheus))


@cli.command()
@settings_options
@click.option("--sql", is_flag=True, help="Print the statements, for a scheduler; store nothing.")
@as_json_option
def snapshot(sql: bool, as_json: bool, **options: Any) -> int:
    """Store what every node trusts and what the watched endpoints say, to compare later."""
    from exatrust.commands.snapshot import print_snapshot, run_snapshot

    if sql:
        return print_snapshot(settings_of(options), report_for(as_json=False))
    return run_snapshot(settings_of(options), terminal_for(as_json))


@cli.command()
@settings_options
@click.option("--watch", is_flag=True, help="Put those with TLS into the table ENDPOINT.")
@as_json_option
def discover(watch: bool, as_json: bool, **options: Any) -> int:
    """Say what the database talks to, where that is written, and whether it is encrypted."""
    from exatrust.commands.discover import run_discover

    return run_discover(settings_of(options), terminal_for(as_json), watch)
