"""What changed since the baseline, in sentences a human acts on."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from exatrust.drift import Change, Names, sentences

SINCE = dt.datetime(2026, 11, 1)
PATH = "/certifi/cacert.pem"
PYTHON = Change(SINCE, 0, "PYTHON3", "CONTAINER", "PYTHON", "CHANGED", "3.10.13", "3.12.1", None, None)  # fmt: skip  # noqa: E501
STORE = Change(SINCE, 0, "PYTHON3", "TRUSTSTORE", PATH, "CHANGED", "11", "22", 140, 9)


def on_nodes(change: Change, *nodes: int) -> list[Change]:
    return [replace(change, node_id=node) for node in nodes]


def test_nothing_changed_is_no_sentence() -> None:
    assert sentences([], [], 2) == ()


def test_a_changed_python_on_all_nodes_is_one_sentence() -> None:
    assert sentences(on_nodes(PYTHON, 0, 1), [], 2) == (
        "PYTHON3: Python changed from 3.10.13 to 3.12.1",
    )


def test_a_change_on_one_node_names_it() -> None:
    assert sentences(on_nodes(STORE, 1), [], 2) == (
        f"PYTHON3: truststore {PATH} changed, 140 certificates before, 9 certificates now "
        "(on node 1)",
    )


def test_certificates_that_came_and_went_are_named_the_first_three_of_them() -> None:
    names = Names(1, "PYTHON3", PATH, "CN=New", "CN=A\nCN=B\nCN=C\nCN=D")
    (sentence,) = sentences(on_nodes(STORE, 1), [names], 1)
    assert sentence.endswith("; it gained 'CN=New'; it lost 'CN=A', 'CN=B', 'CN=C' and 1 more")


def test_nodes_that_lost_different_certificates_are_different_sentences() -> None:
    names = [Names(0, "PYTHON3", PATH, None, "CN=A"), Names(1, "PYTHON3", PATH, None, "CN=B")]
    first, second = sentences(on_nodes(STORE, 0, 1), names, 2)
    assert first.endswith("it lost 'CN=A' (on node 0)")
    assert second.endswith("it lost 'CN=B' (on node 1)")


def test_stores_that_appear_or_vanish_are_said_with_their_size() -> None:
    vanished = replace(STORE, change="VANISHED", certificates_now=None)
    appeared = replace(
        STORE, change="APPEARED", object_name="/ca.pem", certificates_now=1,
    )  # fmt: skip
    assert sentences([vanished, appeared], [], 1) == (
        f"PYTHON3: truststore {PATH} vanished (140 certificates)",
        "PYTHON3: truststore /ca.pem appeared (1 certificate)",
    )


def test_nodes_that_come_and_go_are_said() -> None:
    new = replace(PYTHON, object_name="NODE", change="APPEARED", node_id=2)
    assert sentences([new], [], 3) == ("PYTHON3: a node is new (on node 2)",)
    assert sentences([replace(new, change="VANISHED")], [], 3) == (
        "PYTHON3: a node no longer answers (on node 2)",
    )


def test_build_information_is_compared_without_showing_digests() -> None:
    build = replace(PYTHON, object_name="BUILD", value_before="aa", value_now="bb")
    assert sentences([build], [], 1) == ("PYTHON3: the container's build information changed",)


def test_a_fact_that_was_not_there_before_changed_from_none() -> None:
    certifi = replace(PYTHON, object_name="CERTIFI", value_before=None, value_now="2026.10.18")
    assert sentences([certifi], [], 1) == ("PYTHON3: certifi changed from none to 2026.10.18",)


def test_a_store_that_moved_says_from_where_and_what_it_gained() -> None:
    moved = replace(STORE, change="MOVED", moved_from="/old/cacert.pem")
    assert sentences([moved], [Names(0, "PYTHON3", PATH, "CN=New", None)], 1) == (
        f"PYTHON3: truststore {PATH} moved there from /old/cacert.pem, 140 certificates before, "
        "9 certificates now; it gained 'CN=New'",
    )
    same = replace(moved, value_now=moved.value_before)
    assert sentences([same], [], 1)[0].endswith("moved there from /old/cacert.pem, unchanged")
