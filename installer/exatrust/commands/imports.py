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
from exatrust_udf.case import SHARED_BUNDLE

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
    _explain(terminal.report, version, found, _reasons(udfs, failed), statements_shown)
    return OK if not failed and all(item.trusted for item in found) else FINDINGS


def _reasons(udfs: Sequence[check.Verdict], failed: Sequence[str]) -> Mapping[str, str | None]:
    """The endpoints that UDFs do not trust, each with the finding about the shared bundle."""
    found: dict[str, str | None] = dict.fromkeys(failed)
    for item in udfs:
        if item.endpoint in found and item.truststore == SHARED_BUNDLE and not item.trusted:
            found[item.endpoint] = found[item.endpoint] or item.finding
    return found


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
    reasons: Mapping[str, str | None],
    pinned: Mapping[str, str],
) -> None:
    """`reasons` has the endpoints that UDFs do not trust, and why."""
    report.say(f"\n{host_steps.rule(version)}.")
    for item in found:
        udfs_fail = item.endpoint in reasons
        why = f" ({reasons[item.endpoint] or 'nobody could judge'})" if udfs_fail else ""
        report.say(f"{item.endpoint}: {_sentence(item, udfs_fail, why)}")
        if item.endpoint in pinned and item.verdict == imports.NOT_TRUSTED:
            report.say(
                "  Instead of trusting its CA, a statement can pin its key, until it is renewed:\n"
                f"  {pinned[item.endpoint]}"
            )
            if udfs_fail:
                report.warn(
                    "UDFs do not trust it either, so this key may be an impostor's: compare it "
                    "with its owner's. It stands for the whole verification, name included"
                )
    if any(item.verdict in (imports.NOT_TRUSTED, imports.NOT_SUPPORTED) for item in found):
        for line in host_steps.steps(version):
            report.say(line)


def _sentence(item: imports.ImportVerdict, udfs_fail: bool, why: str) -> str:
    udfs = f"not trusted for UDFs{why}" if udfs_fail else "trusted for UDFs"
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
