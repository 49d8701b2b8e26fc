"""`exatrust status`."""

from __future__ import annotations

from dataclasses import asdict

from exatrust import status
from exatrust.proposal import statements_for
from exatrust.settings import Settings
from exatrust.terminal import FINDINGS, OK, Terminal, open_database


def run_status(settings: Settings, terminal: Terminal) -> int:
    """0 when everything is in order, 1 otherwise."""
    report = terminal.report
    with open_database(settings, terminal) as database:
        found = status.read_status(database, statements_for(settings))
    reports = [item for look in found.looks for item in look.reports]
    report.document(
        {
            "release": found.current.release,
            "activated_at": found.current.activated_at,
            "in_order": found.in_order,
            "bundle_intact": found.bundle_intact,
            "sentences": found.sentences(),
            "nodes": [asdict(item) for item in reports],
        }
    )
    report.table(
        ("ALIAS", "NODE", "FILES", "PYTHON", "OPENSSL", "CERTIFI", "OPERATING SYSTEM"),
        [
            (
                item.language_alias,
                item.node_id,
                f"{item.files_intact}/{item.files_expected}",
                item.python_version,
                item.openssl_version,
                item.certifi_version,
                item.operating_system,
            )
            for item in sorted(reports, key=lambda item: (item.language_alias, item.node_id))
        ],
    )
    for sentence in found.sentences():
        report.say(sentence)
    return OK if found.in_order else FINDINGS
