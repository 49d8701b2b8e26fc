"""Conversations: protocols as generators over bytes, without a socket in sight.

A conversation yields bytes to send and is resumed with bytes received (b'' when the server has
closed). What drives it decides about sockets and time; `Inbox` bounds the size.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

Result = TypeVar("Result")
Talk = Generator[bytes, bytes, Result]


class Refused(Exception):
    """The server or proxy answered, but not with what the protocol needs. Carries its words."""


class TurnedAway(Refused):
    """The server serves nobody now, or not this client, whatever it wants. Carries its words."""


class Injected(Refused):
    """Bytes in plain came after both sides had agreed on TLS. Carries them, shown."""


class NotThisProtocol(Exception):
    """The answer does not belong to the protocol at all. Carries the first bytes, shown."""


class Closed(Exception):
    """The server closed the connection."""


class Inbox:
    """Received bytes not yet used, and bytes to send with the next read.

    Each protocol gets `limit` bytes: a server that talks on without end is refused.
    """

    def __init__(self, limit: int = 65536) -> None:
        self._data = bytearray()
        self._left = limit
        self.outgoing = bytearray()

    def send(self, data: bytes) -> None:
        """Queue `data`; it leaves with the next read, or when the conversation ends."""
        self.outgoing += data

    def _more(self) -> Talk[None]:
        out, self.outgoing = bytes(self.outgoing), bytearray()
        data = yield out
        if not data:
            raise Closed
        self._left -= len(data)
        if self._left < 0:
            raise NotThisProtocol("the answer has no end")
        self._data += data

    def exactly(self, size: int) -> Talk[bytes]:
        """Read `size` bytes."""
        while len(self._data) < size:
            yield from self._more()
        taken = bytes(self._data[:size])
        del self._data[:size]
        return taken

    def line(self, limit: int = 2048) -> Talk[bytes]:
        """Read a line, without its end. Raises NotThisProtocol where it is longer than `limit`."""
        while True:
            end = self._data.find(b"\n", 0, limit)
            if end >= 0:
                return (yield from self.exactly(end + 1)).rstrip(b"\r\n")
            if len(self._data) >= limit:
                raise NotThisProtocol(escaped(bytes(self._data)))
            yield from self._more()

    def rest(self) -> bytes:
        """What was received beyond the conversation; TLS must not begin with it."""
        return bytes(self._data)


def escaped(data: bytes, limit: int = 64) -> str:
    """Bytes of a server, to be shown: printable ASCII as it is, everything else as \\xNN."""
    shown = data[:limit].decode("latin-1").encode("unicode_escape").decode("ascii")
    return shown + ("..." if len(data) > limit else "")
