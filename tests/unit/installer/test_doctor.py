"""Preconditions: each is looked at, whatever became of the others."""

from __future__ import annotations

import pytest

from exatrust.commands.doctor import _trusted
from exatrust.contact import Contact, Server
from exatrust.doctor import FAILED, GOOD, SKIPPED, WARNING, Doctor, Finding, Seen, exit_status
from exatrust.errors import BucketFSUnreachable, ExatrustError, NodesBehind, WrongPassword


def failing(error: ExatrustError) -> Seen[int]:
    raise error


def test_what_depends_on_a_failed_step_is_skipped_and_says_on_what() -> None:
    shown: list[Finding] = []
    doctor = Doctor(shown.append)
    assert doctor.step("a", (), lambda: Seen("found", 1)) == 1
    assert doctor.step("b", ["a"], lambda: failing(NodesBehind("no", "do"))) is None
    assert doctor.step("c", ["a", "b"], lambda: Seen("never", 2)) is None
    assert doctor.step("d", ["c"], lambda: Seen("never", 2)) is None
    assert doctor.step("e", ["a"], lambda: Seen("well, nearly", 3, "do that")) == 3
    assert doctor.step("f", ["e"], lambda: Seen("found", 4)) == 4
    assert [(item.name, item.state, item.found) for item in shown] == [
        ("a", GOOD, "found"),
        ("b", FAILED, "no"),
        ("c", SKIPPED, "depends on: b"),
        ("d", SKIPPED, "depends on: c"),
        ("e", WARNING, "well, nearly"),
        ("f", GOOD, "found"),
    ]
    assert shown == doctor.findings


@pytest.mark.parametrize(
    ("errors", "warned", "status"),
    [
        ([], False, 0),
        ([], True, 1),
        ([NodesBehind("", "")], False, 1),
        ([BucketFSUnreachable("", ""), NodesBehind("", "")], True, 3),
        ([NodesBehind("", ""), BucketFSUnreachable("", ""), WrongPassword("", "")], False, 2),
    ],
)
def test_the_exit_status_is_that_of_the_worst_finding(
    errors: list[ExatrustError], warned: bool, status: int
) -> None:
    doctor = Doctor(lambda finding: None)
    doctor.add(Finding("not asked for", SKIPPED, ""))
    for number, error in enumerate(errors):
        doctor.step(str(number), (), lambda error=error: failing(error))  # type: ignore[misc]
    if warned:
        doctor.step("w", (), lambda: Seen("", None, "do"))
    assert exit_status(doctor.findings) == status


def test_a_bucket_without_tls_is_a_warning_about_the_password() -> None:
    server = Server("bucketfs", (("bfs", 2580),), False, None, None, "bucketfs.fingerprint")
    contact = Contact("bfs:2580", True, True, None, False, "NOT_TLS: it speaks HTTP")
    seen = _trusted(server, [contact])
    assert "without TLS" in seen.found
    assert "https://" in seen.action
