"""`exatrust check HOST:PORT`: the given endpoints, from every node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from exatrust import check, status
from exatrust.errors import UsageError
from exatrust.nodes import node_list
from exatrust.observe import node_count
from exatrust.proposal import statements_for
from exatrust.report import Report
from exatrust.settings import Settings
from exatrust.terminal import FINDINGS, OK, Terminal, open_database


def run_check(
    settings: Settings, terminal: Terminal, texts: Sequence[str], options: str | None
) -> int:
    """0 when every node trusts every endpoint with the shared bundle, 1 otherwise."""
    endpoints = [check.parse_endpoint(text, options) for text in dict.fromkeys(texts)]
    if not endpoints:
        raise UsageError("no endpoint is given", "write: exatrust check HOST:PORT")
    statements = statements_for(settings)
    with open_database(settings, terminal) as database:
        current = status.require_installed(database, statements)
        nodes = node_count(database, statements)
        found = check.verdicts(check.ask(database, statements, current, endpoints), endpoints)
        failed = check.failing(found, endpoints, current.aliases, nodes)
        ill = [endpoint for endpoint in endpoints if str(endpoint) in failed]
        told = check.diagnose(database, statements, current, ill)
    terminal.report.document(
        {
            "nodes": nodes,
            "failed": failed,
            "verdicts": [asdict(item) for item in found],
            "findings": [asdict(item) for item in told],
        }
    )
    terminal.report.table(
        ("ENDPOINT", "TRUSTSTORE", "ALIAS", "NODES", "TRUSTED", "FINDING"),
        [_check_row(item, nodes) for item in found],
    )
    for name in failed:
        _explain(name, check.explanations(found, name, told), terminal.report)
    return FINDINGS if failed else OK


def _check_row(item: check.Verdict, nodes: int) -> tuple[object, ...]:
    agree = f"{len(item.nodes)}/{nodes}"
    if len(item.nodes) < nodes:
        agree += f" ({node_list(item.nodes)})"
    return item.endpoint, item.truststore, item.alias, agree, item.trusted, item.finding


def _explain(endpoint: str, told: Sequence[tuple[str, str]], report: Report) -> None:
    """Cause and action, each once, although aliases and nodes repeat them."""
    report.say(f"\n{endpoint}: does not pass with the shared bundle on every node")
    for cause, action in told:
        report.say(f"  Cause:  {cause}\n  Action: {action}")
