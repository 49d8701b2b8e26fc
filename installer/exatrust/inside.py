"""The steps of `exatrust doctor` in a session: privileges, aliases, nodes, bucket, clocks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from exatrust import __version__, aliases, privileges
from exatrust.database import Database
from exatrust.doctor import FAILED, GOOD, SKIPPED, WARNING, Doctor, Finding, Seen
from exatrust.errors import AliasBroken, NodesBehind
from exatrust.languages import NATIVE, PYTHON, Alias, check_aliases, choose, languages
from exatrust.nodes import NodeReport, node_list
from exatrust.observe import ask_nodes, installed, script_aliases, try_native
from exatrust.proposal import statements_for
from exatrust.settings import Settings
from exatrust.statements import Statements

LOGIN = "database login"
PRIVILEGES, ALIASES, NODES = "privileges", "aliases", "nodes"
BUCKET_IN_UDFS, CLOCKS = "bucket in UDFs", "clocks"
CLOCK_WARNING, CLOCK_FAILURE = 30.0, 300.0  # seconds
# PROBE_NODE compares files by SHA-256; of a directory it says that it is no regular file.
_NO_DIGEST = "0" * 64
_IS_DIRECTORY = "not a regular file"
Clock = Callable[[], dt.datetime]


@dataclass
class _Answers:
    """What nodes said, by alias, when they were asked, and their number."""

    reports: dict[str, tuple[NodeReport, ...]] = field(default_factory=dict)
    asked: dict[str, tuple[dt.datetime, dt.datetime]] = field(default_factory=dict)
    nodes: int = 0


@dataclass(frozen=True)
class _Session:
    """What all steps here use."""

    doctor: Doctor
    database: Database
    statements: Statements
    settings: Settings
    now: Clock

    @property
    def bucket_directory(self) -> str:
        """Where UDFs see the bucket."""
        return f"/buckets/{self.settings.bucketfs.service}/{self.settings.bucketfs.bucket}"


def examine(doctor: Doctor, database: Database | None, settings: Settings, now: Clock) -> None:
    """All steps; without a database they are skipped."""
    if database is None:
        for name in (PRIVILEGES, ALIASES, NODES, BUCKET_IN_UDFS, CLOCKS):
            doctor.add(Finding(name, SKIPPED, f"depends on: {LOGIN}"))
        return
    session = _Session(doctor, database, statements_for(settings), settings, now)
    doctor.step(PRIVILEGES, [LOGIN], lambda: _privileges(session))
    answers = _Answers()
    chosen = doctor.step(ALIASES, [PRIVILEGES], lambda: _aliases(session, answers)) or ()
    doctor.step(NODES, [ALIASES], lambda: _nodes(chosen, answers))
    doctor.step(BUCKET_IN_UDFS, [NODES], lambda: _bucket(session, answers))
    doctor.step(CLOCKS, [NODES], lambda: _clocks(answers))


def _privileges(session: _Session) -> Seen[None]:
    """A row for each privilege; the step itself sums them up."""
    parameter = aliases.parameter(session.database, session.statements)
    found = privileges.trials(session.database, session.statements, parameter)
    for trial in found:
        session.doctor.add(_trial(trial, session.settings.database.user))
    lacking = [trial.privilege for trial in found if trial.refused]
    if lacking:
        raise privileges.lacking(lacking, session.settings.database.user)
    return Seen("all that an install needs are there", None)


def _trial(trial: privileges.Trial, user: str) -> Finding:
    name = f"privilege {trial.privilege}"
    if trial.refused is None:
        return Finding(name, GOOD, f"is there; for {trial.purpose}")
    return Finding(
        name, FAILED, f"is refused: {trial.refused}",
        f"GRANT {trial.privilege} TO {user.upper()}; it is for {trial.purpose}",
    )  # fmt: skip


def _aliases(session: _Session, answers: _Answers) -> Seen[tuple[str, ...]]:
    """A row for each alias; the step itself says which get scripts."""
    database, statements = session.database, session.statements
    wanted = session.settings.scripts.aliases
    known = languages(aliases.parameter(database, statements))
    found = [_alias(session, answers, name, language) for name, language in known.items()]
    current = installed(database, statements)
    recorded = current.aliases if current else ()
    if recorded and not wanted:
        recorded = (*recorded, *script_aliases(database, statements))
    database.rollback()
    for alias in found:
        session.doctor.add(_alias_finding(alias, wanted))
    check_aliases(wanted, aliases.parameter(database, statements))
    choice = choose(wanted, found, tuple(dict.fromkeys(recorded)))
    text = f"scripts for {', '.join(choice.aliases)}; without suffix for {choice.aliases[0]}"
    return Seen(text, choice.aliases)


def _alias(session: _Session, answers: _Answers, name: str, language: str) -> Alias:
    if language in NATIVE:
        refused = try_native(session.database, session.statements, name, language)
        return Alias(name, language, refused, tried=True)
    if language != PYTHON:
        return Alias(name, language)
    directory = f"{_NO_DIGEST} {session.bucket_directory}"
    before = session.now()
    try:
        answers.reports[name], answers.nodes = ask_nodes(
            session.database, session.statements, name,
            version=__version__, release="", files=directory,
        )  # fmt: skip
    except AliasBroken as error:
        return Alias(name, language, error.why)
    answers.asked[name] = before, session.now()
    return Alias(name, language)


def _alias_finding(alias: Alias, wanted: Sequence[str]) -> Finding:
    name = f"alias {alias.name}"
    # A Java or R alias that runs no script is served by files, unless it was asked for by name.
    if alias.broken is None or (alias.language != PYTHON and alias.name not in wanted):
        return Finding(name, GOOD, alias.sentence)
    action = "repair its language container, or take it out of SCRIPT_LANGUAGES"
    state = FAILED if alias.name in wanted else WARNING
    return Finding(name, state, alias.sentence, action, AliasBroken.exit_code)


def _nodes(chosen: Sequence[str], answers: _Answers) -> Seen[None]:
    silent = []
    for alias in chosen:
        seen = {report.node_id for report in answers.reports[alias]}
        missing = [node for node in range(answers.nodes) if node not in seen]
        if missing:
            silent.append(f"{alias}: no answer from {node_list(missing)}")
    if silent:
        raise NodesBehind("; ".join(silent), "see whether these nodes run, and their containers")
    return Seen(f"all {answers.nodes} answer, in {', '.join(chosen)}", None)


def _bucket(session: _Session, answers: _Answers) -> Seen[None]:
    directory = session.bucket_directory
    problems = {
        node: text
        for reports in answers.reports.values()
        for node, text in _hidden(reports).items()
    }
    if problems:
        raise NodesBehind(
            "; ".join(f"node {node}: {text}" for node, text in sorted(problems.items())),
            "check bucketfs.service and bucketfs.bucket; for a private bucket GRANT CONNECTION to "
            f"{session.settings.database.user.upper()} (docs/privileges.md)",
        )
    return Seen(f"every node has {directory}", None)


def _hidden(reports: Sequence[NodeReport]) -> Mapping[int, str]:
    texts = {report.node_id: (report.problems or "").strip() for report in reports}
    return {node: text for node, text in texts.items() if not text.endswith(_IS_DIRECTORY)}


def _clocks(answers: _Answers) -> Seen[None]:
    """A node's time must lie between question and answer."""
    offsets = {
        report.node_id: _offset(report, *answers.asked[alias])
        for alias, reports in answers.reports.items()
        for report in reports
    }
    wrong = {node: seconds for node, seconds in offsets.items() if abs(seconds) > CLOCK_WARNING}
    text = "; ".join(
        f"node {node} is {abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'}"
        for node, seconds in sorted(wrong.items())
    )
    action = "synchronise the time of nodes and of this machine: certificates depend on it"
    if any(abs(seconds) > CLOCK_FAILURE for seconds in wrong.values()):
        raise NodesBehind(text, action)
    if wrong:
        return Seen(text, None, action)
    return Seen(f"no node is more than {CLOCK_WARNING:.0f} s off this machine's", None)


def _offset(report: NodeReport, before: dt.datetime, after: dt.datetime) -> float:
    """Seconds that the node is ahead; 0 where its time fits."""
    if report.machine_time is None:
        return 0.0
    there = report.machine_time.replace(tzinfo=dt.timezone.utc)
    if there > after:
        return (there - after).total_seconds()
    return min(0.0, (there - before).total_seconds())
