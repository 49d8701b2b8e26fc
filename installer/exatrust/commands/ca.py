"""`exatrust ca`: add and remove CAs, list them, and compare two releases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from exatrust import status
from exatrust.additions import read_additions
from exatrust.bucket import Bucket
from exatrust.bundle import Anchor
from exatrust.change import Change
from exatrust.commands.install import run_change
from exatrust.credentials import Sources
from exatrust.decisions import Decision, last_decisions
from exatrust.envelopes import Password
from exatrust.errors import BucketFSFailed, UsageError
from exatrust.manifests import Contents, Difference, Entry, differences, find_release, read_contents
from exatrust.observe import Installed, history
from exatrust.proposal import releases_path, statements_for
from exatrust.report import Report
from exatrust.served import served_cas
from exatrust.settings import Settings
from exatrust.terminal import FINDINGS, OK, Consent, Terminal, open_ports

_REASON_LENGTH = 1500  # of the 2000 characters of the column; the rest is for what is added to it


@dataclass(frozen=True)
class Given:
    """What a human gave to `ca add`: files and host:port, the latter's options, a file with the
    password of PKCS#12 files."""

    sources: Sequence[str]
    options: str | None = None
    password_file: Path | None = None


def run_add(
    settings: Settings, terminal: Terminal, given: Given, reason: str | None, consent: Consent
) -> int:
    """0 when the CAs are in the bundle on every node."""
    additions = tuple(
        anchor
        for source in given.sources
        for anchor in _additions(source, given, terminal, consent)
    )
    return run_change(settings, terminal, Change(additions, reason=_said(reason, consent)), consent)


def _additions(
    source: str, given: Given, terminal: Terminal, consent: Consent
) -> tuple[Anchor, ...]:
    """A file is meant wherever there is one of that name, or the name is no host:port."""
    if "://" in source or not source.strip():
        raise UsageError(f"{source!r} is neither a file nor HOST:PORT", "leave out scheme and path")
    path = Path(source)
    if path.exists() or not source.rpartition(":")[2].isdigit():
        return read_additions([path], _password(given.password_file, terminal))
    return served_cas(source, given.options, consent.confirmed, terminal.report.say)


def _password(file: Path | None, terminal: Terminal) -> Password | None:
    if file is None:
        return terminal.secret
    sources = Sources({}, None, terminal.report.warn)
    return lambda text: sources.from_file("--password-file", file).reveal()


def run_remove(
    settings: Settings,
    terminal: Terminal,
    removals: Sequence[str],
    reason: str | None,
    consent: Consent,
) -> int:
    """0 when the CAs are gone from the bundle on every node."""
    change = Change(removals=tuple(removals), reason=_said(reason, consent))
    return run_change(settings, terminal, change, consent)


def _said(reason: str | None, consent: Consent) -> str | None:
    """The reason as it is recorded: whoever reads it later must see that somebody insisted."""
    if reason is not None and (len(reason) > _REASON_LENGTH or "\0" in reason):
        raise UsageError(
            f"--reason has {len(reason)} characters", f"write at most {_REASON_LENGTH}"
        )
    if not consent.force:
        return reason or None
    return f"{reason} (with --force)" if reason else "given with --force"


def run_list(settings: Settings, terminal: Terminal) -> int:
    """0, with every CA that UDFs trust, and those that were removed or left out."""
    statements, report = statements_for(settings), terminal.report
    with open_ports(settings, terminal) as ports:
        current = status.require_installed(ports.database, statements)
        found = read_contents(ports.bucket, releases_path(settings), current)
        decisions = last_decisions(ports.database, statements)
    report.document(
        {
            "release": found.release,
            "roots": found.roots,
            "certificates": [_document(entry, decisions) for entry in found.bundle.values()],
            "absent": [_document(entry, decisions) for entry in found.absent.values()],
        }
    )
    report.table(
        ("SHA256", "VALID UNTIL", "ORIGIN", "SOURCE", "DECIDED", "BY", "WHY", "CA"),
        [_row(entry, decisions) for entry in sorted(found.entries, key=_by_name)],
    )
    report.say(
        f"release {found.release}: {len(found.bundle)} CAs, {len(found.absent)} removed or left out"
    )
    return OK


def _by_name(entry: Entry) -> tuple[bool, str, str]:
    """What differs from the default set comes last, where a terminal still shows it."""
    return entry.origin != "default", entry.origin, entry.subject.casefold()


def _decision(entry: Entry, decisions: Mapping[str, Decision]) -> Decision | None:
    """The decision that made the entry what it is; an older one may be about something else."""
    found = decisions.get(entry.sha256)
    same = found is not None and found.kind == entry.origin.upper().replace(" ", "_")
    return found if same else None


def _row(entry: Entry, decisions: Mapping[str, Decision]) -> tuple[object, ...]:
    decision = _decision(entry, decisions)
    return (
        entry.sha256,
        _day(entry),
        entry.origin,
        entry.source,
        f"{decision.at:%Y-%m-%d %H:%M}" if decision else None,
        decision.by if decision else None,
        decision.reason if decision else entry.reason,
        entry.subject,
    )


def _document(entry: Entry, decisions: Mapping[str, Decision]) -> Mapping[str, object]:
    decision = _decision(entry, decisions)
    known = {"at": decision.at, "by": decision.by, "reason": decision.reason} if decision else None
    return {**asdict(entry), "decision": known}


def run_diff(settings: Settings, terminal: Terminal, old: str, new: str) -> int:
    """0 when both releases trust the same CAs, 1 otherwise."""
    statements, releases = statements_for(settings), releases_path(settings)
    with open_ports(settings, terminal) as ports:
        status.require_installed(ports.database, statements)
        past = history(ports.database, statements)
        before, after = (
            _contents(ports.bucket, releases, find_release(past, name)) for name in (old, new)
        )
    found = differences(before, after)
    _show_differences(before, after, found, terminal.report)
    return FINDINGS if found else OK


def _contents(bucket: Bucket, releases: str, of: Installed) -> Contents:
    """Raises UsageError: a release that is gone is no difference, whose exit status is 1."""
    try:
        return read_contents(bucket, releases, of)
    except BucketFSFailed as error:
        raise UsageError(error.message, "compare releases whose files are still there") from error


def _show_differences(
    before: Contents, after: Contents, found: Sequence[Difference], report: Report
) -> None:
    rows = [{"change": item.change, "why": item.why, **asdict(item.entry)} for item in found]
    report.document({"old": before.release, "new": after.release, "differences": rows})
    if not found:
        report.say(f"{before.release} and {after.release} trust the same {len(after.bundle)} CAs.")
        return
    report.table(
        ("CHANGE", "SHA256", "VALID UNTIL", "WHY", "CA"),
        [
            (item.change, item.entry.sha256, _day(item.entry), item.why, item.entry.subject)
            for item in found
        ],
    )


def _day(entry: Entry) -> str | None:
    return entry.not_after[:10] if entry.not_after else None
