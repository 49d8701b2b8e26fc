"""The ledger of decisions: every change of mind, once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from exatrust import resources
from exatrust.bundle import Anchor, Bundle, Removal, compose
from exatrust.change import removal
from exatrust.decisions import record
from exatrust.distrust import Distrust, DistrustedRoot
from exatrust.intake import read_certificates
from exatrust.statements import Statements
from exatrust_udf.certificate import Certificate

STATEMENTS = Statements("exatrust", ("PYTHON3",), resources.sql, resources.udf_text)


class Ledger:
    """A database that keeps what it was told, as rows of the query decisions.sql."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.last: dict[str, tuple[Any, ...]] = {}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return list(self.last.values())

    def execute(self, sql: str) -> int:
        """Take the row apart as far as the tests need it."""
        kind = next(word for word in ("ADDED", "REMOVED", "LEFT_OUT") if f"'{word}'" in sql)
        digest = next(part for part in sql.split("'") if len(part) == 64)
        self.told.append(sql)
        moment = dt.datetime(2026, 1, len(self.told))
        self.last[digest] = (kind, digest, "CN=", None, None, moment, "SYS", None)
        return 1

    def after(self, bundle: Bundle, reason: str | None = None) -> list[str]:
        """What an install with this bundle adds to the ledger."""
        before = len(self.told)
        moment = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
        record(bundle, "1.0-abc", reason, moment, self, STATEMENTS)  # type: ignore[arg-type]
        return self.told[before:]


@pytest.fixture(scope="module")
def roots(pem: Callable[..., bytes]) -> tuple[Certificate, ...]:
    return read_certificates(b"".join(pem(name) for name in "ABC"), "roots")


def test_a_decision_is_recorded_once_and_so_is_its_reversal(
    roots: tuple[Certificate, ...],
) -> None:
    ledger, anchor = Ledger(), Anchor(roots[0], "added", "corp.pem")
    without = compose(roots[1:], "set", [], Distrust(), [removal(anchor)])
    having = compose(roots[1:], "set", [anchor], Distrust())
    assert ledger.after(compose(roots[1:], "set", [], Distrust())) == []
    (added,) = ledger.after(having, "ticket 1")
    assert "'ticket 1 (a human confirmed its fingerprint)'" in added
    assert "'corp.pem'" in added
    assert "BEGIN CERTIFICATE" in added
    assert ledger.after(having) == []
    (removed,) = ledger.after(without, "it's old")
    assert "'REMOVED'" in removed
    assert "BEGIN CERTIFICATE" in removed
    assert ledger.after(without) == []
    assert len(ledger.after(having)) == 1


def test_a_removal_known_by_name_alone_has_no_certificate(roots: tuple[Certificate, ...]) -> None:
    gone = Removal(roots[0].sha256, roots[0].subject)
    (removed,) = Ledger().after(compose(roots, "set", [], Distrust(), [gone]))
    assert "BEGIN CERTIFICATE" not in removed
    assert "'a human removed it'" in removed


def test_what_the_list_of_distrusted_roots_leaves_out_is_recorded_with_the_lists_reason(
    roots: tuple[Certificate, ...],
) -> None:
    ledger = Ledger()
    bad = DistrustedRoot(roots[0].sha256, None, "CN=A", "its key is lost", None, None, None)
    bundle = compose(roots, "set", [], Distrust(own=(bad,)))
    (left,) = ledger.after(bundle, "another reason")
    assert "'CN=A is distrusted: its key is lost'" in left
    assert ledger.after(bundle) == []


def test_a_bundle_that_contradicts_the_ledger_is_recorded_as_after_a_rollback(
    roots: tuple[Certificate, ...],
) -> None:
    ledger, anchor = Ledger(), Anchor(roots[0], "added", "corp.pem")
    ledger.after(compose(roots[1:], "set", [anchor], Distrust()))
    ledger.after(
        compose(roots, "set", [anchor], Distrust(), [removal(Anchor(roots[1], "default", "set"))])
    )
    told = ledger.after(compose(roots[1:], "set", [], Distrust()))
    assert sorted(next(w for w in ("ADDED", "REMOVED") if f"'{w}'" in sql) for sql in told) == [
        "ADDED",
        "REMOVED",
    ]
    assert ledger.after(compose(roots[1:], "set", [], Distrust())) == []
