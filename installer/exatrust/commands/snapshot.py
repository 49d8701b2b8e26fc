"""`exatrust snapshot`."""

from __future__ import annotations

from exatrust import status
from exatrust.apply import record_snapshot
from exatrust.proposal import statements_for
from exatrust.report import Report
from exatrust.settings import Settings
from exatrust.terminal import OK, Terminal, now, open_database


def run_snapshot(settings: Settings, terminal: Terminal) -> int:
    """0 when the state of all nodes and the verdicts on all watched endpoints were stored."""
    report, statements = terminal.report, statements_for(settings)
    with open_database(settings, terminal) as database:
        status.require_installed(database, statements)
        report.say("asking all nodes, and checking the watched endpoints")
        counts = record_snapshot(statements.snapshot(now()), database)
    report.document({"rows": counts})
    report.say(", ".join(f"{table}: {count} rows" for table, count in counts.items()))
    return OK


def print_snapshot(settings: Settings, report: Report) -> int:
    """The statements of a snapshot, for a scheduler that speaks SQL. Connects nowhere."""
    for sql in statements_for(settings).snapshot().values():
        report.say(f"{sql};\n")
    report.say("COMMIT;")
    return OK
