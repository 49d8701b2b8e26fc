"""CREATE SCRIPT: the signature, and the option lines in the body."""

from __future__ import annotations

import re

from .errors import unsupported
from .lexer import TokenStream
from .model import SqlError
from .statements import ColumnDef, CreateScript
from .types import read_type

_ENV = re.compile(r"\s*%env\s+([^=\s]+)=([^;]*);\s*")
_BEFORE_CODE = re.compile(r"\s*(?:[%#]|$)")
_LIMIT = re.compile(r"\s*%perNodeAndCallInstanceLimit\s+(\d+)\s*;?\s*")


def parse_create_script(stream: TokenStream, replace: bool) -> CreateScript:
    """After CREATE [OR REPLACE]; raises 0A000 for Lua and preprocessor scripts."""
    alias = stream.identifier()
    if alias in ("LUA", "ADAPTER", "SCRIPT"):
        raise unsupported("Lua and preprocessor scripts, only SCALAR, SET and ADAPTER scripts")
    if stream.accept("ADAPTER"):
        return _adapter(stream, alias, replace)
    input_type = stream.one_of("SCALAR", "SET")
    stream.expect("SCRIPT")
    if_not_exists = stream.accept("IF", "NOT", "EXISTS")
    schema, name = stream.qualified()
    inputs = parameters(stream, keep_case=True)
    output_type = stream.one_of("RETURNS", "EMITS")
    if output_type == "RETURNS":
        outputs: tuple[ColumnDef, ...] | None = (ColumnDef("RETURNS", read_type(stream)),)
    else:
        outputs = parameters(stream, keep_case=False)
    as_token = stream.peek()
    stream.expect("AS")
    body = stream.sql[as_token.end :]
    return CreateScript(
        schema, name, alias, input_type, output_type, inputs, outputs, _first_line_cut(body),
        stream.sql, replace, if_not_exists,
    )  # fmt: skip


def _adapter(stream: TokenStream, alias: str, replace: bool) -> CreateScript:
    """After CREATE [OR REPLACE] alias ADAPTER: no parameters, no result."""
    stream.expect("SCRIPT")
    if_not_exists = stream.accept("IF", "NOT", "EXISTS")
    schema, name = stream.qualified()
    as_token = stream.peek()
    stream.expect("AS")
    return CreateScript(
        schema, name, alias, None, None, None, None, _first_line_cut(stream.sql[as_token.end :]),
        stream.sql, replace, if_not_exists, "ADAPTER",
    )  # fmt: skip


def _first_line_cut(body: str) -> str:
    """Without the rest of the line of AS, when that is blank."""
    match = re.match(r"[ \t]*\r?\n", body)
    return body[match.end() :] if match else body.lstrip(" \t")


def parameters(stream: TokenStream, keep_case: bool) -> tuple[ColumnDef, ...] | None:
    """The names and types in parentheses; None for `(...)`. Input names keep the case they are
    written in even when unquoted; output names follow the rules of columns."""
    stream.expect("(")
    if stream.accept(".", ".", "."):
        stream.expect(")")
        return None
    columns: list[ColumnDef] = []
    while not stream.accept(")"):
        if columns:
            stream.expect(",")
        token = stream.peek()
        name = stream.identifier()
        columns.append(ColumnDef(token.text if keep_case and token.kind == "word" else name,
                                 read_type(stream)))  # fmt: skip
    return tuple(columns)


def parse_columns(text: str) -> tuple[ColumnDef, ...]:
    """The column list of EMITS at a call, with its parentheses."""
    columns = parameters(TokenStream(text), keep_case=False)
    if columns is None:
        raise SqlError("EMITS at a call needs column definitions")
    return columns


def split_options(body: str) -> tuple[str, dict[str, str]]:
    """The code with every option line blanked (line numbers stay), and the environment.

    Options stand before the first line of code; comments and blank lines may be among them. Other
    `%` lines stay in the code, where Python refuses them at the first run.
    """
    env: dict[str, str] = {}
    lines = body.split("\n")
    for number, line in enumerate(lines):
        if not _BEFORE_CODE.match(line):
            break
        if line.lstrip().startswith("%env"):
            match = _ENV.fullmatch(line)
            if match is None:
                raise SqlError("Error while parsing %env option line", "22002")
            env[match[1]] = match[2]
            lines[number] = ""
        elif _LIMIT.fullmatch(line):
            lines[number] = ""
    return "\n".join(lines), env
