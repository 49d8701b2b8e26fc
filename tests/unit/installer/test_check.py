"""Verdicts: what nodes agree on, and which endpoints fail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exatrust.check import (
    Answer,
    Endpoint,
    Found,
    explanations,
    failing,
    parse_endpoint,
    verdicts,
)
from exatrust.errors import UsageError

DB = Endpoint("db", 443)


def answer(node: int, trusted: bool, store: str = "shared-bundle", alias: str = "PY") -> Answer:
    finding = "TRUSTED" if trusted else "EXPIRED"
    return Answer("db", 443, store, trusted, finding, "INFO", None, None, node, alias)


def test_nodes_that_agree_are_one_verdict() -> None:
    found = verdicts([answer(1, True), answer(0, True)], [DB])
    assert [(item.nodes, item.trusted) for item in found] == [((0, 1), True)]


def test_a_node_that_sees_it_otherwise_is_another_verdict() -> None:
    found = verdicts([answer(0, True), answer(1, False), answer(2, True)], [DB])
    assert {(item.nodes, item.trusted) for item in found} == {((0, 2), True), ((1,), False)}


def test_the_shared_bundle_comes_first_and_endpoints_keep_their_order() -> None:
    other = Endpoint("zz", 1)
    rows = [
        Answer("zz", 1, "container", True, None, None, None, None, 0, "PY"),
        answer(0, True, "certifi"),
        answer(0, True),
    ]
    found = verdicts(rows, [other, DB])
    assert [(item.endpoint, item.truststore) for item in found] == [
        ("zz:1", "container"),
        ("db:443", "shared-bundle"),
        ("db:443", "certifi"),
    ]


def test_only_the_shared_bundle_on_every_node_and_alias_counts() -> None:
    good = [answer(0, True), answer(1, True)]
    assert failing(verdicts(good, [DB]), [DB], ["PY"], 2) == ()
    assert failing(verdicts([*good, answer(0, False, "container")], [DB]), [DB], ["PY"], 2) == ()
    assert failing(verdicts(good, [DB]), [DB], ["PY", "PY312"], 2) == ("db:443",)
    assert failing(verdicts(good[:1], [DB]), [DB], ["PY"], 2) == ("db:443",)
    assert failing(verdicts([good[0], answer(1, False)], [DB]), [DB], ["PY"], 2) == ("db:443",)
    assert failing((), [DB], ["PY"], 2) == ("db:443",)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [("db:443", DB), ("[::1]:636", Endpoint("::1", 636)), ("10.0.0.1:1", Endpoint("10.0.0.1", 1))],
)
def test_endpoints_are_read_and_written_back(text: str, endpoint: Endpoint) -> None:
    assert parse_endpoint(text) == endpoint
    assert str(endpoint) == text


@given(st.text(max_size=30))
def test_other_text_is_refused_by_name(text: str) -> None:
    try:
        found = parse_endpoint(text)
    except UsageError:
        return
    assert found.host
    assert 0 < found.port < 65536


def test_an_explanation_is_given_once_for_all_aliases_and_only_for_the_shared_bundle() -> None:
    rows = [
        Answer("db", 443, store, False, "EXPIRED", "ERROR", f"old in {store}", "renew", 0, alias)
        for store in ("shared-bundle", "container")
        for alias in ("PY", "PY312")
    ]
    found = verdicts(rows, [DB])
    assert explanations(found, "db:443") == (("old in shared-bundle", "renew"),)
    assert explanations(found, "other:1") == ()


def test_every_cause_is_explained_the_primary_one_first_and_observations_are_left_out() -> None:
    row = Answer("db", 443, "shared-bundle", False, "EXPIRED", "ERROR", "old", "renew", 0, "PY")
    others = [
        Found("db:443", store, finding, severity, cause, "mend", "PY", (0,))
        for store, finding, severity, cause in (
            ("shared-bundle", "HOST_MISMATCH", "ERROR", "another name"),
            ("shared-bundle", "EXTRA_ROOT_SENT", "INFO", "a root"),
            ("container", "CA_NOT_IN_TRUSTSTORE", "ERROR", "unknown CA"),
        )
    ]
    found = verdicts([row], [DB])
    assert explanations(found, "db:443", others) == (("old", "renew"), ("another name", "mend"))
