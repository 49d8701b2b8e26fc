"""Distinguished names as text, RFC 4514: `CN=Example Root,O=Example,C=DE`.

Two deliberate additions, both for people who read rows. A string under an attribute type without a
short name is written as text after the dotted type, where RFC 4514 2.4 wants `#hex`. Characters
which change how a line is shown (controls, bidirectional marks, line separators) are escaped as
`\\XX` pairs of their UTF-8 form, which RFC 4514 allows but does not ask for: a name comes from
whoever made the certificate.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from exatrust_udf import oids
from exatrust_udf.der import OBJECT_IDENTIFIER as OID_TAG
from exatrust_udf.der import SEQUENCE, SET, CertificateError, children, expect, oid, read

# T61String is read as Latin-1, as OpenSSL reads it: what the world wrote into it.
_ENCODINGS = {
    0x0C: "utf-8",
    0x12: "ascii",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1A: "ascii",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}
_SPECIAL = frozenset('"+,;<>\\')

# Only short parts of names are worth remembering (country, organisation).
_MEMO_BYTES = 128


class Name(NamedTuple):
    """A name as text, and its most specific common name, None where there is none."""

    text: str
    common_name: str | None


def read_name(data: bytes, start: int, end: int) -> Name:
    """Read the RDNSequence whose content lies between `start` and `end`; '' for an empty one.

    Raises CertificateError where the structure is broken; a value that is not what its string type
    promises is written as `#hex` instead. Hidden characters are escaped in the common name too.
    """
    parts: list[str] = []
    common_name = None
    at = start
    while at < end:
        tag, inner, stop = read(data, at, end)
        if tag != SET:
            raise CertificateError(at, f"a name part: SET expected, tag 0x{tag:02x} found")
        known = _short_part(data[inner:stop]) if stop - inner <= _MEMO_BYTES else None
        part = known or _part(data, inner, stop)
        parts.append(part.text)
        common_name = part.common_name or common_name
        at = stop
    parts.reverse()
    return Name(",".join(parts), common_name)


@lru_cache(maxsize=1024)
def _short_part(content: bytes) -> Name | None:
    """Return one part of a name; None where it is broken, so that the caller finds the offset."""
    try:
        return _part(content, 0, len(content))
    except CertificateError:
        return None


def _part(data: bytes, start: int, end: int) -> Name:
    if start == end:
        raise CertificateError(start, "an empty part of a name")
    texts, common_name = [], None
    for kind, at, tag, inner, stop in _attributes(data, start, end):
        value = decode(data, tag, inner, stop)
        shown = f"#{data[at:stop].hex()}" if value is None else escape(value)
        texts.append(f"{oids.ATTRIBUTES.get(kind, kind)}={shown}")
        if kind == oids.COMMON_NAME and value is not None:
            common_name = visible(value)
    return Name("+".join(texts), common_name)


def _attributes(data: bytes, start: int, end: int) -> list[tuple[str, int, int, int, int]]:
    """Return (type, offset of the value, its tag, start and end) of each attribute."""
    found = []
    for tag, at, inner, stop in children(data, start, end):
        if tag != SEQUENCE:
            raise CertificateError(at, f"an attribute of a name has tag 0x{tag:02x}")
        type_start, type_end = expect(data, inner, stop, OID_TAG, "the type of an attribute")
        value_tag, value, value_end = read(data, type_end, stop)
        if value_end != stop:
            raise CertificateError(value_end, "bytes after the value of an attribute")
        found.append((oid(data, type_start, type_end), type_end, value_tag, value, stop))
    return found


def decode(data: bytes, tag: int, start: int, end: int) -> str | None:
    """Return the text of a string element; None where it is no string or not validly encoded."""
    encoding = _ENCODINGS.get(tag)
    if encoding is None:
        return None
    try:
        return data[start:end].decode(encoding)
    except UnicodeDecodeError:
        return None


def escape(text: str) -> str:
    """Return an attribute value with everything escaped that RFC 4514 2.4 or a terminal minds."""
    plain = text.isascii() and text.isprintable()
    if not (plain and _SPECIAL.isdisjoint(text)):
        text = "".join(_escape_character(character) for character in text)
    if text[:1] in (" ", "#"):
        text = "\\" + text
    if text[-1:] == " " and text != "\\ ":
        text = text[:-1] + "\\ "
    return text


def _escape_character(character: str) -> str:
    return "\\" + character if character in _SPECIAL else visible(character)


def visible(text: str) -> str:
    """Return `text` with controls, format characters and odd blanks as `\\XX` pairs."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _hex_pairs(c) for c in text)


def _hex_pairs(character: str) -> str:
    return "".join(f"\\{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
