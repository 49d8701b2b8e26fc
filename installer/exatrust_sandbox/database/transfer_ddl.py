"""IMPORT and EXPORT as pyexasol's HTTP transport writes them; other sources are refused."""

from __future__ import annotations

from typing import Any, Literal

from .errors import unsupported
from .lexer import TokenStream
from .model import SqlError
from .script_ddl import parameters
from .statements import ColumnDef, FileFormat, Source, Transfer

_ROW_SEPARATORS = {"LF": "\n", "CRLF": "\r\n", "CR": "\r"}


def parse_transfer(stream: TokenStream, importing: bool) -> Transfer:
    """After IMPORT or EXPORT. Raises SqlError 0A000 for all but CSV over HTTP."""
    schema = table = query = None
    columns: tuple[str, ...] = ()
    result: tuple[ColumnDef, ...] = ()
    if importing:
        stream.expect("INTO")
        if stream.at("("):
            result = parameters(stream, keep_case=False) or ()
        else:
            schema, table = stream.qualified()
            columns = _names(stream)
        stream.expect("FROM")
    elif stream.at("("):
        query = _query(stream)
        stream.expect("INTO")
    else:
        schema, table = stream.qualified()
        columns = _names(stream)
        stream.expect("INTO")
    if not stream.accept("CSV"):
        raise unsupported(f"IMPORT and EXPORT with {stream.peek().text}, only CSV over HTTP")
    sources: list[Source] = []
    while stream.accept("AT"):
        sources += _sources(stream)
    file_format = _options(stream)
    stream.finish()
    return Transfer(importing, schema, table, query, columns, tuple(sources), file_format, result)


def _sources(stream: TokenStream) -> list[Source]:
    """After AT: an address and its files."""
    if stream.peek().kind != "string":
        raise unsupported("IMPORT and EXPORT through a connection, only over pyexasol's transport")
    url = stream.string()
    if not url.startswith(("http://", "https://")):
        raise unsupported(f"IMPORT and EXPORT over {url.partition(':')[0]}, only over HTTP")
    if stream.peek().is_word("USER"):
        raise unsupported(f"{stream.peek().value} in IMPORT and EXPORT")
    # Said now, when the place is known; raised by a version without these clauses.
    error = stream.error("expecting FILE_")
    key: str | None = None
    verification: Literal["VERIFY", "IGNORE"] | None = None
    if stream.accept("PUBLIC", "KEY"):
        key = stream.string()
    elif stream.accept("VERIFY", "CERTIFICATE"):
        verification = "VERIFY"
    elif stream.accept("IGNORE", "CERTIFICATE"):
        verification = "IGNORE"
    clause = error if key is not None or verification is not None else None
    sources: list[Source] = []
    while stream.accept("FILE"):
        sources.append(Source(url, key, stream.string(), _fields(stream), verification, clause))
    if not sources:
        raise stream.error("expecting FILE")
    return sources


def _fields(stream: TokenStream) -> tuple[int, ...]:
    """`(1, 3..5)`: numbers of CSV fields, from 1."""
    fields: list[int] = []
    if not stream.accept("("):
        return ()
    while not stream.accept(")"):
        if fields:
            stream.expect(",")
        fields += _field_range(stream)
    return tuple(fields)


def _field_range(stream: TokenStream) -> list[int]:
    start = stream.next()
    # The tokenizer reads `3..5` as the numbers 3. and .5 or as 3, dots and 5.
    text = start.text
    while stream.peek().text.strip(".0123456789") == "" and stream.peek().kind in ("number", "op"):
        text += stream.next().text
    if stream.at("FORMAT"):
        raise unsupported("FORMAT of columns in IMPORT and EXPORT")
    first, _, last = text.partition("..")
    if not first.isdigit() or (last and not last.isdigit()):
        raise stream.error_at(start, "expecting the number of a column")
    return list(range(int(first), int(last or first) + 1))


def _options(stream: TokenStream) -> FileFormat:
    values: dict[str, Any] = {}
    while stream.peek().kind == "word":
        _option(stream, values)
    return FileFormat(**values)


def _option(stream: TokenStream, values: dict[str, Any]) -> None:
    if stream.accept("COLUMN", "SEPARATOR"):
        values["separator"] = _value(stream)
    elif stream.accept("COLUMN", "DELIMITER"):
        values["delimiter"] = _value(stream)
    elif stream.accept("ROW", "SEPARATOR"):
        name = _value(stream)
        if name not in _ROW_SEPARATORS:
            raise SqlError(f"unknown row separator {name}")
        values["row_separator"] = _ROW_SEPARATORS[name]
    elif stream.accept("NULL"):
        values["null"] = _value(stream)
    elif stream.accept("ENCODING"):
        values["encoding"] = _value(stream)
    elif stream.accept("SKIP"):
        stream.expect("=")
        values["skip"] = stream.integer()
    elif stream.accept("WITH", "COLUMN", "NAMES"):
        values["column_names"] = True
    elif stream.accept("DELIMIT"):
        stream.expect("=")
        values["delimit"] = stream.one_of("AUTO", "ALWAYS", "NEVER")
    elif stream.peek().is_word("TRIM", "LTRIM", "RTRIM"):
        values["trim"] = stream.next().value
    else:
        raise unsupported(f"the option {stream.peek().text} of IMPORT and EXPORT")


def _value(stream: TokenStream) -> str:
    stream.expect("=")
    return stream.string()


def _names(stream: TokenStream) -> tuple[str, ...]:
    if not stream.accept("("):
        return ()
    names = [stream.identifier()]
    while stream.accept(","):
        names.append(stream.identifier())
    stream.expect(")")
    return tuple(names)


def _query(stream: TokenStream) -> str:
    opening = stream.next()
    depth, end = 1, opening.end
    while depth:
        token = stream.next()
        if token.kind == "end":
            raise stream.error("expecting )")
        if token.kind == "op":
            depth += (token.text == "(") - (token.text == ")")
        end = token.start
    return stream.sql[opening.end : end]
