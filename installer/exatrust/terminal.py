"""The human in front of a command, and the ways to database and bucket that it opens."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from exatrust.buckets import open_bucket
from exatrust.credentials import Sources
from exatrust.database import Database
from exatrust.errors import NotConfirmed
from exatrust.proposal import Ports
from exatrust.report import Report
from exatrust.settings import Settings

OK, FINDINGS = 0, 1


@dataclass(frozen=True)
class Terminal:
    """The human in front. `secret` and `line` prompt, None where nobody can be asked."""

    report: Report
    secret: Callable[[str], str] | None
    line: Callable[[str], str] | None


@dataclass(frozen=True)
class Consent:
    """What a human agreed to beforehand. `confirmed`: fingerprints of CAs to trust."""

    confirmed: Sequence[str] = ()
    yes: bool = False
    force: bool = False


def now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


@contextmanager
def open_database(settings: Settings, terminal: Terminal) -> Iterator[Database]:
    section = settings.database
    password = _sources(terminal).password("database", section.user, section.password_file)
    database = Database(section, password)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def open_ports(settings: Settings, terminal: Terminal) -> Iterator[Ports]:
    """Database and bucket, with passwords from wherever the settings say."""
    section = settings.bucketfs
    if not section.encrypted:
        terminal.report.warn(
            f"{section.url} is not encrypted: whoever listens on the way learns the write "
            "password. What nodes see is compared by SHA-256 either way; use https:// where you can"
        )
    with open_database(settings, terminal) as database:
        bucket = open_bucket(section, _sources(terminal))
        try:
            yield Ports(database, bucket)
        finally:
            bucket.close()


def _sources(terminal: Terminal) -> Sources:
    return Sources(os.environ, terminal.secret, terminal.report.warn)


def ask_yes(terminal: Terminal, text: str) -> None:
    terminal.report.say(text)
    if terminal.line is None:
        raise NotConfirmed("nobody is there to agree", "give --yes, or run it in a terminal")
    if terminal.line("Type yes to go on").strip().lower() != "yes":
        raise NotConfirmed("nothing was changed", "run the command again and type yes")
