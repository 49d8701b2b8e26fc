"""Options that several commands share, and what they stand for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from exatrust import __version__
from exatrust.log import to_file

if TYPE_CHECKING:
    from exatrust.report import Report
    from exatrust.settings import Settings
    from exatrust.terminal import Terminal

Command = TypeVar("Command", bound=Callable[..., Any])

FILE = click.Path(dir_okay=False, path_type=Path)

_FLAGS = {
    "dsn": ("database", "dsn", "HOST/FINGERPRINT:PORT of the database."),
    "user": ("database", "user", "Database user."),
    "schema": ("database", "schema", "Schema that holds the scripts."),
    "bucketfs_url": ("bucketfs", "url", "https://HOST:PORT of the BucketFS service."),
    "bucket": ("bucketfs", "bucket", "Bucket for the releases."),
    "roots": ("bundle", "roots", "Default roots: certifi, container, or a PEM file."),
    "aliases": ("scripts", "aliases", "Language aliases, divided by commas."),
}


def settings_options(command: Command) -> Command:
    for flag, (section, key, text) in reversed(_FLAGS.items()):
        command = click.option(
            f"--{flag.replace('_', '-')}", flag, help=f"{text} [{section}.{key}]"
        )(command)
    command = click.option("--log-file", type=FILE, help="Append what is done, without secrets.")(
        command
    )
    text = "Settings file. [default: ./exatrust.toml]"
    return click.option("--config", type=FILE, help=text)(command)


as_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document.")

yes_option = click.option("--yes", is_flag=True, help="Do not ask; adds no trust by itself.")

ca_option = click.option(
    "--ca",
    "ca_files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="File of CAs to add: PEM, DER, PKCS#7 or PKCS#12; repeatable.",
)

confirm_option = click.option(
    "--confirm",
    "confirmed",
    multiple=True,
    metavar="SHA256",
    help="Vouch for a given CA by the fingerprint its owner published; repeatable.",
)


def settings_of(options: dict[str, Any]) -> Settings:
    """Take the settings' flags out of a command's options, and load."""
    from exatrust.settings import load

    if (file := options.pop("log_file")) is not None:
        to_file(file, f"{click.get_current_context().command_path} {__version__}")
    flags = {(section, key): options.pop(flag) for flag, (section, key, _) in _FLAGS.items()}
    return load(options.pop("config"), os.environ, flags)


def report_for(as_json: bool) -> Report:
    from exatrust.report import Report

    return Report(as_json)


def terminal_for(as_json: bool) -> Terminal:
    from exatrust.report import Report
    from exatrust.terminal import Terminal

    if not sys.stdin.isatty():
        return Terminal(Report(as_json), None, None)
    return Terminal(
        Report(as_json),
        lambda text: str(click.prompt(text, hide_input=True, err=True)),
        lambda text: str(click.prompt(text, err=True)),
    )
