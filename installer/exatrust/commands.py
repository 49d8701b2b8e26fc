"""The commands, behind the command line: settings in, exit status out."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from exatrust import check, checks, discover, monitoring, prune, roles, status, uninstall
from exatrust.additions import confirm, examine_new, read_additions, refuse
from exatrust.apply import record_snapshot
from exatrust.buckets import open_bucket
from exatrust.bundle import Anchor
from exatrust.change import Change
from exatrust.credentials import Sources
from exatrust.database import Database
from exatrust.errors import NotConfirmed, UsageError
from exatrust.install import carry_out
from exatrust.languages import PYTHON
from exatrust.nodes import node_list
from exatrust.observe import node_count
from exatrust.proposal import Ports, Proposal, known_distrust, propose, statements_for
from exatrust.report import Report, one_line
from exatrust.rollback import propose_rollback
from exatrust.settings import Settings
from exatrust.usage import refuse_used

OK, FINDINGS = 0, 1


@dataclass(frozen=True)
class Terminal:
    """The human in front. `secret` and `line` prompt, None where nobody can be asked."""

    report: Report
    secret: Callable[[str], str] | None
    line: Callable[[str], str] | None


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


@contextmanager
def _database(settings: Settings, terminal: Terminal) -> Iterator[Database]:
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
    with _database(settings, terminal) as database:
        bucket = open_bucket(section, _sources(terminal))
        try:
            yield Ports(database, bucket)
        finally:
            bucket.close()


def _sources(terminal: Terminal) -> Sources:
    return Sources(os.environ, terminal.secret, terminal.report.warn)


@dataclass(frozen=True)
class Consent:
    """What a human agreed to beforehand. `confirmed`: fingerprints of CAs to trust."""

    confirmed: Sequence[str] = ()
    yes: bool = False
    force: bool = False


def _proposal(
    settings: Settings, ports: Ports, terminal: Terminal, change: Change, force: bool = False
) -> Proposal:
    """What an install with this change would do; the settings' own CAs come to it here."""
    report = terminal.report
    distrust = known_distrust(ports.database, statements_for(settings))
    change = replace(change, standing=read_additions(settings.bundle.ca_files))
    refuse((*change.additions, *change.standing), distrust)
    proposal = propose(settings, ports, change, distrust, report.warn)
    examine_new(proposal.additions, proposal.known, proposal.bundle, _now(), force, report)
    for item in proposal.bundle.left_out:
        report.warn(f"left out of the bundle: {item.reason} (from {item.source})")
    return proposal


def _given(ca_files: Sequence[Path], terminal: Terminal) -> tuple[Anchor, ...]:
    return read_additions(ca_files, terminal.secret)


def run_plan(settings: Settings, terminal: Terminal, ca_files: Sequence[Path]) -> int:
    """0 when an install would do nothing, 1 otherwise."""
    with open_ports(settings, terminal) as ports:
        proposal = _proposal(settings, ports, terminal, Change(_given(ca_files, terminal)))
    _show_plan(proposal, terminal.report)
    return FINDINGS if proposal.actions else OK


def _show_plan(proposal: Proposal, report: Report) -> None:
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
            report.say(alias.sentence)
    if not actions:
        report.say(f"Nothing to do: release {proposal.release.id} is installed and in order.")
        return
    report.say(
        f"Release {proposal.release.id}: {len(proposal.bundle.anchors)} certificates "
        f"({proposal.bundle.roots}, {len(proposal.bundle.added)} added, "
        f"{len(proposal.bundle.removed)} removed)"
    )
    rows = [(a.verb, a.kind, a.name, a.reason) for a in actions]
    report.table(("DO", "WHAT", "NAME", "BECAUSE"), rows)


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
        refuse_used(proposal.going, ports.database, proposal.statements, consent.force, report)
        confirm(proposal.additions, proposal.known, consent.confirmed, terminal.line, report.say)
        _show_plan(proposal, report)
        _consent(proposal, terminal, consent.yes)
        carry_out(proposal, ports, _now, report.say)
        roles.refresh(ports.database, proposal.statements)
    if proposal.actions:
        report.say(f"Installed: release {proposal.release.id}, verified on every node.")
    return OK


