"""`exatrust doctor`: the preconditions of an install, before anything is touched.

What it does in the database is rolled back. It writes to the bucket only with --write.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from functools import partial

from exatrust import inside
from exatrust.bucket import Bucket, may_write
from exatrust.buckets import open_bucket
from exatrust.contact import DATABASE, Contact, Server, look_at, servers
from exatrust.credentials import Sources
from exatrust.database import Database
from exatrust.doctor import SKIPPED, Doctor, Finding, Seen, exit_status
from exatrust.errors import (
    BucketFSFailed,
    BucketFSUnreachable,
    CertificateRefused,
    DatabaseUnreachable,
)
from exatrust.inside import LOGIN, Clock
from exatrust.pinning import changed, unknown
from exatrust.report import Report, one_line
from exatrust.settings import BucketFSSettings, Settings
from exatrust.terminal import Terminal

BUCKET = "bucket"


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


def run_doctor(
    load: Callable[[], Settings], terminal: Terminal, write: bool, now: Clock = _now
) -> int:
    """0 when an install can be expected to work."""
    report = terminal.report
    doctor = Doctor(lambda finding: _show(finding, report))
    with ExitStack() as stack:
        settings = doctor.step("settings", (), lambda: _settings(load))
        if settings is not None:
            _examine(doctor, settings, terminal, write, now, stack)
    report.document({"findings": [asdict(item) for item in doctor.findings]})
    return exit_status(doctor.findings)


def _show(finding: Finding, report: Report) -> None:
    """At once: a step can wait for a server that is silent."""
    report.say(f"{finding.state:<7} {finding.name}: {one_line(finding.found)}")
    if finding.action:
        report.say(f"        Action: {one_line(finding.action)}")


def _settings(load: Callable[[], Settings]) -> Seen[Settings]:
    settings = load()
    return Seen(
        f"database {settings.database.dsn.pyexasol()}, user {settings.database.user}; "
        f"{settings.bucketfs.place}",
        settings,
    )


def _examine(
    doctor: Doctor, settings: Settings, terminal: Terminal, write: bool, now: Clock,
    stack: ExitStack,
) -> None:  # fmt: skip
    reached = servers(settings)
    for server in reached:
        _network(doctor, server)
    database = doctor.step(
        LOGIN, ["database certificate"], lambda: _login(settings, terminal, stack)
    )
    needs = [f"{server.section} certificate" for server in reached if server.section != DATABASE]
    bucket = doctor.step(BUCKET, needs, lambda: _bucket(settings, terminal, stack))
    _write(doctor, bucket, settings.bucketfs, write)
    inside.examine(doctor, database, settings, now)


def _network(doctor: Doctor, server: Server) -> None:
    section = server.section
    contacts: Sequence[Contact] = look_at(server)
    name, port = f"{section} name", f"{section} port"
    doctor.step(name, (), lambda: _resolved(server, contacts))
    doctor.step(port, [name], lambda: _connected(server, contacts))
    doctor.step(f"{section} certificate", [port], lambda: _trusted(server, contacts))


def _unreachable(
    server: Server, message: str, action: str
) -> DatabaseUnreachable | BucketFSUnreachable:
    kind = DatabaseUnreachable if server.section == DATABASE else BucketFSUnreachable
    return kind(message, action)


def _resolved(server: Server, contacts: Sequence[Contact]) -> Seen[None]:
    lost = [item for item in contacts if not item.resolved]
    action = f"correct {server.address_setting}, or the DNS servers of this machine"
    if len(lost) == len(contacts):
        raise _unreachable(server, _problems(lost), action)
    return Seen(_of(contacts, lost, "resolves"), None, action if lost else "")


def _connected(server: Server, contacts: Sequence[Contact]) -> Seen[None]:
    lost = [item for item in contacts if not item.connected]
    action = f"check {server.address_setting}, that {server.name} runs, and the firewall"
    if len(lost) == len(contacts):
        raise _unreachable(server, _problems(lost), action)
    return Seen(_of(contacts, lost, "accepts connections"), None, action if lost else "")


def _trusted(server: Server, contacts: Sequence[Contact]) -> Seen[None]:
    if not server.encrypted:
        action = "set bucketfs.url to https://HOST:PORT: on the way, the password can be read"
        return Seen("the address is http://, without TLS", None, action)
    answered = [item for item in contacts if item.connected]
    for item in answered:
        if not item.trusted:
            raise _refused(server, item)
    return Seen("is the pinned one" if server.pin else "is verified by a CA, name included", None)


def _refused(
    server: Server, contact: Contact
) -> CertificateRefused | DatabaseUnreachable | BucketFSUnreachable:
    reason = contact.problem or ""
    if contact.presented is None:
        action = f"see that {server.address_setting} names the port of {server.name}"
        return _unreachable(server, f"{contact.address}: no TLS: {reason}", action)
    if server.pin:
        return changed(contact.presented.der, server.pin, server.section)
    leaf = contact.presented.der
    return unknown(leaf, server.section, server.ca_file, contact.address, reason)


def _problems(contacts: Sequence[Contact]) -> str:
    return "; ".join(f"{item.address}: {item.problem}" for item in contacts)


def _of(contacts: Sequence[Contact], lost: Sequence[Contact], what: str) -> str:
    good = ", ".join(item.address for item in contacts if item not in lost)
    return f"{good} {what}" + (f"; not so {_problems(lost)}" if lost else "")


def _login(settings: Settings, terminal: Terminal, stack: ExitStack) -> Seen[Database]:
    section = settings.database
    password = _sources(terminal).password("database", section.user, section.password_file)
    database = stack.enter_context(closing(Database(section, password)))
    return Seen(f"user {section.user} is let in", database)


def _bucket(settings: Settings, terminal: Terminal, stack: ExitStack) -> Seen[Bucket]:
    section = settings.bucketfs
    bucket = stack.enter_context(closing(open_bucket(section, _sources(terminal))))
    count = len(bucket.list())
    reader = f"user {section.user} reads its" if section.url else "there are"
    return Seen(f"{section.bucket} exists, and {reader} {count} files", bucket)


def _sources(terminal: Terminal) -> Sources:
    return Sources(os.environ, terminal.secret, terminal.report.warn)


def _write(doctor: Doctor, bucket: Bucket | None, settings: BucketFSSettings, write: bool) -> None:
    if not write:
        text = "not tried; with --write a small file is written, read back and deleted"
        doctor.add(Finding("bucket write", SKIPPED, text))
        return
    doctor.step("bucket write", [BUCKET], partial(_written, bucket, settings))


def _written(bucket: Bucket | None, settings: BucketFSSettings) -> Seen[None]:
    if bucket is None or not may_write(bucket, settings.prefix):
        raise BucketFSFailed(
            "the user may read the bucket, and not write to it",
            'set bucketfs.user = "w" and give the bucket\'s write password'
            if settings.url
            else "run it as somebody who may write there",
        )
    return Seen("a file was written and deleted again", None)
