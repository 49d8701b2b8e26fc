"""What the hand-written parser makes of a statement: one frozen dataclass for each kind.

`schema` is None where the statement did not name one; names are already folded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .model import DataType


@dataclass(frozen=True)
class ColumnDef:
    name: str
    type: DataType
    nullable: bool = True
    default: str | None = None
    comment: str | None = None
    key_position: int | None = None
    distributed: bool = False


@dataclass(frozen=True)
class Query:
    """SELECT, WITH, VALUES, or a parenthesised query."""

    text: str


@dataclass(frozen=True)
class Dml:
    """INSERT, UPDATE, DELETE, MERGE."""

    kind: str
    text: str


@dataclass(frozen=True)
class CreateSchema:
    name: str
    if_not_exists: bool = False


@dataclass(frozen=True)
class CreateVirtualSchema:
    """`adapter` is the script as (schema, name); a property may be None, as good as left out."""

    name: str
    adapter: tuple[str | None, str]
    properties: dict[str, str | None]
    if_not_exists: bool = False


@dataclass(frozen=True)
class AlterVirtualSchema:
    """`properties` to SET, of which None unsets; None instead of them for REFRESH."""

    name: str
    properties: dict[str, str | None] | None


@dataclass(frozen=True)
class OpenSchema:
    name: str | None


@dataclass(frozen=True)
class CreateTable:
    schema: str | None
    name: str
    columns: tuple[ColumnDef, ...]
    query: str | None = None
    like: tuple[str | None, str] | None = None
    comment: str | None = None
    replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True)
class CreateView:
    schema: str | None
    name: str
    columns: tuple[tuple[str, str | None], ...]
    query: str
    text: str
    comment: str | None = None
    replace: bool = False


@dataclass(frozen=True)
class CreateScript:
    """`inputs` and `outputs` are None for `(...)`; `body` is what follows AS, as sent. An adapter
    script has the type ADAPTER, and neither input nor output."""

    schema: str | None
    name: str
    alias: str
    input_type: str | None
    output_type: str | None
    inputs: tuple[ColumnDef, ...] | None
    outputs: tuple[ColumnDef, ...] | None
    body: str
    text: str
    replace: bool = False
    if_not_exists: bool = False
    type: str = "UDF"


@dataclass(frozen=True)
class Drop:
    """`kind`: SCHEMA, TABLE, VIEW, SCRIPT, CONNECTION, USER, ROLE. With `force` the adapter of a
    virtual schema is not told."""

    kind: str
    schema: str | None
    name: str
    if_exists: bool = False
    cascade: bool = False
    virtual: bool = False
    force: bool = False


@dataclass(frozen=True)
class AlterColumn:
    """`action`: ADD, DROP, RENAME, MODIFY."""

    schema: str | None
    table: str
    action: str
    column: str
    definition: ColumnDef | None = None
    new_name: str | None = None
    if_exists: bool = False


@dataclass(frozen=True)
class Comment:
    """`kind` as in Drop, or COLUMN; `columns` are the (name, text) pairs of COMMENT ON TABLE."""

    kind: str
    schema: str | None
    name: str
    text: str | None
    columns: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class CreateConnection:
    name: str
    address: str
    user: str | None
    password: str | None = field(repr=False, default=None)
    replace: bool = False
    if_not_exists: bool = False
    alter: bool = False


@dataclass(frozen=True)
class CreateUser:
    name: str
    password: str | None = field(repr=False, default=None)
    alter: bool = False


@dataclass(frozen=True)
class CreateRole:
    name: str


@dataclass(frozen=True)
class Grant:
    """`target` is None for system privileges and roles; `kind` SCHEMA, OBJECT, CONNECTION,
    ACCESS; `restriction` is the FOR of ACCESS ON CONNECTION as (schema, script)."""

    privileges: tuple[str, ...]
    grantees: tuple[str, ...]
    revoke: bool = False
    kind: str | None = None
    target: tuple[str | None, str] | None = None
    restriction: tuple[str | None, str | None] = (None, None)
    admin: bool = False


@dataclass(frozen=True)
class SetParameter:
    scope: str
    name: str
    value: str


@dataclass(frozen=True)
class EndTransaction:
    commit: bool


@dataclass(frozen=True)
class Truncate:
    schema: str | None
    name: str


@dataclass(frozen=True)
class Describe:
    schema: str | None
    name: str


@dataclass(frozen=True)
class FileFormat:
    """The CSV options of IMPORT and EXPORT."""

    separator: str = ","
    delimiter: str = '"'
    row_separator: str = "\n"
    null: str = ""
    encoding: str = "UTF-8"
    skip: int = 0
    trim: str | None = None
    delimit: str = "AUTO"
    column_names: bool = False


@dataclass(frozen=True)
class Source:
    """One AT ... FILE; `fields` are the numbers of the CSV fields to take, empty for all.

    `verification` is VERIFY or IGNORE, as in VERIFY CERTIFICATE, None without such a clause;
    `clause_error` what a version says that knows none.
    """

    url: str
    public_key: str | None
    file: str
    fields: tuple[int, ...] = ()
    verification: Literal["VERIFY", "IGNORE"] | None = None
    clause_error: Exception | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Transfer:
    """IMPORT INTO table FROM CSV, or EXPORT table-or-query INTO CSV.

    `result` are the columns of an import that names no table: its rows are the result.
    """

    importing: bool
    schema: str | None
    table: str | None
    query: str | None
    columns: tuple[str, ...]
    sources: tuple[Source, ...]
    format: FileFormat
    result: tuple[ColumnDef, ...] = ()


Statement = (
    Query | Dml | CreateSchema | CreateVirtualSchema | AlterVirtualSchema | OpenSchema
    | CreateTable | CreateView | CreateScript | Drop | AlterColumn | Comment | CreateConnection
    | CreateUser | CreateRole | Grant | SetParameter | EndTransaction | Truncate | Describe
    | Transfer
)  # fmt: skip
