"""`exatrust roles`."""

from __future__ import annotations

from exatrust import roles, status
from exatrust.proposal import statements_for
from exatrust.report import Report
from exatrust.settings import Settings
from exatrust.terminal import OK, Terminal, open_database


def run_roles(settings: Settings, terminal: Terminal) -> int:
    """0 when both roles exist and have what they need."""
    report, statements = terminal.report, statements_for(settings)
    with open_database(settings, terminal) as database:
        status.require_installed(database, statements)
        found = roles.make(database, statements, report.say)
    report.document({"roles": found.known})
    return OK


def print_roles(settings: Settings, report: Report) -> int:
    """The statements, for a DBA to run. Connects nowhere."""
    for sql in roles.script(statements_for(settings)):
        report.say(f"{sql};")
    return OK
