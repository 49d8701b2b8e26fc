"""Where a sandbox keeps what it is: one directory, which survives stop and start.

Files that another process may change while the sandbox runs (which image an alias has, which
nodes are held back) are small JSON files, replaced whole and read again for every use. So a
"container update" is one rename, and needs no channel to the running sandbox.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from exatrust_sandbox.aliases import Alias, Container
from exatrust_sandbox.pki import write_secret

SERVICE = "bfsdefault"
BUCKET = "default"
DEFAULT_IMAGES = {"PYTHON3": "python-3.10", "PYTHON312": "python-3.12"}


class SandboxError(Exception):
    """The sandbox cannot do what was asked; the text says why and what to do."""


@dataclass(frozen=True)
class Configuration:
    """What `sandbox start` was first given, and the ports it then got. Delays in seconds."""

    nodes: int = 4
    replication_delay: float = 0.3
    database_port: int = 0
    bucketfs_port: int = 0
    endpoint_ports: Mapping[str, int] | None = None


@dataclass(frozen=True)
class Layout:
    """The paths below a sandbox's directory."""

    directory: Path

    @property
    def configuration_file(self) -> Path:
        return self.directory / "sandbox.json"

    @property
    def settings_file(self) -> Path:
        return self.directory / "exatrust.toml"

    @property
    def pki(self) -> Path:
        return self.directory / "pki"

    @property
    def tls(self) -> Path:
        return self.directory / "tls"

    @property
    def images(self) -> Path:
        return self.directory / "images"

    @property
    def database_file(self) -> Path:
        return self.directory / "database" / "exasol.duckdb"

    @property
    def bucketfs(self) -> Path:
        return self.directory / "bucketfs"

    @property
    def lock_file(self) -> Path:
        return self.directory / "sandbox.lock"

    @property
    def log_file(self) -> Path:
        return self.directory / "sandbox.log"

    @property
    def containers_file(self) -> Path:
        return self.directory / "state" / "containers.json"

    @property
    def held_file(self) -> Path:
        return self.directory / "state" / "held-nodes.json"

    def replica(self, node: int) -> Path:
        """What the node sees under /buckets."""
        return self.directory / "buckets" / f"node{node}"

    def host_store(self, node: int) -> Path:
        """The node's own truststore, which IMPORT and EXPORT verify with."""
        return self.directory / "hosts" / f"node{node}" / "ca-bundle.crt"

    def password_file(self, user: str) -> Path:
        return self.directory / "passwords" / user

    def password(self, user: str) -> str:
        """The user's password, made at random when first asked for."""
        path = self.password_file(user)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_secret(path, secrets.token_urlsafe(18).encode())
        return path.read_text()

    def prepare(self) -> None:
        for path in (self.pki, self.tls, self.images, self.database_file.parent, self.bucketfs):
            path.mkdir(parents=True, exist_ok=True)

    def load_configuration(self) -> Configuration | None:
        """What was written at the first start; None when there was none."""
        if not self.configuration_file.exists():
            return None
        return Configuration(**read_json(self.configuration_file))

    def save_configuration(self, configuration: Configuration, **changes: Any) -> Configuration:
        configuration = replace(configuration, **changes)
        write_json(self.configuration_file, asdict(configuration))
        return configuration

    def aliases(self) -> dict[str, Alias]:
        """What each language alias has, on all nodes and on single ones."""
        if not self.containers_file.exists():
            return {name: Alias(Container(image)) for name, image in DEFAULT_IMAGES.items()}
        kept = read_json(self.containers_file)
        return {name: Alias.from_json(value) for name, value in kept.items()}

    def set_alias(self, name: str, alias: Alias) -> None:
        aliases = self.aliases() | {name: alias}
        write_json(self.containers_file, {key: item.to_json() for key, item in aliases.items()})

    def images_by_alias(self) -> dict[str, str]:
        """The image of each alias on the nodes that have no other one."""
        return {name: alias.everywhere.image for name, alias in self.aliases().items()}

    def exceptions(self) -> dict[str, str]:
        """Where an alias has another image on single nodes, or more certificates: in words."""
        aliases = self.aliases().items()
        return {name: text for name, alias in aliases if (text := alias.exceptions())}

    def held_nodes(self) -> frozenset[int]:
        return frozenset(read_json(self.held_file)) if self.held_file.exists() else frozenset()

    def hold(self, node: int, *, held: bool) -> None:
        nodes = self.held_nodes() | {node} if held else self.held_nodes() - {node}
        write_json(self.held_file, sorted(nodes))


def read_json(path: Path) -> Any:
    """The value in a JSON file; raises SandboxError naming the file when it is not JSON."""
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise SandboxError(
            f"{path} is not valid JSON ({error}); delete it to start anew"
        ) from error


def write_json(path: Path, value: Any) -> None:
    """Replace a JSON file whole, so that a reader sees the old value or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.draft")
    draft.write_text(json.dumps(value, indent=1) + "\n")
    draft.replace(path)
