"""From the first byte of a connection to the ClientHello: proxy, then the protocol's own upgrade.

Each upgrade is a conversation over bytes (talk.py). The text protocols are here, the binary ones
in upgrade_binary.py and upgrade_tds.py, which load only when asked for.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass

from exatrust_udf import tls
from exatrust_udf.endpoint import Endpoint
from exatrust_udf.evidence import CONNECT, HANDSHAKE, PROXY, UPGRADE
from exatrust_udf.talk import Inbox, Injected, NotThisProtocol, Refused, Talk, TurnedAway, escaped

_MAX_LINES = 200
_NO_SERVICE = (b"421", b"554")  # RFC 5321 4.2.1 and 3.1; RFC 959 5.4


@dataclass(slots=True)
class Stage:
    """Which phase the conversation is in; read by what drives it, to set the deadline."""

    name: str = CONNECT


def conversation(
    endpoint: Endpoint, context: ssl.SSLContext, record: tls.Record, stage: Stage
) -> Talk[None]:
    """The whole conversation with an endpoint, up to the end of the TLS handshake.

    Raises Refused, NotThisProtocol or Closed before the handshake; the handshake itself never
    raises, see tls.handshake.
    """
    inbox = Inbox()
    if endpoint.proxy is not None:
        stage.name = PROXY
        yield from connect_through(inbox, endpoint)
    start = _starter(endpoint.protocol)
    if start is None and inbox.rest():
        # Through a proxy; a server that speaks first does not begin with TLS.
        stage.name = HANDSHAKE
        record.keep(inbox.rest())
        raise NotThisProtocol(escaped(inbox.rest()))
    if start is not None:
        stage.name = UPGRADE
        yield from start(inbox)
    if inbox.rest():
        # CVE-2011-0411 and its kin: what came in plain must not pass for the server's TLS words.
        raise Injected(f"after the agreement on TLS came {escaped(inbox.rest())}")
    stage.name = HANDSHAKE
    shake = tls.handshake(context, endpoint.announced, record)
    if endpoint.protocol == "tds":
        from exatrust_udf.upgrade_tds import carried

        shake = carried(shake)
    yield from _after(bytes(inbox.outgoing), shake)


def _after(prefix: bytes, talk: Talk[None]) -> Talk[None]:
    """`talk`, with `prefix` sent in front of its first bytes."""
    out = prefix + next(talk)
    while True:
        data = yield out
        try:
            out = talk.send(data)
        except StopIteration:
            return


def _starter(protocol: str) -> Callable[[Inbox], Talk[None]] | None:
    if protocol in ("tls", "exasol"):
        return None
    if protocol in _TEXT:
        return _TEXT[protocol]
    if protocol == "tds":
        from exatrust_udf.upgrade_tds import prelogin

        return prelogin
    from exatrust_udf.upgrade_binary import STARTERS

    return STARTERS[protocol]


def connect_through(inbox: Inbox, endpoint: Endpoint) -> Talk[None]:
    """Ask an HTTP proxy for a tunnel (RFC 9110 9.3.6)."""
    target = str(endpoint)
    inbox.send(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode("ascii"))
    status = yield from inbox.line()
    words = status.split(b" ", 2)
    if not status.startswith(b"HTTP/1.") or len(words) < 2:
        raise NotThisProtocol(escaped(status))
    if not words[1].startswith(b"2"):
        raise Refused(f"the proxy answers: {escaped(status, 200)}")
    for _ in range(_MAX_LINES):
        if not (yield from inbox.line(8192)):
            return
    raise NotThisProtocol("headers without end")


def smtp(inbox: Inbox) -> Talk[None]:
    """RFC 3207."""
    yield from _reply(inbox, b"220")
    inbox.send(b"EHLO exatrust.invalid\r\n")
    offers = yield from _reply(inbox, b"250")
    if b"STARTTLS" not in (line[4:].strip().upper() for line in offers):
        raise Refused("the server does not offer STARTTLS")
    inbox.send(b"STARTTLS\r\n")
    yield from _reply(inbox, b"220")


def ftp(inbox: Inbox) -> Talk[None]:
    """RFC 4217."""
    yield from _reply(inbox, b"220")
    inbox.send(b"AUTH TLS\r\n")
    yield from _reply(inbox, b"234")


def _reply(inbox: Inbox, wanted: bytes) -> Talk[list[bytes]]:
    """Read a reply of SMTP or FTP, whose last line has a blank after the code (RFC 959 4.2)."""
    lines: list[bytes] = []
    code = b""
    for _ in range(_MAX_LINES):
        line = yield from inbox.line()
        lines.append(line)
        if not code and not (line[:3].isdigit() and line[3:4] in (b" ", b"-", b"")):
            raise NotThisProtocol(escaped(line))
        code = code or line[:3]
        if line[:3] == code and line[3:4] != b"-":
            break
    else:
        raise NotThisProtocol("a reply without end")
    if code != wanted:
        refusal = TurnedAway if code in _NO_SERVICE else Refused
        raise refusal(f"the server answers: {escaped(lines[-1], 200)}")
    return lines


def imap(inbox: Inbox) -> Talk[None]:
    """RFC 9051 6.2.1."""
    greeting = yield from inbox.line()
    if not greeting.startswith(b"* "):
        raise NotThisProtocol(escaped(greeting))
    if greeting.startswith(b"* BYE"):
        raise TurnedAway(f"the server answers: {escaped(greeting, 200)}")
    inbox.send(b"a1 STARTTLS\r\n")
    for _ in range(_MAX_LINES):
        line = yield from inbox.line(8192)
        if line.startswith(b"a1 "):
            if line[3:5].upper() != b"OK":
                raise Refused(f"the server answers: {escaped(line, 200)}")
            return
    raise NotThisProtocol("untagged answers without end")


def pop3(inbox: Inbox) -> Talk[None]:
    """RFC 2595 4."""
    greeting = yield from inbox.line()
    if greeting.startswith(b"-ERR"):
        raise TurnedAway(f"the server answers: {escaped(greeting, 200)}")
    if not greeting.startswith(b"+OK"):
        raise NotThisProtocol(escaped(greeting))
    inbox.send(b"STLS\r\n")
    answer = yield from inbox.line()
    if not answer.startswith(b"+OK"):
        raise Refused(f"the server answers: {escaped(answer, 200)}")


_TEXT: dict[str, Callable[[Inbox], Talk[None]]] = {
    "smtp": smtp,
    "ftp": ftp,
    "imap": imap,
    "pop3": pop3,
}
