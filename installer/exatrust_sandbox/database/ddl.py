"""Which kind a statement is; DDL by hand, since sqlglot does not read Exasol's."""

from __future__ import annotations

from collections.abc import Callable

from .access_ddl import (
    parse_connection,
    parse_grant,
    parse_role,
    parse_set,
    parse_user,
)
from .errors import unsupported
from .lexer import TokenStream
from .script_ddl import parse_create_script
from .statements import (
    Comment,
    CreateSchema,
    CreateView,
    Describe,
    Dml,
    Drop,
    EndTransaction,
    OpenSchema,
    Query,
    Statement,
    Truncate,
)
from .table_ddl import parse_alter_table, parse_create_table
from .transfer_ddl import parse_transfer
from .virtual_ddl import parse_alter_virtual, parse_create_virtual, parse_drop_virtual

_DROPS = ("SCHEMA", "TABLE", "VIEW", "SCRIPT", "CONNECTION", "USER", "ROLE")


def parse_statement(sql: str) -> Statement:
    """Raises SqlError: 42000 for a syntax error, 0A000 for what the stand-in leaves out."""
    stream = TokenStream(sql)
    first = stream.peek()
    if first.kind == "end":
        raise stream.error("expecting a statement")
    if first.is_word("SELECT", "WITH", "VALUES") or first.value == "(":
        return Query(_body(stream))
    if first.is_word("INSERT", "UPDATE", "DELETE", "MERGE"):
        return Dml(first.value, _body(stream))
    parser = _PARSERS.get(first.value) if first.kind == "word" else None
    if parser is None:
        if first.is_word("EXPLAIN", "KILL", "FLUSH", "PRELOAD", "RECOMPRESS", "REORGANIZE",
                         "IMPERSONATE", "LOCK", "CONSUMER", "EXECUTE", "RENAME"):  # fmt: skip
            raise unsupported(f"the statement {first.value}")
        raise stream.error("expecting a statement")
    stream.next()
    return parser(stream)


def _body(stream: TokenStream) -> str:
    """The statement without the semicolon at its end."""
    text = stream.sql.rstrip()
    return text[:-1] if text.endswith(";") else text


def _create(stream: TokenStream) -> Statement:
    replace = stream.accept("OR", "REPLACE")
    if stream.accept("SCHEMA"):
        if_not_exists = stream.accept("IF", "NOT", "EXISTS")
        statement = CreateSchema(stream.identifier(), if_not_exists)
        stream.finish()
        return statement
    if stream.accept("VIRTUAL"):
        return parse_create_virtual(stream)
    if stream.accept("TABLE"):
        return parse_create_table(stream, replace)
    if stream.at("VIEW") or stream.at("FORCE"):
        return _create_view(stream, replace)
    if stream.accept("CONNECTION"):
        return parse_connection(stream, replace=replace)
    if stream.accept("USER"):
        return parse_user(stream, alter=False)
    if stream.accept("ROLE"):
        return parse_role(stream)
    if stream.at("FUNCTION") or stream.at("SCRIPT") or stream.at("CONSUMER"):
        raise unsupported(f"CREATE {stream.peek().value}")
    return parse_create_script(stream, replace)


def _create_view(stream: TokenStream, replace: bool) -> CreateView:
    stream.accept("FORCE")
    stream.expect("VIEW")
    schema, name = stream.qualified()
    columns: list[tuple[str, str | None]] = []
    if stream.accept("("):
        while not stream.accept(")"):
            if columns:
                stream.expect(",")
            column = stream.identifier()
            columns.append((column, stream.string() if stream.accept("COMMENT", "IS") else None))
    as_end = stream.peek().end
    stream.expect("AS")
    end, comment = _trailing_comment(stream)
    return CreateView(schema, name, tuple(columns), stream.sql[as_end:end].strip(), stream.sql,
                      comment, replace)  # fmt: skip


