"""What changed in the containers since the baseline, in sentences. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TypeVar

from exatrust.nodes import StoreReport, node_list

_Key = TypeVar("_Key")
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Facts:
    """What a container is, fields in the order of sql/queries/baseline_nodes.sql."""

    node_id: int
    language_alias: str
    database_version: str | None
    python_version: str | None
    openssl_version: str | None
    certifi_version: str | None
    container_build: str | None
    operating_system: str | None


_NAMES: Mapping[str, str] = {
    "database_version": "the database",
    "python_version": "Python",
    "openssl_version": "OpenSSL",
    "certifi_version": "certifi",
    "container_build": "the container's build information",
    "operating_system": "the operating system",
}


@dataclass(frozen=True)
class Cluster:
    """One look at all nodes and aliases."""

    facts: tuple[Facts, ...]
    stores: tuple[StoreReport, ...]


def changes(before: Cluster, now: Cluster, nodes: int) -> tuple[str, ...]:
    """One sentence a change and alias, naming nodes only where not all of them changed alike."""
    where: dict[tuple[str, str], set[int]] = defaultdict(set)
    for node, alias, sentence in (*_fact_changes(before, now), *_store_changes(before, now)):
        where[alias, sentence].add(node)
    return tuple(
        f"{alias}: {sentence}{_on(affected, nodes)}"
        for (alias, sentence), affected in where.items()
    )


def _on(affected: set[int], nodes: int) -> str:
    return "" if len(affected) >= nodes else f" (on {node_list(sorted(affected))})"


_Change = tuple[int, str, str]


def _pairs(
    before: Iterable[_Item], now: Iterable[_Item], key: Callable[[_Item], _Key]
) -> Iterator[tuple[_Item | None, _Item | None]]:
    old = {key(item): item for item in before}
    new = {key(item): item for item in now}
    for name in dict.fromkeys((*old, *new)):
        yield old.get(name), new.get(name)


def _fact_changes(before: Cluster, now: Cluster) -> Iterator[_Change]:
    for old, new in _pairs(
        before.facts, now.facts, lambda item: (item.language_alias, item.node_id)
    ):
        if old is None or new is None:
            happened = "is new" if old is None else "no longer answers"
            for item in filter(None, (old, new)):
                yield item.node_id, item.language_alias, f"a node {happened}"
        else:
            yield from _differing(old, new)


def _differing(old: Facts, new: Facts) -> Iterator[_Change]:
    for item in fields(Facts)[2:]:
        was, now = getattr(old, item.name), getattr(new, item.name)
        if was != now:
            text = f"{_NAMES[item.name]} changed"
            if item.name != "container_build":
                text += f" from {was or 'none'} to {now or 'none'}"
            yield new.node_id, new.language_alias, text


def _store_changes(before: Cluster, now: Cluster) -> Iterator[_Change]:
    for old, new in _pairs(
        before.stores, now.stores, lambda item: (item.language_alias, item.node_id, item.path)
    ):
        if old is None and new is not None:
            text = f"truststore {new.path} appeared ({_count(new)})"
            yield new.node_id, new.language_alias, text
        elif new is None and old is not None:
            text = f"truststore {old.path} vanished ({_count(old)})"
            yield old.node_id, old.language_alias, text
        elif old is not None and new is not None and old.sha256 != new.sha256:
            text = f"truststore {new.path} changed, {_count(old)} before, {_count(new)} now"
            yield new.node_id, new.language_alias, text


def _count(store: StoreReport) -> str:
    if store.certificates == 1:
        return "1 certificate"
    return f"{store.certificates if store.certificates is not None else 'unknown'} certificates"
