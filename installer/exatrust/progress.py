"""Bars on a terminal for what takes its time; nothing in a pipe, where sentences must do."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

Unit = Literal["bytes", "nodes"]


@dataclass
class Meter:
    """How far something is. `visible` tells whether a human sees it."""

    _bar: Progress | None = None
    _task: TaskID | None = field(default=None)

    @property
    def visible(self) -> bool:
        return self._bar is not None

    def at(self, done: int, total: int | None = None) -> None:
        """`done` of the total; another total where it was not known before."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total)


@contextmanager
def meter(text: str, total: int, unit: Unit, stream: IO[str] | None = None) -> Iterator[Meter]:
    """A bar on standard error while the block runs, gone after it.

    There is none where that is no terminal, or nothing to wait for.
    """
    stream = sys.stderr if stream is None else stream
    if not total or not stream.isatty():
        yield Meter()
        return
    with _bar(unit, stream) as bar:
        yield Meter(bar, bar.add_task(text, total=total))


def _bar(unit: Unit, stream: IO[str]) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn

    amount = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        amount,
        TextColumn("" if unit == "bytes" else unit),
        console=Console(file=stream),
        transient=True,
    )


class Body(io.BytesIO):
    """What is sent; tells a meter how much of it was read."""

    def __init__(self, content: bytes, bar: Meter) -> None:
        super().__init__(content)
        self._bar = bar

    def read(self, size: int | None = -1, /) -> bytes:
        part = super().read(size)
        self._bar.at(self.tell())
        return part
