"""Commands that need no database."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from exatrust import __version__
from exatrust.cli.group import cli
from exatrust.cli.options import as_json_option, report_for

stores_option = click.option(
    "--ca",
    "ca_files",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Truststore to judge by; repeatable. [default: certifi, and OpenSSL's on this machine]",
)

crls_option = click.option(
    "--crl",
    "crl_files",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Revocation list, PEM or DER; each CA of a chain needs one. Repeatable.",
)


@cli.command()
@click.argument("endpoints", nargs=-1, required=True, metavar="HOST:PORT...")
@stores_option
@crls_option
@click.option("--options", "text", metavar="TEXT", help="Options of CHECK_ENDPOINT, key=value.")
@as_json_option
def probe(
    endpoints: tuple[str, ...],
    ca_files: tuple[Path, ...],
    crl_files: tuple[Path, ...],
    text: str | None,
    as_json: bool,
) -> int:
    """Check TLS endpoints from this machine, with every finding; needs no database."""
    from exatrust.commands.probe import Files, run_probe

    return run_probe(report_for(as_json), endpoints, Files(ca_files, crl_files), text)


@cli.command()
@click.argument("chain", type=click.Path(path_type=Path), metavar="CHAIN.pem")
@click.option("--host", required=True, metavar="NAME", help="Name the certificate must be for.")
@stores_option
@crls_option
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Day to judge for, from its start, UTC. [default: now]",
)
@as_json_option
def diagnose(
    chain: Path,
    host: str,
    ca_files: tuple[Path, ...],
    crl_files: tuple[Path, ...],
    at: datetime | None,
    as_json: bool,
) -> int:
    """Judge a certificate chain in a file, without connecting anywhere."""
    from exatrust.commands.probe import Files, run_diagnose

    return run_diagnose(report_for(as_json), chain, host, Files(ca_files, crl_files), at)


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
