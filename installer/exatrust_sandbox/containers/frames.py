"""How values travel to clients that are not Python: a tag, a length, and the content.

Tags: N null, T true, F false, S text (UTF-8), L list, M map (a key and a value in turn). A length
is four bytes, big-endian: bytes of a text, items of a list, pairs of a map. Numbers go as text,
since the type of its column tells a client what to make of each.
"""

from __future__ import annotations

from collections.abc import Callable

Encode = Callable[[object], bytes]
_LENGTH = 4


def packed(value: object) -> bytes:
    """The bytes of a value. Raises TypeError for one that is none of the above."""
    if value is None:
        return b"N"
    if isinstance(value, bool):
        return b"T" if value else b"F"
    if isinstance(value, (str, int, float)):
        content = str(value).encode("utf-8", "surrogateescape")
        return b"S" + _length(content) + content
    if isinstance(value, (list, tuple)):
        return b"L" + _length(value) + b"".join(map(packed, value))
    if isinstance(value, dict):
        pairs = [packed(str(key)) + packed(item) for key, item in value.items()]
        return b"M" + _length(pairs) + b"".join(pairs)
    raise TypeError(f"a {type(value).__name__} cannot be sent to a script")


def _length(content: bytes | list[bytes] | list[object] | tuple[object, ...]) -> bytes:
    return len(content).to_bytes(_LENGTH, "big")
