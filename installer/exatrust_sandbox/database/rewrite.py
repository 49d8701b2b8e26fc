"""Token-level rewriting of what sqlglot's Exasol dialect does not read.

The text keeps its shape; small replacements and insertions turn
- `VALUES BETWEEN a AND b [WITH STEP c]` into a subquery over "$SERIES"(a, b, c),
- a script's name into "$SCRIPT:SCHEMA.NAME", ORDER BY inside its call into "$ORDER"(...), and
  EMITS behind it into a marked literal among its arguments,
- '' into NULL, session values into literals, VARCHAR(n) UTF8 into VARCHAR(n).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .errors import unsupported
from .lexer import Token, position, tokenize
from .model import SqlError
from .names import literal, quote

SERIES, SCRIPT, ORDER, EMITS, IPROC = "$SERIES", "$SCRIPT:", "$ORDER", "$EMITS:", "$IPROC"
DESCENDING = "$DESC"
_OPERATORS = frozenset("+-*/|") | {"||"}
# What may stand before an operand inside an expression without ending it.
_NOT_NAMES = frozenset(
    {"SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "IN", "EXISTS", "VALUES", "OVER", "BY", "AS",
     "ON", "USING", "THEN", "ELSE", "WHEN", "CASE", "UNION", "ALL", "JOIN", "INTO", "SET",
     "HAVING", "QUALIFY", "LIMIT", "ANY", "WITH", "CAST", "GROUP", "DISTINCT"}
)  # fmt: skip

ResolveScript = Callable[[str | None, str], str | None]


@dataclass
class _Edits:
    """Replacements by source range; an insertion is a replacement of an empty range."""

    sql: str
    edits: list[tuple[int, int, str]] = field(default_factory=list)

    def replace(self, first: Token, last: Token, text: str) -> None:
        self.edits.append((first.start, last.end, text))

    def insert(self, offset: int, text: str) -> None:
        self.edits.append((offset, offset, text))

    def result(self) -> str:
        pieces, at = [], 0
        for start, end, text in sorted(self.edits, key=lambda edit: (edit[0], edit[1])):
            pieces += [self.sql[at:start], text]
            at = end
        return "".join([*pieces, self.sql[at:]])


def rewrite(sql: str, resolve: ResolveScript, words: Mapping[str, str]) -> str:
    """The text for sqlglot. `resolve` gives "SCHEMA.NAME" of a script or None; it may raise
    SqlError. `words` maps keywords such as CURRENT_USER to the literal that stands for them."""
    return _Rewriter(sql, resolve, words).run()


class _Rewriter:
    def __init__(self, sql: str, resolve: ResolveScript, words: Mapping[str, str]) -> None:
        self._tokens = list(tokenize(sql))
        self._edits = _Edits(sql)
        self._resolve = resolve
        self._words = words

    def run(self) -> str:
        for index, token in enumerate(self._tokens):
            if token.kind == "string" and token.text == "''":
                self._edits.replace(token, token, "NULL")
            elif token.is_word("VALUES") and self._at(index + 1).is_word("BETWEEN"):
                self._series(index)
            elif token.is_word("UTF8", "ASCII") and self._after_length(index):
                self._edits.replace(token, token, "")
            elif token.kind in ("word", "quoted"):
                self._name(index)
        return self._edits.result()

    def _at(self, index: int) -> Token:
        return self._tokens[min(index, len(self._tokens) - 1)]

    def _after_length(self, index: int) -> bool:
        return (
            index > 3
            and self._at(index - 1).text == ")"
            and self._at(index - 4).is_word("VARCHAR", "CHAR")
        )

    # VALUES BETWEEN

    def _series(self, index: int) -> None:
        self._edits.replace(self._at(index), self._at(index + 1), f"(SELECT {quote(SERIES)}(")
        middle = self._operand_end(index + 2)
        if not self._at(middle).is_word("AND"):
            raise self._error(middle, "expecting AND")
        self._edits.replace(self._at(middle), self._at(middle), ",")
        end = self._operand_end(middle + 1)
        if self._at(end).is_word("WITH") and self._at(end + 1).is_word("STEP"):
            self._edits.replace(self._at(end), self._at(end + 1), ",")
            end = self._operand_end(end + 2)
        self._edits.insert(self._at(end - 1).end, ') AS "$VALUE")')

    def _operand_end(self, index: int) -> int:
        """Index of the first token behind an arithmetic expression."""
        while self._at(index).text in ("-", "+"):
            index += 1
        if self._at(index).text == "(":
            index = self._closing(index) + 1
        else:
            index += 1
            if self._at(index).text == "(":
                index = self._closing(index) + 1
        if self._at(index).text in _OPERATORS:
            return self._operand_end(index + 1)
        return index

    def _closing(self, index: int) -> int:
        """Index of the parenthesis that closes the one at `index`."""
        depth = 0
        for at in range(index, len(self._tokens)):
            text = self._tokens[at].text if self._tokens[at].kind == "op" else ""
            depth += (text == "(") - (text == ")")
            if depth == 0 and text == ")":
                return at
        raise self._error(index, "the parenthesis is not closed")

    # names

    def _name(self, index: int) -> None:
        token, before, after = self._at(index), self._at(max(index - 1, 0)), self._at(index + 1)
        if index and before.text == ".":
            return
        if index and before.is_word("INTO"):  # INSERT INTO S.T (columns) is no call
            return
        if after.text == "." and self._at(index + 3).text == "(":
            self._script_call(index, index + 2, token.value, self._at(index + 2).value)
        elif after.text == "(" and not (token.kind == "word" and token.value in _NOT_NAMES):
            self._bare_call(index)
        elif token.kind == "word" and token.value in self._words and after.text != ".":
            self._edits.replace(token, token, self._words[token.value])

    def _bare_call(self, index: int) -> None:
        token = self._at(index)
        if token.is_word("NPROC", "IPROC", "NOW") and self._at(index + 2).text == ")":
            replaced = self._words.get(token.value, f"{quote(IPROC)}()")
            self._edits.replace(token, self._at(index + 2), replaced)
        elif (key := self._resolve(None, token.value)) is not None:
            self._call(index, index, key)

    def _script_call(self, first: int, last: int, schema: str, name: str) -> None:
        key = self._resolve(schema, name)
        if key is None:
            line, column = position(self._edits.sql, self._at(first).start)
            raise SqlError(
                f"function or script {schema}.{name} not found [line {line}, column {column}]"
            )
        self._call(first, last, key)

    def _call(self, first: int, last: int, key: str) -> None:
        self._edits.replace(self._at(first), self._at(last), quote(SCRIPT + key))
        opening = last + 1
        closing = self._closing(opening)
        self._order(opening, closing)
        after = self._at(closing + 1)
        if after.is_word("EMITS") and self._at(closing + 2).text == "(":
            end = self._closing(closing + 2)
            text = self._edits.sql[self._at(closing + 2).start : self._at(end).end]
            comma = "" if closing == opening + 1 else ", "
            self._edits.insert(self._at(closing).start, comma + literal(EMITS + text))
            self._edits.replace(after, self._at(end), "")

    def _order(self, opening: int, closing: int) -> None:
        at = opening + 1
        while at < closing:
            token = self._at(at)
            if token.text == "(":
                at = self._closing(at)
            elif token.is_word("ORDER") and self._at(at + 1).is_word("BY"):
                self._edits.replace(token, self._at(at + 1), f", {quote(ORDER)}(")
                self._edits.insert(self._at(closing).start, ")")
                self._directions(at + 2, closing)
                return
            at += 1

    def _directions(self, start: int, closing: int) -> None:
        for at in range(start, closing):
            token = self._at(at)
            if token.is_word("NULLS"):
                raise unsupported("NULLS FIRST and NULLS LAST inside a script's call")
            if token.is_word("ASC"):
                self._edits.replace(token, token, "")
            elif token.is_word("DESC"):
                self._edits.replace(token, token, f", {literal(DESCENDING)}")

    def _error(self, index: int, hint: str) -> SqlError:
        token = self._at(index)
        line, column = position(self._edits.sql, token.start)
        return SqlError(
            f"syntax error, unexpected '{token.text}', {hint} [line {line}, column {column}]"
        )
