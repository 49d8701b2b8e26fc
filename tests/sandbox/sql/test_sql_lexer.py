"""Exasol's lexical rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exatrust_sandbox.database.lexer import position, tokenize
from exatrust_sandbox.database.model import SqlError
from exatrust_sandbox.database.names import literal, physical, quote


def kinds(sql):
    return [(token.kind, token.value) for token in tokenize(sql)][:-1]


def test_words_fold_to_upper_case_and_quoted_names_do_not():
    assert kinds('select "a""b" x_1') == [("word", "SELECT"), ("quoted", 'a"b'), ("word", "X_1")]


def test_comments_are_skipped_but_not_inside_literals():
    sql = "1 -- '\n/* \" */ '--x' \"/*\""
    assert kinds(sql) == [("number", "1"), ("string", "--x"), ("quoted", "/*")]


@pytest.mark.parametrize("sql", ["'open", '"open', "/* open", '""'])
def test_what_is_not_closed_or_empty_is_a_syntax_error_with_its_position(sql):
    with pytest.raises(SqlError, match=r"syntax error.*\[line 2, column 3\]"):
        list(tokenize("\n  " + sql))


@given(st.text(min_size=0, max_size=30))
def test_every_literal_reads_back_as_the_text_it_was_written_from(text):
    assert kinds(literal(text)) == [("string", text)]


@given(st.text(min_size=1, max_size=30))
def test_every_quoted_name_reads_back_as_the_name_it_was_written_from(name):
    assert kinds(quote(name)) == [("quoted", name)]


@given(st.text(max_size=60))
def test_tokens_are_in_order_and_lose_no_text_but_blanks_and_comments(sql):
    try:
        tokens = list(tokenize(sql))
    except SqlError:
        return
    at = 0
    for token in tokens:
        skipped = sql[at : token.start].strip()
        assert not skipped or skipped.startswith(("--", "/*"))
        assert sql[token.start : token.end] == token.text
        at = token.end
    assert at == len(sql)


@given(st.text(max_size=40), st.data())
def test_a_position_leads_back_to_its_offset(sql, data):
    offset = data.draw(st.integers(0, len(sql)))
    line, column = position(sql, offset)
    assert len("".join(f"{part}\n" for part in sql.split("\n")[: line - 1])) + column - 1 == offset


@given(st.text("aAbB~1", min_size=1, max_size=6), st.text("aAbB~1", min_size=1, max_size=6))
def test_different_names_stay_different_where_case_does_not_count(one, other):
    assert (physical(one).lower() == physical(other).lower()) == (one == other)
