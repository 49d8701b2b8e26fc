"""`exatrust check`: one verdict per endpoint, truststore and alias, from every node."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from exatrust.database import Database
from exatrust.errors import UsageError
from exatrust.observe import Installed
from exatrust.statements import Statements, identifier, literal, script_name
from exatrust_udf.endpoint import BadEndpoint, BadOption, shown
from exatrust_udf.endpoint import Endpoint as Target

SHARED_BUNDLE = "shared-bundle"


@dataclass(frozen=True)
class Endpoint:
    """`options` as CHECK_ENDPOINT takes them, None for a plain TLS endpoint."""

    host: str
    port: int
    options: str | None = None

    def __str__(self) -> str:
        return str(Target(self.host, self.port))


@dataclass(frozen=True)
class Answer:
    """One row of CHECK_ENDPOINT, fields in the order of sql/queries/check_endpoints.sql."""

    host: str
    port: int
    truststore: str | None
    trusted: bool | None
    finding: str | None
    severity: str | None
    cause: str | None
    action: str | None
    node_id: int
    language_alias: str


@dataclass(frozen=True)
class Verdict:
    """What the nodes of one alias agree on; nodes that see it otherwise are another verdict."""

    endpoint: str
    truststore: str | None
    alias: str
    nodes: tuple[int, ...]
    trusted: bool
    finding: str | None
    severity: str | None
    cause: str | None
    action: str | None


@dataclass(frozen=True)
class Found:
    """A finding on which the nodes of one alias agree; see sql/queries/diagnose_endpoints.sql."""

    endpoint: str
    truststore: str | None
    finding: str
    severity: str
    cause: str
    action: str
    alias: str
    nodes: tuple[int, ...]


def parse_endpoint(text: str, options: str | None = None) -> Endpoint:
    """HOST:PORT or [IPV6]:PORT, and options of CHECK_ENDPOINT. Raises UsageError."""
    try:
        target = Target.parse(text, None, options)
    except BadOption as error:
        raise UsageError(str(error), error.hint) from error
    except BadEndpoint as error:
        raise UsageError(f"{shown(text)} is no endpoint: {error}", error.hint) from error
    return Endpoint(target.host, target.port, options)


def ask(
    database: Database, statements: Statements, current: Installed, endpoints: Sequence[Endpoint]
) -> tuple[Answer, ...]:
    """Have every node of every alias check the endpoints."""
    rows = _rows(database, statements, current, endpoints, "check_endpoint")
    return tuple(Answer(*row) for row in rows)


def diagnose(
    database: Database, statements: Statements, current: Installed, endpoints: Sequence[Endpoint]
) -> tuple[Found, ...]:
    """All findings about the endpoints, the primary ones first, of every node of every alias."""
    if not endpoints:
        return ()
    nodes: dict[Found, set[int]] = defaultdict(set)
    rows = _rows(database, statements, current, endpoints, "diagnose_endpoint")
    for _, node, host, port, *told in sorted(rows, key=lambda row: int(row[0])):
        store, finding, severity, cause, action, alias = told
        name = str(Endpoint(host, port))
        nodes[Found(name, store, finding, severity, cause, action, alias, ())].add(node)
    return tuple(replace(item, nodes=tuple(sorted(seen))) for item, seen in nodes.items())


def _rows(
    database: Database,
    statements: Statements,
    current: Installed,
    endpoints: Sequence[Endpoint],
    script: str,
) -> Iterator[tuple[Any, ...]]:
    statements = replace(statements, aliases=current.aliases)
    union = " UNION ALL ".join(_endpoint(statements, item) for item in endpoints)
    for alias in current.aliases:
        query = statements.query(
            f"{script}s",
            script=identifier(script_name(script, alias, current.aliases)),
            endpoints=union,
            groups=statements.sql("rows/groups.sql").strip(),
        )
        yield from database.rows(query)


def _endpoint(statements: Statements, endpoint: Endpoint) -> str:
    options = "NULL" if endpoint.options is None else literal(endpoint.options)
    return statements.query(
        "endpoint", host=literal(endpoint.host), port=str(endpoint.port), options=options
    ).strip()


def verdicts(answers: Iterable[Answer], endpoints: Sequence[Endpoint]) -> tuple[Verdict, ...]:
    """Put together what nodes agree on, in the order of the endpoints; the shared bundle first."""
    nodes: dict[Verdict, set[int]] = defaultdict(set)
    for answer in answers:
        nodes[_verdict(answer)].add(answer.node_id)
    order = {str(endpoint): place for place, endpoint in enumerate(endpoints)}
    found = [replace(item, nodes=tuple(sorted(seen))) for item, seen in nodes.items()]
    return tuple(
        sorted(
            found,
            key=lambda item: (
                order.get(item.endpoint, len(order)),
                item.truststore != SHARED_BUNDLE,
                item.truststore or "",
                item.alias,
                item.nodes,
            ),
        )
    )


def _verdict(answer: Answer) -> Verdict:
    return Verdict(
        endpoint=str(Endpoint(answer.host, answer.port)),
        truststore=answer.truststore,
        alias=answer.language_alias,
        nodes=(),
        trusted=bool(answer.trusted),
        finding=answer.finding,
        severity=answer.severity,
        cause=answer.cause,
        action=answer.action,
    )


def failing(
    found: Iterable[Verdict], endpoints: Sequence[Endpoint], aliases: Sequence[str], nodes: int
) -> tuple[str, ...]:
    """Endpoints that not every node of every alias trusts with the shared bundle."""
    trusting: dict[tuple[str, str], set[int]] = defaultdict(set)
    for item in found:
        if item.trusted and item.truststore == SHARED_BUNDLE:
            trusting[item.endpoint, item.alias] |= set(item.nodes)
    return tuple(
        str(endpoint)
        for endpoint in endpoints
        if any(len(trusting[str(endpoint), alias]) < nodes for alias in aliases)
    )


def explanations(
    found: Iterable[Verdict], endpoint: str, others: Iterable[Found] = ()
) -> tuple[tuple[str, str], ...]:
    """Cause and action of what fails with the shared bundle, or before a truststore matters.

    The primary causes come first, then the `others` of the diagnosis: all are to be mended.
    """
    primary = (
        (item.cause or item.finding or "unknown", item.action or "none known")
        for item in found
        if item.endpoint == endpoint and not item.trusted and _concerns(item.truststore)
    )
    further = (
        (item.cause, item.action)
        for item in others
        if item.endpoint == endpoint and item.severity != "INFO" and _concerns(item.truststore)
    )
    return tuple(dict.fromkeys((*primary, *further)))


def _concerns(truststore: str | None) -> bool:
    return truststore in (SHARED_BUNDLE, None)
