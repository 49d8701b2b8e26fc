"""One value out of a JSON document, by a JSON Pointer (RFC 6901). Pure."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from exatrust_udf.endpoint import BadEndpoint, shown

_MAX_POINTER = 2000
_MANY_DIGITS = 100
# The first that fits: a bool is an int, too.
_KINDS = ((bool, "boolean"), (str, "string"), ((int, Decimal), "number"), (dict, "object"))


class BadPointer(BadEndpoint):
    """The text is no JSON Pointer."""

    hint = "write /name/0/name, or nothing for the whole document"


class BadJson(ValueError):
    """The text is no JSON document; the message says why, without its content."""


class NotThere(ValueError):
    """The document has nothing at the pointer; the message says how far it leads."""


class Value(NamedTuple):
    """`text` of a string is the string itself, of null None, and JSON of anything else; `kind` is
    string, number, boolean, null, object or array."""

    text: str | None
    kind: str


def parts(pointer: object) -> tuple[str, ...]:
    """The names and numbers of a pointer; none for the whole document. Raises BadPointer."""
    text = "" if pointer is None else str(pointer)
    if not text:
        return ()
    if not text.startswith("/") or len(text) > _MAX_POINTER:
        raise BadPointer(f"{shown(text)} is no JSON pointer: it begins with /")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/"))


def value(document: bytes, pointer: tuple[str, ...]) -> Value:
    """The value at `pointer`. Numbers keep their digits. Raises BadJson and NotThere."""
    try:
        node = json.loads(document, parse_float=Decimal, parse_int=_whole, parse_constant=_refuse)
        for depth, part in enumerate(pointer):
            node = _child(node, part, pointer[: depth + 1])
        return Value(_text(node), _kind(node))
    except NotThere:
        raise
    except RecursionError:
        raise BadJson("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise BadJson(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except (ValueError, InvalidOperation) as error:
        what = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        raise BadJson(what) from None


def _whole(text: str) -> int | Decimal:
    """A Decimal where Python limits the digits of an int."""
    return int(text) if len(text) < _MANY_DIGITS else Decimal(text)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _child(node: Any, part: str, way: tuple[str, ...]) -> Any:
    if isinstance(node, dict) and part in node:
        return node[part]
    if isinstance(node, list) and _is_index(part) and int(part) < len(node):
        return node[int(part)]
    kind = _kind(node)
    what = f"an array of {len(node)}" if kind == "array" else f"{kind}"
    raise NotThere(f"nothing is at {shown('/' + '/'.join(way))}: above it is {what}")


def _is_index(part: str) -> bool:
    """RFC 6901 4: digits without a leading zero."""
    return part == "0" or (part.isascii() and part.isdigit() and part[0] != "0" and len(part) < 10)


def _kind(node: Any) -> str:
    if node is None:
        return "null"
    return next((name for kinds, name in _KINDS if isinstance(node, kinds)), "array")


def _text(node: Any) -> str | None:
    return node if node is None or isinstance(node, str) else _written(node)


def _written(node: Any) -> str:
    """JSON again; json.dumps would make floats of numbers, or strings."""
    if isinstance(node, Decimal):
        return str(node)
    if isinstance(node, dict):
        items = (f"{json.dumps(k, ensure_ascii=False)}: {_written(v)}" for k, v in node.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(node, list):
        return "[" + ", ".join(map(_written, node)) + "]"
    return json.dumps(node, ensure_ascii=False)
