"""`exatrust discover`."""

from __future__ import annotations

from dataclasses import asdict

from exatrust import discover, status
from exatrust.proposal import statements_for
from exatrust.settings import Settings
from exatrust.terminal import OK, Terminal, open_database


def run_discover(settings: Settings, terminal: Terminal, watch: bool) -> int:
    """0: what is found is for the reader to judge; ENDPOINT_PLAINTEXT and other checks judge."""
    statements, report = statements_for(settings), terminal.report
    with open_database(settings, terminal) as database:
        status.require_installed(database, statements)
        if watch:
            found, added = discover.watch(database, statements)
        else:
            found, added = discover.read(database, statements), 0
    left_out = discover.left_out(found)
    report.document(
        {"endpoints": [asdict(item) for item in found], "added": added, "left_out": left_out}
    )
    report.table(discover.COLUMNS, [discover.table_row(item) for item in found])
    if watch:
        report.say(f"{added} endpoints are watched from now on")
        for name, reason in left_out.items():
            report.say(f"left out: {name}: {reason}")
    elif missing := discover.unwatched(found):
        report.say(f"{len(missing)} are not watched; `exatrust discover --watch` watches them")
    return OK