def _trailing_comment(stream: TokenStream) -> tuple[int, str | None]:
    """Where the query ends, and the text of COMMENT IS behind it."""
    tokens = []
    while stream.peek().kind != "end":
        tokens.append(stream.next())
    if tokens and tokens[-1].value == ";":
        tokens.pop()
    if not tokens:
        raise stream.error("expecting a query")
    if len(tokens) > 3 and tokens[-3].is_word("COMMENT") and tokens[-2].is_word("IS"):
        return tokens[-4].end, tokens[-1].value
    return tokens[-1].end, None


def _drop(stream: TokenStream) -> Drop:
    force = stream.accept("FORCE")
    if stream.accept("VIRTUAL"):
        return parse_drop_virtual(stream, force)
    kind = stream.one_of(*_DROPS)
    if_exists = stream.accept("IF", "EXISTS")
    schema, name = stream.qualified()
    cascade = stream.accept("CASCADE")
    if not cascade:
        stream.accept("RESTRICT")
    stream.accept("CONSTRAINTS")
    stream.finish()
    return Drop(kind, schema, name, if_exists, cascade or force)


def _comment(stream: TokenStream) -> Comment:
    stream.expect("ON")
    words = (*_DROPS, "COLUMN")
    kind = stream.next().value if stream.peek().is_word(*words) else "TABLE"
    parts = [stream.identifier()]
    while stream.accept("."):
        parts.append(stream.identifier())
    text = stream.string() if stream.accept("IS") else None
    columns: list[tuple[str, str]] = []
    if kind != "COLUMN" and stream.accept("("):
        while not stream.accept(")"):
            if columns:
                stream.expect(",")
            column = stream.identifier()
            stream.expect("IS")
            columns.append((column, stream.string()))
    stream.finish()
    if kind == "COLUMN":
        owner, name = parts[0] if len(parts) > 2 else None, parts[-2]
        return Comment(kind, owner, name, None, ((parts[-1], text or ""),))
    return Comment(kind, parts[0] if len(parts) > 1 else None, parts[-1], text, tuple(columns))


def _alter(stream: TokenStream) -> Statement:
    if stream.accept("TABLE"):
        return parse_alter_table(stream)
    if stream.accept("VIRTUAL"):
        return parse_alter_virtual(stream)
    if stream.accept("CONNECTION"):
        return parse_connection(stream, replace=False, alter=True)
    if stream.accept("USER"):
        return parse_user(stream, alter=True)
    if stream.peek().is_word("SESSION", "SYSTEM"):
        return parse_set(stream)
    raise unsupported(f"ALTER {stream.peek().text}")


def _open(stream: TokenStream) -> OpenSchema:
    stream.expect("SCHEMA")
    statement = OpenSchema(stream.identifier())
    stream.finish()
    return statement


def _close(stream: TokenStream) -> OpenSchema:
    stream.expect("SCHEMA")
    stream.finish()
    return OpenSchema(None)


def _truncate(stream: TokenStream) -> Truncate:
    stream.expect("TABLE")
    schema, name = stream.qualified()
    stream.finish()
    return Truncate(schema, name)


def _describe(stream: TokenStream) -> Describe:
    stream.accept("FULL")
    schema, name = stream.qualified()
    stream.finish()
    return Describe(schema, name)


def _end(commit: bool) -> Callable[[TokenStream], Statement]:
    def parse(stream: TokenStream) -> EndTransaction:
        stream.accept("WORK")
        stream.finish()
        return EndTransaction(commit)

    return parse


_PARSERS: dict[str, Callable[[TokenStream], Statement]] = {
    "CREATE": _create,
    "DROP": _drop,
    "ALTER": _alter,
    "COMMENT": _comment,
    "OPEN": _open,
    "CLOSE": _close,
    "TRUNCATE": _truncate,
    "DESCRIBE": _describe,
    "DESC": _describe,
    "COMMIT": _end(True),
    "ROLLBACK": _end(False),
    "GRANT": lambda stream: parse_grant(stream, revoke=False),
    "REVOKE": lambda stream: parse_grant(stream, revoke=True),
    "IMPORT": lambda stream: parse_transfer(stream, importing=True),
    "EXPORT": lambda stream: parse_transfer(stream, importing=False),
}
