"""Coverage: every node must answer, and see every file; those that do not are named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from exatrust.errors import NodesBehind
from exatrust.nodes import Coverage, NodeReport, coverage, node_list
from exatrust.verify import wait_until_complete

THEN = dt.datetime(2026, 11, 24)


def report(node: int, problems: str | None = None, alias: str = "PYTHON3") -> NodeReport:
    intact = 3 if problems is None else 2
    return NodeReport(
        node, alias, "1.0-a", THEN, 4, 3, intact, problems, "8.34.0", "3.10.13", "OpenSSL 3.0.2",
        "2024.2.2", None, "Ubuntu 22.04", THEN,
    )  # fmt: skip


def test_all_nodes_with_all_files_are_complete() -> None:
    found = coverage("PYTHON3", [report(node) for node in range(4)], 4)
    assert found.complete
    assert found.sentences() == ()


def test_a_silent_node_is_named_even_though_the_others_are_fine() -> None:
    found = coverage("PYTHON3", [report(0), report(2), report(3)], 4)
    assert found.missing == (1,)
    assert found.sentences() == ("PYTHON3: no answer from node 1",)


def test_a_node_of_another_alias_does_not_count() -> None:
    assert coverage("PYTHON3", [report(0), report(1, alias="OTHER")], 2).missing == (1,)


def test_a_node_that_misses_a_file_is_named_with_the_file() -> None:
    found = coverage("PYTHON3", [report(0), report(1, "missing: /buckets/x/ca.pem")], 2)
    assert found.sentences() == ("PYTHON3: node 1: missing: /buckets/x/ca.pem",)


def test_files_of_one_directory_are_told_together() -> None:
    problems = "missing: /buckets/x/a\nmissing: /buckets/x/b\naltered: /buckets/x/c\nnot all"
    (told,) = coverage("PYTHON3", [report(0, problems)], 1).sentences()
    assert told == "PYTHON3: node 0: missing: /buckets/x/{a, b}; altered: /buckets/x/c; not all"


def test_nodes_are_listed_as_people_do() -> None:
    assert (node_list([2]), node_list([3, 0])) == ("node 2", "nodes 0, 3")


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def _wait(ask: Callable[[str], Coverage], clock: Clock, said: list[str]) -> tuple[Coverage, ...]:
    return wait_until_complete(
        ["A", "B"], ask, 60.0, "so what", said.append, clock=lambda: clock.now, sleep=clock.sleep
    )


def test_waiting_ends_as_soon_as_every_alias_is_complete() -> None:
    clock, said, asked = Clock(), [], []

    def ask(alias: str) -> Coverage:
        asked.append(alias)
        late = alias == "B" and clock.now < 1.0
        return Coverage(alias, 2, (1,) if late else (), {})

    assert [item.alias for item in _wait(ask, clock, said)] == ["A", "B"]
    assert asked.count("A") == 1
    assert 1.0 <= clock.now < 2.0
    assert said == ["waiting for replication: B: no answer from node 1"]


def test_waiting_is_bounded_and_names_the_node_that_never_catches_up() -> None:
    clock = Clock()
    with pytest.raises(NodesBehind, match="node 2: missing: /x") as behind:
        _wait(lambda alias: Coverage(alias, 4, (), {2: "missing: /x"}), clock, [])
    assert clock.now <= 60.0
    assert behind.value.action.startswith("so what; look into the node's BucketFS log")
