"""`exatrust rollback`."""

from __future__ import annotations

from exatrust.commands.install import show_plan
from exatrust.install import carry_out
from exatrust.rollback import propose_rollback
from exatrust.settings import Settings
from exatrust.terminal import OK, Consent, Terminal, ask_yes, now, open_ports
from exatrust.usage import refuse_used


def run_rollback(
    settings: Settings, terminal: Terminal, wanted: str | None, consent: Consent
) -> int:
    """0 when all scripts point to the earlier release, on every node."""
    report = terminal.report
    with open_ports(settings, terminal) as ports:
        proposal = propose_rollback(settings, ports, wanted, report.warn)
        refuse_used(
            proposal.going, proposal.bundle, ports.database, proposal.statements, consent.force,
            report,
        )  # fmt: skip
        show_plan(proposal, report)
        if proposal.actions and not consent.yes:
            ask_yes(terminal, f"All scripts go back to release {proposal.release.id}.")
        carry_out(proposal, ports, now, report.say)
    if proposal.actions:
        report.say(f"Rolled back: release {proposal.release.id}, verified on every node.")
    return OK
