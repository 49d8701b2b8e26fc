"""What each language alias has on each node: an image, and certificates that came with an update.

A cluster replicates a language container to its nodes, so a node can lag behind, or be ahead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Container:
    """An image by its name, and certificates (PEM) that all its stores hold besides its own."""

    image: str
    roots: tuple[str, ...] = ()

    def with_roots(self, roots: Sequence[str]) -> Container:
        return Container(self.image, tuple(dict.fromkeys([*self.roots, *roots])))

    def described(self) -> str:
        more = f" and {len(self.roots)} planted certificates" if self.roots else ""
        return self.image + more


@dataclass(frozen=True)
class Alias:
    """The container of all nodes, and of the single nodes that have another one."""

    everywhere: Container
    nodes: Mapping[int, Container] = field(default_factory=dict)

    def on(self, node: int) -> Container:
        return self.nodes.get(node, self.everywhere)

    def updated(self, image: str, node: int | None) -> Alias:
        """With another image on one node, or, for None, on all of them."""
        if node is None:
            return Alias(Container(image))
        return Alias(self.everywhere, {**self.nodes, node: Container(image)})

    def planted(self, roots: Sequence[str], node: int | None) -> Alias:
        """With certificates added on one node, or, for None, on all of them."""
        if node is not None:
            return Alias(self.everywhere, {**self.nodes, node: self.on(node).with_roots(roots)})
        nodes = {number: container.with_roots(roots) for number, container in self.nodes.items()}
        return Alias(self.everywhere.with_roots(roots), nodes)

    def exceptions(self) -> str:
        """What is not simply the image on every node; empty when nothing is."""
        parts = [self.everywhere.described()] if self.everywhere.roots else []
        parts += [f"node {node}: {item.described()}" for node, item in sorted(self.nodes.items())]
        return "; ".join(parts)

    def to_json(self) -> Any:
        """An image's name alone where there is no more to say."""
        nodes = {str(node): _written(container) for node, container in self.nodes.items()}
        everywhere = _written(self.everywhere)
        return everywhere if not nodes else {"everywhere": everywhere, "nodes": nodes}

    @staticmethod
    def from_json(value: Any) -> Alias:
        if isinstance(value, str) or "everywhere" not in value:
            return Alias(_read(value))
        nodes = {int(node): _read(container) for node, container in value["nodes"].items()}
        return Alias(_read(value["everywhere"]), nodes)


def _written(container: Container) -> Any:
    if not container.roots:
        return container.image
    return {"image": container.image, "roots": list(container.roots)}


def _read(value: Any) -> Container:
    if isinstance(value, str):
        return Container(value)
    return Container(value["image"], tuple(value["roots"]))
