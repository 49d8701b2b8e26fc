"""Outcomes of checks for machines: JUnit XML for build servers, text for Prometheus. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

from exatrust.checks import BAD, Outcome

_SEVERITIES = (*BAD, "INFO")
# What XML 1.0 cannot hold (section 2.2), even escaped; a certificate's subject may have it.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(outcomes: Sequence[Outcome], now: dt.datetime) -> str:
    """One test case a check: `failure` for what is wrong, `error` for one that could not run."""
    suite = ElementTree.Element(
        "testsuite",
        name="exatrust",
        timestamp=now.astimezone(dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S"),
        tests=str(len(outcomes)),
        failures=str(sum(not item.passed and item.error is None for item in outcomes)),
        errors=str(sum(item.error is not None for item in outcomes)),
        time=f"{sum(item.seconds for item in outcomes):.3f}",
    )
    for outcome in outcomes:
        _case(suite, outcome)
    ElementTree.indent(suite)
    text = ElementTree.tostring(suite, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _case(suite: ElementTree.Element, outcome: Outcome) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", classname="exatrust.checks", name=outcome.check.id,
        time=f"{outcome.seconds:.3f}",
    )  # fmt: skip
    text = _xml("\n".join(_lines(outcome)))
    if outcome.error is not None:
        ElementTree.SubElement(case, "error", message=_xml(outcome.error)).text = text
    elif not outcome.passed:
        ElementTree.SubElement(case, "failure", message=_xml(outcome.check.title)).text = text
    elif text:
        ElementTree.SubElement(case, "system-out").text = text


def _lines(outcome: Outcome) -> Iterator[str]:
    for item in outcome.problems:
        yield f"{item.severity} {item.object_name}: {item.finding} {item.action}"


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def prometheus(outcomes: Sequence[Outcome], now: dt.datetime) -> str:
    """Prometheus' text format 0.0.4, for the textfile collector of node_exporter."""
    return "".join(f"{line}\n" for line in _metrics(outcomes, now))


def _metrics(outcomes: Sequence[Outcome], now: dt.datetime) -> Iterator[str]:
    yield from _head("exatrust_check_problems", "Rows that a check returned, by severity.")
    for item in outcomes:
        counts = Counter(problem.severity for problem in item.problems)
        for severity in _SEVERITIES:
            labels = f'check="{item.check.id}",severity="{severity}"'
            yield f"exatrust_check_problems{{{labels}}} {counts[severity]}"
    yield from _head("exatrust_check_broken", "1 for a check that could not be run.")
    for item in outcomes:
        broken = int(item.error is not None)
        yield f'exatrust_check_broken{{check="{item.check.id}"}} {broken}'
    yield from _head("exatrust_check_seconds", "How long a check took.")
    for item in outcomes:
        yield f'exatrust_check_seconds{{check="{item.check.id}"}} {item.seconds:.3f}'
    yield from _head("exatrust_check_timestamp_seconds", "When the checks ended, Unix time.")
    yield f"exatrust_check_timestamp_seconds {now.timestamp():.0f}"


def _head(name: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} gauge"
