"""A server-side WebSocket over one socket, driven by the thread that owns it.

OpenSSL does not allow two threads to use one connection, so only the owner touches the socket and
the protocol. Other threads `post` messages, which wake the owner. Framing is that of the
`websockets` library (RFC 6455); this module moves bytes and keeps time.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from websockets.exceptions import InvalidState
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import SEND_EOF, State
from websockets.server import ServerProtocol

from exatrust_sandbox.database.limits import Limits

BLOCK = 64 * 1024
# Reads in one go before writing gets its turn.
READ_ROUNDS = 64


class Owner(Protocol):
    """Who a channel works for; both methods are called by the owner thread."""

    def receive(self, message: str | bytes) -> None:
        """Takes a whole message."""
        ...

    def tick(self, now: float) -> float | None:
        """Does what is due at `now` (monotonic seconds); returns seconds until it is next due,
        None when nothing is."""
        ...


def handshake(sock: ssl.SSLSocket, deadline: float) -> None:
    """Finishes the TLS handshake on a non-blocking socket; raises OSError when it fails or lasts
    beyond `deadline` (monotonic seconds). An overall deadline, so that no client can hold a thread
    by sending one byte at a time."""
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        while True:
            try:
                sock.do_handshake()
                return
            except ssl.SSLWantReadError:
                selector.modify(sock, selectors.EVENT_READ)
            except ssl.SSLWantWriteError:
                selector.modify(sock, selectors.EVENT_WRITE)
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not selector.select(remaining):
                raise TimeoutError("the TLS handshake took too long")


class Channel:
    """One WebSocket. `serve` runs until the connection is over and closes the socket."""

    def __init__(self, sock: socket.socket, limits: Limits) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._limits = limits
        self._protocol = ServerProtocol(max_size=limits.login_message)
        self._posted: deque[Callable[[], None]] = deque()
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._wake_receiver.setblocking(False)
        self._wake_sender.setblocking(False)
        self._outgoing = bytearray()
        self._fragments: list[bytes] = []
        self._is_text = False
        self._closing_deadline: float | None = None
        self._over = False

    def post(self, message: bytes, *, binary: bool) -> None:
        """Sends a message, as a text frame unless `binary`. Any thread."""
        send = self._protocol.send_binary if binary else self._protocol.send_text
        self._enqueue(lambda: send(message))

    def close(self, code: int, reason: str) -> None:
        """Starts the closing handshake. Any thread."""
        self._enqueue(lambda: self._close(code, reason))

    def allow_large_messages(self) -> None:
        """Lifts the limit for strangers to the one for users. Owner or before its next message."""
        self._protocol.max_message_size = self._limits.message

    def pong(self) -> None:
        """Sends an unsolicited pong, Exasol's heartbeat. Owner thread. Nothing is sent while
        earlier output is still waiting: the client is receiving then anyway."""
        if not self._outgoing and self._protocol.state is State.OPEN:
            self._protocol.send_pong(b"")

    def serve(self, owner: Owner) -> None:
        """Moves messages until the connection is over; never raises for what a client does."""
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._socket, selectors.EVENT_READ)
                selector.register(self._wake_receiver, selectors.EVENT_READ)
                while not self._over:
                    self._turn(selector, owner)
        finally:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._wake_receiver.close()
            self._wake_sender.close()

    def _turn(self, selector: selectors.BaseSelector, owner: Owner) -> None:
        due = owner.tick(time.monotonic())
        self._run_posted()
        self._write()
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._outgoing else 0)
        selector.modify(self._socket, events)
        pending = isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0
        selector.select(0 if pending or self._over else self._wait_time(due))
        self._drain_wakes()
        self._read(owner)

    def _wait_time(self, due: float | None) -> float | None:
        times = [] if due is None else [due]
        if self._closing_deadline is not None:
            remaining = self._closing_deadline - time.monotonic()
            self._over = self._over or remaining <= 0
            times.append(remaining)
        return max(0.0, min(times)) if times else None

    def _enqueue(self, action: Callable[[], None]) -> None:
        self._posted.append(action)
        # A full or closed pipe means that the owner is awake or gone.
        with contextlib.suppress(OSError):
            self._wake_sender.send(b"w")

    def _drain_wakes(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._wake_receiver.recv(4096):
                pass

    def _run_posted(self) -> None:
        while self._posted:
            # A connection that is closing takes no more messages.
            with contextlib.suppress(InvalidState):
                self._posted.popleft()()

    def _close(self, code: int, reason: str) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
            self._start_closing()
        elif self._protocol.state is State.CONNECTING:
            self._over = True

    def _start_closing(self) -> None:
        if self._closing_deadline is None:
            self._closing_deadline = time.monotonic() + self._limits.closing_time

    def _write(self) -> None:
        for data in self._protocol.data_to_send():
            if data == SEND_EOF:
                # The client is given a moment to read the close frame and to hang up first: a
                # socket closed with unread input would reset the connection and lose the frame.
                self._start_closing()
            self._outgoing += data
        try:
            while self._outgoing:
                sent = self._socket.send(bytes(self._outgoing[:BLOCK]))
                del self._outgoing[:sent]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError:
            self._over = True

    def _read(self, owner: Owner) -> None:
        for _ in range(READ_ROUNDS):
            try:
                data = self._socket.recv(BLOCK)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError:
                data = b""
            if not data:
                self._over = True
                return
            self._protocol.receive_data(data)
            self._dispatch(owner)

    def _dispatch(self, owner: Owner) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._protocol.send_response(self._protocol.accept(event))
            elif isinstance(event, Frame):
                self._collect(event, owner)

    def _collect(self, frame: Frame, owner: Owner) -> None:
        """Puts the fragments of a message together (RFC 6455 section 5.4)."""
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._is_text = frame.opcode is Opcode.TEXT
        elif frame.opcode is not Opcode.CONT:
            return
        self._fragments.append(bytes(frame.data))
        if not frame.fin:
            return
        data, self._fragments = b"".join(self._fragments), []
        if not self._is_text:
            owner.receive(data)
            return
        try:
            owner.receive(data.decode())
        except UnicodeDecodeError:
            self._protocol.fail(CloseCode.INVALID_DATA, "text that is not UTF-8")
