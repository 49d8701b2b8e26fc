"""The command line. Commands import what they need when they run, so that help is quick.

Exit status: 0 in order, 1 findings or drift, 2 bad input, 3 unreachable.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence

import click

from exatrust.cli import access, analysts, ca, installing, looking, offline
from exatrust.cli.group import cli
from exatrust.errors import ExatrustError
from exatrust.log import close, logger

__all__ = [
    "access", "analysts", "ca", "cli", "entry_point", "installing", "looking", "main", "offline",
]  # fmt: skip


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
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EIO, errno.EDQUOT) or error.filename:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        click.echo(f"exatrust: the output cannot be written: {error.strerror}", err=True)
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
