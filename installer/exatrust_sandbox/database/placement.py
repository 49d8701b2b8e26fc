"""On which node a script runs: a policy of the stand-in, not knowledge about Exasol.

What is certain is only what must not be relied on: groups are spread by a hash, so that n groups
on n nodes usually leave a node without one, and a call without a table runs on one node.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Literal

Policy = Literal["spread", "first-node-empty"]


def nodes_with_rows(nodes: int, policy: Policy) -> range:
    """The nodes on which rows may live."""
    return range(1, nodes) if policy == "first-node-empty" and nodes > 1 else range(nodes)


def node_of_group(key: Sequence[Any], nodes: int, policy: Policy) -> int:
    """The node of a group, by a hash that is the same in every run."""
    candidates = nodes_with_rows(nodes, policy)
    digest = hashlib.sha256(repr(tuple(key)).encode()).digest()
    return candidates[digest[0] % len(candidates)]


def node_of_row(number: int, rows: int, nodes: int, policy: Policy) -> int:
    """The node of a row of a table: as many chunks as nodes, in order."""
    candidates = nodes_with_rows(nodes, policy)
    return candidates[number * len(candidates) // rows]


def node_of_single(statement: int, nodes: int) -> int:
    """The one node of a call that has no table, or no groups."""
    return statement % nodes
