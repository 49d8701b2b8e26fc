"""Commands about preconditions, privileges and the servers' own certificates."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from exatrust.cli.group import cli
from exatrust.cli.options import (
    as_json_option,
    report_for,
    settings_of,
    settings_options,
    terminal_for,
)


@cli.command()
@settings_options
@click.option("--write", is_flag=True, help="Also write a small file to the bucket, and delete it.")
@as_json_option
def doctor(write: bool, as_json: bool, **options: Any) -> int:
    """Look at every precondition of an install, before anything is touched."""
    from exatrust.commands.doctor import run_doctor

    return run_doctor(lambda: settings_of(options), terminal_for(as_json), write)


@cli.command()
@settings_options
@click.option("--sql", is_flag=True, help="Print the statements, for a DBA; change nothing.")
@as_json_option
def roles(sql: bool, as_json: bool, **options: Any) -> int:
    """Create the roles for readers and operators, with the privileges that they need."""
    from exatrust.commands.roles import print_roles, run_roles

    if sql:
        return print_roles(settings_of(options), report_for(as_json=False))
    return run_roles(settings_of(options), terminal_for(as_json))


@cli.command("trust-server")
@click.argument(
    "sections",
    nargs=-1,
    metavar="[database] [bucketfs]",
    type=click.Choice(["database", "bucketfs"]),
)
@settings_options
@click.option(
    "--confirm",
    "confirmed",
    multiple=True,
    metavar="SHA256",
    help="The fingerprint that was read on a node; repeatable.",
)
@click.option(
    "--trust-on-first-use",
    "first_use",
    is_flag=True,
    help="Trust what is presented now, compared with nothing. Never replaces a pinned one.",
)
@as_json_option
def trust_server(
    sections: tuple[str, ...],
    confirmed: tuple[str, ...],
    first_use: bool,
    as_json: bool,
    config: Path | None,
    **options: Any,
) -> int:
    """Pin the certificate of the database, of BucketFS or of both, once a node confirmed it."""
    from exatrust.commands.trust_server import run_trust_server
    from exatrust.settings import settings_file

    file = settings_file(config, os.environ)
    return run_trust_server(
        lambda path: settings_of({**options, "config": path}),
        file,
        terminal_for(as_json),
        sections,
        confirmed,
        first_use,
    )
