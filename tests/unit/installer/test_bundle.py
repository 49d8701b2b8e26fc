"""The bundle: same set, same bytes; distrusted roots left out, and said."""

from __future__ import annotations

import hashlib
import random
import ssl
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exatrust import resources
from exatrust.bundle import Anchor, Removal, compose
from exatrust.distrust import Distrust, DistrustedRoot, curated
from exatrust.intake import read_certificates
from exatrust_udf.certificate import Certificate

Make = Callable[..., bytes]
CURATED = curated(resources.distrusted_roots())
EMSIGN_ECC_G3 = "86a1ecba089c4a8d3bbe2734c612ba341d813e043cf9e8a862cd5c57a36bbe6b"


@pytest.fixture(scope="module")
def roots(pem: Make) -> tuple[Certificate, ...]:
    return read_certificates(b"".join(pem(name) for name in "ABCDE"), "roots")


@given(st.randoms(use_true_random=False), st.integers(0, 5))
def test_the_same_set_gives_the_same_bytes_whatever_order_and_origin(
    roots: tuple[Certificate, ...], order: random.Random, split: int
) -> None:
    mixed = list(roots)
    order.shuffle(mixed)
    added = [Anchor(item, "added", "file.pem") for item in mixed[split:]]
    bundle = compose([*mixed[:split], *mixed[:split]], "set 1", [*added, *added], Distrust())
    assert bundle.pem() == compose(roots, "set 2", [], Distrust()).pem()


def test_the_bytes_are_pem_that_openssl_reads_sorted_by_fingerprint(
    roots: tuple[Certificate, ...],
) -> None:
    bundle = compose(roots, "set", [], Distrust())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=bundle.pem().decode("ascii"))
    assert context.cert_store_stats()["x509_ca"] == len(roots)
    digests = [item.sha256 for item in read_certificates(bundle.pem(), "bundle")]
    assert digests == sorted(item.sha256 for item in roots)


def test_a_distrusted_root_is_left_out_and_said_wherever_it_comes_from(
    roots: tuple[Certificate, ...],
) -> None:
    bad = roots[2]
    distrusted = DistrustedRoot(bad.sha256, None, "CN=C", "its key was stolen", None, None, None)
    for source in ([bad], []):
        bundle = compose(
            [*roots[:2], *source],
            "set",
            [Anchor(bad, "added", "bad.pem")],
            Distrust(own=(distrusted,)),
        )
        assert bad.sha256 not in [anchor.certificate.sha256 for anchor in bundle.anchors]
        assert [item.reason for item in bundle.left_out] == [
            "CN=C is distrusted: its key was stolen"
        ]


def test_the_compromised_root_of_october_2026_is_distrusted_by_fingerprint() -> None:
    (root,) = [item for item in CURATED if item.sha256 == EMSIGN_ECC_G3]
    assert "emSign ECC Root CA - G3" in str(root.subject)
    assert root.confirmed is False


def test_a_default_root_that_is_also_added_stays_when_the_default_set_drops_it(
    roots: tuple[Certificate, ...],
) -> None:
    added = [Anchor(roots[0], "added", "ours.pem")]
    both = compose(roots, "set 1", added, Distrust())
    assert both.added == tuple(added)
    assert both.pem() == compose(roots, "set", [], Distrust()).pem()
    assert compose(roots[1:], "set 2", both.added, Distrust()).pem() == both.pem()


def test_a_removed_ca_stays_out_whoever_brings_it(roots: tuple[Certificate, ...]) -> None:
    gone = Removal(roots[0].sha256, roots[0].subject)
    added = [Anchor(roots[0], "added", "ours.pem")]
    for sources in ((roots, []), (roots[1:], added), (roots, added)):
        bundle = compose(sources[0], "set", sources[1], Distrust(), [gone, gone])
        assert bundle.pem() == compose(roots[1:], "set", [], Distrust()).pem()
        assert (bundle.removed, bundle.left_out) == ((gone,), ())


def test_a_leaf_in_the_default_set_is_left_out(pem: Make, roots: tuple[Certificate, ...]) -> None:
    leaf = read_certificates(pem("leaf", ca=False), "x")
    bundle = compose([*roots, *leaf], "set", [], Distrust())
    assert [item.reason for item in bundle.left_out] == ["not a CA"]


def test_certifis_roots_are_all_kept_but_the_distrusted() -> None:
    pem, name = resources.certifi_roots()
    roots = read_certificates(pem, name)
    distrust = Distrust(CURATED)
    bundle = compose(roots, name, [], distrust)
    unwanted = {item.sha256 for item in roots} & set(distrust.reasons)
    assert len(bundle.anchors) == len(roots) - len(unwanted)
    der = {hashlib.sha256(anchor.certificate.der).hexdigest() for anchor in bundle.anchors}
    assert der == {item.sha256 for item in roots} - unwanted
