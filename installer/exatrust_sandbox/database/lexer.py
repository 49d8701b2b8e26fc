"""Exasol's lexical rules: words, "quoted names", 'strings' with '' inside, comments, numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .errors import syntax_error
from .names import RESERVED, fold

Kind = Literal["word", "quoted", "string", "number", "op", "end"]

_TOKEN = re.compile(
    r"""(?P<skip>\s+|--[^\n]*|/\*.*?\*/)
      | (?P<word>[^\W\d]\w*)
      | (?P<quoted>"(?:[^"]|"")*")
      | (?P<string>'(?:[^']|'')*')
      | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<op>\|\||<=|>=|<>|!=|:=|=>|.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """`text` as written, `value` folded or unescaped, `start` and `end` as character offsets."""

    kind: Kind
    text: str
    value: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.value in words


def position(sql: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1."""
    before = sql[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def tokenize(sql: str, start: int = 0) -> Iterator[Token]:
    """Lazily, since what follows AS in CREATE SCRIPT is not SQL; ends with an `end` token."""
    offset = start
    while offset < len(sql):
        match = _TOKEN.match(sql, offset)
        if match is None or (sql.startswith("/*", offset) and match.lastgroup == "op"):
            raise syntax_error("end of input in a comment", *position(sql, offset))
        if match.lastgroup != "skip":
            yield _token(sql, match)
        offset = match.end()
    yield Token("end", "", "", len(sql), len(sql))


def _token(sql: str, match: re.Match[str]) -> Token:
    text, kind = match.group(), match.lastgroup
    if kind == "word":
        return Token("word", text, fold(text), match.start(), match.end())
    if kind == "quoted":
        if text == '""':
            raise syntax_error("empty identifier", *position(sql, match.start()))
        return Token("quoted", text, text[1:-1].replace('""', '"'), match.start(), match.end())
    if kind == "string":
        return Token("string", text, text[1:-1].replace("''", "'"), match.start(), match.end())
    if kind == "number":
        return Token("number", text, text, match.start(), match.end())
    if text in ("'", '"'):
        raise syntax_error("end of input in a literal", *position(sql, match.start()))
    return Token("op", text, text, match.start(), match.end())


class TokenStream:
    """A reader with look-ahead and Exasol's error texts."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self._tokens = tokenize(sql)
        self._ahead: list[Token] = []

    def peek(self, ahead: int = 0) -> Token:
        while len(self._ahead) <= ahead:
            last = self._ahead[-1] if self._ahead else None
            if last is not None and last.kind == "end":
                return last
            self._ahead.append(next(self._tokens))
        return self._ahead[ahead]

    def next(self) -> Token:
        token = self.peek()
        if token.kind != "end":
            self._ahead.pop(0)
        return token

    def at(self, *words: str) -> bool:
        """Whether the next tokens are these keywords or operators, in this order."""
        return all(
            self.peek(i).value == word and self.peek(i).kind in ("word", "op")
            for i, word in enumerate(words)
        )

    def accept(self, *words: str) -> bool:
        if not self.at(*words):
            return False
        for _ in words:
            self.next()
        return True

    def expect(self, *words: str) -> None:
        for word in words:
            if not self.accept(word):
                raise self.error(f"expecting {word}")

    def one_of(self, *words: str) -> str:
        token = self.next()
        if token.kind == "word" and token.value in words:
            return token.value
        raise self.error_at(token, "expecting " + " or ".join(words))

    def identifier(self) -> str:
        token = self.next()
        if token.kind == "quoted":
            return token.value
        if token.kind != "word" or token.value in RESERVED:
            raise self.error_at(token, "expecting an identifier")
        return token.value

    def qualified(self) -> tuple[str | None, str]:
        first = self.identifier()
        return (first, self.identifier()) if self.accept(".") else (None, first)

    def string(self) -> str:
        token = self.next()
        if token.kind != "string":
            raise self.error_at(token, "expecting a string literal")
        return token.value

    def integer(self) -> int:
        token = self.next()
        if token.kind != "number" or not token.value.isdigit():
            raise self.error_at(token, "expecting a number")
        return int(token.value)

    def finish(self) -> None:
        """Nothing but an optional semicolon may follow."""
        self.accept(";")
        if self.peek().kind != "end":
            raise self.error("expecting the end of the statement")

    def error(self, hint: str) -> Exception:
        return self.error_at(self.peek(), hint)

    def error_at(self, token: Token, hint: str) -> Exception:
        what = "end of input" if token.kind == "end" else f"'{token.text}'"
        if token.kind == "word" and token.value in RESERVED:
            what = f"{token.value}_ (a reserved word)"
        return syntax_error(f"{what}, {hint}", *position(self.sql, token.start))
