"""What commands show: rich tables on a terminal, plain aligned text in a pipe, or JSON."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from exatrust.log import logger

Cell = object


@dataclass(frozen=True)
class Report:
    """`as_json`: one JSON document on standard output, everything else on standard error."""

    as_json: bool = False
    out: IO[str] = field(default_factory=lambda: sys.stdout)
    err: IO[str] = field(default_factory=lambda: sys.stderr)

    def say(self, text: str) -> None:
        """Progress and results in sentences."""
        logger.info("%s", text)
        print(text, file=self.err if self.as_json else self.out, flush=True)

    def note(self, text: str) -> None:
        """A hint beside results that are meant for a file or a pipe."""
        logger.info("%s", text)
        print(text, file=self.err, flush=True)

    def warn(self, text: str) -> None:
        logger.warning("%s", text)
        print(f"warning: {text}", file=self.err, flush=True)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Nothing for JSON: the document has the rows."""
        if self.as_json:
            return
        if self.out.isatty():
            self._rich(columns, rows)
        else:
            print(aligned(columns, rows), file=self.out, flush=True)

    def document(self, content: Mapping[str, object]) -> None:
        """The JSON document; nothing otherwise."""
        if self.as_json:
            text = json.dumps(content, indent=1, default=_plain, ensure_ascii=False)
            print(text, file=self.out, flush=True)

    def _rich(self, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*columns, box=None, pad_edge=False, header_style="bold")
        for row in rows:
            table.add_row(*(Text(_text(cell)) for cell in row))
        Console(file=self.out).print(table)


def aligned(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Columns with two blanks between them; the last one is not padded."""
    lines = [list(columns), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def one_line(text: str) -> str:
    """Control characters of foreign text (a certificate's subject) are shown as ?."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))


def _text(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return one_line(str(cell))


def _plain(value: object) -> object:
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ")
    return list(value) if isinstance(value, (set, frozenset)) else str(value)
