"""Prove that every node sees every byte, by asking the nodes until they do or time is up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from exatrust.nodes import Coverage, require_complete

FIRST_PAUSE = 0.2  # seconds; doubles up to the last
LAST_PAUSE = 5.0


def wait_until_complete(
    aliases: Sequence[str],
    ask: Callable[[str], Coverage],
    seconds: float,
    say: Callable[[str], None],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[Coverage, ...]:
    """Ask about every alias until its coverage is complete.

    Raises NodesBehind after `seconds`, naming the nodes and what they miss.
    """
    start = clock()
    pause = FIRST_PAUSE
    done: dict[str, Coverage] = {}
    while True:
        open_ones = [item for item in aliases if item not in done or not done[item].complete]
        done |= {alias: ask(alias) for alias in open_ones}
        if all(item.complete for item in done.values()):
            return tuple(done[alias] for alias in aliases)
        if clock() - start + pause > seconds:
            require_complete(done.values(), seconds)
        say(_progress(done.values()))
        sleep(pause)
        pause = min(2 * pause, LAST_PAUSE)


def _progress(coverages: Iterable[Coverage]) -> str:
    waiting = [text for item in coverages for text in item.sentences()]
    more = f" (and {len(waiting) - 1} more)" if len(waiting) > 1 else ""
    return f"waiting for replication: {waiting[0]}{more}"
