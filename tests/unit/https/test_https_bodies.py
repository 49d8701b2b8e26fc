"""Bodies: bounded whatever they unpack to, text or said not to be, and values out of JSON."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exatrust_udf import json_pointer
from exatrust_udf.https_body import (
    MAX_BYTES,
    MAX_CHARACTERS,
    BadEncoding,
    Body,
    NotText,
    collected,
    text,
)
from exatrust_udf.json_pointer import BadJson, BadPointer, NotThere, Value


def pieces(data: bytes, size: int = 65536) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


@given(st.binary(max_size=500), st.integers(1, 50))
def test_what_was_packed_is_unpacked_in_pieces_of_any_size(data: bytes, size: int) -> None:
    packed = gzip.compress(data)
    assert collected(pieces(packed, size), "gzip", gzip=True) == Body(data)
    assert collected(pieces(data, size), "", gzip=False) == Body(data)


def test_a_gzip_bomb_is_cut_and_takes_no_memory() -> None:
    bomb = pieces(gzip.compress(b"\0" * (500 << 20), 9))
    tracemalloc.start()
    try:
        body = collected(bomb, "gzip", gzip=True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert body.cut
    assert len(body.data) == MAX_BYTES
    assert peak < 4 * MAX_BYTES


def test_more_than_a_column_holds_is_not_kept() -> None:
    endless = (b"x" * 65536 for _ in iter(int, 1))
    assert collected(endless, "identity", gzip=False) == Body(b"x" * MAX_BYTES, cut=True)
    assert collected([b"x" * MAX_BYTES], "", gzip=False) == Body(b"x" * MAX_BYTES)


def test_no_body_at_all_is_no_damaged_one() -> None:
    assert collected([], "gzip", gzip=True) == Body()


@pytest.mark.parametrize(
    ("data", "encoding", "asked", "why"),
    [
        (gzip.compress(b"x", mtime=0), "gzip", False, "asked for as it is"),
        (b"x", "br", True, "packed as 'br'"),
        (b"x", "gzip, gzip", True, "packed as 'gzip, gzip'"),
        (b"no gzip", "gzip", True, "no gzip stream"),
        (gzip.compress(b"x" * 1000, mtime=0)[:-9], "gzip", True, "too early"),
    ],
)
def test_another_packing_is_refused(data: bytes, encoding: str, asked: bool, why: str) -> None:
    with pytest.raises(BadEncoding, match=why):
        collected([data], encoding, gzip=asked)


@pytest.mark.parametrize(
    ("data", "kind", "expected"),
    [
        ("Grüße €".encode(), "text/plain", "Grüße €"),
        ("Grüße".encode("latin-1"), "text/html; charset=ISO-8859-1", "Grüße"),
        ("€".encode("cp1252"), 'text/csv; Charset="windows-1252"; header=present', "€"),
        ("漢字".encode("utf-16"), "text/plain;charset=utf-16", "漢字"),
        (b"\xef\xbb\xbfa", "", "a"),
        (b"", "text/plain", ""),
    ],
)
def test_a_body_is_decoded_by_its_charset(data: bytes, kind: str, expected: str) -> None:
    assert text(Body(data), kind) == (expected, False)


@pytest.mark.parametrize(
    ("data", "kind", "why"),
    [
        (b"\x89PNG\xff", "image/png", "it is not utf-8"),
        (b"x", "text/plain; charset=klingon", "not known"),
        (b"x", "text/plain; charset=zlib", "not known"),
        (b"x", "text/plain; charset=unicode_escape", "not known"),
        (b"a\0b", "text/plain", "NUL"),
        (b"\xe2\x82", "text/plain", "it is not utf-8"),
    ],
)
def test_what_is_no_text_is_said_to_be_none(data: bytes, kind: str, why: str) -> None:
    with pytest.raises(NotText, match=why):
        text(Body(data), kind)


def test_a_body_is_cut_between_characters() -> None:
    assert text(Body("a€".encode()[:3], cut=True), "") == ("a", True)
    found, cut = text(Body(b"x" * (MAX_CHARACTERS + 1)), "")
    assert (len(found), cut) == (MAX_CHARACTERS, True)


DOCUMENT = b"""{"rates": {"USD": 1.10, "a/b": {"~": [true, null, "x"]}}, "": 7,
 "big": 12345678901234567890.123456789, "list": [{"n": 1}, {"n": 2}]}"""


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/rates/USD", Value("1.10", "number")),
        ("/rates/a~1b/~0/0", Value("true", "boolean")),
        ("/rates/a~1b/~0/1", Value(None, "null")),
        ("/rates/a~1b/~0/2", Value("x", "string")),
        ("/", Value("7", "number")),
        ("/big", Value("12345678901234567890.123456789", "number")),
        ("/list/1", Value('{"n": 2}', "object")),
        ("/list", Value('[{"n": 1}, {"n": 2}]', "array")),
    ],
)
def test_a_pointer_finds_its_value_with_all_its_digits(pointer: str, value: Value) -> None:
    assert json_pointer.value(DOCUMENT, json_pointer.parts(pointer)) == value


@pytest.mark.parametrize("pointer", [None, ""])
def test_without_a_pointer_the_whole_document_is_the_value(pointer: str | None) -> None:
    found = json_pointer.value(DOCUMENT, json_pointer.parts(pointer))
    assert found.kind == "object"
    assert json.loads(found.text or "") == json.loads(DOCUMENT)


@pytest.mark.parametrize(
    "pointer", ["/x", "/rates/EUR", "/list/2", "/list/-", "/list/01", "/list/n", "/rates/USD/x",
                "/list/٣", "/list/9999999999999999999999"],
)  # fmt: skip
def test_where_nothing_is_that_is_said(pointer: str) -> None:
    with pytest.raises(NotThere, match="nothing is at"):
        json_pointer.value(DOCUMENT, json_pointer.parts(pointer))


@pytest.mark.parametrize(
    "document",
    [b"", b"<html>", b"{", b"NaN", b"[Infinity]", b"\xff\xfe\xfd", b"[" * 200000, b"1" * 100 + b"x",
     b"{" * 5, b"1e99999999999999999999"],
)  # fmt: skip
def test_what_is_no_json_is_said_to_be_none(document: bytes) -> None:
    with pytest.raises(BadJson):
        json_pointer.value(document, ())


def test_numbers_of_any_length_are_kept() -> None:
    digits = b"9" * 6000
    assert json_pointer.value(digits, ()) == Value(digits.decode(), "number")


@pytest.mark.parametrize("pointer", ["a", "#/a", "rates", "/" + "a" * 2000, 5])
def test_a_bad_pointer_is_refused(pointer: object) -> None:
    with pytest.raises(BadPointer):
        json_pointer.parts(pointer)


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def ways(node: Any, way: tuple[str, ...] = ()) -> Any:
    yield way, node
    items: Any = node.items() if isinstance(node, dict) else ()
    items = enumerate(node) if isinstance(node, list) else items
    for key, child in items:
        yield from ways(child, (*way, str(key)))


@given(documents)
def test_every_value_of_a_document_is_found(document: Any) -> None:
    data = json.dumps(document).encode()
    for way, node in ways(document):
        pointer = "".join("/" + p.replace("~", "~0").replace("/", "~1") for p in way)
        found = json_pointer.value(data, json_pointer.parts(pointer))
        expected = node if isinstance(node, str) or node is None else json.dumps(node)
        if found.kind in ("string", "null"):
            assert found.text == expected
        else:
            assert json.loads(found.text or "", parse_int=Decimal) == json.loads(
                expected, parse_int=Decimal
            )
