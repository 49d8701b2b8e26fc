"""Whether a CA may go: what the ledger shows, and how much the ledger is worth."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from exatrust import resources
from exatrust.bundle import Bundle, Removal, compose
from exatrust.distrust import Distrust, DistrustedRoot
from exatrust.errors import AnchorInUse
from exatrust.intake import read_certificates
from exatrust.report import Report
from exatrust.statements import Statements
from exatrust.usage import refuse_used, warn_of_distrust
from exatrust_udf.certificate import Certificate

STATEMENTS = Statements("exatrust", ("PYTHON3",), resources.sql, resources.udf_text)
SEEN = dt.datetime(2026, 11, 1, 12, 30)
GONE = (Removal("ab" * 32, "CN=Corp"),)
EMPTY = compose((), "set", [], Distrust())


class Ledger:
    """A database with rows of ANCHOR_USAGE, and perhaps a last snapshot."""

    def __init__(
        self,
        uses: int,
        last: dt.datetime | None,
        installed: bool = True,
        others: Sequence[str] = (),
    ) -> None:
        self.uses, self.last, self.installed, self.others = uses, last, installed, others

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        if "EXA_ALL_VIEWS" in sql:
            return [("ANCHOR_USAGE", "exatrust:" + "0" * 64)] if self.installed else []
        assert self.installed
        if "MAX(" in sql:
            return [(self.last,)]
        others = "\n".join(self.others) or None
        return [(f"host{n}", 443, "PYTHON3", 4, SEEN, "ab" * 32, others) for n in range(self.uses)]


def refused(
    ledger: Ledger, force: bool = False, going: tuple[Removal, ...] = GONE, bundle: Bundle = EMPTY
) -> str:
    err = io.StringIO()
    report = Report(False, io.StringIO(), err)
    refuse_used(going, bundle, ledger, STATEMENTS, force, report)  # type: ignore[arg-type]
    return err.getvalue()


@pytest.fixture(scope="module")
def roots(pem: Callable[..., bytes]) -> tuple[Certificate, ...]:
    return read_certificates(pem("A") + pem("B"), "roots")


def test_a_ca_may_go_where_another_one_that_stays_closes_the_chain(
    roots: tuple[Certificate, ...],
) -> None:
    bundle = compose(roots, "set", [], Distrust())
    told = refused(Ledger(1, SEEN, others=["cd" * 32, roots[0].sha256]), bundle=bundle)
    assert "without CN=Corp another CA of the bundle serves host0:443" in told
    with pytest.raises(AnchorInUse):
        refused(Ledger(1, SEEN, others=["cd" * 32]), bundle=bundle)


def test_what_is_distrusted_names_the_endpoints_that_break_unless_another_ca_serves_them(
    roots: tuple[Certificate, ...],
) -> None:
    root = DistrustedRoot(roots[0].sha256, None, None, "lost key", None, None, None)
    bundle = compose(roots, "set", [], Distrust(own=(root,)))

    def told(ledger: Ledger) -> str:
        err = io.StringIO()
        warn_of_distrust(bundle, ledger, STATEMENTS, Report(False, io.StringIO(), err))  # type: ignore[arg-type]
        return err.getvalue()

    assert f"without {roots[0].subject} this breaks: host0:443" in told(Ledger(1, SEEN))
    assert "lost key" in told(Ledger(0, SEEN))
    assert "breaks" not in told(Ledger(0, SEEN)) + told(Ledger(1, SEEN, others=[roots[1].sha256]))


def test_a_ca_in_use_stays_and_its_endpoints_are_named() -> None:
    with pytest.raises(AnchorInUse) as error:
        refused(Ledger(12, SEEN))
    assert error.value.message.startswith("CN=Corp is in use, its removal would break host0:443")
    assert "(PYTHON3, 4 nodes, last seen 2026-11-01 12:30 UTC)" in error.value.message
    assert error.value.message.endswith("and 2 more")
    assert "--force" in error.value.action


def test_by_force_it_goes_and_what_breaks_is_said() -> None:
    assert "this breaks, by force: host0:443" in refused(Ledger(1, SEEN), force=True)


def test_an_unused_ca_goes_and_the_age_of_the_ledger_is_said() -> None:
    told = refused(Ledger(0, SEEN))
    assert "the last one of 2026-11-01 12:30 UTC" in told
    assert "the table ENDPOINT only" in told


@pytest.mark.parametrize("installed", [True, False])
def test_without_a_snapshot_nobody_knows_and_that_is_said(installed: bool) -> None:
    assert "no endpoint was ever checked" in refused(Ledger(0, None, installed))


def test_an_install_that_removes_nothing_asks_nothing() -> None:
    assert refused(Ledger(0, None, installed=False), going=()) == ""
