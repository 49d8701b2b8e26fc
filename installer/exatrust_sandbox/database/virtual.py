"""Carries out CREATE, ALTER and DROP VIRTUAL SCHEMA. What is in one can be looked at, not read."""

from __future__ import annotations

from dataclasses import replace

from .adapter import Adapter, SchemaMetadata
from .catalog import CatalogObject, Schema, VirtualSchema
from .define_base import Definer
from .errors import not_found
from .model import RowCount, SqlError
from .statements import AlterVirtualSchema, CreateVirtualSchema, Drop


class VirtualSchemas(Definer):
    """For one statement."""

    def create(self, statement: CreateVirtualSchema) -> RowCount:
        self._world.rights.need_system("CREATE VIRTUAL SCHEMA", "for creating a virtual schema")
        name = statement.name
        if name in self._world.schemas:
            if statement.if_not_exists:
                return RowCount()
            raise SqlError(f"schema {name} already exists")
        script = self._script(*statement.adapter)
        self._work.lock("SCHEMA", name)
        properties = {key: value for key, value in statement.properties.items() if value}
        schema = VirtualSchema(name, script.schema, script.name, properties)
        metadata = self._adapter(script).ask("createVirtualSchema", schema)
        self._catalog.add_schema(name, self._world.who.user)
        self._store(schema, metadata)
        return RowCount()

    def alter(self, statement: AlterVirtualSchema) -> RowCount:
        schema, virtual = self._need(statement.name)
        refreshing = statement.properties is None
        self._world.rights.need_alter_virtual(schema, refreshing)
        adapter = self._adapter(self._script(virtual.adapter_schema, virtual.adapter_name))
        self._work.lock("SCHEMA", schema.name)
        if statement.properties is None:
            self._store(virtual, adapter.ask("refresh", virtual), refreshed=True)
            return RowCount()
        metadata = adapter.ask("setProperties", virtual, properties=statement.properties)
        merged = {**virtual.properties, **statement.properties}
        kept = {key: value for key, value in merged.items() if value is not None}
        # That setting properties counts as a refresh when metadata came with it is *inferred*.
        self._store(replace(virtual, properties=kept), metadata, refreshed=metadata is not None)
        return RowCount()

    def drop(self, statement: Drop) -> RowCount:
        if statement.name not in self._world.schemas and statement.if_exists:
            return RowCount()
        schema, virtual = self._need(statement.name)
        if not self._world.rights.has_system("DROP ANY VIRTUAL SCHEMA"):
            self._world.rights.need_owner(schema.owner, f"virtual schema {schema.name}")
        tables = self._tables(schema.name)
        if tables and not statement.cascade:
            # Documented for schemas; that virtual tables count as content is *inferred*.
            raise SqlError(f"schema {schema.name} is not empty - use DROP ... CASCADE")
        self._work.lock("SCHEMA", schema.name)
        if not statement.force:
            self._tell_of_drop(virtual)
        for table in tables:
            self._catalog.drop(table)
        self._catalog.drop_schema(schema.name)
        return RowCount()

    def _tell_of_drop(self, virtual: VirtualSchema) -> None:
        """An adapter's failure is ignored here, says the virtual schema API."""
        adapter = self._adapter(self._script(virtual.adapter_schema, virtual.adapter_name))
        try:
            adapter.ask("dropVirtualSchema", virtual)
        except SqlError as error:
            if error.sql_code != "22002":
                raise

    def _need(self, name: str) -> tuple[Schema, VirtualSchema]:
        schema, virtual = self._world.schemas.get(name), self._catalog.virtual_schemas().get(name)
        if schema is None:
            raise not_found("schema", name, *self._world.place(name))
        if virtual is None:
            raise SqlError(f"schema {name} is not a virtual schema")
        return schema, virtual

    def _script(self, schema: str | None, name: str) -> CatalogObject:
        script = self._world.need(schema, name, "SCRIPT")
        if script.detail.get("type") != "ADAPTER":
            raise SqlError(f"script {script.schema}.{script.name} is not an adapter script")
        self._world.rights.need("EXECUTE", script)
        return script

    def _adapter(self, script: CatalogObject) -> Adapter:
        return Adapter(script, self._world, self._machines)

    def _tables(self, schema: str) -> list[CatalogObject]:
        return [item for item in self._world.objects.values() if item.schema == schema]

    def _store(
        self, schema: VirtualSchema, metadata: SchemaMetadata | None, refreshed: bool = True
    ) -> None:
        """The schema, and, when the adapter told of them, its tables in place of all it had."""
        if refreshed:
            now = self._world.now.replace(tzinfo=None)
            schema = replace(schema, refreshed=now, refreshed_by=self._world.who.user)
        if metadata is not None:
            schema = replace(schema, notes=metadata.notes)
            for table in self._tables(schema.name):
                self._catalog.drop(table)
            for new in metadata.tables:
                self._put("VIRTUAL", schema.name, new.name, "", new.columns, new.comment)
        self._catalog.put_virtual_schema(schema)
