"""Where the default set comes from, a language container among others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from exatrust import resources
from exatrust.default_set import container_roots, named_roots
from exatrust.errors import AliasBroken, BundleRejected, SqlFailed
from exatrust.statements import Statements

Make = Callable[..., bytes]
Result = TypeVar("Result")
STATEMENTS = Statements("exatrust", ("PYTHON3",), resources.sql, resources.udf_text)


class Nodes:
    """A database whose script answers for nodes; None for one that cannot run it."""

    def __init__(self, *texts: bytes, error: SqlFailed | None = None) -> None:
        self.texts, self.error = texts, error
        self.done: list[str] = []

    def rolled_back(self, work: Callable[[], Result]) -> Result:
        try:
            return work()
        finally:
            self.done.append("rollback")

    def execute(self, sql: str) -> int:
        self.done.append(sql)
        return 0

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        if self.error:
            raise self.error
        return [(node, text.decode()) for node, text in enumerate(self.texts)]


def roots(nodes: Nodes) -> tuple[list[str], str, list[str]]:
    warned: list[str] = []
    found, name = container_roots(nodes, STATEMENTS, "PYTHON3", warned.append)  # type: ignore[arg-type]
    return [item.subject for item in found], name, warned


def test_the_containers_roots_are_asked_by_a_script_that_is_rolled_back(pem: Make) -> None:
    nodes = Nodes(pem("A") + pem("B"), pem("A") + pem("B"))
    assert roots(nodes) == (["CN=A", "CN=B"], "container of PYTHON3", [])
    assert nodes.done[1].startswith(
        'CREATE OR REPLACE PYTHON3 SET SCRIPT "EXATRUST"."EXATRUST_ROOTS"'
    )
    assert nodes.done[-1] == "rollback"


def test_what_cannot_be_read_in_a_container_is_said_and_passed_over(pem: Make) -> None:
    broken = b"-----BEGIN CERTIFICATE-----\nMAMCAQA=\n-----END CERTIFICATE-----\n"
    found, _, warned = roots(Nodes(pem("A") + broken))
    assert (found, len(warned)) == (["CN=A"], 1)


def test_nodes_with_different_containers_are_named(pem: Make) -> None:
    with pytest.raises(BundleRejected, match="trust different CAs by default: nodes 0, 2; node 1"):
        roots(Nodes(pem("A"), pem("B"), pem("A")))


def test_a_container_that_trusts_nobody_is_no_default_set() -> None:
    with pytest.raises(BundleRejected, match="trusts nobody by default"):
        roots(Nodes(b""))


def test_a_broken_alias_and_a_missing_privilege_are_told_apart() -> None:
    with pytest.raises(AliasBroken, match="no such container"):
        roots(Nodes(error=SqlFailed("22002", "no such container", "")))
    with pytest.raises(SqlFailed, match="insufficient privileges"):
        roots(Nodes(error=SqlFailed("42500", "insufficient privileges", "")))


def test_certifi_and_a_file_are_named_after_what_they_are(pem: Make, tmp_path: Path) -> None:
    path = tmp_path / "ours.pem"
    path.write_bytes(pem("A"))
    found, name = named_roots(str(path))
    assert ([item.subject for item in found], name) == (["CN=A"], "ours.pem")
    found, name = named_roots("certifi")
    assert len(found) > 100
    assert name.startswith("certifi ")
