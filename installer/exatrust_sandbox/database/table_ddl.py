"""CREATE TABLE and ALTER TABLE."""

from __future__ import annotations

from dataclasses import replace as changed

from .errors import unsupported
from .lexer import Token, TokenStream
from .statements import AlterColumn, ColumnDef, CreateTable
from .types import read_type


def parse_create_table(stream: TokenStream, replace: bool) -> CreateTable:
    """After CREATE [OR REPLACE] TABLE; distribution and partition keys are accepted, without
    effect on where rows live."""
    if_not_exists = stream.accept("IF", "NOT", "EXISTS")
    schema, name = stream.qualified()
    if stream.accept("AS"):
        return _as_query(stream, CreateTable(schema, name, (), None, None, None, replace,
                                             if_not_exists))  # fmt: skip
    if stream.accept("LIKE"):
        like = stream.qualified()
        stream.finish()
        return CreateTable(schema, name, (), None, like, None, replace, if_not_exists)
    columns = _definitions(stream)
    comment = stream.string() if stream.accept("COMMENT", "IS") else None
    stream.finish()
    return CreateTable(schema, name, columns, None, None, comment, replace, if_not_exists)


def _as_query(stream: TokenStream, table: CreateTable) -> CreateTable:
    tokens: list[Token] = []
    while stream.peek().kind != "end":
        tokens.append(stream.next())
    if tokens and tokens[-1].value == ";":
        tokens.pop()
    comment = None
    if len(tokens) > 3 and tokens[-3].is_word("COMMENT") and tokens[-2].is_word("IS"):
        comment = tokens[-1].value
        del tokens[-3:]
    if len(tokens) > 2 and tokens[-1].is_word("DATA") and tokens[-2].is_word("WITH"):
        del tokens[-2:]
    if not tokens:
        raise stream.error("expecting a query")
    query = stream.sql[tokens[0].start : tokens[-1].end]
    return changed(table, query=query, comment=comment)


def _definitions(stream: TokenStream) -> tuple[ColumnDef, ...]:
    stream.expect("(")
    columns: list[ColumnDef] = []
    keys: list[str] = []
    distributed: list[str] = []
    while not stream.accept(")"):
        if columns:
            stream.expect(",")
        if stream.accept("CONSTRAINT"):
            stream.identifier()
        if stream.accept("PRIMARY", "KEY"):
            keys = _name_list(stream)
            _constraint_state(stream)
        elif stream.accept("DISTRIBUTE", "BY"):
            distributed = _bare_names(stream)
        elif stream.accept("PARTITION", "BY"):
            _bare_names(stream)
        elif stream.at("FOREIGN", "KEY") or stream.at("LIKE"):
            raise unsupported(f"{stream.peek().value} in CREATE TABLE")
        else:
            columns.append(column_definition(stream))
    return tuple(_with_keys(column, keys, distributed) for column in columns)


def _with_keys(column: ColumnDef, keys: list[str], distributed: list[str]) -> ColumnDef:
    position = keys.index(column.name) + 1 if column.name in keys else column.key_position
    nullable = column.nullable and position is None
    return changed(column, key_position=position, nullable=nullable,
                   distributed=column.name in distributed)  # fmt: skip


def _bare_names(stream: TokenStream) -> list[str]:
    names = [stream.identifier()]
    while stream.at(",") and not stream.peek(1).is_word("DISTRIBUTE", "PARTITION"):
        stream.next()
        names.append(stream.identifier())
    return names


def _name_list(stream: TokenStream) -> list[str]:
    stream.expect("(")
    names = [stream.identifier()]
    while stream.accept(","):
        names.append(stream.identifier())
    stream.expect(")")
    return names


def _constraint_state(stream: TokenStream) -> None:
    if stream.accept("DISABLE"):
        raise unsupported("disabled constraints")
    stream.accept("ENABLE")


def column_definition(stream: TokenStream) -> ColumnDef:
    """`name TYPE [DEFAULT x] [NOT NULL] [PRIMARY KEY] [COMMENT IS 'text']`."""
    column = ColumnDef(stream.identifier(), read_type(stream))
    while True:
        if stream.accept("DEFAULT"):
            column = changed(column, default=_expression(stream))
        elif stream.accept("IDENTITY"):
            raise unsupported("IDENTITY columns")
        elif stream.accept("CONSTRAINT"):
            stream.identifier()
        elif stream.accept("NOT", "NULL"):
            column = changed(column, nullable=False)
            _constraint_state(stream)
        elif stream.accept("NULL"):
            pass
        elif stream.accept("PRIMARY", "KEY"):
            column = changed(column, key_position=1)
            _constraint_state(stream)
        elif stream.accept("COMMENT", "IS"):
            column = changed(column, comment=stream.string())
        else:
            return column


def _expression(stream: TokenStream) -> str:
    """The text of a default value, up to the next column option at the same depth."""
    start, end, depth = stream.peek().start, stream.peek().start, 0
    while stream.peek().kind != "end":
        token = stream.peek()
        stops = token.is_word("NOT", "CONSTRAINT", "PRIMARY", "COMMENT") or token.value == ","
        if depth == 0 and ((stops and end > start) or token.value == ")"):
            break
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        end = stream.next().end
    return stream.sql[start:end]


def parse_alter_table(stream: TokenStream) -> AlterColumn:
    schema, table = stream.qualified()
    action = stream.one_of("ADD", "DROP", "RENAME", "MODIFY")
    if stream.at("CONSTRAINT") or stream.at("PRIMARY"):
        raise unsupported("ALTER TABLE with constraints")
    stream.accept("COLUMN")
    quiet = stream.accept("IF", "EXISTS") or stream.accept("IF", "NOT", "EXISTS")
    if action == "ADD":
        bracket = stream.accept("(")
        definition = column_definition(stream)
        if bracket:
            stream.expect(")")
        stream.finish()
        return AlterColumn(schema, table, action, definition.name, definition, None, quiet)
    column = stream.identifier()
    if action == "RENAME":
        stream.expect("TO")
        new_name = stream.identifier()
        stream.finish()
        return AlterColumn(schema, table, action, column, None, new_name)
    if action == "MODIFY":
        raise unsupported("ALTER TABLE MODIFY COLUMN")
    stream.accept("CASCADE", "CONSTRAINTS")
    stream.finish()
    return AlterColumn(schema, table, action, column, None, None, quiet)
