"""Commands for those who write UDFs."""

from __future__ import annotations

from typing import Any

import click

from exatrust.cli.group import cli
from exatrust.cli.options import as_json_option, settings_of, settings_options, terminal_for


@cli.command()
@click.argument("language", type=click.Choice(["python", "java", "r"]))
@click.option("--alias", metavar="ALIAS", help="Language alias of the script, for Python.")
@settings_options
@as_json_option
def snippet(language: str, alias: str | None, as_json: bool, **options: Any) -> int:
    """Print the lines with which a UDF trusts the current release, ready to paste."""
    from exatrust.commands.analysts import run_snippet

    return run_snippet(settings_of(options), terminal_for(as_json), language, alias)


@cli.command()
@click.argument("scripts", nargs=-1, metavar="[SCHEMA.SCRIPT...]")
@settings_options
@click.option("--all", "everything", is_flag=True, help="All scripts that name another release.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json_option
def repin(
    scripts: tuple[str, ...], everything: bool, yes: bool, as_json: bool, **options: Any
) -> int:
    """List analysts' scripts that name an older release, or bring those given to the current."""
    from exatrust.commands.analysts import run_repin

    if scripts and everything:
        raise click.UsageError("--all is for all scripts: give no names, or leave it out")
    return run_repin(settings_of(options), terminal_for(as_json), scripts, everything, yes)
