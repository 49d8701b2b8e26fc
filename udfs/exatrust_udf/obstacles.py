"""What else than trust ended an attempt: who did not answer as expected, and what to do. Pure.

The same time-out has another cause at a proxy, in a protocol's upgrade and in the handshake: the
phase decides about the words, and so does whether the other side had said anything.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from exatrust_udf import greetings
from exatrust_udf.endpoint import SPOKEN, USUAL_PORTS, Endpoint, joined
from exatrust_udf.evidence import CONNECT, HANDSHAKE, PROXY, RESOLVE, UPGRADE, Evidence, Problem
from exatrust_udf.findings import KINDS, Finding, make
from exatrust_udf.wire import looks_like_tls
from exatrust_udf.wording import sentence


class _Words(NamedTuple):
    """A cause and an action, with {service}, {proxy}, {protocol} and {spoken} to be filled in."""

    cause: str
    action: str


_SLOW = "raise timeout= if it is only slow."

_PROXY_NOT_REACHED = {
    "DNS": _Words(
        "The name of the proxy could not be resolved on this machine.",
        "Check the spelling of proxy={proxy}, and the DNS servers of this machine.",
    ),
    "REFUSED": _Words(
        "Nothing listens on the proxy's port, or a firewall rejects the connection.",
        "Check proxy={proxy} and that the proxy runs; then the firewall between this machine "
        "and the proxy.",
    ),
    "UNREACHABLE": _Words(
        "There is no network route from this machine to the proxy.",
        "Check proxy={proxy}, then routing and firewall between this machine and the proxy.",
    ),
    "TIMEOUT": _Words(
        "The proxy could not be reached in time.",
        "Check proxy={proxy}, then the firewall between this machine and the proxy; " + _SLOW,
    ),
    "CLOSED": _Words(
        "The proxy closed the connection at once.",
        "Check proxy={proxy}, and the proxy's log.",
    ),
}
_NOT_ALLOWED = _Words(
    "The proxy does not allow a tunnel to this service.",
    "Ask the administrators of the proxy {proxy} to allow CONNECT to {service}.",
)
_NO_WAY_ON = _Words(
    "The proxy could not reach the service.",
    "Check host and port, and with the administrators of the proxy {proxy} whether it can resolve "
    "and reach {service}.",
)
_NO_TUNNELS = _Words(
    "What answers at the proxy's address does not open tunnels.",
    "Check that proxy={proxy} is an HTTP proxy that allows CONNECT.",
)
# By the status of the proxy's answer (RFC 9110 15).
_PROXY_ANSWERS = {
    b"407": _Words(
        "The proxy wants a login, and none is ever sent to it.",
        "Ask the administrators of the proxy {proxy} to allow this machine CONNECT to {service} "
        "without a login.",
    ),
    b"401": _NOT_ALLOWED, b"403": _NOT_ALLOWED,
    b"502": _NO_WAY_ON, b"503": _NO_WAY_ON, b"504": _NO_WAY_ON,
    b"400": _NO_TUNNELS, b"404": _NO_TUNNELS, b"405": _NO_TUNNELS, b"501": _NO_TUNNELS,
}  # fmt: skip
_PROXY_SILENT = {
    "TIMEOUT": _Words(
        "The proxy took the connection, but did not open the tunnel in time.",
        "Check that proxy={proxy} is an HTTP proxy, and with its administrators whether it can "
        "reach {service}; " + _SLOW,
    ),
    "CLOSED": _Words(
        "The proxy took the connection and closed it without opening the tunnel.",
        "Check that proxy={proxy} is an HTTP proxy, and its log.",
    ),
}
_AT_ONCE_OR_ANOTHER = (
    "The server may expect TLS at once: leave protocol={protocol} out. Or it may not speak "
    "{spoken}: check the port; "
)
_NO_GREETING = {
    "TIMEOUT": _Words(
        "The connection came about, but the server says nothing in {spoken}.",
        _AT_ONCE_OR_ANOTHER + _SLOW,
    ),
    "CLOSED": _Words(
        "The connection came about, but the server closed it without a word in {spoken}.",
        _AT_ONCE_OR_ANOTHER + "then look into the server's log.",
    ),
}
_BROKEN_OFF = {
    "TIMEOUT": _Words(
        "The server began to speak {spoken} and fell silent before TLS.",
        "Look into the server's log; " + _SLOW,
    ),
    "CLOSED": _Words(
        "The server began to speak {spoken} and closed the connection before TLS.",
        "Look into the server's log.",
    ),
}
_TLS_AT_ONCE = _Words(
    "The server speaks TLS at once, without the beginning in {spoken}.",
    "Leave protocol={protocol} out.",
)
_ANOTHER_PROTOCOL = _Words(
    "What answers on this port does not speak {spoken}.",
    "Check the port, and give the protocol= that the service speaks.",
)


_CLOSED_AT_ONCE = _Words(
    KINDS["CLOSED"].cause,
    f"{KINDS['CLOSED'].action} If the service begins without TLS (PostgreSQL, LDAP, ...), give its "
    "protocol=.",
)
_SILENT_AFTER_UPGRADE = _Words(
    "The server agreed in {spoken} to begin TLS, but does not answer its beginning.",
    "Look into the server's log; " + _SLOW,
)


def obstacle(evidence: Evidence, problem: Problem) -> Finding:
    """The finding about `problem`, which ended the attempt that left `evidence`."""
    endpoint = evidence.endpoint
    declared = KINDS[problem.finding]
    words = _words(evidence, problem) or _Words(declared.cause, declared.action)
    names = {
        "service": str(endpoint),
        "proxy": joined(*endpoint.proxy) if endpoint.proxy else "",
        "protocol": endpoint.protocol,
        "spoken": SPOKEN[endpoint.protocol],
    }
    place = _place(endpoint, problem.phase, names["proxy"])
    return replace(
        make(problem.finding),
        cause=f"{words.cause.format(**names)} {sentence(f'{place}: {problem.detail}')}",
        action=words.action.format(**names),
    )


def _place(endpoint: Endpoint, phase: str, proxy: str) -> str:
    if not proxy:
        return str(endpoint)
    if phase in (RESOLVE, CONNECT, PROXY):
        return f"The proxy {proxy} for {endpoint}"
    return f"{endpoint} through the proxy {proxy}"


def _words(evidence: Evidence, problem: Problem) -> _Words | None:
    if problem.phase == PROXY:
        return _at_the_proxy(evidence, problem)
    if problem.phase in (RESOLVE, CONNECT):
        return _on_the_way(evidence.endpoint, problem)
    if problem.phase == UPGRADE:
        return _before_tls(evidence, problem)
    return _in_the_handshake(evidence, problem) if problem.phase == HANDSHAKE else None


def _on_the_way(endpoint: Endpoint, problem: Problem) -> _Words | None:
    if endpoint.proxy is not None:
        return _PROXY_NOT_REACHED.get(problem.finding)
    if (problem.finding, problem.phase) == ("TIMEOUT", RESOLVE):
        return _Words(
            "The name was not resolved in time.", "Check the DNS servers of this machine; " + _SLOW
        )
    return None


def _at_the_proxy(evidence: Evidence, problem: Problem) -> _Words | None:
    answer = evidence.first_bytes.split(maxsplit=2)
    if problem.finding != "PROXY_REFUSED":
        return _PROXY_SILENT.get(problem.finding)
    if not answer or not answer[0].startswith(b"HTTP/1."):
        return _NO_TUNNELS
    known = _PROXY_ANSWERS.get(answer[1][:3]) if answer[1:] else None
    return known or _Words(
        KINDS["PROXY_REFUSED"].cause, "Ask the administrators of the proxy {proxy} for the reason."
    )


def _before_tls(evidence: Evidence, problem: Problem) -> _Words | None:
    if looks_like_tls(evidence.first_bytes):
        return _TLS_AT_ONCE
    if problem.finding == "NOT_TLS":
        hint = greetings.hint(evidence.first_bytes, evidence.endpoint.port)
        return _ANOTHER_PROTOCOL._replace(action=hint) if hint else _ANOTHER_PROTOCOL
    if problem.finding == "UPGRADE_REFUSED":
        return _refused(evidence)
    known = _BROKEN_OFF if evidence.first_bytes else _NO_GREETING
    return known.get(problem.finding)


def _refused(evidence: Evidence) -> _Words | None:
    """A greeting may say that the server speaks another protocol."""
    greeting, endpoint = evidence.first_bytes, evidence.endpoint
    spoken = greetings.protocol(greeting, endpoint.port)
    if spoken in (None, endpoint.protocol):
        return None
    return _ANOTHER_PROTOCOL._replace(action=greetings.hint(greeting, endpoint.port) or "")


def _in_the_handshake(evidence: Evidence, problem: Problem) -> _Words | None:
    declared = KINDS[problem.finding]
    endpoint = evidence.endpoint
    if problem.finding == "NOT_TLS":
        hint = greetings.hint(evidence.first_bytes, endpoint.port)
        return _Words(declared.cause, hint) if hint else None
    if problem.finding not in ("TIMEOUT", "CLOSED") or evidence.first_bytes:
        return None
    usual = USUAL_PORTS.get(endpoint.port) if endpoint.protocol == "tls" else None
    if usual is not None:
        hint = f"{SPOKEN[usual]} usually begins without TLS on this port: give protocol={usual}. "
        return _Words(declared.cause, hint + declared.action)
    if problem.finding == "CLOSED":
        return _CLOSED_AT_ONCE if endpoint.protocol == "tls" else None
    if endpoint.protocol not in ("tls", "exasol"):
        return _SILENT_AFTER_UPGRADE
    return _Words(
        "The connection came about, but the server does not answer the beginning of TLS.",
        "Check that the service speaks TLS at once on this port; else give protocol=. Then check "
        "firewall and load of the host; " + _SLOW,
    )
