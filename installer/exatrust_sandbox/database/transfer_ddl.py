"""IMPORT and EXPORT as pyexasol's HTTP transport writes them; other sources are refused."""

from __future__ import annotations

from .errors import unsupported
from .lexer import TokenStream
from .model import SqlError
from .statements import FileFormat, Transfer

_ROW_SEPARATORS = {"LF": "\n", "CRLF": "\r\n", "CR": "\r"}


def parse_transfer(stream: TokenStream, importing: bool) -> Transfer:
    """After IMPORT or EXPORT. Raises SqlError 0A000 for all but CSV over HTTP."""
    schema = table = query = None
    columns: tuple[str, ...] = ()
    if importing:
        stream.expect("INTO")
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
    return _source(stream, Transfer(importing, schema, table, query, columns, "", None,
                                    FileFormat(())))  # fmt: skip


def _source(stream: TokenStream, transfer: Transfer) -> Transfer:
    stream.expect("AT")
    url = stream.string()
    if not url.startswith(("http://", "https://")):
        raise unsupported("IMPORT and EXPORT through a connection, only over pyexasol's transport")
    key = None
    if stream.accept("PUBLIC", "KEY"):
        key = stream.string()
    elif stream.at("USER") or stream.at("VERIFY") or stream.at("IGNORE"):
        raise unsupported(f"{stream.peek().value} in IMPORT and EXPORT")
    files: list[str] = []
    columns: tuple[int, ...] = ()
    while stream.accept("FILE"):
        files.append(stream.string())
        columns = _numbers(stream)
    if len(files) != 1:
        raise unsupported("IMPORT and EXPORT of more than one file")
    file_format = _options(stream, files, columns)
    stream.finish()
    return Transfer(
        transfer.importing, transfer.schema, transfer.table, transfer.query, transfer.columns,
        url, key, file_format,
    )  # fmt: skip


def _options(stream: TokenStream, files: list[str], columns: tuple[int, ...]) -> FileFormat:
    values: dict[str, object] = {}
    while stream.peek().kind == "word":
        _option(stream, values)
    return FileFormat(tuple(files), columns=columns, **values)  # type: ignore[arg-type]


def _option(stream: TokenStream, values: dict[str, object]) -> None:
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


def _numbers(stream: TokenStream) -> tuple[int, ...]:
    if not stream.accept("("):
        return ()
    numbers = [stream.integer()]
    while stream.accept(","):
        numbers.append(stream.integer())
    if not stream.accept(")"):
        raise unsupported("FORMAT of columns in IMPORT and EXPORT")
    return tuple(numbers)


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
