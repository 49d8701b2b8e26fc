"""Where a script runs: in a container's own file system, or, where that cannot be, beside us."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from exatrust_sandbox.containers.image import Image
from exatrust_sandbox.containers.isolation import bubblewrap_command
from exatrust_sandbox.containers.model import Node

Value = TypeVar("Value")


@dataclass(frozen=True)
class Mount:
    """A directory or file of this machine, and where the container has it."""

    source: Path
    target: str
    writable: bool = False


class Place(Protocol):
    """Where the processes of one image on one node run."""

    @property
    def image(self) -> Image: ...

    def command(
        self, program: Sequence[str], environment: Mapping[str, str], mounts: Sequence[Mount]
    ) -> tuple[list[str], dict[str, str]]:
        """Command line and environment of a process; a container gets its own environment."""

    def seen(self, mount: Mount) -> str:
        """The path by which the process sees what is mounted."""

    def inside(self, path: str) -> Path:
        """A path of the container, as this machine sees it."""

    def of_image(self, path: str) -> str:
        """The path by which the process sees a file that the image brings along."""

    def localized(self, value: Value) -> Value:
        """A value as the process must see it."""


@dataclass(frozen=True)
class Bubblewrap:
    """The image's file system on a node; paths are what they are on the real thing."""

    node: Node
    image: Image

    def command(
        self, program: Sequence[str], environment: Mapping[str, str], mounts: Sequence[Mount]
    ) -> tuple[list[str], dict[str, str]]:
        """Command line and environment of the process; the container gets its own."""
        command = bubblewrap_command(
            root=self.image.root,
            prefix=self.image.prefix,
            buckets=self.node.buckets,
            mounts=[(item.source, item.target, item.writable) for item in mounts],
            environment=environment,
            program=list(program),
        )
        return command, {"PATH": "/usr/bin:/bin"}

    def seen(self, mount: Mount) -> str:
        return mount.target

    def inside(self, path: str) -> Path:
        if path.startswith("/buckets/"):
            return self.node.buckets / path.removeprefix("/buckets/")
        return Path(path)

    def of_image(self, path: str) -> str:
        return path

    def localized(self, value: Value) -> Value:
        """The value as it is."""
        return value


@dataclass(frozen=True)
class Plain:
    """A process of this machine. What would be under /buckets is rewritten to the replica."""

    node: Node
    image: Image

    def command(
        self, program: Sequence[str], environment: Mapping[str, str], mounts: Sequence[Mount]
    ) -> tuple[list[str], dict[str, str]]:
        """Command line and environment of the process."""
        stores = {
            "SSL_CERT_FILE": self.of_image("/etc/ssl/certs/ca-certificates.crt"),
            "SSL_CERT_DIR": self.of_image("/etc/ssl/certs"),
        }
        localized = {
            name: self.localized(value) for name, value in {**stores, **environment}.items()
        }
        return list(program), localized

    def seen(self, mount: Mount) -> str:
        return str(mount.source)

    def inside(self, path: str) -> Path:
        return Path(path)  # it was rewritten already

    def of_image(self, path: str) -> str:
        generated = path.replace("/usr/local/", "/usr_local/", 1).lstrip("/")
        return str(self.image.root / generated)

    def localized(self, value: Value) -> Value:
        """The value with /buckets/ replaced in every text of it."""
        replaced: object = value
        if isinstance(value, str):
            replaced = value.replace("/buckets/", f"{self.node.buckets}/")
        elif isinstance(value, (list, tuple)):
            replaced = type(value)(self.localized(item) for item in value)
        elif isinstance(value, dict):
            replaced = {key: self.localized(item) for key, item in value.items()}
        return replaced  # type: ignore[return-value]
