"""Texts of scripts and views: lines, and comments. Pure, and linear in the text."""

from __future__ import annotations

import re
from bisect import bisect_left

_COMMENT_LINE = re.compile(r"^[ \t]*(?:#|--|//).*", re.MULTILINE)


def without_comments(text: str) -> str:
    """`text` with whole lines that are comments in Python, R, SQL, Lua or Java made blank.

    Lengths stay, so that positions do. Comments behind code and block comments stay too: without
    a parser of each language they cannot be told from the inside of a text.
    """
    return _COMMENT_LINE.sub(lambda match: " " * len(match[0]), text)


class Lines:
    """Line numbers, from 1, of positions in a text."""

    def __init__(self, text: str) -> None:
        self._ends = [match.start() for match in re.finditer("\n", text)]

    def number(self, at: int) -> int:
        """The line that the character at `at` stands in."""
        return bisect_left(self._ends, at) + 1
