"""`exatrust sandbox …`: run the stand-in, and do to it what happens to a real cluster."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from exatrust_sandbox.layout import Layout, SandboxError
from exatrust_sandbox.lock import holder, stop_holder

START_SECONDS = 60.0
Command = TypeVar("Command", bound=Callable[..., Any])


def _directory(command: Command) -> Command:
    option = click.option(
        "--dir",
        "directory",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("sandbox"),
        show_default=True,
        help="Where the sandbox keeps its state.",
    )
    return option(command)


def _one_node(text: str) -> Callable[[Command], Command]:
    return click.option("--node", type=int, metavar="N", help=text)


def _reports_errors(command: Callable[..., None]) -> Callable[..., None]:
    """Turn a SandboxError into one line on standard error and exit status 2."""

    @wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except SandboxError as error:
            click.echo(f"exatrust sandbox: {error}", err=True)
            sys.exit(2)

    return guarded


@click.group()
def sandbox() -> None:
    """A stand-in Exasol cluster on this machine: database, BucketFS, language containers."""


@sandbox.command()
@_directory
@click.option("--nodes", type=click.IntRange(1, 16), default=None, help="Data nodes (first: 4).")
@click.option("--detach", is_flag=True, help="Return once it is up; end it with `sandbox stop`.")
@_reports_errors
def start(directory: Path, nodes: int | None, detach: bool) -> None:
    """Start the cluster kept in DIR, making it first if it is not there."""
    if detach:
        _start_detached(directory, nodes)
        return
    from exatrust_sandbox.cluster import Sandbox

    with Sandbox(directory, nodes=nodes) as cluster:
        ended = _end_on_signal()
        click.echo(cluster.description())
        click.echo("Running. Stop with Ctrl-C, or with `exatrust sandbox stop` elsewhere.")
        ended.wait()


def _end_on_signal() -> threading.Event:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    return ended


def _start_detached(directory: Path, nodes: int | None) -> None:
    layout = Layout(directory.resolve())
    if (process := holder(layout.lock_file)) is not None:
        raise SandboxError(f"a sandbox already runs in {layout.directory} (process {process})")
    layout.directory.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "exatrust_sandbox", "start", "--dir", str(layout.directory)]
    command += ["--nodes", str(nodes)] if nodes else []
    with layout.log_file.open("w") as log:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    _wait_until_running(child, layout)
    click.echo(layout.log_file.read_text(), nl=False)


def _wait_until_running(child: subprocess.Popen[bytes], layout: Layout) -> None:
    deadline = time.monotonic() + START_SECONDS
    while "Running." not in layout.log_file.read_text():
        if child.poll() is not None:
            raise SandboxError(f"it did not start:\n{layout.log_file.read_text().strip()}")
        if time.monotonic() > deadline:
            child.terminate()
            raise SandboxError(f"it was not up after {START_SECONDS:.0f} s; see {layout.log_file}")
        time.sleep(0.05)


@sandbox.command()
@_directory
@_reports_errors
def stop(directory: Path) -> None:
    """Stop the cluster; its state stays in DIR."""
    if not stop_holder(Layout(directory.resolve()).lock_file):
        raise SandboxError(f"no sandbox runs in {directory}")
    click.echo("Stopped.")


@sandbox.command()
@_directory
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@_reports_errors
def status(directory: Path, as_json: bool) -> None:
    """Say whether it runs, and with which containers. Exit status 1 when it does not run."""
    layout = _existing(directory)
    process = holder(layout.lock_file)
    facts = {
        "running": process is not None,
        "process": process,
        "directory": str(layout.directory),
        "images": layout.images_by_alias(),
        "exceptions": layout.exceptions(),
        "held_nodes": sorted(layout.held_nodes()),
    }
    if as_json:
        click.echo(json.dumps(facts))
    else:
        for name, value in facts.items():
            click.echo(f"{name.replace('_', ' '):<11} {_plain(value)}")
    sys.exit(0 if process is not None else 1)


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} -> {item}" for key, item in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return {True: "yes", False: "no", None: "none"}.get(value, str(value))  # type: ignore[call-overload,no-any-return]


@sandbox.command("update-container")
@click.argument("image")
@_directory
@click.option("--alias", default="PYTHON3", show_default=True, help="The alias that gets IMAGE.")
@_one_node("Only this node, as one that lags behind or is ahead.")
@_reports_errors
def update_container(image: str, directory: Path, alias: str, node: int | None) -> None:
    """Replace the language container behind an alias, as an Exasol update does."""
    from exatrust_sandbox.updates import update_container

    old = update_container(_existing(directory), alias, image, node)
    where = "" if node is None else f" on node {node}"
    click.echo(f"{alias}{where}: {old} -> {image}. Its truststores are now the new image's.")


@sandbox.command("add-container")
@click.argument("image")
@_directory
@click.option("--alias", required=True, help="An alias without container: JAVA or R at first.")
@_reports_errors
def add_container(image: str, directory: Path, alias: str) -> None:
    """Give an alias of SCRIPT_LANGUAGES a container; JAVA and R have none at first."""
    from exatrust_sandbox.updates import add_container

    add_container(_existing(directory), alias, image)
    click.echo(f"{alias}: {image}")


@sandbox.command("trust-on-host")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_directory
@_one_node("Only this node.")
@_reports_errors
def trust_on_host(file: Path, directory: Path, node: int | None) -> None:
    """Put the CAs of a PEM FILE into the nodes' own truststores: IMPORT trusts them then."""
    from exatrust_sandbox.updates import trust_on_host

    count = trust_on_host(_existing(directory), file.read_bytes(), node)
    where = "every node" if node is None else f"node {node}"
    click.echo(f"{count} certificates from {file.name} in the truststore of {where}.")


