"""Adding trust: only what a human vouched for, by the whole fingerprint."""

from __future__ import annotations

import datetime as dt
import io
import os
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from exatrust.additions import confirm, examine_new, read_additions, refuse
from exatrust.bundle import Anchor, compose
from exatrust.distrust import Distrust, DistrustedRoot
from exatrust.errors import BundleRejected, NotConfirmed, SettingsError
from exatrust.intake import read_certificates
from exatrust.report import Report

Make = Callable[..., bytes]


@pytest.fixture
def file(tmp_path: Path, pem: Make) -> Path:
    path = tmp_path / "corp.pem"
    path.write_bytes(pem("Corp Root"))
    return path


@pytest.fixture
def additions(file: Path) -> tuple[Anchor, ...]:
    return read_additions([file, file])


def digest(additions: tuple[Anchor, ...]) -> str:
    return additions[0].certificate.sha256


def test_the_same_file_twice_is_one_addition_named_after_the_file(
    additions: tuple[Anchor, ...],
) -> None:
    assert [(item.source, item.origin) for item in additions] == [("corp.pem", "added")]


def test_without_anybody_to_ask_the_fingerprint_is_shown_and_nothing_trusted(
    additions: tuple[Anchor, ...],
) -> None:
    said: list[str] = []
    with pytest.raises(NotConfirmed, match=r"CN=Corp Root from corp\.pem") as refused:
        confirm(additions, (), (), None, said.append)
    assert digest(additions) in refused.value.action
    assert "--confirm" in refused.value.action
    assert any(digest(additions) in line for line in said)
    assert any("CN=Corp Root" in line for line in said)


def test_the_right_fingerprint_with_colons_is_enough_and_the_ca_is_shown(
    additions: tuple[Anchor, ...],
) -> None:
    text = digest(additions).upper()
    colons = ":".join(text[at : at + 2] for at in range(0, 64, 2))
    said: list[str] = []
    confirm(additions, (), (colons,), None, said.append)
    assert any("CN=Corp Root" in line for line in said)


def test_a_fingerprint_of_something_else_is_an_alarm(additions: tuple[Anchor, ...]) -> None:
    with pytest.raises(NotConfirmed, match="is not the SHA-256 of any given CA"):
        confirm(additions, (), (digest(additions), "ab" * 32), None, lambda text: None)


@pytest.mark.parametrize("short", ["", "abcdef", "ab" * 31])
def test_half_a_fingerprint_is_none(additions: tuple[Anchor, ...], short: str) -> None:
    with pytest.raises(SettingsError, match="no SHA-256 fingerprint"):
        confirm(additions, (), (short,), None, lambda text: None)


def test_a_human_types_the_fingerprint(additions: tuple[Anchor, ...]) -> None:
    asked: list[str] = []

    def ask(text: str) -> str:
        asked.append(text)
        return digest(additions)

    confirm(additions, (), (), ask, lambda text: None)
    assert len(asked) == 1


def test_a_human_who_types_another_one_is_stopped(additions: tuple[Anchor, ...]) -> None:
    with pytest.raises(NotConfirmed, match="is not the SHA-256 of CN=Corp Root"):
        confirm(additions, (), (), lambda text: "cd" * 32, lambda text: None)


def test_yes_is_no_fingerprint(additions: tuple[Anchor, ...]) -> None:
    with pytest.raises(SettingsError):
        confirm(additions, (), (), lambda text: "yes", lambda text: None)


def test_a_ca_that_is_in_the_bundle_already_needs_no_second_confirmation(
    additions: tuple[Anchor, ...],
) -> None:
    confirm(additions, {digest(additions)}, (), None, lambda text: None)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleRejected, match=r"gone\.pem: No such file"):
        read_additions([tmp_path / "gone.pem"])


def anchor(data: bytes, source: str = "x.pem") -> Anchor:
    return Anchor(read_certificates(data, source)[0], "added", source)


def test_a_file_that_has_no_end_or_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    fifo, huge = tmp_path / "fifo", tmp_path / "huge.pem"
    os.mkfifo(fifo)
    with huge.open("wb") as file:
        file.truncate(3 << 30)
    for path, problem in ((fifo, "not a regular file"), (huge, "larger than"),
                          (Path("/dev/zero"), "not a regular file")):  # fmt: skip
        with pytest.raises(BundleRejected, match=problem):
            read_additions([path])


def test_all_cas_are_shown_before_the_first_one_is_refused(pem: Make) -> None:
    certificates = read_certificates(pem("One") + pem("Two"), "both.pem")
    said: list[str] = []
    with pytest.raises(NotConfirmed, match="CN=One"):
        confirm([Anchor(c, "added", "both.pem") for c in certificates], (), (), None, said.append)
    assert [line for line in said if line.startswith("Subject")] == [
        "Subject   CN=One",
        "Subject   CN=Two",
    ]


def test_a_leaf_and_a_distrusted_ca_are_refused_before_anybody_is_asked(pem: Make) -> None:
    with pytest.raises(BundleRejected, match="CN=leaf is not a CA"):
        refuse([anchor(pem("leaf", ca=False))], Distrust())
    bad = anchor(pem("Bad"), "bad.pem")
    root = DistrustedRoot(
        bad.certificate.sha256, None, "CN=Bad", "its key is lost", None, None, None
    )
    with pytest.raises(BundleRejected, match=r"bad\.pem: CN=Bad is distrusted: its key is lost"):
        refuse([bad], Distrust(own=(root,)))


class Told:
    """What a human was told."""

    def __init__(self, now: dt.datetime, *roots: Anchor) -> None:
        self.now = now
        self.bundle = compose([item.certificate for item in roots], "set", [], Distrust())
        self.out, self.err = io.StringIO(), io.StringIO()

    def of(self, *new: Anchor, known: Collection[str] = (), force: bool = False) -> str:
        report = Report(False, self.out, self.err)
        examine_new(new, known, self.bundle, self.now, force, report)
        return self.out.getvalue() + self.err.getvalue()


def test_an_expired_ca_is_refused_unless_a_human_insists_or_trusted_it_before(
    pem: Make, now: dt.datetime
) -> None:
    old = anchor(pem("Old", days=-1), "old.pem")
    with pytest.raises(BundleRejected, match=r"old\.pem: CN=Old expired on 2026-11-23") as refused:
        Told(now).of(old)
    assert "--force" in refused.value.action
    assert "expired on 2026-11-23" in Told(now).of(old, force=True)
    assert Told(now).of(old, known={old.certificate.sha256}) == ""


def test_a_rotation_keeps_both_cas_and_says_so(
    pem: Make, other: Callable[[str], bytes], now: dt.datetime
) -> None:
    old, new = anchor(pem("Corp")), anchor(other("Corp"), "new.pem")
    told = Told(now, old, anchor(pem("A"))).of(new)
    assert "new.pem: the bundle already has a CA of this name" in told
    assert old.certificate.sha256 in told
    assert f"exatrust ca remove {old.certificate.sha256[:16]}" in told
    assert "of this name" not in Told(now, new).of(new)
