"""The command line. Commands import what they need when they run, so that help is quick.

Exit status: 0 in order, 1 findings or drift, 2 bad input, 3 unreachable.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from exatrust import __version__
from exatrust.errors import ExatrustError
from exatrust.log import close, logger, to_file

if TYPE_CHECKING:
    from datetime import datetime

    from exatrust.commands import Terminal
    from exatrust.report import Report
    from exatrust.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

# Where a command lives that needs the stand-in's libraries, and what --help says of it.
_LAZY = {
    "sandbox": ("exatrust_sandbox.cli", "sandbox", "A stand-in cluster on this machine."),
}
_FLAGS = {
    "dsn": ("database", "dsn", "HOST/FINGERPRINT:PORT of the database."),
    "user": ("database", "user", "Database user."),
    "schema": ("database", "schema", "Schema that holds the scripts."),
    "bucketfs_url": ("bucketfs", "url", "https://HOST:PORT of the BucketFS service."),
    "bucket": ("bucketfs", "bucket", "Bucket for the releases."),
    "roots": ("bundle", "roots", "Default roots: certifi, container, or a PEM file."),
    "aliases": ("scripts", "aliases", "Language aliases, divided by commas."),
}


class _Group(click.Group):
    """A group whose lazy commands are imported when called, not when listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_LAZY])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _LAZY:
            return super().get_command(ctx, cmd_name)
        module, name, _ = _LAZY[cmd_name]
        try:
            command: click.Command = getattr(import_module(module), name)
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"{cmd_name} needs {error.name}; install exatrust[sandbox] on Python 3.11 or later"
            ) from error
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [
            (name, _LAZY[name][2] if name in _LAZY else self.commands[name].get_short_help_str(100))
            for name in self.list_commands(ctx)
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """One CA bundle for all UDFs of an Exasol database, on every node and in every container."""


def _settings_options(command: Command) -> Command:
    for flag, (section, key, text) in reversed(_FLAGS.items()):
        command = click.option(
            f"--{flag.replace('_', '-')}", flag, help=f"{text} [{section}.{key}]"
        )(command)
    file = click.Path(dir_okay=False, path_type=Path)
    command = click.option("--log-file", type=file, help="Append what is done, without secrets.")(
        command
    )
    text = "Settings file. [default: ./exatrust.toml]"
    return click.option("--config", type=file, help=text)(command)


_json = click.option("--json", "as_json", is_flag=True, help="One JSON document.")
_yes = click.option("--yes", is_flag=True, help="Do not ask; adds no trust by itself.")
_ca = click.option(
    "--ca",
    "ca_files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="File of CAs to add: PEM, DER or PKCS#7; repeatable.",
)
_confirm = click.option(
    "--confirm",
    "confirmed",
    multiple=True,
    metavar="SHA256",
    help="Vouch for a given CA by the fingerprint its owner published; repeatable.",
)


def _settings(options: dict[str, Any]) -> Settings:
    """Take the settings' flags out of a command's options, and load."""
    from exatrust.settings import load

    if (file := options.pop("log_file")) is not None:
        to_file(file, f"{click.get_current_context().command_path} {__version__}")
    flags = {(section, key): options.pop(flag) for flag, (section, key, _) in _FLAGS.items()}
    return load(options.pop("config"), os.environ, flags)


def _terminal(as_json: bool) -> Terminal:
    from exatrust.commands import Terminal
    from exatrust.report import Report

    if not sys.stdin.isatty():
        return Terminal(Report(as_json), None, None)
    return Terminal(
        Report(as_json),
        lambda text: str(click.prompt(text, hide_input=True, err=True)),
        lambda text: str(click.prompt(text, err=True)),
    )


@cli.command()
@_settings_options
@_ca
@_json
def plan(ca_files: tuple[Path, ...], as_json: bool, **options: Any) -> int:
    """Say what an install would do, and why; exit status 1 if anything."""
    from exatrust.commands import run_plan

    return run_plan(_settings(options), _terminal(as_json), ca_files)


@cli.command()
@_settings_options
@_ca
@_confirm
@_yes
@_json
def install(
    ca_files: tuple[Path, ...], confirmed: tuple[str, ...], yes: bool, as_json: bool, **options: Any
) -> int:
    """Bring bundle, scripts and views onto every node. Run it again at any time."""
    from exatrust.commands import run_install

    return run_install(_settings(options), _terminal(as_json), ca_files, confirmed, yes)


@cli.command()
@_settings_options
@_json
def status(as_json: bool, **options: Any) -> int:
    """Say what is installed, whether every node has it, and what changed since."""
    from exatrust.commands import run_status

    return run_status(_settings(options), _terminal(as_json))


_file = click.Path(dir_okay=False, path_type=Path)


@cli.command()
@click.argument("endpoints", nargs=-1, metavar="[HOST:PORT...]")
@_settings_options
@click.option("--options", "text", metavar="TEXT", help="Options of CHECK_ENDPOINT, key=value.")
@click.option("--only", multiple=True, metavar="CHECK", help="Run this check alone; repeatable.")
@click.option("--junit", type=_file, metavar="FILE", help="Write the checks as JUnit XML, too.")
@click.option("--prometheus", type=_file, metavar="FILE", help="... as Prometheus text, too.")
@_json
def check(
    endpoints: tuple[str, ...],
    text: str | None,
    only: tuple[str, ...],
    junit: Path | None,
    prometheus: Path | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Run all checks of the database; or check the given endpoints, on every node."""
    from exatrust.commands import Outputs, run_check, run_checks

    if endpoints and (only or junit or prometheus):
        raise click.UsageError("--only, --junit and --prometheus are for checks, not for HOST:PORT")
    if text and not endpoints:
        raise click.UsageError("--options are those of an endpoint: give HOST:PORT")
    settings, terminal = _settings(options), _terminal(as_json)
    if endpoints:
        return run_check(settings, terminal, endpoints, text)
    return run_checks(settings, terminal, only, Outputs(junit, prometheus))


@cli.group()
def ca() -> None:
    """Add and remove CAs of the shared bundle, list them, and compare releases."""


_reason = click.option("--reason", metavar="TEXT", help="Why; it is kept in CA_DECISION.")


@ca.command("add")
@click.argument("sources", nargs=-1, required=True, metavar="FILE|HOST:PORT...")
@_settings_options
@_confirm
@_reason
@click.option("--force", is_flag=True, help="Add a CA that has expired.")
@click.option("--password-file", type=_file, metavar="FILE", help="Password of PKCS#12 files.")
@click.option("--options", "text", metavar="TEXT", help="Options of HOST:PORT, key=value.")
@_yes
@_json
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
    from exatrust.authorities import Given, run_add
    from exatrust.commands import Consent

    given, consent = Given(sources, text, password_file), Consent(confirmed, yes, force)
    return run_add(_settings(options), _terminal(as_json), given, reason, consent)


@ca.command("remove")
@click.argument("names", nargs=-1, required=True, metavar="SHA256|SUBJECT...")
@_settings_options
@_reason
@click.option("--force", is_flag=True, help="Remove a CA that watched endpoints depend on.")
@_yes
@_json
def ca_remove(
    names: tuple[str, ...], reason: str | None, force: bool, yes: bool, as_json: bool,
    **options: Any,
) -> int:  # fmt: skip
    """Remove CAs from the bundle, added or default ones, and install it. They stay out."""
    from exatrust.authorities import run_remove
    from exatrust.commands import Consent

    consent = Consent((), yes, force)
    return run_remove(_settings(options), _terminal(as_json), names, reason, consent)


@ca.command("list")
@_settings_options
@_json
def ca_list(as_json: bool, **options: Any) -> int:
    """List the CAs of the bundle, and those that were removed or left out."""
    from exatrust.authorities import run_list

    return run_list(_settings(options), _terminal(as_json))


@ca.command("diff")
@click.argument("old", metavar="RELEASE")
@click.argument("new", metavar="RELEASE")
@_settings_options
@_json
def ca_diff(old: str, new: str, as_json: bool, **options: Any) -> int:
    """Say which CAs two releases differ in; exit status 1 if in any."""
    from exatrust.authorities import run_diff

    return run_diff(_settings(options), _terminal(as_json), old, new)


@cli.command()
@_settings_options
@click.option("--sql", is_flag=True, help="Print the statements, for a scheduler; store nothing.")
@_json
def snapshot(sql: bool, as_json: bool, **options: Any) -> int:
    """Store what every node trusts and what the watched endpoints say, to compare later."""
    from exatrust.commands import print_snapshot, run_snapshot

    if sql:
        return print_snapshot(_settings(options), _report(as_json=False))
    return run_snapshot(_settings(options), _terminal(as_json))


@cli.command()
@_settings_options
@click.option("--watch", is_flag=True, help="Put those with TLS into the table ENDPOINT.")
@_json
def discover(watch: bool, as_json: bool, **options: Any) -> int:
    """Say what the database talks to, where that is written, and whether it is encrypted."""
    from exatrust.commands import run_discover

    return run_discover(_settings(options), _terminal(as_json), watch)


_stores = click.option(
    "--ca",
    "ca_files",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Truststore to judge by; repeatable. [default: certifi, and OpenSSL's on this machine]",
)


_crls = click.option(
    "--crl",
    "crl_files",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Revocation list, PEM or DER; each CA of a chain needs one. Repeatable.",
)


def _report(as_json: bool) -> Report:
    from exatrust.report import Report

    return Report(as_json)


@cli.command()
@click.argument("endpoints", nargs=-1, required=True, metavar="HOST:PORT...")
@_stores
@_crls
@click.option("--options", "text", metavar="TEXT", help="Options of CHECK_ENDPOINT, key=value.")
@_json
def probe(
    endpoints: tuple[str, ...],
    ca_files: tuple[Path, ...],
    crl_files: tuple[Path, ...],
    text: str | None,
    as_json: bool,
) -> int:
    """Check TLS endpoints from this machine, with every finding; needs no database."""
    from exatrust.probe import Files, run_probe

    return run_probe(_report(as_json), endpoints, Files(ca_files, crl_files), text)


@cli.command()
@click.argument("chain", type=click.Path(path_type=Path), metavar="CHAIN.pem")
@click.option("--host", required=True, metavar="NAME", help="Name the certificate must be for.")
@_stores
@_crls
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Day to judge for, from its start, UTC. [default: now]",
)
@_json
def diagnose(
    chain: Path,
    host: str,
    ca_files: tuple[Path, ...],
    crl_files: tuple[Path, ...],
    at: datetime | None,
    as_json: bool,
) -> int:
    """Judge a certificate chain in a file, without connecting anywhere."""
    from exatrust.probe import Files, run_diagnose

    return run_diagnose(_report(as_json), chain, host, Files(ca_files, crl_files), at)


@cli.command()
@click.argument("release", required=False)
@_settings_options
@_yes
@_json
def rollback(release: str | None, yes: bool, as_json: bool, **options: Any) -> int:
    """Point all scripts to an earlier release. [default: the one before the current]"""
    from exatrust.commands import run_rollback

    return run_rollback(_settings(options), _terminal(as_json), release, yes)


@cli.command()
@_settings_options
@click.option(
    "--keep", type=click.IntRange(1), default=3, show_default=True, help="Releases that stay."
)
@_yes
@_json
def prune(keep: int, yes: bool, as_json: bool, **options: Any) -> int:
    """Delete the files of old releases from BucketFS."""
    from exatrust.commands import run_prune

    return run_prune(_settings(options), _terminal(as_json), keep, yes)


@cli.command()
@_settings_options
@_yes
def uninstall(yes: bool, **options: Any) -> int:
    """Remove the scripts, views, tables and files of exatrust, and nothing else."""
    from exatrust.commands import run_uninstall

    return run_uninstall(_settings(options), _terminal(False), yes)


@cli.command()
@_settings_options
@click.option("--write", is_flag=True, help="Also write a small file to the bucket, and delete it.")
@_json
def doctor(write: bool, as_json: bool, **options: Any) -> int:
    """Look at every precondition of an install, before anything is touched."""
    from exatrust.checkup import run_doctor

    return run_doctor(lambda: _settings(options), _terminal(as_json), write)


@cli.command()
@_settings_options
@click.option("--sql", is_flag=True, help="Print the statements, for a DBA; change nothing.")
@_json
def roles(sql: bool, as_json: bool, **options: Any) -> int:
    """Create the roles for readers and operators, with the privileges that they need."""
    from exatrust.commands import print_roles, run_roles

    if sql:
        return print_roles(_settings(options), _report(as_json=False))
    return run_roles(_settings(options), _terminal(as_json))


@cli.command("trust-server")
@click.argument(
    "sections",
    nargs=-1,
    metavar="[database] [bucketfs]",
    type=click.Choice(["database", "bucketfs"]),
)
@_settings_options
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
@_json
def trust_server(
    sections: tuple[str, ...],
    confirmed: tuple[str, ...],
    first_use: bool,
    as_json: bool,
    config: Path | None,
    **options: Any,
) -> int:
    """Pin the certificate of the database, of BucketFS or of both, once a node confirmed it."""
    from exatrust.settings import settings_file
    from exatrust.trust import run_trust_server

    file = settings_file(config, os.environ)
    return run_trust_server(
        lambda path: _settings({**options, "config": path}),
        file,
        _terminal(as_json),
        sections,
        confirmed,
        first_use,
    )


@cli.command()
def version() -> int:
    """Print the version."""
    click.echo(f"exatrust {__version__}")
    return 0


@cli.command()
@click.option("--nodes", type=click.IntRange(1, 16), default=4, show_default=True)
def demo(nodes: int) -> int:
    """Tell the whole story on this machine, in a stand-in cluster."""
    from exatrust.demo import run_demo

    return run_demo(nodes)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    status = _run(argv)
    logger.info("exit status %d", status)
    close()
    return status


def _run(argv: Sequence[str] | None) -> int:
    try:
        result = cli.main(args=argv, prog_name="exatrust", standalone_mode=False)
    except ExatrustError as error:
        logger.error("%s: %s", error.message, error.action)
        click.echo(f"exatrust: {error.message}\n  {error.action}", err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nexatrust: stopped", err=True)
        return 130
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return result if isinstance(result, int) else 0


def entry_point() -> None:
    """The console script: the one place that exits."""
    sys.exit(main())