def _consent(proposal: Proposal, terminal: Terminal, yes: bool) -> None:
    """Ask before something is dropped, or overwritten that a human changed, or trust is taken."""
    destructive = [a for a in proposal.actions if a.verb == "drop" or "by hand" in a.reason]
    if destructive and not yes:
        names = ", ".join(f"{a.kind} {a.name}" for a in destructive)
        _ask_yes(terminal, f"This drops or overwrites: {names}.")
    if proposal.going and not yes:
        names = ", ".join(f"{item.subject} (SHA-256 {item.sha256})" for item in proposal.going)
        _ask_yes(terminal, f"UDFs will no longer trust: {names}.")


def _ask_yes(terminal: Terminal, text: str) -> None:
    terminal.report.say(text)
    if terminal.line is None:
        raise NotConfirmed("nobody is there to agree", "give --yes, or run it in a terminal")
    if terminal.line("Type yes to go on").strip().lower() != "yes":
        raise NotConfirmed("nothing was changed", "run the command again and type yes")


def run_status(settings: Settings, terminal: Terminal) -> int:
    """0 when everything is in order, 1 otherwise."""
    report = terminal.report
    with _database(settings, terminal) as database:
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


@dataclass(frozen=True)
class Outputs:
    """Where the outcomes of checks go besides the terminal; None for nowhere."""

    junit: Path | None = None
    prometheus: Path | None = None


def run_checks(
    settings: Settings, terminal: Terminal, only: Sequence[str], outputs: Outputs
) -> int:
    """0 when every check ran and none found an error or a warning, 1 otherwise."""
    report, statements = terminal.report, statements_for(settings)
    wanted = checks.catalogue(only)
    outcomes = []
    with _database(settings, terminal) as database:
        status.require_installed(database, statements)
        for outcome in checks.run(wanted, database, statements):
            _show_outcome(outcome, report)
            outcomes.append(outcome)
    report.document({"checks": [asdict(item) | {"passed": item.passed} for item in outcomes]})
    _write(outputs.junit, monitoring.junit, outcomes)
    _write(outputs.prometheus, monitoring.prometheus, outcomes)
    failed = [item for item in outcomes if not item.passed]
    report.say(f"{len(outcomes)} checks, {len(failed)} with something to do")
    return FINDINGS if failed else OK


def _show_outcome(outcome: checks.Outcome, report: Report) -> None:
    """Progress and result in one: a check may take a second on many nodes."""
    word = "ok" if outcome.passed else "broken" if outcome.error else "FAILED"
    report.say(f"{word:<7} {outcome.check.id}  {one_line(outcome.error or outcome.check.title)}")
    for item in outcome.problems:
        report.say(f"  {item.severity:<7} {one_line(item.object_name)}")
        report.say(f"    {one_line(item.finding)}")
        report.say(f"    Action: {one_line(item.action)}")


