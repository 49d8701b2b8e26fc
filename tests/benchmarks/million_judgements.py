"""Judge a million chains in one process and say what memory that leaves behind.

    python tests/benchmarks/million_judgements.py [judgements]

Exit status 1 where the process has grown by more than a few megabytes between the first tenth and
the end: one certificate leaked by each judgement would be more than a gigabyte.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "endpoints"))

from lab import HOST, NOW, family, make, revocation_list

from exatrust_udf.openssl import Anchors, Chain, judge

ALLOWED_KILOBYTES = 4096
ROOT, MIDDLE = family()
GOOD = [make("good leaf", MIDDLE).der, MIDDLE.der]
BAD = [make("bad leaf", MIDDLE, san=("x.example",), days=(-30, -10)).der, MIDDLE.der]
LISTS = [revocation_list(issuer, [], (-1, 9)) for issuer in (MIDDLE, ROOT)]


def resident_kilobytes() -> int:
    """What this process holds in memory."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def works(anchors: Anchors) -> tuple[Callable[[], object], ...]:
    """Every way into the judge: each makes other objects of OpenSSL."""
    chain = Chain(BAD)
    return (
        lambda: judge(GOOD, anchors, name=HOST),
        lambda: judge(BAD, anchors, name=HOST, strict=True),
        lambda: judge(chain, anchors, name="127.0.0.1", at=NOW),
        lambda: judge(GOOD, anchors, crls=LISTS),
        lambda: judge(GOOD, anchors, crls=[b"garbage"]),
        lambda: judge([b"garbage"], anchors),
        lambda: judge([GOOD[0], b"garbage"], anchors, partial_chain=True),
        lambda: judge(BAD, [ROOT.der, b"garbage"]),
    )


def run(judgements: int) -> int:
    """Report after each tenth; the exit status."""
    started = time.monotonic()
    sizes = []
    with Anchors([ROOT.der]) as anchors:
        all_works = works(anchors)
        for tenth in range(1, 11):
            for number in range(judgements // 10):
                all_works[number % len(all_works)]()
            sizes.append(resident_kilobytes())
            took = time.monotonic() - started
            sys.stdout.write(
                f"{tenth * judgements // 10:>9} judgements  {sizes[-1]:>7} kB  {took:6.0f} s\n"
            )
            sys.stdout.flush()
    grown = sizes[-1] - sizes[0]
    sys.stdout.write(f"grown by {grown} kB since the first tenth\n")
    return int(grown > ALLOWED_KILOBYTES)


if __name__ == "__main__":
    sys.exit(run(int(sys.argv[1]) if sys.argv[1:] else 1_000_000))
