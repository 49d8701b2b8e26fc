"""IMPORT and EXPORT of CSV through the client's HTTP connection, with Exasol's CSV rules."""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import io
from typing import Any
from urllib.parse import urlsplit

from .catalog import CatalogObject
from .dml import chosen_columns, insert_rows
from .errors import unsupported
from .loader import CLAUSES_SINCE, Loader, version_of
from .model import DataType, ResultColumn, ResultSet, Row, RowCount, SqlError, Transport
from .statements import ColumnDef, FileFormat, Source, Transfer
from .transactions import Transaction
from .transport import TUNNEL_HOST
from .world import World


def run_import(
    statement: Transfer, target: CatalogObject, transport: Transport, world: World,
    work: Transaction,
) -> RowCount:  # fmt: skip
    """Raises SqlError; a value that does not fit is reported with its line."""
    columns = chosen_columns(target, statement.columns, world)
    rows = _fetched(statement, columns, transport, world)
    return insert_rows(target, columns, rows, world, work)


def import_rows(statement: Transfer, transport: Transport, world: World) -> ResultSet:
    """An import that names no table: the rows are the result, and nothing is stored."""
    rows = _fetched(statement, statement.result, transport, world)
    columns = tuple(ResultColumn(column.name, column.type) for column in statement.result)
    return ResultSet(columns, rows)


def _fetched(
    statement: Transfer, columns: tuple[ColumnDef, ...], transport: Transport, world: World
) -> list[Row]:
    rows: list[Row] = []
    for source in statement.sources:
        _refuse_unknown_clause(source, world)
        data = _data(source, transport, world)
        rows += _parsed(data, statement.format, columns, source.fields)
    return rows


def _refuse_unknown_clause(source: Source, world: World) -> None:
    if source.clause_error is not None and version_of(world.cluster.version) < CLAUSES_SINCE:
        raise source.clause_error


def _data(source: Source, transport: Transport, world: World) -> bytes:
    address, secure = _address(source.url)
    stores = world.cluster.host_stores
    if stores is None or address.startswith(f"{TUNNEL_HOST}:"):
        if source.verification is not None:
            raise unsupported(f"{source.verification} CERTIFICATE for a client's own connection")
        return transport.fetch(address, source.file, source.public_key, secure=secure)
    node = next(world.cluster.loads) % world.cluster.nodes  # one after the other
    return Loader(stores, world.cluster.version).fetch(source, node)


def run_export(statement: Transfer, result: ResultSet, transport: Transport) -> RowCount:
    share = -(-len(result.rows) // len(statement.sources))
    for number, source in enumerate(statement.sources):
        if source.verification is not None:
            raise unsupported(f"{source.verification} CERTIFICATE in EXPORT")
        if source.fields:
            raise unsupported("column numbers behind FILE in EXPORT")
        address, secure = _address(source.url)
        rows = result.rows[number * share : (number + 1) * share]
        data = _written(ResultSet(result.columns, rows), statement.format)
        transport.send(address, source.file, data, source.public_key, secure=secure)
    return RowCount(len(result.rows))


def _address(url: str) -> tuple[str, bool]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise unsupported(f"IMPORT and EXPORT over {parts.scheme or 'this address'}")
    return parts.netloc, parts.scheme == "https"


def _encoding(options: FileFormat) -> str:
    if options.encoding.upper().replace("-", "") not in ("UTF8", "ASCII"):
        raise unsupported(f"the encoding {options.encoding}")
    return "utf-8"


def _parsed(
    data: bytes, options: FileFormat, columns: tuple[ColumnDef, ...], chosen: tuple[int, ...]
) -> list[Row]:
    if len(options.separator) != 1 or len(options.delimiter) != 1:
        raise unsupported("CSV separators and delimiters of several characters")
    if options.row_separator not in ("\n", "\r\n"):
        raise unsupported(f"the row separator {options.row_separator!r}")
    text = io.StringIO(data.decode(_encoding(options)), newline="")
    reader = csv.reader(text, delimiter=options.separator, quotechar=options.delimiter)
    rows: list[Row] = []
    for number, fields in enumerate(reader, 1):
        if number <= options.skip:
            continue
        fields = _chosen(fields or [""], chosen, number)
        if len(fields) != len(columns):
            raise SqlError(
                f"ETL-2106: row {number} has {len(fields)} columns, expected {len(columns)}",
                "42636",
            )
        pairs = zip(fields, columns, strict=True)
        rows.append(tuple(_value(text, column, options, number) for text, column in pairs))
    return rows


def _chosen(fields: list[str], numbers: tuple[int, ...], row: int) -> list[str]:
    if numbers and max(numbers) > len(fields):
        raise SqlError(f"ETL-2106: row {row} has {len(fields)} columns only", "42636")
    return [fields[number - 1] for number in numbers] if numbers else fields


def _value(field: str, column: ColumnDef, options: FileFormat, row: int) -> Any:
    if options.trim:
        strip = {"TRIM": str.strip, "LTRIM": str.lstrip, "RTRIM": str.rstrip}[options.trim]
        field = strip(field)
    if field in ("", options.null):
        return None
    try:
        return convert(field, column.type)
    except (ValueError, ArithmeticError) as error:
        raise SqlError(
            f"ETL-3050: [Column={column.name} Row={row}] [Transformation of value='{field}' failed"
            f" - invalid value for {column.type.display()}]", "42636"
        ) from error  # fmt: skip


def convert(value: Any, kind: DataType) -> Any:
    """A text as the Python value of a type. Raises ValueError or ArithmeticError."""
    if not isinstance(value, str):
        return value
    if value == "":
        return None
    if kind.name == "DECIMAL":
        return decimal.Decimal(value)
    if kind.name == "DOUBLE":
        return float(value)
    if kind.name == "BOOLEAN":
        return _boolean(value)
    if kind.name == "DATE":
        return dt.date.fromisoformat(value[:10])
    if kind.name.startswith("TIMESTAMP"):
        return dt.datetime.fromisoformat(value)
    return value


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word in ("true", "t", "1", "yes", "y", "on"):
        return True
    if word in ("false", "f", "0", "no", "n", "off"):
        return False
    raise ValueError(text)


def _written(result: ResultSet, options: FileFormat) -> bytes:
    lines = []
    if options.column_names:
        lines.append([_field(column.name, options) for column in result.columns])
    lines += [[_field(value, options) for value in row] for row in result.rows]
    text = "".join(options.separator.join(line) + options.row_separator for line in lines)
    return text.encode(_encoding(options))


def _field(value: Any, options: FileFormat) -> str:
    if value is None:
        return options.null
    text = _text(value)
    special = {options.separator, options.delimiter, "\n", "\r"}
    needed = options.delimit == "ALWAYS" or any(mark in text for mark in special)
    if not needed or options.delimit == "NEVER":
        return text
    quote = options.delimiter
    return quote + text.replace(quote, quote * 2) + quote


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, dt.datetime):
        return value.isoformat(" ", "microseconds")
    return str(value)