def _write(
    path: Path | None,
    form: Callable[[Sequence[checks.Outcome], dt.datetime], str],
    outcomes: Sequence[checks.Outcome],
) -> None:
    """Beside its place first: a monitoring system must never read half a file."""
    if path is None:
        return
    beside = path.with_name(path.name + ".new")
    try:
        beside.write_text(form(outcomes, _now()), encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise UsageError(
            f"{path}: {error.strerror}", "name a file in a directory that can be written"
        ) from error


def run_snapshot(settings: Settings, terminal: Terminal) -> int:
    """0 when the state of all nodes and the verdicts on all watched endpoints were stored."""
    report, statements = terminal.report, statements_for(settings)
    with _database(settings, terminal) as database:
        status.require_installed(database, statements)
        report.say("asking all nodes, and checking the watched endpoints")
        counts = record_snapshot(statements.snapshot(_now()), database)
    report.document({"rows": counts})
    report.say(", ".join(f"{table}: {count} rows" for table, count in counts.items()))
    return OK


def print_snapshot(settings: Settings, report: Report) -> int:
    """The statements of a snapshot, for a scheduler that speaks SQL. Connects nowhere."""
    for sql in statements_for(settings).snapshot().values():
        report.say(f"{sql};\n")
    report.say("COMMIT;")
    return OK


def run_check(
    settings: Settings, terminal: Terminal, texts: Sequence[str], options: str | None
) -> int:
    """0 when every node trusts every endpoint with the shared bundle, 1 otherwise."""
    endpoints = [check.parse_endpoint(text, options) for text in dict.fromkeys(texts)]
    if not endpoints:
        raise UsageError("no endpoint is given", "write: exatrust check HOST:PORT")
    statements = statements_for(settings)
    with _database(settings, terminal) as database:
        current = status.require_installed(database, statements)
        nodes = node_count(database, statements)
        found = check.verdicts(check.ask(database, statements, current, endpoints), endpoints)
        failed = check.failing(found, endpoints, current.aliases, nodes)
        ill = [endpoint for endpoint in endpoints if str(endpoint) in failed]
        told = check.diagnose(database, statements, current, ill)
    terminal.report.document(
        {
            "nodes": nodes,
            "failed": failed,
            "verdicts": [asdict(item) for item in found],
            "findings": [asdict(item) for item in told],
        }
    )
    terminal.report.table(
        ("ENDPOINT", "TRUSTSTORE", "ALIAS", "NODES", "TRUSTED", "FINDING"),
        [_check_row(item, nodes) for item in found],
    )
    for name in failed:
        _explain(name, check.explanations(found, name, told), terminal.report)
    return FINDINGS if failed else OK


def _check_row(item: check.Verdict, nodes: int) -> tuple[object, ...]:
    agree = f"{len(item.nodes)}/{nodes}"
    if len(item.nodes) < nodes:
        agree += f" ({node_list(item.nodes)})"
    return item.endpoint, item.truststore, item.alias, agree, item.trusted, item.finding


def _explain(endpoint: str, told: Sequence[tuple[str, str]], report: Report) -> None:
    """Cause and action, each once, although aliases and nodes repeat them."""
    report.say(f"\n{endpoint}: does not pass with the shared bundle on every node")
    for cause, action in told:
        report.say(f"  Cause:  {cause}\n  Action: {action}")


def run_discover(settings: Settings, terminal: Terminal, watch: bool) -> int:
    """0: what is found is for the reader to judge; ENDPOINT_PLAINTEXT and other checks judge."""
    statements, report = statements_for(settings), terminal.report
    with _database(settings, terminal) as database:
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


def run_rollback(settings: Settings, terminal: Terminal, wanted: str | None, yes: bool) -> int:
    """0 when all scripts point to the earlier release, on every node."""
    report = terminal.report
    with open_ports(settings, terminal) as ports:
        proposal = propose_rollback(settings, ports, wanted, report.warn)
        _show_plan(proposal, report)
        if proposal.actions and not yes:
            _ask_yes(terminal, f"All scripts go back to release {proposal.release.id}.")
        carry_out(proposal, ports, _now, report.say)
    if proposal.actions:
        report.say(f"Rolled back: release {proposal.release.id}, verified on every node.")
    return OK


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
            _ask_yes(terminal, f"This deletes the files of: {', '.join(pruning.releases)}.")
        prune.remove(pruning, ports.bucket, report.say)
    return OK


def run_uninstall(settings: Settings, terminal: Terminal, yes: bool) -> int:
    """0 when nothing of ours is left."""
    report, statements = terminal.report, statements_for(settings)
    with open_ports(settings, terminal) as ports:
        removal = uninstall.find(ports, statements, settings.bucketfs.prefix)
        if removal.empty:
            report.say("Nothing of exatrust is installed.")
            return OK
        if not yes:
            _ask_yes(
                terminal,
                f"This drops {len(removal.objects)} objects of schema "
                f"{statements.schema.upper()}, its history and watched endpoints among them, "
                f"and deletes {len(removal.files)} files.",
            )
        roles.drop(ports.database, statements, report.say)
        uninstall.remove(removal, ports, statements, report.say)
    return OK


def run_roles(settings: Settings, terminal: Terminal) -> int:
    """0 when both roles exist and have what they need."""
    report, statements = terminal.report, statements_for(settings)
    with _database(settings, terminal) as database:
        status.require_installed(database, statements)
        found = roles.make(database, statements, report.say)
    report.document({"roles": found.known})
    return OK


def print_roles(settings: Settings, report: Report) -> int:
    """The statements, for a DBA to run. Connects nowhere."""
    for sql in roles.script(statements_for(settings)):
        report.say(f"{sql};")
    return OK
