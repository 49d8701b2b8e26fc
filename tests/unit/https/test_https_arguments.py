"""What the scripts are called with becomes a request, or a reason why not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exatrust_udf import https_arguments as arguments
from exatrust_udf.endpoint import BadEndpoint
from exatrust_udf.https_arguments import GET, JSON, REQUEST, BadRequest, Limits, Request

URL = "https://erp.example/"


def asked(method: object = "POST", **named: object) -> Request:
    return arguments.request({"method": method, "url": URL, **named})


def test_arguments_are_taken_by_position_and_the_last_ones_may_be_left_out() -> None:
    assert GET.named([URL]) == {"url": URL, "id": None, "options": None}
    assert GET.named([URL, 7, "timeout=1"])["id"] == 7
    assert REQUEST.named(["GET", URL, None, None, None])["options"] is None
    assert JSON.named([URL, "/a"])["connection_name"] is None


@pytest.mark.parametrize(
    ("script", "count"), [(GET, 0), (GET, 4), (REQUEST, 4), (REQUEST, 8), (JSON, 1), (JSON, 6)]
)
def test_another_number_of_arguments_is_refused(script: arguments.Arguments, count: int) -> None:
    with pytest.raises(BadRequest, match=rf"{count} arguments given, .* url"):
        script.named([URL] * count)


def test_a_request_has_what_was_given() -> None:
    found = asked(
        " put ", headers='{"X-A": "b", "Accept": "text/csv", "X-N": 5}', body="ü",
        connection_name=" API ", options="timeout=2.5 retries=0 redirects=1 gzip=yes",
    )  # fmt: skip
    assert (found.method, found.body, found.connection) == ("PUT", "ü".encode(), "API")
    assert found.headers["X-N"] == "5"
    assert found.limits == Limits(2.5, 0, 1, True)
    assert asked(None).method == "GET"
    assert asked("GET", connection_name=" ").connection is None


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"a": 1}', "application/json"),
        (" [1]", "application/json"),
        ("{no json", "text/plain; charset=utf-8"),
        ("5", "text/plain; charset=utf-8"),
        ("[" * 100000, "text/plain; charset=utf-8"),
        ("", None),
    ],
)
def test_a_body_without_type_gets_one(body: str, kind: str | None) -> None:
    assert asked(body=body).headers.get("Content-Type") == kind
    assert asked(body=body, headers='{"content-type": "x/y"}').headers == {"content-type": "x/y"}


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ({"method": "TRACE"}, "none of GET"),
        ({"method": "GET /evil HTTP/1.1\r\n"}, "none of GET"),
        ({"method": "GET", "body": "x"}, "no body"),
        ({"body": "\ud800"}, "surrogate"),
        ({"headers": "X: y"}, "JSON object"),
        ({"headers": "[]"}, "JSON object"),
        ({"headers": "[" * 30000}, "JSON object"),
        ({"headers": json.dumps({"X": "y" * 40000})}, "characters"),
        ({"headers": '{"X": "a", "x": "b"}'}, "twice"),
        ({"headers": '{"X": null}'}, "no text"),
        ({"headers": '{"X": true}'}, "no text"),
        ({"headers": '{"X": "a\\r\\nHost: evil"}'}, "line break"),
        ({"headers": '{"X": "a\\u0000"}'}, "line break"),
        ({"headers": '{"X\\r\\nHost": "a"}'}, "line break"),
        ({"headers": '{"X Y": "a"}'}, "line break"),
        ({"headers": '{"": "a"}'}, "line break"),
        ({"headers": '{"X": " a"}'}, "line break"),
        ({"headers": '{"X": "\\u20ac"}'}, "line break"),
        ({"headers": '{"Authorization": "Basic hidden"}'}, "CONNECTION"),
        ({"headers": '{"cookie": "hidden"}'}, "CONNECTION"),
        ({"headers": '{"HOST": "evil"}'}, "not the caller's"),
        ({"headers": '{"Transfer-Encoding": "chunked"}'}, "not the caller's"),
        ({"headers": '{"Accept-Encoding": "br"}'}, "not the caller's"),
        ({"connection_name": "x" * 129}, "at most 128"),
        ({"options": "speed=1"}, "no option"),
        ({"options": "timeout=1 timeout=2"}, "twice"),
        ({"options": "timeout=0"}, "0.1 to 300"),
        ({"options": "timeout=301"}, "0.1 to 300"),
        ({"options": "timeout=nan"}, "0.1 to 300"),
        ({"options": "timeout=1e2"}, "0.1 to 300"),
        ({"options": "retries=1.5"}, "0 to 5"),
        ({"options": "retries=-1"}, "0 to 5"),
        ({"options": "redirects=11"}, "0 to 10"),
        ({"options": "gzip=true"}, "yes or no"),
        ({"options": "gzip"}, "yes or no"),
        ({"pointer": "a/b", "method": None}, "begins with /"),
    ],
)
def test_what_is_no_request_is_refused_with_the_reason(named: dict[str, object], why: str) -> None:
    with pytest.raises(BadEndpoint, match=why) as refused:
        arguments.request({"method": "POST", "url": URL, **named})
    assert "hidden" not in str(refused.value)


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3))
def test_no_header_smuggles_a_line(headers: dict[str, str]) -> None:
    try:
        found = asked(headers=json.dumps(headers))
    except BadRequest:
        return
    for name, value in found.headers.items():
        line = f"{name}: {value}".encode("latin-1")
        assert not {*line} & {0, 10, 13}
        assert b":" not in name.encode()
