"""`exatrust demo`: the whole story on the terminal, with the commands a DBA would type.

Every step runs the real command line in a process of its own against a sandbox, and checks its
exit status; a step that ends differently than the story says stops the demo with status 1.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from exatrust_sandbox.cluster import Sandbox

UPDATED_IMAGE = "python-3.12-2026.10"


class StoryBroken(Exception):
    """A command of the demo ended otherwise than the story says."""


def run_demo(nodes: int = 4) -> int:
    """Tell the story; 0 when every step went as told, 1 when one did not."""
    with _sandbox(nodes) as sandbox:
        try:
            _tell(sandbox)
        except StoryBroken as broken:
            click.echo(f"\nexatrust demo: {broken}", err=True)
            return 1
    click.echo("\nStopped; nothing is left running.")
    return 0


@contextmanager
def _sandbox(nodes: int) -> Iterator[Sandbox]:
    from exatrust_sandbox.cluster import Sandbox

    with (
        tempfile.TemporaryDirectory(prefix="exatrust-demo-") as directory,
        Sandbox(Path(directory), nodes=nodes) as sandbox,
    ):
        yield sandbox


def _tell(sandbox: Sandbox) -> None:
    _chapter(f"1. A cluster of {len(sandbox.nodes)} nodes, and five HTTPS services")
    click.echo(sandbox.description())
    endpoints = [f"localhost:{port}" for port in sandbox.endpoints.ports.values()]
    _before(sandbox, endpoints)
    _install(sandbox, endpoints)
    _container_update(sandbox, endpoints)


def _before(sandbox: Sandbox, endpoints: Sequence[str]) -> None:
    _chapter("2. Before: UDFs trust the public CAs only, so the company's services fail")
    _run(sandbox, ["install", "--yes"])
    _run(sandbox, ["check", *endpoints], expected=1)


def _install(sandbox: Sandbox, endpoints: Sequence[str]) -> None:
    _chapter("3. Install the company's root, its fingerprint confirmed by a human")
    root = sandbox.layout.pki / "company-root.pem"
    confirmed = ["--confirm", sandbox.company_fingerprint()]
    _run(
        sandbox,
        ["install", "--yes", "--ca", str(root.relative_to(sandbox.layout.directory)), *confirmed],
    )
    _chapter("4. After: verified from every node; what is really wrong stays wrong, and says why")
    _run(sandbox, ["check", *endpoints], expected=1)
    _run(sandbox, ["check", *endpoints[:2]])
    _run(sandbox, ["install", "--yes"])


def _container_update(sandbox: Sandbox, endpoints: Sequence[str]) -> None:
    from exatrust_sandbox.cluster import update_container

    _chapter("5. The language container is updated: another image with its own truststores")
    old = update_container(sandbox.layout, "PYTHON3", UPDATED_IMAGE)
    click.echo(f"PYTHON3: {old} -> {UPDATED_IMAGE}")
    _run(sandbox, ["status"], expected=1)
    _run(sandbox, ["check", endpoints[1]])
    click.echo("The shared bundle was never lost. Run the installer again, and all is in order:")
    _run(sandbox, ["install", "--yes"])
    _run(sandbox, ["status"])


def _chapter(title: str) -> None:
    click.secho(f"\n{title}\n{'=' * len(title)}", bold=True)


def _run(sandbox: Sandbox, arguments: Sequence[str], expected: int = 0) -> None:
    click.secho(f"\n$ exatrust {' '.join(arguments)}", fg="cyan")
    sys.stdout.flush()
    command = [sys.executable, "-m", "exatrust", *arguments]
    status = subprocess.run(command, cwd=sandbox.layout.directory, env=_environment()).returncode
    click.secho(f"[exit status {status}]", dim=True)
    if status != expected:
        raise StoryBroken(
            f"`exatrust {arguments[0]}` ended with status {status}; the story says {expected}"
        )


def _environment() -> dict[str, str]:
    """The caller's environment without settings that would point to another database."""
    return {name: value for name, value in os.environ.items() if not name.startswith("EXATRUST_")}
