"""Bars are for terminals: a pipe gets none of them."""

from __future__ import annotations

import io

import pytest

from exatrust.nodes import Coverage
from exatrust.progress import meter
from exatrust.verify import wait_until_complete


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")


@pytest.mark.usefixtures("_wide")
def test_a_terminal_shows_how_many_bytes_of_how_many() -> None:
    stream = Terminal()
    with meter("ca-bundle.pem", 200_000, "bytes", stream) as bar:
        assert bar.visible
        bar.at(100_000)
    assert "ca-bundle.pem" in stream.getvalue()
    assert "200.0 kB" in stream.getvalue()


@pytest.mark.usefixtures("_wide")
def test_a_terminal_shows_how_many_nodes_of_how_many() -> None:
    stream = Terminal()
    with meter("nodes", 0 + 1, "nodes", stream) as bar:
        bar.at(3, 4)
    assert "3/4" in stream.getvalue()


@pytest.mark.parametrize(("total", "stream"), [(5, io.StringIO()), (0, Terminal())])
def test_a_pipe_and_nothing_to_wait_for_show_nothing(total: int, stream: io.StringIO) -> None:
    with meter("x", total, "bytes", stream) as bar:
        assert not bar.visible
        bar.at(1)
    assert stream.getvalue() == ""


@pytest.mark.usefixtures("_wide")
@pytest.mark.parametrize("terminal", [True, False])
def test_waiting_says_it_in_sentences_or_with_a_bar_never_both(
    monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    waits = iter([(1,), ()])
    said: list[str] = []
    wait_until_complete(
        ["A"], lambda alias: Coverage(alias, 4, next(waits), {}), 60.0, "so what", said.append,
        clock=lambda: 0.0, sleep=lambda seconds: None,
    )  # fmt: skip
    assert bool(said) != terminal
    assert ("4/4" in stream.getvalue()) == terminal
