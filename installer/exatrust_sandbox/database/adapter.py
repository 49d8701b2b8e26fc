"""What the database and a virtual schema's adapter script say to each other, in JSON.

The requests and replies are those of Exasol's virtual schema API; how the database words its
complaint about a bad reply is *inferred*.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .catalog import CatalogObject, VirtualSchema
from .errors import unsupported
from .model import DataType, SqlError
from .placement import node_of_single
from .scripts import Machines, run_script
from .statements import ColumnDef
from .types import TEXT, parse_type
from .world import World

_SIMPLE = ("DOUBLE", "DATE", "BOOLEAN")


@dataclass(frozen=True)
class VirtualTable:
    name: str
    columns: tuple[ColumnDef, ...]
    comment: str | None


@dataclass(frozen=True)
class SchemaMetadata:
    """What an adapter says of its schema."""

    tables: tuple[VirtualTable, ...]
    notes: str | None


class Adapter:
    """An adapter script, as one statement calls it."""

    def __init__(self, script: CatalogObject, world: World, machines: Machines) -> None:
        self._script = script
        self._world = world
        self._machines = machines

    def ask(self, kind: str, schema: VirtualSchema, **more: Any) -> SchemaMetadata | None:
        """Send a request of that type; the metadata in the reply, None when there are none.

        Raises SqlError with the adapter's own error, or for a reply that is none.
        """
        info: dict[str, Any] = {"name": schema.name, "properties": dict(schema.properties)}
        if schema.notes is not None:
            info["adapterNotes"] = schema.notes
        reply = self._call({"type": kind, "schemaMetadataInfo": info, **more})
        if not isinstance(reply, dict) or reply.get("type") != kind:
            raise self._invalid(f"it is no object of the type {kind}")
        metadata = reply.get("schemaMetadata")
        if metadata is not None:
            return self._metadata(metadata)
        if kind == "createVirtualSchema":
            raise self._invalid("schemaMetadata is missing")
        return None

    def _call(self, request: Mapping[str, Any]) -> Any:
        column = ColumnDef("JSON", TEXT)
        node = node_of_single(self._world.who.statement, self._world.cluster.nodes)
        rows = run_script(
            self._script, (column,), (column,), [[(json.dumps(request),)]], [node],
            self._machines, self._world,
        )  # fmt: skip
        try:
            return json.loads(rows[0][0][0] or "")
        except ValueError as error:
            raise self._invalid(f"it is no JSON ({error})") from error

    def _metadata(self, value: Any) -> SchemaMetadata:
        try:
            tables = tuple(_table(table) for table in value["tables"])
            notes = value.get("adapterNotes")
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise self._invalid(f"schemaMetadata is incomplete ({error!r})") from error
        names = [table.name for table in tables]
        if len(set(names)) < len(names):
            raise self._invalid("two tables have one name")
        return SchemaMetadata(tables, None if notes is None else str(notes))

    def _invalid(self, text: str) -> SqlError:
        name = f"{self._script.schema}.{self._script.name}"
        return SqlError(f"adapter script {name} gave an invalid reply: {text}", "22002")


def _table(value: Mapping[str, Any]) -> VirtualTable:
    columns = tuple(
        ColumnDef(
            str(column["name"]), _type(column["dataType"]),
            nullable=column.get("isNullable", True), comment=column.get("comment") or None,
        )
        for column in value["columns"]
    )  # fmt: skip
    if not columns:
        raise ValueError(f"table {value['name']} has no columns")
    return VirtualTable(str(value["name"]), columns, value.get("comment") or None)


def _type(value: Mapping[str, Any]) -> DataType:
    name = str(value["type"]).upper()
    if name in _SIMPLE:
        return parse_type(name)
    if name == "DECIMAL":
        return parse_type(f"DECIMAL({int(value['precision'])},{int(value['scale'])})")
    if name in ("VARCHAR", "CHAR"):
        return parse_type(f"{name}({int(value['size'])}) {value.get('characterSet', 'UTF8')}")
    if name == "TIMESTAMP":
        local = " WITH LOCAL TIME ZONE" if value.get("withLocalTimeZone") else ""
        return parse_type(f"TIMESTAMP{local}")
    if name == "HASHTYPE":
        return parse_type(f"HASHTYPE({int(value.get('bytesize', 16))} BYTE)")
    if name in ("GEOMETRY", "INTERVAL"):
        raise unsupported(f"virtual columns of type {name}")
    raise ValueError(f"unknown type {name}")
