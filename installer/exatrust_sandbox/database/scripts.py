"""Running a script over groups of rows: one process per node, all nodes at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Protocol

from exatrust_sandbox.containers.image import Image
from exatrust_sandbox.containers.vm import Column, ScriptCall, ScriptError

from .catalog import CatalogObject
from .model import DataType, Row, SqlError
from .script_imports import importer
from .statements import ColumnDef
from .world import World

MEMORY_LIMIT = 4_000_000_000
Groups = Sequence[Sequence[Row]]


class RunsScripts(Protocol):
    """The part of the containers' runtime that is used here."""

    def run(
        self,
        node_id: int,
        image: Image,
        call: ScriptCall,
        groups: Groups,
        cancelled: threading.Event,
    ) -> list[list[Row]]: ...


@dataclass(frozen=True)
class Machines:
    """Where scripts run; `images` gives the image that a node has for a language alias, anew for
    every call.

    Without a runtime nothing runs: EMITS scripts give no rows and RETURNS gives NULL. That is how
    the columns of a view are found.
    """

    runtime: RunsScripts | None
    images: Callable[[str, int], Image]
    cancelled: threading.Event

    def idle(self) -> Machines:
        return replace(self, runtime=None)


def run_script(
    script: CatalogObject,
    inputs: Sequence[ColumnDef],
    outputs: Sequence[ColumnDef],
    groups: Groups,
    nodes: Sequence[int],
    machines: Machines,
    world: World,
) -> list[list[Row]]:
    """What every group emitted; `nodes` gives the node of each group. Raises SqlError with the
    text of the script's error."""
    runtime = machines.runtime
    if runtime is None:
        emits = script.detail["output_type"] == "EMITS"
        return [[] if emits else [(None,)] for _ in groups]
    if not groups:
        return []
    call = _call(script, inputs, outputs, world)
    by_node: dict[int, list[int]] = {}
    for number, node in enumerate(nodes):
        by_node.setdefault(node, []).append(number)
    images = {node: _image(script, machines, node) for node in by_node}

    def run(node: int) -> list[list[Row]]:
        chosen = [groups[number] for number in by_node[node]]
        image = images[node]
        return runtime.run(node, image, _inside(call, image), chosen, machines.cancelled)

    results: dict[int, list[Row]] = {}
    try:
        with ThreadPoolExecutor(len(by_node)) as pool:
            for node, emitted in zip(by_node, pool.map(run, by_node), strict=True):
                results.update(zip(by_node[node], emitted, strict=True))
    except ScriptError as error:
        raise SqlError(str(error), "22002") from error
    return [results[number] for number in range(len(groups))]


def _image(script: CatalogObject, machines: Machines, node: int) -> Image:
    alias = script.detail["alias"]
    try:
        return machines.images(alias, node)
    except (KeyError, LookupError) as error:
        raise SqlError(f"language container of alias {alias} cannot be started", "22002") from error


def _inside(call: ScriptCall, image: Image) -> ScriptCall:
    """The call with what the script learns from its container. Java and R find out themselves."""
    return replace(call, meta={**call.meta, "script_language": f"Python {image.version}"})


def _call(
    script: CatalogObject,
    inputs: Sequence[ColumnDef],
    outputs: Sequence[ColumnDef],
    world: World,
) -> ScriptCall:
    secrets = _secrets(script, world)

    def get_connection(name: str) -> Mapping[str, str]:
        if name not in secrets:
            raise ScriptError(f"connection {name} does not exist or access is not granted")
        return secrets[name]

    return ScriptCall(
        code=script.detail["code"],
        env=script.detail["env"],
        input_type=script.detail["input_type"],
        output_type=script.detail["output_type"],
        input_columns=tuple(_column(column) for column in inputs),
        output_columns=tuple(_column(column) for column in outputs),
        meta={
            **_meta(script, world),
            "input_column_count": len(inputs),
            "output_column_count": len(outputs),
        },
        get_connection=get_connection,
        import_script=importer(script, world),
    )


def _secrets(script: CatalogObject, world: World) -> dict[str, dict[str, str]]:
    return {
        name: {
            "type": "password",
            "address": connection.address,
            "user": connection.user or "",
            "password": connection.password or "",
        }
        for name, connection in world.catalog.connections().items()
        if world.rights.may_see_secret(name, script.schema, script.name)
    }


def _column(column: ColumnDef) -> Column:
    kind: DataType = column.type
    is_number = kind.name == "DECIMAL"
    return Column(
        column.name,
        kind.display(),
        "VARCHAR" if kind.name == "HASHTYPE" else kind.name.split(" ")[0],
        kind.precision if is_number else None,
        kind.scale if is_number else None,
        kind.size,
    )


def _meta(script: CatalogObject, world: World) -> dict[str, Any]:
    return {
        "database_name": "sandbox",
        "database_version": world.cluster.version,
        "script_name": script.name,
        "script_schema": script.schema,
        "current_user": world.who.user,
        "scope_user": world.who.user,
        "current_schema": world.who.schema,
        "script_code": script.detail["code"],
        "session_id": str(world.who.session),
        "statement_id": world.who.statement,
        "node_count": world.cluster.nodes,
        "memory_limit": MEMORY_LIMIT,
        "input_type": script.detail["input_type"],
        "output_type": script.detail["output_type"],
    }
