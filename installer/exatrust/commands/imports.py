"""`exatrust check --import HOST:PORT`: what UDFs trust, and what IMPORT does, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from exatrust import check, host_steps, imports, status
from exatrust.errors import UsageError
from exatrust.observe import node_count
from exatrust.proposal import statements_for
from exatrust.report import Report
from exatrust.settings import Settings
from exatrust.terminal import FINDINGS, OK, Terminal, open_database

# More tries than nodes: the database chooses, and may take one node twice.
TRIES_PER_NODE = 2


def run_check_import(settings: Settings, terminal: Terminal, texts: Sequence[str]) -> int:
    """0 when UDFs of every node and IMPORT trust every endpoint, 1 otherwise."""
    endpoints = [check.parse_endpoint(text) for text in dict.fromkeys(texts)]
    if not endpoints:
        raise UsageError("no endpoint is given", "write: exatrust check --import HOST:PORT")
    statements = statements_for(settings)
    with open_database(settings, terminal) as database:
        current = status.require_installed(database, statements)
        nodes = node_count(database, statements)
        version = imports.version(database, statements)
        udfs = check.verdicts(check.ask(database, statements, current, endpoints), endpoints)
        failed = check.failing(udfs, endpoints, current.aliases, nodes)
        found = imports.probe(database, statements, endpoints, TRIES_PER_NODE * nodes)
        pins = {
            str(item): imports.pin(leaf)
            for item, verdict in zip(endpoints, found, strict=True)
            if not verdict.trusted
            and (leaf := imports.leaf(database, statements, current, item)) is not None
        }
    statements_shown = {
        str(item): imports.pinned_statement(statements, item, pins[str(item)])
        for item in endpoints
        if str(item) in pins
    }
    _document(terminal.report, version, found, failed, pins)
    _show(terminal.report, found, failed)
    _explain(terminal.report, version, found, failed, statements_shown)
    return OK if not failed and all(item.trusted for item in found) else FINDINGS


def _document(
    report: Report,
    version: str,
    found: Sequence[imports.ImportVerdict],
    failed: Sequence[str],
    pins: Mapping[str, str],
) -> None:
    report.document(
        {
            "database_version": version,
            "verdicts": [
                {
                    **asdict(item),
                    "trusted_by_udfs": item.endpoint not in failed,
                    "public_key": pins.get(item.endpoint),
                }
                for item in found
            ],
        }
    )


def _show(report: Report, found: Sequence[imports.ImportVerdict], failed: Sequence[str]) -> None:
    report.table(
        ("ENDPOINT", "UDFS", "IMPORT", "FINDING", "TRIES"),
        [
            (
                item.endpoint,
                "no" if item.endpoint in failed else "TRUSTED",
                item.verdict,
                item.finding,
                f"{item.agreeing}/{item.tries}",
            )
            for item in found
        ],
    )


def _explain(
    report: Report,
    version: str,
    found: Sequence[imports.ImportVerdict],
    failed: Sequence[str],
    pinned: Mapping[str, str],
) -> None:
    report.say(f"\n{host_steps.rule(version)}.")
    for item in found:
        report.say(f"{item.endpoint}: {_sentence(item, item.endpoint in failed)}")
        if item.endpoint in pinned and item.verdict == imports.NOT_TRUSTED:
            report.say(
                "  Instead of trusting its CA, a statement can pin its key, until it is renewed:\n"
                f"  {pinned[item.endpoint]}"
            )
    if any(item.verdict in (imports.NOT_TRUSTED, imports.NOT_SUPPORTED) for item in found):
        for line in host_steps.steps(version):
            report.say(line)


def _sentence(item: imports.ImportVerdict, udfs_fail: bool) -> str:
    udfs = "not trusted for UDFs" if udfs_fail else "trusted for UDFs"
    told = f" ({item.text})" if item.text else ""
    words = {
        imports.TRUSTED: "trusted for IMPORT",
        imports.NOT_TRUSTED: "not for IMPORT" if not udfs_fail else "nor for IMPORT",
        imports.UNREACHABLE: "for IMPORT it is not reached",
        imports.NO_HANDSHAKE: "for IMPORT there is no handshake",
        imports.NOT_SUPPORTED: "for IMPORT it cannot be asked",
        imports.UNKNOWN: "what IMPORT says is not understood",
    }[item.verdict]
    some = f", in {item.agreeing} of {item.tries} tries" if item.agreeing < item.tries else ""
    return f"{udfs}, {words}{some}{told}"
