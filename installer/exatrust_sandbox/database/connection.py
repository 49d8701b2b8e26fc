"""One client's connection: login, then requests one after another, and what may interrupt them.

The owner thread (`Channel.serve`) receives, keeps time and sends heartbeats; a worker thread runs
the requests. So an `abortQuery` is seen while a statement runs, and a slow statement does not keep
the client waiting in silence.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
import zlib
from dataclasses import dataclass
from typing import Any

from websockets.frames import CloseCode

from exatrust_sandbox.database.attributes import Settings
from exatrust_sandbox.database.channel import Channel
from exatrust_sandbox.database.commands import Request, SessionState, failure, respond, success
from exatrust_sandbox.database.interruption import Ending, Interruption
from exatrust_sandbox.database.limits import Limits
from exatrust_sandbox.database.login import Database, LoginDialogue, LoginKey
from exatrust_sandbox.database.model import SqlError
from exatrust_sandbox.database.ports import EnginePort, SessionPort
from exatrust_sandbox.database.transport import Tunnels, TunnelTransport

# Seconds between two looks at the clock while a request runs.
BUSY_TICK = 0.2
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Service:
    """What all connections of a server share. `heartbeat` in seconds."""

    engine: EnginePort
    key: LoginKey
    tunnels: Tunnels
    limits: Limits
    heartbeat: float
    nodes: tuple[str, ...]
    database: Database


class Connection:
    """Serves one WebSocket; `run` returns when it is over."""

    def __init__(self, channel: Channel, service: Service) -> None:
        self._channel = channel
        self._service = service
        self._settings = Settings(service.heartbeat)
        self._login = LoginDialogue(service.engine, service.key, service.database, self._settings)
        self._login_deadline: float | None = time.monotonic() + service.limits.login_time
        self._interruption = Interruption()
        self._state: SessionState | None = None
        self._compressed = False
        self._requests: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._unanswered = 0
        self._last_sign_of_life = 0.0

    def run(self) -> None:
        """Serves until the connection is over, then ends what still runs and closes the session."""
        worker = threading.Thread(target=self._work, name="exatrust-session", daemon=True)
        worker.start()
        try:
            self._channel.serve(self)
        finally:
            self._interruption.end(Ending.DISCONNECTED)
            self._requests.put(None)
            while worker.is_alive():
                self._interruption.check()
                worker.join(BUSY_TICK)

    def stop(self) -> None:
        """Ends the connection from the server's side. Any thread."""
        self._interruption.end(Ending.DISCONNECTED)
        self._channel.close(CloseCode.GOING_AWAY, "the server stops")

    # What the owner thread does

    def receive(self, message: str | bytes) -> None:
        """Takes a message from the client."""
        try:
            request = self._decode(message)
        except SqlError as error:
            self._send(failure(error), self._compressed)
            return
        if request.get("command") == "abortQuery":
            # No reply: the request that it ends is answered with an error.
            if self._unanswered:
                self._interruption.end(Ending.ABORTED)
            return
        self._begin(request)

    def tick(self, now: float) -> float | None:
        """Heartbeats and time limits; see `Owner`."""
        if self._unanswered:
            self._interruption.check()
            self._beat(now)
            return min(BUSY_TICK, self._settings.feedback_interval)
        if self._login_deadline is None:
            return None
        if now >= self._login_deadline:
            self._login_deadline = None
            self._channel.close(CloseCode.POLICY_VIOLATION, "the login took too long")
            return None
        return self._login_deadline - now

    def _begin(self, request: Request) -> None:
        with self._lock:
            if self._unanswered == 0:
                self._interruption.begin_request()
                self._last_sign_of_life = time.monotonic()
            self._unanswered += 1
            waiting = self._unanswered
        self._requests.put(request)
        if waiting > self._service.limits.waiting_requests:
            self._channel.close(CloseCode.POLICY_VIOLATION, "too many requests at once")

    def _beat(self, now: float) -> None:
        if now - self._last_sign_of_life >= self._settings.feedback_interval:
            self._last_sign_of_life = now
            self._channel.pong()

    def _decode(self, message: str | bytes) -> Request:
        if self._compressed:
            message = decompress(message, self._service.limits.message)
        try:
            request = json.loads(message)
        except (ValueError, RecursionError):
            raise SqlError("the request is not valid JSON", "00000") from None
        if not isinstance(request, dict):
            raise SqlError("the request is not a JSON object", "00000")
        return request

    # What the worker thread does

    def _work(self) -> None:
        try:
            while (request := self._requests.get()) is not None:
                self._answer(request)
        finally:
            if self._state is not None:
                self._state.close()

    def _answer(self, request: Request) -> None:
        try:
            self._dispatch(request)
        except Exception:
            # Without an answer the client would wait for ever.
            log.exception("a request failed inside the stand-in")
            self._channel.close(CloseCode.INTERNAL_ERROR, "internal error of the stand-in")

    def _dispatch(self, request: Request) -> None:
        if request.get("command") == "disconnect":
            self._disconnect()
        elif self._state is not None:
            self._reply(respond(self._state, request))
        else:
            self._answer_stranger(request)

    def _answer_stranger(self, request: Request) -> None:
        try:
            answer = success(self._login.answer(request))
        except Exception as error:
            self._reply(failure(error))
            if self._login.failures >= self._service.limits.login_attempts:
                self._channel.close(CloseCode.POLICY_VIOLATION, "too many failed logins")
            return
        if self._login.session is not None:
            self._enter(self._login.session)
        self._reply(answer)

    def _enter(self, session: SessionPort) -> None:
        transport = TunnelTransport(self._service.tunnels, self._service.limits)
        self._state = SessionState(
            session, self._settings, transport, self._interruption, self._service.nodes
        )
        self._login_deadline = None
        self._channel.allow_large_messages()

    def _disconnect(self) -> None:
        # The session ends before the answer, so that a client that has disconnected can rely on
        # its transaction being gone.
        state, self._state = self._state, None
        if state is not None:
            state.close()
        self._reply(success(None))
        self._channel.close(CloseCode.NORMAL_CLOSURE, "")

    def _reply(self, answer: dict[str, Any]) -> None:
        compressed = self._compressed
        # The answer to the login is not compressed, all that follows is. Settled before the
        # answer leaves, because the next request may be here at once.
        self._compressed = self._state is not None and self._settings.compression
        with self._lock:
            self._unanswered -= 1
        self._send(answer, compressed)

    def _send(self, answer: dict[str, Any], compressed: bool) -> None:
        message = json.dumps(answer, allow_nan=False).encode()
        if compressed:
            self._channel.post(zlib.compress(message, 1), binary=True)
        else:
            self._channel.post(message, binary=False)


def decompress(message: str | bytes, limit: int) -> bytes:
    """A compressed request in clear, at most `limit` bytes; raises SqlError."""
    if isinstance(message, str):
        raise SqlError("compression is on: requests must be binary", "00000")
    decompressor = zlib.decompressobj()
    try:
        data = decompressor.decompress(message, limit)
    except zlib.error:
        raise SqlError("the request is not valid zlib data", "00000") from None
    if not decompressor.eof:
        raise SqlError("the request is incomplete or too large", "00000")
    return data
