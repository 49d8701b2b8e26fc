"""Random chains with random defects: the findings are exactly what was planted."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tls_lab import HOST, Made, ids, make, rsa_key, store

from exatrust_udf.endpoint import Endpoint
from exatrust_udf.evidence import Evidence
from exatrust_udf.examine import Examiner
from exatrust_udf.stores import Store

PARTIAL = sys.version_info >= (3, 13)


@dataclass
class World:
    """A chain being built, and the findings its defects must give."""

    expected: set[str] = field(default_factory=set)
    chain: list[Made] = field(default_factory=list)
    anchors: list[Made] = field(default_factory=list)


LEAF_DEFECTS: dict[str, dict[str, Any]] = {
    "EXPIRED": {"days": (-50, -20)},
    "NOT_YET_VALID": {"days": (20, 50)},
    "HOST_MISMATCH": {"san": ("other.example",)},
    "WEAK_KEY": {"key": "rsa1024"},
}
MIDDLE_DEFECTS: dict[str, dict[str, Any]] = {
    "EXPIRED": {"days": (-50, -20)},
    "NAME_CONSTRAINT": {"permitted": ("permitted.example",)},
}
MANNERS = ("complete", "root sent", "leaf only", "doubled", "unknown CA", "unknown root sent")


def planted(kinds: dict[str, dict[str, Any]], defects: Sequence[str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for defect in defects:
        options.update(kinds[defect])
    if options.get("key") == "rsa1024":
        options["key"] = rsa_key(1024)
    return options


def compatible(defects: set[str]) -> bool:
    return not {"EXPIRED", "NOT_YET_VALID"} <= defects


worlds = st.tuples(
    st.sets(st.sampled_from(sorted(LEAF_DEFECTS))).filter(compatible),
    st.sets(st.sampled_from(sorted(MIDDLE_DEFECTS))),
    st.sampled_from(MANNERS),
    st.integers(1, 3),
)


def build(leaf_defects: set[str], middle_defects: set[str], manner: str, depth: int) -> World:
    world = World(set(leaf_defects))
    root = make("Root", ca=True, days=(-1000, 3000))
    above, middles = root, []
    for level in range(depth):
        last = level == depth - 1
        options = planted(MIDDLE_DEFECTS, sorted(middle_defects)) if last else {}
        above = make(f"Middle {level}", above, ca=True, **{"days": (-500, 1000), **options})
        middles.insert(0, above)
    leaf = make("leaf", above, **planted(LEAF_DEFECTS, sorted(leaf_defects)))
    world.chain = [leaf, *middles]
    world.anchors = [root]
    return served(world, middle_defects, manner, root)


def served(world: World, middle_defects: set[str], manner: str, root: Made) -> World:
    if manner == "leaf only":
        world.chain = world.chain[:1]
        world.expected.add("MISSING_INTERMEDIATE")
        return world
    world.expected |= middle_defects
    if manner == "doubled":
        world.chain.append(world.chain[-1])
        world.expected.add("EXTRA_CERTIFICATE")
    if manner.endswith("root sent"):
        world.chain.append(root)
        world.expected.add("EXTRA_ROOT_SENT")
    if manner.startswith("unknown"):
        world.anchors = [make("Another Root", ca=True, days=(-1000, 3000))]
        world.expected.add("CA_NOT_IN_TRUSTSTORE")
    return world


def anchors_of(world: World) -> Store:
    return store(*world.anchors)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds)
def test_the_findings_are_the_planted_defects(plan: tuple[set[str], set[str], str, int]) -> None:
    world = build(*plan)
    evidence = Evidence(
        endpoint=Endpoint.parse(HOST, 443),
        address="127.0.0.1",
        connected=True,
        received=tuple(made.der for made in world.chain),
    )
    now = dt.datetime.now(dt.timezone.utc)
    (examined,) = Examiner([anchors_of(world)]).judge(evidence, now)
    assert ids(examined) == world.expected, [f.cause for f in examined.findings]
    errors = {f for f in examined.findings if f.severity == "ERROR"}
    assert examined.trusted is not errors
    assert examined.trusted is (not errors)