@sandbox.command("plant-root")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_directory
@click.option("--alias", default="PYTHON3", show_default=True, help="Whose container gets them.")
@_one_node("Only this node.")
@_reports_errors
def plant_root(file: Path, directory: Path, alias: str, node: int | None) -> None:
    """Put the CAs of a PEM FILE into all truststores of a container, until its next update."""
    from exatrust_sandbox.updates import plant_root

    count = plant_root(_existing(directory), alias, file.read_bytes(), node)
    where = "every node" if node is None else f"node {node}"
    click.echo(f"{alias}: {count} certificates from {file.name} in all truststores, on {where}.")


@sandbox.command("images")
def images() -> None:
    """List the container images that `update-container` knows."""
    from exatrust_sandbox.containers.image import available

    for name in available():
        click.echo(name)


@sandbox.command("endpoint")
@click.argument("kind")
@_directory
@_reports_errors
def endpoint(kind: str, directory: Path) -> None:
    """Print HOST:PORT of a test endpoint: public, company, expired, wrong-name, no-intermediate."""
    configuration = _existing(directory).load_configuration()
    ports = dict((configuration and configuration.endpoint_ports) or {})
    if kind not in ports:
        raise SandboxError(f"no endpoint {kind}; there are {', '.join(ports) or 'none yet'}")
    click.echo(f"localhost:{ports[kind]}")


@sandbox.command("hold-node")
@click.argument("node", type=click.IntRange(min=0))
@_directory
@_reports_errors
def hold_node(node: int, directory: Path) -> None:
    """Hold back BucketFS replication to NODE, as a node that never catches up."""
    _existing(directory).hold(node, held=True)
    click.echo(f"Node {node} gets nothing new from BucketFS until it is released.")


@sandbox.command("release-node")
@click.argument("node", type=click.IntRange(min=0))
@_directory
@_reports_errors
def release_node(node: int, directory: Path) -> None:
    """Let BucketFS replicate to NODE again."""
    _existing(directory).hold(node, held=False)
    click.echo(f"Node {node} catches up.")


def _existing(directory: Path) -> Layout:
    layout = Layout(directory.resolve())
    if not layout.configuration_file.exists():
        raise SandboxError(
            f"{directory} holds no sandbox; make one: exatrust sandbox start --dir {directory}"
        )
    return layout
