"""The steps that change something: files into the bucket, statements into the database."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Mapping

from exatrust import decisions
from exatrust.bucket import Bucket
from exatrust.database import Database
from exatrust.errors import BucketFSFailed, Superseded
from exatrust.observe import installed
from exatrust.proposal import Proposal, Say
from exatrust.statements import bodies_text, literal, timestamp

READ_BACK_SECONDS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)  # BucketFS may serve the old file for a while


def upload(
    proposal: Proposal,
    bucket: Bucket,
    say: Say,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Put the planned files into the bucket, and read each back. Raises BucketFSFailed."""
    planned = [action.name for action in proposal.actions if action.kind == "file"]
    _upload(planned, proposal, bucket, say, sleep)


def upload_again(
    proposal: Proposal,
    bucket: Bucket,
    say: Say,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Put all files of the release into the bucket once more: what is written is distributed."""
    _upload(tuple(proposal.desired.files), proposal, bucket, say, sleep)


def _upload(
    paths: Iterable[str], proposal: Proposal, bucket: Bucket, say: Say,
    sleep: Callable[[float], None],
) -> None:  # fmt: skip
    contents = {file.name: file.content for file in proposal.release.files}
    for path in paths:
        content = contents[path.rpartition("/")[2]]
        say(f"upload {path} ({len(content):,} bytes)")
        bucket.write(path, content)
        _read_back(bucket, path, content, sleep)


def _read_back(bucket: Bucket, path: str, content: bytes, sleep: Callable[[float], None]) -> None:
    for pause in READ_BACK_SECONDS:
        sleep(pause)
        if bucket.read(path) == content:
            return
    raise BucketFSFailed(
        f"BucketFS does not give back what was uploaded as {path}",
        "see whether its disk is full, or another installer writes; then run the command again",
    )


def change_database(proposal: Proposal, database: Database, now: dt.datetime, say: Say) -> None:
    """All statements of the plan and the record of the release, in one transaction."""
    steps = [action for action in proposal.actions if action.sql]
    records = [action for action in proposal.actions if action.kind == "release"]
    if not steps and not records:
        return

    def work() -> None:
        _refuse_superseded(proposal, database)
        for action in steps:
            database.execute(action.sql)
        if records:
            _record_release(proposal, database, now)

    for action in steps:
        say(f"{action.verb} {action.kind} {action.name}")
    database.transaction(work)
    say(f"scripts of schema {proposal.desired.schema} point to release {proposal.release.id}")


def _refuse_superseded(proposal: Proposal, database: Database) -> None:
    """Two installers at once: the one whose plan is out of date stops, with nothing changed.

    It looks inside the transaction: whoever commits in between makes this one collide, and look
    again when it is tried again.
    """
    now = installed(database, proposal.statements)
    if now != proposal.current:
        what = "took everything away" if now is None else (
            f"activated release {now.release} at {now.activated_at:%Y-%m-%d %H:%M:%S} UTC, as "
            f"{now.activated_by}"
        )  # fmt: skip
        raise Superseded(
            f"another installer was quicker: it {what}; this one changed nothing in the database",
            "run `exatrust plan` to see whether anything is left to do",
        )


def _record_release(proposal: Proposal, database: Database, now: dt.datetime) -> None:
    release = proposal.release
    database.execute(
        proposal.statements.query(
            "record_release",
            now=timestamp(now),
            release=literal(release.id),
            aliases=literal(",".join(proposal.desired.aliases)),
            bundle_sha256=literal(release.bundle.sha256),
            certificates=str(len(proposal.bundle.anchors)),
            files=literal(proposal.files),
            scripts=literal(bodies_text(proposal.desired.scripts)),
        )
    )
    decisions.record(
        proposal.bundle, release.id, proposal.reason, now, database, proposal.statements
    )


def record_baseline(proposal: Proposal, database: Database, now: dt.datetime) -> None:
    """Store what all nodes are now, in one transaction; the view DRIFT compares with it."""
    record_snapshot(proposal.statements.snapshot(now, baseline=True), database)


def record_snapshot(snapshot: Mapping[str, str], database: Database) -> Mapping[str, int]:
    """Carry out the statements of a snapshot in one transaction; the rows each table got."""
    return database.transaction(
        lambda: {table: database.execute(sql) for table, sql in snapshot.items()}
    )
