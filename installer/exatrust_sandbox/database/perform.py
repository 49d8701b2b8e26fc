"""Carries out one parsed statement."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .access import Access
from .compile import Compiled, compile_query
from .define import Definitions
from .dml import run_dml, truncate
from .errors import insufficient, unsupported
from .import_export import import_rows, run_export, run_import
from .model import ResultColumn, ResultSet, RowCount, SqlError, Transport
from .moments import zone
from .names import dotted, quote
from .resolve import parse
from .scripts import Machines
from .statements import (
    AlterColumn,
    AlterVirtualSchema,
    Comment,
    CreateConnection,
    CreateRole,
    CreateSchema,
    CreateScript,
    CreateTable,
    CreateUser,
    CreateView,
    CreateVirtualSchema,
    Describe,
    Dml,
    Drop,
    EndTransaction,
    Grant,
    OpenSchema,
    Query,
    SetParameter,
    Statement,
    Transfer,
    Truncate,
)
from .temporary import UNKNOWN
from .types import from_duckdb_type, to_python
from .udf_calls import evaluate
from .virtual import VirtualSchemas
from .world import DEFAULT_PARAMETERS, World

if TYPE_CHECKING:
    from .session import Session

Result = ResultSet | RowCount


class Performer:
    """For one statement of one session."""

    def __init__(self, session: Session, world: World, machines: Machines) -> None:
        self.session = session
        self.world = world
        self.machines = machines
        self.work = session.work

    def perform(self, statement: Statement, transport: Transport | None = None) -> Result:
        """Raises SqlError or duckdb.Error."""
        match statement:
            case Query():
                return self.query(statement.text)
            case Dml():
                return run_dml(statement, self.world, self.machines, self.work)
            case Truncate():
                return truncate(statement, self.world, self.work)
            case Transfer():
                return self._transfer(statement, transport)
            case Describe():
                return self._describe(statement)
            case EndTransaction():
                return self._end(statement.commit)
            case OpenSchema():
                return self._open(statement.name)
            case SetParameter():
                return self._set(statement)
            case CreateConnection() | CreateUser() | CreateRole() | Grant():
                return self._access(statement)
            case Drop() if statement.kind in ("USER", "ROLE", "CONNECTION"):
                return Access(self.world, self.work).drop(statement)
            case _:
                return self._define(statement)

    def _access(self, statement: CreateConnection | CreateUser | CreateRole | Grant) -> RowCount:
        access = Access(self.world, self.work)
        match statement:
            case CreateConnection():
                return access.create_connection(statement)
            case CreateUser():
                return access.create_user(statement)
            case CreateRole():
                return access.create_role(statement)
            case Grant():
                return access.grant(statement)

    def _define(self, statement: Statement) -> RowCount:
        definitions = Definitions(self.world, self.machines, self.work)
        virtual = VirtualSchemas(self.world, self.machines, self.work)
        match statement:
            case CreateSchema() | CreateVirtualSchema():
                count = (
                    definitions.create_schema(statement)
                    if isinstance(statement, CreateSchema)
                    else virtual.create(statement)
                )
                self.session.current_schema = statement.name
                return count
            case AlterVirtualSchema():
                return virtual.alter(statement)
            case CreateTable():
                return definitions.create_table(statement)
            case CreateView():
                return definitions.create_view(statement)
            case CreateScript():
                return definitions.create_script(statement)
            case AlterColumn():
                return definitions.alter_column(statement)
            case Comment():
                return definitions.comment(statement)
            case Drop(kind="SCHEMA"):
                drop = virtual.drop if statement.virtual else definitions.drop_schema
                count = drop(statement)
                if self.session.current_schema == statement.name:
                    self.session.current_schema = ""
                return count
            case Drop():
                return definitions.drop(statement)
        raise unsupported(type(statement).__name__)

    # queries

    def compiled(self, text: str, machines: Machines | None = None) -> Compiled:
        tree = parse(text, self.world, self.world.who.schema, self.world.who.user)
        return compile_query(evaluate(tree, self.world, machines or self.machines), self.world)

    def columns(self, text: str) -> tuple[ResultColumn, ...]:
        """The columns of a query, without running scripts."""
        compiled = self.compiled(text, self.machines.idle())
        cursor = self.work.execute(f"SELECT * FROM ({compiled.sql}) LIMIT 0")
        return _described(compiled, cursor.description)

    def query(self, text: str) -> ResultSet:
        compiled = self.compiled(text)
        cursor = self.work.execute(compiled.sql)
        columns = _described(compiled, cursor.description)
        rows = [
            tuple(to_python(value, c.type) for value, c in zip(row, columns, strict=True))
            for row in cursor.fetchall()
        ]
        return ResultSet(columns, rows)

    def _describe(self, statement: Describe) -> ResultSet:
        item = self.world.need(statement.schema, statement.name, "TABLE", "VIEW")
        self.world.rights.need("SELECT", item)
        text = (
            "SELECT COLUMN_NAME, COLUMN_TYPE AS SQL_TYPE, COLUMN_IS_NULLABLE AS NULLABLE,"
            " COLUMN_IS_DISTRIBUTION_KEY AS DISTRIBUTION_KEY FROM SYS.EXA_ALL_COLUMNS"
            f" WHERE COLUMN_OBJECT_ID = {item.id} ORDER BY COLUMN_ORDINAL_POSITION"
        )
        return self.query(text)

    def _transfer(self, statement: Transfer, transport: Transport | None) -> Result:
        if transport is None:
            raise unsupported("IMPORT and EXPORT without a client's HTTP transport")
        if not statement.importing:
            return run_export(statement, self.query(_export_query(statement)), transport)
        if statement.table is None:
            return import_rows(statement, transport, self.world)
        target = self.world.need(statement.schema, statement.table or "", "TABLE")
        self.world.rights.need("INSERT", target)
        return run_import(statement, target, transport, self.world, self.work)

    # session

    def _end(self, commit: bool) -> RowCount:
        if commit:
            self.work.commit()
        else:
            self.work.rollback()
        return RowCount()

    def _open(self, name: str | None) -> RowCount:
        if name is not None:
            self.world.need_schema(name)
        self.session.current_schema = name or ""
        return RowCount()

    def _set(self, statement: SetParameter) -> RowCount:
        """SCRIPT_LANGUAGES is taken as it is: Exasol does not look whether the paths exist."""
        if statement.name not in DEFAULT_PARAMETERS:
            raise SqlError(f"unknown session parameter {statement.name}")
        if statement.name == "QUERY_TIMEOUT" and not statement.value.isdigit():
            raise SqlError("QUERY_TIMEOUT must be a number of seconds")
        fixed = statement.name.startswith("NLS_") or statement.name in (
            "SQL_PREPROCESSOR_SCRIPT", "HASHTYPE_FORMAT",
        )  # fmt: skip
        if fixed and statement.value != DEFAULT_PARAMETERS[statement.name]:
            raise unsupported(f"another {statement.name} than {DEFAULT_PARAMETERS[statement.name]}")
        if statement.name == "TIME_ZONE":
            self._check_zone(statement.value)
        if statement.scope == "SYSTEM":
            if not self.world.rights.has_system("ALTER SYSTEM"):
                raise insufficient("ALTER SYSTEM")
            self.work.lock("PARAMETER", statement.name)
            self.world.catalog.set_parameter(statement.name, statement.value)
        self.session.parameters[statement.name] = statement.value
        if statement.name == "QUERY_TIMEOUT":
            self.session.query_timeout = int(statement.value)
        return RowCount()

    def _check_zone(self, name: str) -> None:
        """See TableDefinitions: what such columns hold would be read in another time zone."""
        zone(name)
        for item in self.world.objects.values():
            if item.kind == "TABLE" and any(column.type.with_local_tz for column in item.columns):
                raise unsupported(f"another TIME_ZONE beside the columns of {item.name}")


def _described(compiled: Compiled, description: object) -> tuple[ResultColumn, ...]:
    found = list(description or [])  # type: ignore[call-overload]
    return tuple(
        replace(column, type=from_duckdb_type(str(kind[1]))) if column.type == UNKNOWN else column
        for column, kind in zip(compiled.columns, found, strict=True)
    )


def _export_query(statement: Transfer) -> str:
    if statement.query is not None:
        return statement.query
    table = statement.table or ""
    name = dotted(quote(statement.schema), quote(table)) if statement.schema else quote(table)
    return f"SELECT {', '.join(map(quote, statement.columns)) or '*'} FROM {name}"
