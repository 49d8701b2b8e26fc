"""`exatrust prune` and `exatrust uninstall`."""

from __future__ import annotations

from dataclasses import asdict

from exatrust import prune, roles, status, uninstall
from exatrust.proposal import statements_for
from exatrust.settings import Settings
from exatrust.terminal import OK, Terminal, ask_yes, open_ports


def run_prune(settings: Settings, terminal: Terminal, keep: int, yes: bool) -> int:
    """0 when nothing is left that could be pruned."""
    report, statements = terminal.report, statements_for(settings)
    with open_ports(settings, terminal) as ports:
        status.require_installed(ports.database, statements)
        pruning = prune.find(ports, statements, settings.bucketfs.prefix, keep)
        report.document(asdict(pruning))
        for release, reason in pruning.kept.items():
            report.say(f"release {release} stays: {reason}")
        for release in pruning.unknown:
            report.say(f"release {release} stays: this database never activated it")
        if not pruning.releases:
            report.say("Nothing to prune.")
            return OK
        if not yes:
            ask_yes(terminal, f"This deletes the files of: {', '.join(pruning.releases)}.")
        prune.remove(pruning, ports.bucket, report.say)
    return OK


def run_uninstall(settings: Settings, terminal: Terminal, keep_history: bool, yes: bool) -> int:
    """0 when nothing of ours is left, but for the tables where they shall stay."""
    report, statements = terminal.report, statements_for(settings)
    with open_ports(settings, terminal) as ports:
        removal = uninstall.find(ports, statements, settings.bucketfs.prefix, keep_history)
        report.document(asdict(removal))
        if removal.empty:
            report.say("Nothing of exatrust is installed.")
            return OK
        if not yes:
            ask_yes(terminal, _what_goes(removal, statements.schema.upper()))
        roles.drop(ports.database, statements, report.say)
        uninstall.remove(removal, ports, statements, report.say)
    return OK


def _what_goes(removal: uninstall.Removal, schema: str) -> str:
    tables = any(kind == "table" for kind, _ in removal.objects)
    among = ", its history and watched endpoints among them," if tables else ""
    return (
        f"This drops {len(removal.objects)} objects of schema {schema}{among} and deletes "
        f"{len(removal.files)} files."
    )
