"""`exatrust plan` and `exatrust install`, and every change of the bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from exatrust import roles
from exatrust.additions import confirm, doubt_roots, examine_new, read_additions, refuse
from exatrust.bundle import Anchor, Removal
from exatrust.change import Change
from exatrust.install import carry_out
from exatrust.languages import PYTHON
from exatrust.proposal import Ports, Proposal, known_distrust, propose, statements_for
from exatrust.report import Report
from exatrust.settings import Settings
from exatrust.terminal import FINDINGS, OK, Consent, Terminal, ask_yes, now, open_ports
from exatrust.usage import refuse_used, warn_of_distrust, warn_of_lost
from exatrust_udf.certificate import Certificate

_SHOWN = 10


def run_plan(settings: Settings, terminal: Terminal, ca_files: Sequence[Path]) -> int:
    """0 when an install would do nothing, 1 otherwise."""
    with open_ports(settings, terminal) as ports:
        proposal = _proposal(settings, ports, terminal, Change(_given(ca_files, terminal)))
    show_plan(proposal, terminal.report)
    return FINDINGS if proposal.actions else OK


def run_install(
    settings: Settings,
    terminal: Terminal,
    ca_files: Sequence[Path],
    confirmed: Sequence[str],
    yes: bool,
) -> int:
    """0 when everything is in order afterwards."""
    change = Change(_given(ca_files, terminal))
    return run_change(settings, terminal, change, Consent(confirmed, yes))


def run_change(settings: Settings, terminal: Terminal, change: Change, consent: Consent) -> int:
    """Install with a change of the bundle; 0 when everything is in order afterwards."""
    report = terminal.report
    with open_ports(settings, terminal) as ports:
        proposal = _proposal(settings, ports, terminal, change, consent.force)
        refuse_used(
            proposal.going, proposal.bundle, ports.database, proposal.statements, consent.force,
            report,
        )  # fmt: skip
        confirm(proposal.additions, proposal.known, consent.confirmed, terminal.line, report.say)
        show_plan(proposal, report)
        _consent(proposal, terminal, consent.yes)
        carry_out(proposal, ports, now, report.say)
        roles.refresh(ports.database, proposal.statements)
    if proposal.actions:
        report.say(f"Installed: release {proposal.release.id}, verified on every node.")
    return OK


def _given(ca_files: Sequence[Path], terminal: Terminal) -> tuple[Anchor, ...]:
    return read_additions(ca_files, terminal.secret)


def _proposal(
    settings: Settings, ports: Ports, terminal: Terminal, change: Change, force: bool = False
) -> Proposal:
    """What an install with this change would do; the settings' own CAs come to it here."""
    report = terminal.report
    distrust = known_distrust(ports.database, statements_for(settings))
    change = replace(change, standing=read_additions(settings.bundle.ca_files))
    refuse((*change.additions, *change.standing), distrust)
    proposal = propose(settings, ports, change, distrust, report.warn)
    examine_new(proposal.additions, proposal.known, proposal.bundle, now(), force, report)
    doubt_roots(proposal.bundle, now(), report)
    warn_of_distrust(proposal.bundle, ports.database, proposal.statements, report)
    warn_of_lost(proposal.lost, proposal.bundle, ports.database, proposal.statements, report)
    return proposal


def show_plan(proposal: Proposal, report: Report) -> None:
    actions = proposal.actions
    report.document(
        {
            "release": proposal.release.id,
            "certificates": len(proposal.bundle.anchors),
            "aliases": [asdict(item) for item in proposal.aliases],
            "actions": [
                {"verb": a.verb, "kind": a.kind, "name": a.name, "reason": a.reason}
                for a in actions
            ],
        }
    )
    for alias in proposal.aliases:
        if alias.language != PYTHON:
            named = proposal.settings.scripts.aliases
            hint = "; scripts.aliases does not name it" if named and alias.name not in named else ""
            report.say(f"{alias.sentence}{hint}")
    if not actions:
        report.say(f"Nothing to do: release {proposal.release.id} is installed and in order.")
        return
    report.say(
        f"Release {proposal.release.id}: {len(proposal.bundle.anchors)} certificates "
        f"({proposal.bundle.roots}, {len(proposal.bundle.added)} added, "
        f"{len(proposal.bundle.removed)} removed)"
    )
    if proposal.new_roots:
        report.say(f"New among the default roots: {_some(proposal.new_roots)}")
    rows = [(a.verb, a.kind, a.name, a.reason) for a in actions]
    report.table(("DO", "WHAT", "NAME", "BECAUSE"), rows)


def _some(certificates: Sequence[Certificate]) -> str:
    more = f", and {len(certificates) - _SHOWN} more" if len(certificates) > _SHOWN else ""
    return ", ".join(map(_named, certificates[:_SHOWN])) + more


def _named(item: Certificate | Removal) -> str:
    return f"{item.subject} (SHA-256 {item.sha256})"


def _consent(proposal: Proposal, terminal: Terminal, yes: bool) -> None:
    """Ask before something is dropped, or overwritten that a human changed, or trust is taken."""
    destructive = [a for a in proposal.actions if a.verb == "drop" or "by hand" in a.reason]
    if destructive and not yes:
        names = ", ".join(f"{a.kind} {a.name}" for a in destructive)
        ask_yes(terminal, f"This drops or overwrites: {names}.")
    gone = (*proposal.going, *proposal.lost)
    for item in proposal.going:
        terminal.report.say(f"UDFs will no longer trust {_named(item)}")
    if gone and not yes:
        ask_yes(terminal, f"UDFs will no longer trust: {', '.join(map(_named, gone))}.")
