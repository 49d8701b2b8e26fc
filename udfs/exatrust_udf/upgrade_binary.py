"""The upgrades of PostgreSQL, MySQL/MariaDB and LDAP."""

from __future__ import annotations

import struct
from collections.abc import Callable

from exatrust_udf.talk import Inbox, NotThisProtocol, Refused, Talk, TurnedAway, escaped

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)

_POSTGRES_MAX = 30000

_MYSQL_CLIENT_SSL = 0x0800
# PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH: what every server of this century expects.
_MYSQL_FLAGS = _MYSQL_CLIENT_SSL | 0x0200 | 0x8000 | 0x80000
_MYSQL_MAX_GREETING = 4096

_LDAP_OID = b"1.3.6.1.4.1.1466.20037"
_LDAP_MAX = 16384


def postgres(inbox: Inbox) -> Talk[None]:
    """SSLRequest (PostgreSQL documentation, 55.2.10 "SSL Session Encryption")."""
    inbox.send(_SSL_REQUEST)
    answer = yield from inbox.exactly(1)
    if answer == b"N":
        raise Refused("the server answers that SSL is off (ssl = off in postgresql.conf)")
    if answer == b"E":
        words = yield from _postgres_error(inbox)
        raise TurnedAway(f"the server answers: {escaped(words, 200)}")
    if answer != b"S":
        raise NotThisProtocol(escaped(answer + inbox.rest()))


def _postgres_error(inbox: Inbox) -> Talk[bytes]:
    """The message of an ErrorResponse (PostgreSQL documentation, 55.7); else what there is."""
    size = int.from_bytes((yield from inbox.exactly(4)), "big")
    if not 4 < size <= _POSTGRES_MAX:
        return inbox.rest()
    fields = (yield from inbox.exactly(size - 4)).split(b"\0")
    return next((field[1:] for field in fields if field.startswith(b"M")), b"an error")


def mysql(inbox: Inbox) -> Talk[None]:
    """SSLRequest after the server's greeting (MySQL Internals, "Connection Phase Packets")."""
    header = yield from inbox.exactly(4)
    size = int.from_bytes(header[:3], "little")
    if not 0 < size <= _MYSQL_MAX_GREETING or header[3] != 0:
        raise NotThisProtocol(escaped(header + inbox.rest()))
    greeting = yield from inbox.exactly(size)
    if greeting[0] == 0xFF:
        raise TurnedAway(f"the server answers: {escaped(greeting[3:], 200)}")
    if not _mysql_capabilities(greeting) & _MYSQL_CLIENT_SSL:
        raise Refused("the server does not offer TLS (no CLIENT_SSL among its capabilities)")
    request = struct.pack("<IIB23x", _MYSQL_FLAGS, 1 << 24, 45)
    inbox.send(len(request).to_bytes(3, "little") + b"\x01" + request)


def _mysql_capabilities(greeting: bytes) -> int:
    """The lower two bytes of the capabilities in a HandshakeV10."""
    end = greeting.find(b"\0", 1)
    at = end + 1 + 4 + 8 + 1
    if greeting[0] != 10 or end < 0 or len(greeting) < at + 2:
        raise NotThisProtocol(escaped(greeting))
    return int.from_bytes(greeting[at : at + 2], "little")


def ldap(inbox: Inbox) -> Talk[None]:
    """StartTLS, RFC 4511 4.14: an ExtendedRequest with message id 1."""
    name = b"\x80" + bytes([len(_LDAP_OID)]) + _LDAP_OID
    body = b"\x02\x01\x01\x77" + bytes([len(name)]) + name
    inbox.send(b"\x30" + bytes([len(body)]) + body)
    message = yield from _ber(inbox, 0x30)
    code, words = _ldap_result(message)
    if code:
        reason = f": {escaped(words, 200)}" if words else ""
        raise Refused(f"the server answers with result code {code}{reason}")


def _ber(inbox: Inbox, wanted: int) -> Talk[bytes]:
    head = yield from inbox.exactly(2)
    if head[0] != wanted:
        raise NotThisProtocol(escaped(head + inbox.rest()))
    size = head[1]
    if size & 0x80:
        octets = size & 0x7F
        if not 1 <= octets <= 4:
            raise NotThisProtocol(escaped(head + inbox.rest()))
        # BER lets servers (Active Directory) write short lengths in the long form.
        size = int.from_bytes((yield from inbox.exactly(octets)), "big")
    if size > _LDAP_MAX:
        raise NotThisProtocol(f"an answer of {size} bytes")
    return (yield from inbox.exactly(size))


def _ldap_result(message: bytes) -> tuple[int, bytes]:
    """(result code, diagnostic message) of an ExtendedResponse."""
    try:
        _, at = _element(message, 0)
        tag = message[at]
        response, _ = _element(message, at)
        code, at = _element(response, 0)
        _, at = _element(response, at)
        words, _ = _element(response, at)
    except IndexError:
        raise NotThisProtocol(escaped(message)) from None
    if tag != 0x78 or not code:
        raise NotThisProtocol(escaped(message))
    return int.from_bytes(code, "big"), words


def _element(data: bytes, at: int) -> tuple[bytes, int]:
    """(content, where the next element begins); IndexError beyond the end."""
    size, start = data[at + 1], at + 2
    if size & 0x80:
        octets = size & 0x7F
        size, start = int.from_bytes(data[start : start + octets], "big"), start + octets
    if start + size > len(data):
        raise IndexError
    return data[start : start + size], start + size


STARTERS: dict[str, Callable[[Inbox], Talk[None]]] = {
    "postgres": postgres,
    "mysql": mysql,
    "ldap": ldap,
}
