"""Commands that change what is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from exatrust.cli.group import cli
from exatrust.cli.options import (
    as_json_option,
    ca_option,
    confirm_option,
    settings_of,
    settings_options,
    terminal_for,
    yes_option,
)


@cli.command()
@settings_options
@ca_option
@as_json_option
def plan(ca_files: tuple[Path, ...], as_json: bool, **options: Any) -> int:
    """Say what an install would do, and why; exit status 1 if anything."""
    from exatrust.commands.install import run_plan

    return run_plan(settings_of(options), terminal_for(as_json), ca_files)


@cli.command()
@settings_options
@ca_option
@confirm_option
@yes_option
@as_json_option
def install(
    ca_files: tuple[Path, ...], confirmed: tuple[str, ...], yes: bool, as_json: bool, **options: Any
) -> int:
    """Bring bundle, scripts and views onto every node. Run it again at any time."""
    from exatrust.commands.install import run_install

    return run_install(settings_of(options), terminal_for(as_json), ca_files, confirmed, yes)


@cli.command()
@click.argument("release", required=False)
@settings_options
@yes_option
@as_json_option
@click.option("--force", is_flag=True, help="Also lose CAs that watched endpoints depend on.")
def rollback(release: str | None, yes: bool, force: bool, as_json: bool, **options: Any) -> int:
    """Point all scripts to an earlier release. [default: the one before the current]"""
    from exatrust.commands.rollback import run_rollback
    from exatrust.terminal import Consent

    consent = Consent(yes=yes, force=force)
    return run_rollback(settings_of(options), terminal_for(as_json), release, consent)


@cli.command()
@settings_options
@click.option(
    "--keep", type=click.IntRange(1), default=3, show_default=True, help="Releases that stay."
)
@yes_option
@as_json_option
def prune(keep: int, yes: bool, as_json: bool, **options: Any) -> int:
    """Delete the files of old releases from BucketFS."""
    from exatrust.commands.remove import run_prune

    return run_prune(settings_of(options), terminal_for(as_json), keep, yes)


@cli.command()
@settings_options
@click.option(
    "--keep-history", is_flag=True, help="Leave the tables: history, decisions, watched endpoints."
)
@yes_option
@as_json_option
def uninstall(keep_history: bool, yes: bool, as_json: bool, **options: Any) -> int:
    """Remove the scripts, views, tables and files of exatrust, and nothing else."""
    from exatrust.commands.remove import run_uninstall

    return run_uninstall(settings_of(options), terminal_for(as_json), keep_history, yes)
