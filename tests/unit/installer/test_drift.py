"""What changed since the baseline, in sentences a human acts on."""

from __future__ import annotations

from dataclasses import replace

from exatrust.drift import Cluster, Facts, changes
from exatrust.nodes import StoreReport

FACTS = Facts(0, "PYTHON3", "8.34.0", "3.10.13", "OpenSSL 3.0.2", "2024.2.2", "aa", "Ubuntu 22.04")
STORE = StoreReport(0, "PYTHON3", "certifi", "/certifi/cacert.pem", "11", 140)


def cluster(facts: Facts = FACTS, *stores: StoreReport, nodes: int = 2) -> Cluster:
    return Cluster(
        tuple(replace(facts, node_id=node) for node in range(nodes)),
        tuple(replace(store, node_id=node) for node in range(nodes) for store in stores),
    )


def test_nothing_changed_is_no_sentence() -> None:
    assert changes(cluster(FACTS, STORE), cluster(FACTS, STORE), 2) == ()


def test_a_changed_python_on_all_nodes_is_one_sentence() -> None:
    after = cluster(replace(FACTS, python_version="3.12.1"), STORE)
    assert changes(cluster(FACTS, STORE), after, 2) == (
        "PYTHON3: Python changed from 3.10.13 to 3.12.1",
    )


def test_a_change_on_one_node_names_it() -> None:
    before = cluster(FACTS, STORE)
    after = replace(before, stores=(STORE, replace(STORE, node_id=1, sha256="22", certificates=9)))
    assert changes(before, after, 2) == (
        "PYTHON3: truststore /certifi/cacert.pem changed, 140 certificates before, "
        "9 certificates now (on node 1)",
    )


def test_stores_that_appear_or_vanish_are_said_with_their_size() -> None:
    other = replace(STORE, path="/etc/ssl/ca.pem", certificates=1)
    assert changes(cluster(FACTS, STORE), cluster(FACTS, other), 2) == (
        "PYTHON3: truststore /certifi/cacert.pem vanished (140 certificates)",
        "PYTHON3: truststore /etc/ssl/ca.pem appeared (1 certificate)",
    )


def test_nodes_that_come_and_go_are_said() -> None:
    assert changes(cluster(nodes=2), cluster(nodes=3), 3) == ("PYTHON3: a node is new (on node 2)",)
    assert changes(cluster(nodes=2), cluster(nodes=1), 2) == (
        "PYTHON3: a node no longer answers (on node 1)",
    )


def test_build_information_is_compared_without_showing_digests() -> None:
    after = cluster(replace(FACTS, container_build="bb"))
    assert changes(cluster(), after, 2) == ("PYTHON3: the container's build information changed",)
