"""CREATE, ALTER and DROP VIRTUAL SCHEMA."""

from __future__ import annotations

from .errors import unsupported
from .lexer import TokenStream
from .model import SqlError
from .statements import AlterVirtualSchema, CreateVirtualSchema, Drop


def parse_create_virtual(stream: TokenStream) -> CreateVirtualSchema:
    """After CREATE VIRTUAL."""
    stream.expect("SCHEMA")
    if_not_exists = stream.accept("IF", "NOT", "EXISTS")
    name = stream.identifier()
    stream.expect("USING")
    adapter = stream.qualified()
    properties = _properties(stream) if stream.accept("WITH") else {}
    stream.finish()
    return CreateVirtualSchema(name, adapter, properties, if_not_exists)


def parse_alter_virtual(stream: TokenStream) -> AlterVirtualSchema:
    """After ALTER VIRTUAL; raises 0A000 for CHANGE OWNER and REFRESH of single tables."""
    stream.expect("SCHEMA")
    name = stream.identifier()
    if stream.accept("SET"):
        statement = AlterVirtualSchema(name, _properties(stream))
    elif stream.accept("REFRESH"):
        if stream.at("TABLES") or stream.at("WITH"):
            raise unsupported("REFRESH of single tables, or WITH properties")
        statement = AlterVirtualSchema(name, None)
    else:
        raise unsupported(f"ALTER VIRTUAL SCHEMA ... {stream.peek().text}")
    stream.finish()
    return statement


def parse_drop_virtual(stream: TokenStream, force: bool) -> Drop:
    """After DROP [FORCE] VIRTUAL."""
    stream.expect("SCHEMA")
    if_exists = stream.accept("IF", "EXISTS")
    name = stream.identifier()
    cascade = stream.accept("CASCADE")
    if not cascade:
        stream.accept("RESTRICT")
    stream.finish()
    return Drop("SCHEMA", None, name, if_exists, cascade, virtual=True, force=force)


def _properties(stream: TokenStream) -> dict[str, str | None]:
    """NAME = 'value' or NAME = NULL, at least once, without commas between them."""
    properties: dict[str, str | None] = {}
    while not properties or stream.peek().kind in ("word", "quoted"):
        name = stream.identifier()
        if name in properties:
            raise SqlError(f"property {name} is given twice")
        stream.expect("=")
        # The empty string is NULL here too, as in adapters' guides: SET IGNORE_ERRORS = ''.
        properties[name] = None if stream.accept("NULL") else stream.string() or None
    return properties
