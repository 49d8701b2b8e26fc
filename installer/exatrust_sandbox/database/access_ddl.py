"""Users, roles, connections, grants, and ALTER SESSION or SYSTEM."""

from __future__ import annotations

from .errors import unsupported
from .lexer import TokenStream
from .statements import CreateConnection, CreateRole, CreateUser, Grant, SetParameter

OBJECT_PRIVILEGES = frozenset(
    {
        "ALL",
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "EXECUTE",
        "ALTER",
        "REFERENCES",
        "EXPORT",
        "REFRESH",
    }
)
_TARGETS = ("SCHEMA", "TABLE", "VIEW", "SCRIPT", "FUNCTION")


def parse_connection(stream: TokenStream, replace: bool, alter: bool = False) -> CreateConnection:
    if_not_exists = stream.accept("IF", "NOT", "EXISTS")
    name = stream.identifier()
    stream.expect("TO")
    address = stream.string()
    user = stream.string() if stream.accept("USER") else None
    password = stream.string() if stream.accept("IDENTIFIED", "BY") else None
    stream.finish()
    return CreateConnection(name, address, user, password, replace, if_not_exists, alter)


def parse_user(stream: TokenStream, alter: bool) -> CreateUser:
    """Passwords are written like identifiers, quoted or not, and keep their case."""
    name = stream.identifier()
    if not stream.accept("IDENTIFIED", "BY"):
        raise unsupported("users without a password of their own (LDAP, Kerberos, OpenID)")
    token = stream.next()
    if token.kind not in ("word", "quoted"):
        raise stream.error_at(token, "expecting a password written as an identifier")
    if stream.accept("REPLACE"):
        stream.next()
    stream.finish()
    return CreateUser(name, token.value if token.kind == "quoted" else token.text, alter)


def parse_role(stream: TokenStream) -> CreateRole:
    role = CreateRole(stream.identifier())
    stream.finish()
    return role


def parse_set(stream: TokenStream) -> SetParameter:
    scope = stream.next().value
    stream.expect("SET")
    name = stream.next()
    stream.expect("=")
    token = stream.next()
    if token.kind == "op" and token.text in "+-":
        token = stream.next()
    if token.kind not in ("string", "number", "word"):
        raise stream.error_at(token, "expecting a value")
    stream.finish()
    return SetParameter(scope, name.value, token.value)


def parse_grant(stream: TokenStream, revoke: bool) -> Grant:
    """System and object privileges, roles, connections, and access on a connection's secrets."""
    admin_option = revoke and stream.accept("ADMIN", "OPTION", "FOR")
    if stream.at("CONNECTION") or stream.at("IMPERSONATION"):
        return _grant_connection(stream, revoke)
    privileges = _privileges(stream)
    kind: str | None = None
    target: tuple[str | None, str] | None = None
    restriction: tuple[str | None, str | None] = (None, None)
    if stream.accept("ON"):
        kind, target, restriction = _target(stream)
        if privileges == ("ACCESS",):
            kind = "ACCESS"
    grantees, admin = _grantees(stream, revoke)
    return Grant(privileges, grantees, revoke, kind, target, restriction, admin or admin_option)


def _grant_connection(stream: TokenStream, revoke: bool) -> Grant:
    if stream.next().value != "CONNECTION":
        raise unsupported("impersonation")
    target = (None, stream.identifier())
    grantees, admin = _grantees(stream, revoke)
    return Grant(("CONNECTION",), grantees, revoke, "CONNECTION", target, admin=admin)


def _privileges(stream: TokenStream) -> tuple[str, ...]:
    names: list[list[str]] = [[]]
    while not stream.at("ON") and not stream.at("TO") and not stream.at("FROM"):
        token = stream.next()
        if token.kind not in ("word", "quoted") and token.text != ",":
            raise stream.error_at(token, "expecting a privilege or a role")
        if token.text == ",":
            names.append([])
        else:
            names[-1].append(token.value)
    words = tuple(" ".join(name) for name in names)
    return tuple("ALL" if word == "ALL PRIVILEGES" else word for word in words)


def _target(
    stream: TokenStream,
) -> tuple[str, tuple[str | None, str], tuple[str | None, str | None]]:
    if stream.accept("CONNECTION"):
        name = stream.identifier()
        return "ACCESS", (None, name), _restriction(stream)
    word = stream.next().value if stream.peek().is_word(*_TARGETS) else None
    schema, name = stream.qualified()
    return ("SCHEMA" if word == "SCHEMA" else "OBJECT"), (schema, name), (None, None)


def _restriction(stream: TokenStream) -> tuple[str | None, str | None]:
    if not stream.accept("FOR"):
        return None, None
    schema_only = stream.accept("SCHEMA")
    stream.accept("SCRIPT")
    first, second = stream.qualified()
    return (second, None) if schema_only or first is None else (first, second)


def _grantees(stream: TokenStream, revoke: bool) -> tuple[tuple[str, ...], bool]:
    stream.expect("FROM" if revoke else "TO")
    names = [stream.identifier()]
    while stream.accept(","):
        names.append(stream.identifier())
    admin = stream.accept("WITH", "ADMIN", "OPTION")
    stream.finish()
    return tuple(names), admin
