"""Where a chain would end if its anchor were gone from the truststore."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tls_lab import Made, chain_context, examine, family, make, name, serving, store, tls_manner

from exatrust_udf.alternatives import candidates
from exatrust_udf.certificate import parse
from exatrust_udf.endpoint_reports import check_row
from exatrust_udf.openssl import judge

OLD, MIDDLE = family("Old")
NEW, _ = family("New")
RENEWED = make(OLD.cert.subject, ca=True, key=OLD.key, days=(-10, 2000))  # same name, same key
CROSS = make(OLD.cert.subject, NEW, ca=True, key=OLD.key)
STRANGER, _ = family("Stranger")
LEAF = make(name("leaf"), MIDDLE)
ALL = (OLD, RENEWED, NEW, CROSS, STRANGER, MIDDLE)


def others(chain: list[Made], *anchors: Made) -> tuple[str, list[str]]:
    """Anchor and other anchors, as the row of CHECK_ENDPOINT has them."""
    with serving(tls_manner(chain_context(chain))) as port:
        (examined,) = examine(port, store(*anchors))
    row = check_row(examined)
    assert row.trusted
    return str(row.anchor_sha256), list(row.other_anchors or ())


def digests(*made: Made) -> list[str]:
    return [parse(one.der).sha256 for one in made]


def test_a_chain_with_one_anchor_ends_nowhere_else() -> None:
    assert others([LEAF, MIDDLE], OLD, NEW, STRANGER) == (*digests(OLD), [])


def test_a_cross_signed_chain_ends_at_the_other_root_too() -> None:
    anchor, further = others([LEAF, MIDDLE, CROSS], OLD, NEW, STRANGER)
    assert [anchor, *further] == digests(OLD, NEW)


def test_a_renewed_root_takes_the_place_of_the_old_one() -> None:
    anchor, further = others([LEAF, MIDDLE], OLD, RENEWED, STRANGER)
    assert sorted([anchor, *further]) == sorted(digests(OLD, RENEWED))


def test_an_expired_root_is_no_other_anchor() -> None:
    expired = make(OLD.cert.subject, ca=True, key=OLD.key, days=(-100, -1))
    assert others([LEAF, MIDDLE], OLD, expired)[1] == []


@settings(max_examples=60, deadline=None)
@given(
    held=st.lists(st.sampled_from(ALL), unique_by=id),
    gone=st.lists(st.sampled_from(ALL), unique_by=id),
    chain=st.sampled_from([[LEAF], [LEAF, MIDDLE], [LEAF, MIDDLE, CROSS], [LEAF, CROSS, MIDDLE]]),
    partial=st.booleans(),
)
def test_openssl_decides_by_the_candidates_as_it_does_by_the_whole_truststore(
    held: list[Made], gone: list[Made], chain: list[Made], partial: bool
) -> None:
    left = [made for made in held if made not in gone]
    some = candidates(
        [parse(made.der) for made in chain],
        [parse(made.der) for made in held],
        [parse(made.der) for made in gone],
    )
    ders = [made.der for made in chain]
    whole = judge(ders, [made.der for made in left], partial_chain=partial)
    found = judge(ders, [cert.der for cert in some], partial_chain=partial)
    assert (found.failures, found.chain) == (whole.failures, whole.chain)
