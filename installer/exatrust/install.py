"""Carry out an install: upload, prove, one transaction, prove again, baseline.

At any moment scripts point at a complete release: nothing is overwritten in the bucket, and the
database changes in one transaction, after every node was seen to hold every byte.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from exatrust import apply
from exatrust.errors import NodesBehind, NotInstalled
from exatrust.nodes import Coverage, coverage
from exatrust.observe import Installed, installed, node_count, node_reports
from exatrust.proposal import Ports, Proposal, Say, probe_release
from exatrust.verify import wait_until_complete

_SETTLED = 3.0  # seconds; what an earlier run uploaded has long been distributed
_SPARED = "nothing points to this release because of this run, scripts go on as they were"
_CONCERNED = "scripts point to this release, and fail on that node"


def carry_out(proposal: Proposal, ports: Ports, now: Callable[[], dt.datetime], say: Say) -> None:
    """Do what was proposed. Whatever fails before the transaction leaves scripts as they were."""
    if proposal.actions:
        apply.upload(proposal, ports.bucket, say)
        _until_seen(
            proposal, ports, lambda alias: probe_release(proposal, ports, alias), _SPARED, say
        )
        say(f"every node sees release {proposal.release.id}")
        apply.change_database(proposal, ports.database, now(), say)
    confirm_installed(proposal, ports, say)
    if proposal.actions:
        apply.record_baseline(proposal, ports.database, now())
        say("the state of all nodes is recorded as the baseline for `exatrust status`")


def confirm_installed(proposal: Proposal, ports: Ports, say: Say) -> None:
    """Ask the installed scripts, as a user would, on every node. Raises NodesBehind."""
    current = installed(ports.database, proposal.statements)
    if current is None:
        raise NotInstalled("RELEASE_HISTORY is empty", "run the command again")
    _until_seen(
        proposal, ports, lambda alias: _coverage(proposal, ports, current, alias), _CONCERNED, say
    )
    ports.database.rollback()


def _until_seen(
    proposal: Proposal, ports: Ports, ask: Callable[[str], Coverage], consequence: str, say: Say
) -> None:
    """Wait for all nodes; a file that a node lost does not come back before it is written anew."""
    aliases, seconds = proposal.desired.aliases, proposal.settings.bucketfs.replication_timeout
    fresh = any(action.kind == "file" for action in proposal.actions)
    try:
        wait_until_complete(
            aliases, ask, seconds if fresh else min(seconds, _SETTLED), consequence, say
        )
    except NodesBehind as error:
        if fresh:
            raise
        say(f"{error.message}; the files are in the bucket, so they are written once more")
        apply.upload_again(proposal, ports.bucket, say)
        wait_until_complete(aliases, ask, seconds, consequence, say)


def _coverage(proposal: Proposal, ports: Ports, current: Installed, alias: str) -> Coverage:
    reports = node_reports(ports.database, proposal.statements, current, alias)
    return coverage(alias, reports, node_count(ports.database, proposal.statements))
