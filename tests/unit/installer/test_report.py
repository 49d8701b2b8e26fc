"""Output: aligned text in a pipe, one JSON document on request."""

from __future__ import annotations

import datetime as dt
import io
import json

from exatrust.report import Report, aligned


def test_text_in_a_pipe_is_aligned_and_has_no_trailing_blanks() -> None:
    text = aligned(("A", "LONG"), [("value", True), (None, "x")])
    assert text == "A      LONG\nvalue  yes\n-      x"


def test_control_characters_of_a_certificate_do_not_reach_the_terminal() -> None:
    assert aligned(("A",), [("CN=\x1b[31mred\nnext",)]) == "A\nCN=?[31mred next"


def test_json_is_one_document_and_sentences_go_elsewhere() -> None:
    out, err = io.StringIO(), io.StringIO()
    report = Report(True, out, err)
    report.say("progress")
    report.table(("A",), [(1,)])
    report.document({"at": dt.datetime(2026, 1, 2), "nodes": (1, 2)})
    assert json.loads(out.getvalue()) == {"at": "2026-01-02 00:00:00", "nodes": [1, 2]}
    assert err.getvalue() == "progress\n"


def test_without_json_the_document_is_not_shown() -> None:
    out = io.StringIO()
    Report(False, out, out).document({"a": 1})
    assert out.getvalue() == ""
