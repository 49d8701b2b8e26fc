"""Adding and removing CAs: the bundle is the default set + added - removed, whatever the order."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exatrust.bundle import Anchor, Bundle, Removal, compose
from exatrust.carry import Carried
from exatrust.change import Change, changed, pick
from exatrust.distrust import Distrust, DistrustedRoot
from exatrust.errors import BundleRejected
from exatrust.intake import read_certificates
from exatrust.release import build
from exatrust_udf.certificate import Certificate

Make = Callable[..., bytes]


@pytest.fixture(scope="module")
def roots(pem: Make) -> tuple[Certificate, ...]:
    """The default set."""
    return read_certificates(b"".join(pem(name) for name in "ABCD"), "roots")


@pytest.fixture(scope="module")
def ours(pem: Make, other: Make) -> tuple[Certificate, ...]:
    """CAs of the company: the last two have one name."""
    return read_certificates(pem("X") + pem("Y") + pem("Corp") + other("Corp"), "ours")


def anchor(certificate: Certificate, source: str = "ours.pem") -> Anchor:
    return Anchor(certificate, "added", source)


def carried(bundle: Bundle) -> Carried:
    """What the manifest of a release with this bundle hands on."""
    return Carried(
        bundle.added, tuple(Removal(item.sha256, item.subject) for item in bundle.removed)
    )


class Installation:
    """Installs one after the other; each knows of the last only what its release says."""

    def __init__(self, roots: tuple[Certificate, ...]) -> None:
        self.roots = roots
        self.bundle = compose(roots, "set", [], Distrust())
        self.warned: list[str] = []

    def install(self, change: Change) -> tuple[Removal, ...]:
        self.bundle, going = changed(
            self.roots, "set", carried(self.bundle), change, Distrust(), self.warned.append
        )
        return going

    @property
    def digests(self) -> set[str]:
        return {item.certificate.sha256 for item in self.bundle.anchors}


@given(st.lists(st.tuples(st.sampled_from(["add", "remove", "install"]), st.integers(0, 7))))
def test_whatever_was_added_and_removed_the_bundle_is_default_plus_added_minus_removed(
    roots: tuple[Certificate, ...], ours: tuple[Certificate, ...], steps: list[tuple[str, int]]
) -> None:
    everything = (*roots, *ours)
    there = Installation(roots)
    expected = {item.sha256 for item in roots}
    for step, number in steps:
        certificate = everything[number]
        if step == "add":
            there.install(Change(additions=(anchor(certificate),)))
            expected.add(certificate.sha256)
        elif step == "install":
            there.install(Change())
        elif certificate.sha256 in {item.sha256 for item in there.bundle.removed}:
            assert there.install(Change(removals=(certificate.sha256,))) == ()
        elif certificate.sha256 not in expected:
            with pytest.raises(BundleRejected):
                there.install(Change(removals=(certificate.sha256,)))
        elif len(expected) > 1:
            (gone,) = there.install(Change(removals=(certificate.sha256,)))
            assert gone.certificate == certificate
            expected.remove(certificate.sha256)
        assert there.digests == expected
    same = [item for item in everything if item.sha256 in expected]
    assert there.bundle.pem() == compose(same, "another set", [], Distrust()).pem()


def test_the_same_decisions_in_any_order_give_the_same_release(
    roots: tuple[Certificate, ...], ours: tuple[Certificate, ...]
) -> None:
    steps = [
        Change(additions=(anchor(ours[0]),)),
        Change(additions=(anchor(ours[1]),)),
        Change(removals=(roots[0].sha256,)),
        Change(removals=(roots[1].sha256,)),
    ]
    releases = []
    for order in (steps, steps[::-1]):
        there = Installation(roots)
        for step in order:
            there.install(step)
        releases.append(build("1.0", {}, there.bundle, Distrust()))
    assert releases[0] == releases[1]


def test_a_removal_survives_a_new_default_set_and_an_addition_takes_it_back(
    roots: tuple[Certificate, ...],
) -> None:
    there = Installation(roots)
    there.install(Change(removals=("CN=A",)))
    there.roots = roots[::-1]
    there.install(Change())
    assert roots[0].sha256 not in there.digests
    there.install(Change(additions=(anchor(roots[0]),)))
    assert (roots[0].sha256 in there.digests, there.bundle.removed) == (True, ())


def test_a_removal_is_stronger_than_the_settings_which_are_named(
    roots: tuple[Certificate, ...], ours: tuple[Certificate, ...]
) -> None:
    there = Installation(roots)
    standing = (anchor(ours[0], "settings.pem"),)
    there.install(Change(standing=standing))
    there.install(Change(standing=standing, removals=(ours[0].sha256,)))
    assert "bundle.ca_files still names CN=X (settings.pem)" in there.warned[-1]
    there.install(Change(standing=standing))
    assert ours[0].sha256 not in there.digests


def test_a_rotation_keeps_old_and_new_until_told_otherwise(
    roots: tuple[Certificate, ...], ours: tuple[Certificate, ...]
) -> None:
    old, new = ours[2:]
    there = Installation(roots)
    there.install(Change(additions=(anchor(old),)))
    there.install(Change(additions=(anchor(new),)))
    assert {old.sha256, new.sha256} <= there.digests
    with pytest.raises(BundleRejected, match="'CN=Corp' may mean any of 2 CAs") as refused:
        there.install(Change(removals=("CN=Corp",)))
    assert old.sha256 in refused.value.message
    there.install(Change(removals=(old.sha256,)))
    assert new.sha256 in there.digests
    assert old.sha256 not in there.digests


def test_the_last_ca_cannot_be_removed(roots: tuple[Certificate, ...]) -> None:
    with pytest.raises(BundleRejected, match="no CA at all"):
        Installation(roots).install(Change(removals=tuple(item.sha256 for item in roots)))


@pytest.mark.parametrize("text", ["{0}", "{1}", "{2}", "CN=A", "cn=a", "A"])
def test_a_ca_is_named_by_its_sha256_its_beginning_or_its_subject(
    roots: tuple[Certificate, ...], text: str
) -> None:
    digest = roots[0].sha256
    colons = ":".join(digest[at : at + 2] for at in range(0, 64, 2)).upper()
    bundle = compose(roots, "set", [], Distrust())
    assert pick(bundle, text.format(digest, digest[:8], colons)).certificate == roots[0]


def test_what_names_no_ca_is_explained(roots: tuple[Certificate, ...]) -> None:
    bad = DistrustedRoot(roots[1].sha256, None, "CN=B", "its key is lost", None, None, None)
    gone = Removal(roots[0].sha256, roots[0].subject)
    bundle = compose(roots, "set", [], Distrust(own=(bad,)), [gone])
    for text, message in (
        (roots[0].sha256[:10], "CN=A was removed before"),
        ("CN=B", "leaves it out already: CN=B is distrusted: its key is lost"),
        (roots[2].sha256[:7], "needs at least 8 digits"),
        ("CN=Nobody", "no CA of the bundle is 'CN=Nobody'"),
    ):
        with pytest.raises(BundleRejected, match=message):
            pick(bundle, text)
