"""`exatrust ca`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from exatrust.cli.group import cli
from exatrust.cli.options import (
    FILE,
    as_json_option,
    confirm_option,
    settings_of,
    settings_options,
    terminal_for,
    yes_option,
)


@cli.group()
def ca() -> None:
    """Add and remove CAs of the shared bundle, list them, and compare releases."""


reason_option = click.option("--reason", metavar="TEXT", help="Why; it is kept in CA_DECISION.")


@ca.command("add")
@click.argument("sources", nargs=-1, required=True, metavar="FILE|HOST:PORT...")
@settings_options
@confirm_option
@reason_option
@click.option("--force", is_flag=True, help="Add a CA that has expired.")
@click.option("--password-file", type=FILE, metavar="FILE", help="Password of PKCS#12 files.")
@click.option("--options", "text", metavar="TEXT", help="Options of HOST:PORT, key=value.")
@yes_option
@as_json_option
def ca_add(
    sources: tuple[str, ...],
    confirmed: tuple[str, ...],
    reason: str | None,
    force: bool,
    password_file: Path | None,
    text: str | None,
    yes: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Add CAs to the bundle, from files or from what a server sends, and install it."""
    from exatrust.commands.ca import Given, run_add
    from exatrust.terminal import Consent

    given, consent = Given(sources, text, password_file), Consent(confirmed, yes, force)
    return run_add(settings_of(options), terminal_for(as_json), given, reason, consent)


@ca.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="SHA256|SUBJECT...")
@settings_options
@reason_option
@click.option("--force", is_flag=True, help="Remove a CA that watched endpoints depend on.")
@yes_option
@as_json_option
def ca_remove(
    names: tuple[str, ...], reason: str | None, force: bool, yes: bool, as_json: bool,
    **options: Any,
) -> int:  # fmt: skip
    """Remove CAs from the bundle, added or default ones, and install it. They stay out."""
    from exatrust.commands.ca import run_remove
    from exatrust.terminal import Consent

    consent = Consent((), yes, force)
    return run_remove(settings_of(options), terminal_for(as_json), names, reason, consent)


@ca.command("list")
@settings_options
@as_json_option
def ca_list(as_json: bool, **options: Any) -> int:
    """List the CAs of the bundle, and those that were removed or left out."""
    from exatrust.commands.ca import run_list

    return run_list(settings_of(options), terminal_for(as_json))


@ca.command("diff")
@click.argument("old", metavar="RELEASE")
@click.argument("new", metavar="RELEASE")
@settings_options
@as_json_option
def ca_diff(old: str, new: str, as_json: bool, **options: Any) -> int:
    """Say which CAs two releases differ in; exit status 1 if in any."""
    from exatrust.commands.ca import run_diff

    return run_diff(settings_of(options), terminal_for(as_json), old, new)
