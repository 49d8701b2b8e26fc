"""Where a script runs: in a container's own file system, or, where that cannot be, beside us."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from exatrust_sandbox.containers.image import Image
from exatrust_sandbox.containers.isolation import bubblewrap_command
from exatrust_sandbox.containers.model import Node, ScriptCall

CLIENT = Path(__file__).with_name("client.py")
Value = TypeVar("Value")


def _environment(packages: str, call: ScriptCall) -> dict[str, str]:
    """What the real client sets, and no TLS variable; `%env` comes on top."""
    base = {
        "HOME": "/tmp",
        "LC_ALL": "C.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": packages,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return base | dict(call.env)


def _program(image: Image, client: str) -> list[str]:
    return [str(image.python), "-S", "-s", client]


@dataclass(frozen=True)
class Bubblewrap:
    """The image's file system on a node; paths are what they are on the real thing."""

    node: Node
    image: Image

    def start(self, call: ScriptCall) -> tuple[list[str], dict[str, str]]:
        """Command line and environment of the process; the container gets its own."""
        command = bubblewrap_command(
            root=self.image.root,
            prefix=self.image.prefix,
            buckets=self.node.buckets,
            client=CLIENT.parent,
            environment=_environment(self.image.packages_path, call),
            program=_program(self.image, "/exaudf/client.py"),
        )
        return command, {"PATH": "/usr/bin:/bin"}

    def localized(self, value: Value) -> Value:
        """The value as it is."""
        return value


@dataclass(frozen=True)
class Plain:
    """A process of this machine. What would be under /buckets is rewritten to the replica."""

    node: Node
    image: Image

    def start(self, call: ScriptCall) -> tuple[list[str], dict[str, str]]:
        """Command line and environment of the process."""
        stores = self.image.root / "etc/ssl/certs"
        root = self.image.root / "usr_local"
        packages = root / Path(self.image.packages_path).relative_to("/usr/local")
        environment = {
            "SSL_CERT_FILE": str(stores / "ca-certificates.crt"),
            "SSL_CERT_DIR": str(stores),
            **_environment(str(packages), call),
        }
        environment = {name: self.localized(value) for name, value in environment.items()}
        return _program(self.image, str(CLIENT)), environment

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
