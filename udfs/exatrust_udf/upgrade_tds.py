"""SQL Server's TDS 7: the TLS handshake travels inside PRELOGIN packets (MS-TDS 2.2.6.5, 3.2.5)."""

from __future__ import annotations

import struct

from exatrust_udf.talk import Inbox, NotThisProtocol, Refused, Talk, escaped

_PRELOGIN = 0x12
_TABULAR = 0x04
_HEADER = struct.Struct("!BBHHBB")
_END_OF_MESSAGE = 1
_MAX_PACKET = 4096
_MAX_MESSAGE = 32768
_VERSION, _ENCRYPTION, _TERMINATOR = 0, 1, 0xFF
_ENCRYPT_ON = 1
_ENCRYPT_NOT_SUPPORTED = 2


def packet(payload: bytes, number: int = 1, last: bool = True) -> bytes:
    """One TDS packet of type PRELOGIN."""
    status = _END_OF_MESSAGE if last else 0
    head = _HEADER.pack(_PRELOGIN, status, 8 + len(payload), 0, number & 0xFF, 0)
    return head + payload


def packets(payload: bytes) -> bytes:
    """A message in as many packets as it needs."""
    room = _MAX_PACKET - _HEADER.size
    parts = [payload[i : i + room] for i in range(0, len(payload), room)]
    return b"".join(packet(part, n, n == len(parts)) for n, part in enumerate(parts, 1))


def prelogin(inbox: Inbox) -> Talk[None]:
    """Agree on encryption."""
    version, encryption = bytes(6), bytes([_ENCRYPT_ON])
    table = struct.pack("!BHHBHHB", _VERSION, 11, 6, _ENCRYPTION, 17, 1, _TERMINATOR)
    inbox.send(packet(table + version + encryption))
    answer = yield from _message(inbox)
    if _encryption(answer) == _ENCRYPT_NOT_SUPPORTED:
        raise Refused("the server answers that encryption is not supported")


def _message(inbox: Inbox) -> Talk[bytes]:
    whole = bytearray()
    while len(whole) <= _MAX_MESSAGE:
        head = yield from inbox.exactly(_HEADER.size)
        kind, status, size, *_ = _HEADER.unpack(head)
        if kind not in (_TABULAR, _PRELOGIN) or not _HEADER.size <= size <= _MAX_MESSAGE:
            raise NotThisProtocol(escaped(head + inbox.rest()))
        whole += yield from inbox.exactly(size - _HEADER.size)
        if status & _END_OF_MESSAGE:
            return bytes(whole)
    raise NotThisProtocol("a message without end")


def _encryption(answer: bytes) -> int:
    at = 0
    while at + 5 <= len(answer) and answer[at] != _TERMINATOR:
        option, offset, size = struct.unpack_from("!BHH", answer, at)
        if option == _ENCRYPTION and size == 1 and offset < len(answer):
            return int(answer[offset])
        at += 5
    raise NotThisProtocol(f"no word about encryption in {escaped(answer)}")


def carried(talk: Talk[None]) -> Talk[None]:
    """`talk`, a TLS handshake, with its bytes inside TDS packets."""
    unpacked = Unpacker()
    out = next(talk)
    while True:
        data = yield packets(out)
        inner = unpacked.feed(data) if data else b""
        while data and not inner:
            data = yield b""
            inner = unpacked.feed(data) if data else b""
        try:
            out = talk.send(inner)
        except StopIteration:
            return


class Unpacker:
    """Takes TDS packets apart as they come in pieces; what is not TDS passes as it is.

    After the handshake both sides speak TLS without packets, and a server that fails may send its
    alert either way.
    """

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> bytes:
        """The payload in what has arrived so far, b'' while a packet is incomplete."""
        self._data += data
        payload = bytearray()
        while self._data:
            if self._data[0] not in (_PRELOGIN, _TABULAR):
                payload += self._data
                self._data.clear()
                break
            if len(self._data) < _HEADER.size:
                break
            size = max(int.from_bytes(self._data[2:4], "big"), _HEADER.size)
            if len(self._data) < size:
                break
            payload += self._data[_HEADER.size : size]
            del self._data[:size]
        return bytes(payload)
