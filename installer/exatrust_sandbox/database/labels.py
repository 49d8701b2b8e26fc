"""Names of unnamed result columns: Exasol uses the expression's text."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from .lexer import Token, tokenize

_ENDS = frozenset(
    {"FROM", "WHERE", "GROUP", "ORDER", "LIMIT", "UNION", "MINUS", "EXCEPT", "INTERSECT", "HAVING",
     "QUALIFY", "WITH"}
)  # fmt: skip
_LONGEST = 128


def label_columns(tree: exp.Expr, text: str, keep: frozenset[str]) -> None:
    """Gives the unnamed expressions of the outermost SELECT their text as name. Calls of the
    functions in `keep` stay as they are: they may stand for several columns."""
    if not isinstance(tree, exp.Select):
        return
    labels = list(_labels(text))
    if len(labels) != len(tree.expressions):
        return
    for projection, label in zip(list(tree.expressions), labels, strict=True):
        named = isinstance(projection, (exp.Alias, exp.Column, exp.Star))
        if not named and projection.name not in keep:
            projection.replace(exp.alias_(projection.copy(), label, quoted=True))


def _labels(text: str) -> Iterator[str]:
    """The texts of the outermost select list."""
    item: list[Token] = []
    for token in _select_list(text):
        if token is None:
            yield _joined(item)
            item = []
        else:
            item.append(token)
    if item:
        yield _joined(item)


def _select_list(text: str) -> Iterator[Token | None]:
    """Its tokens, with None for a comma between items."""
    depth, inside, within = 0, False, False
    for token in tokenize(text):
        if token.kind == "op" and token.text in "()":
            depth += 1 if token.text == "(" else -1
        if depth == 0 and not inside:
            inside = token.is_word("SELECT")
        elif depth == 0 and not within and (token.kind == "end" or token.is_word(*_ENDS)):
            return
        elif inside and not (depth == 0 and token.is_word("DISTINCT", "ALL")):
            yield None if depth == 0 and token.text == "," else token
        within = token.is_word("WITHIN")


def _joined(tokens: list[Token]) -> str:
    pieces: list[str] = []
    for before, token in zip([None, *tokens], tokens, strict=False):
        if before is not None and before.kind != "op" and token.kind != "op":
            pieces.append(" ")
        pieces.append(token.value if token.kind == "word" else token.text)
    return "".join(pieces)[:_LONGEST]
