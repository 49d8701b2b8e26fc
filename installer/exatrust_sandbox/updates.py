"""What happens to the language containers of a cluster: updates, and certificates they bring."""

from __future__ import annotations

import functools

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from exatrust_sandbox.aliases import Alias, Container
from exatrust_sandbox.containers import image
from exatrust_sandbox.containers.image import Image
from exatrust_sandbox.layout import Layout, SandboxError


def build_image(layout: Layout, name: str) -> Image:
    """The image of that name with the public CA in its stores; SandboxError when unknown."""
    return build_container(layout, Container(name))


@functools.cache
def build_container(layout: Layout, container: Container) -> Image:
    """A container's image with the public CA, and the container's own certificates, in its stores.

    Looked at once in a process: what it is made of does not change while the process lives, and
    every statement that runs a script asks for it. Raises SandboxError for an unknown image.
    """
    public = (layout.pki / "public-root.pem").read_bytes()
    planted = [root.encode() for root in container.roots]
    try:
        return image.build(container.image, layout.images, [public], planted)
    except image.ImageError as error:
        raise SandboxError(str(error)) from error


def add_container(layout: Layout, alias: str, name: str) -> None:
    """Give an alias of SCRIPT_LANGUAGES that has no container one, on all nodes.

    Raises SandboxError for an unknown image, and for an alias that has a container.
    """
    if alias in layout.aliases():
        raise SandboxError(f"{alias} has a container; `sandbox update-container` exchanges it")
    build_image(layout, name)
    layout.set_alias(alias, Alias(Container(name)))


def update_container(layout: Layout, alias: str, name: str, node: int | None = None) -> str:
    """Give an alias another image, as an update of the language container does; on one node
    only, as one that lags behind or is ahead, or, for None, on all.

    Returns the name of the image it had. Raises SandboxError for an unknown alias, image or node,
    with nothing changed.
    """
    old = _alias(layout, alias, node)
    build_image(layout, name)
    layout.set_alias(alias, old.updated(name, node))
    return (old.everywhere if node is None else old.on(node)).image


def plant_root(layout: Layout, alias: str, pem: bytes, node: int | None = None) -> int:
    """Put certificates into all truststores of an alias's container, as an update could have
    brought them; on one node, or, for None, on all. A later update of the container undoes it.

    Returns their number. Raises SandboxError for an unknown alias or node, and where there is no
    certificate in the PEM, with nothing changed.
    """
    old = _alias(layout, alias, node)
    new = old.planted(_certificates(pem), node)
    for container in {new.everywhere, *new.nodes.values()}:
        build_container(layout, container)
    layout.set_alias(alias, new)
    return len(_certificates(pem))


def trust_on_host(layout: Layout, pem: bytes, node: int | None = None) -> int:
    """Put certificates into the own truststore of a node, or, for None, of all nodes.

    Returns their number. Raises SandboxError as `plant_root` does.
    """
    added = _certificates(pem)
    for number in _nodes(layout, node):
        store = layout.host_store(number)
        store.write_text(store.read_text().rstrip() + "\n" + "".join(added))
    return len(added)


def _certificates(pem: bytes) -> list[str]:
    """Each certificate as PEM of its own: nothing else in the file is kept."""
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise SandboxError(f"this is no PEM file with certificates ({error})") from error
    return [certificate.public_bytes(Encoding.PEM).decode() for certificate in found]


def _alias(layout: Layout, alias: str, node: int | None) -> Alias:
    aliases = layout.aliases()
    if alias not in aliases:
        raise SandboxError(f"no alias {alias}; this sandbox has {', '.join(sorted(aliases))}")
    _nodes(layout, node)
    return aliases[alias]


def _nodes(layout: Layout, node: int | None) -> tuple[int, ...]:
    """The node, or, for None, all of them."""
    configuration = layout.load_configuration()
    nodes = configuration.nodes if configuration else 0
    if node is not None and not 0 <= node < nodes:
        raise SandboxError(f"no node {node}; this sandbox has the nodes 0 to {nodes - 1}")
    return tuple(range(nodes)) if node is None else (node,)
