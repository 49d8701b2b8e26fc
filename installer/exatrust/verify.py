"""Prove that every node sees every byte, by asking the nodes until they do or time is up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from exatrust.nodes import Coverage, require_complete
from exatrust.progress import meter

FIRST_PAUSE = 0.2  # seconds; doubles up to the last
LAST_PAUSE = 5.0


def wait_until_complete(
    aliases: Sequence[str],
    ask: Callable[[str], Coverage],
    seconds: float,
    consequence: str,
    say: Callable[[str], None],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[Coverage, ...]:
    """Ask about every alias until its coverage is complete.

    Raises NodesBehind after `seconds`, naming the nodes, what they miss, and the `consequence`.
    """
    start, said = clock(), ""
    pause = FIRST_PAUSE
    done: dict[str, Coverage] = {}
    with meter("nodes that see the release", len(aliases), "nodes") as bar:
        while True:
            done |= {alias: ask(alias) for alias in _open(aliases, done)}
            bar.at(*_counts(done.values()))
            if all(item.complete for item in done.values()):
                return tuple(done[alias] for alias in aliases)
            if clock() - start + pause > seconds:
                require_complete(done.values(), seconds, consequence)
            if not bar.visible and _progress(done.values()) != said:
                say(said := _progress(done.values()))
            sleep(pause)
            pause = min(2 * pause, LAST_PAUSE)


def _open(aliases: Sequence[str], done: Mapping[str, Coverage]) -> list[str]:
    return [item for item in aliases if item not in done or not done[item].complete]


def _counts(coverages: Iterable[Coverage]) -> tuple[int, int]:
    """Nodes that see everything, and all nodes, each counted once for each alias."""
    known = list(coverages)
    lacking = sum(len({*item.missing, *item.behind}) for item in known)
    total = sum(item.expected for item in known)
    return total - lacking, total


def _progress(coverages: Iterable[Coverage]) -> str:
    waiting = [text for item in coverages for text in item.sentences()]
    more = f" (and {len(waiting) - 1} more)" if len(waiting) > 1 else ""
    return f"waiting for replication: {waiting[0]}{more}"
