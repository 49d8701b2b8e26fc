"""One UDF process and the conversation with it.

A conversation feeds rows from a thread of its own, since the script may emit before it has read
everything, and answers the script's questions about connections and other scripts.
"""

from __future__ import annotations

import collections
import contextlib
import datetime as dt
import json
import os
import select
import subprocess
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import TracebackType
from typing import IO, Any

from exatrust_sandbox.containers.frames import Encode
from exatrust_sandbox.containers.model import Column, Row, ScriptCall, ScriptError

BATCH = 2000
TAIL = 40  # lines of the script's own output that are kept for a crash
POLL_SECONDS = 0.1
MAX_FRAME = 256 << 20
_PREFIX = "VM error: "


class Process:
    """A started UDF process with its three pipes; ends, at the latest, with the context."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], encode: Encode
    ) -> None:
        self._encode = encode
        self.id = str(uuid.uuid4().int >> 66)
        requests_out, self._requests = os.pipe()
        answers_out, self._answers = os.pipe()
        self._replies, replies_in = os.pipe()
        theirs = (requests_out, answers_out, replies_in)
        try:
            self._child = subprocess.Popen(
                [*command, *map(str, theirs)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                pass_fds=theirs,
                start_new_session=True,
            )
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        assert self._child.stdout is not None
        self._tail: collections.deque[bytes] = collections.deque(maxlen=TAIL)
        self._listener = threading.Thread(
            target=self._listen, args=(self._child.stdout,), daemon=True
        )
        self._listener.start()

    def _listen(self, stdout: IO[bytes]) -> None:
        with stdout:
            while line := stdout.readline(4096):
                self._tail.append(line)

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for descriptor in (self._requests, self._answers):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        if kind is not None:
            self._child.kill()
        self._end()
        os.close(self._replies)

    def _end(self) -> None:
        try:
            self._child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._listener.join(timeout=5)

    def write(self, value: Any, *, answer: bool = False) -> None:
        """Send one value; raises BrokenPipeError when the process is gone."""
        payload = self._encode(value)
        frame = len(payload).to_bytes(4, "big") + payload
        view = memoryview(frame)
        while view:
            view = view[os.write(self._answers if answer else self._requests, view) :]

    def read(self, cancelled: threading.Event) -> dict[str, Any] | None:
        """The next reply; None when the process has ended. Raises ScriptError when cancelled."""
        header = self._read_exactly(4, cancelled)
        if header is None:
            return None
        size = int.from_bytes(header, "big")
        if size > MAX_FRAME:
            raise ScriptError(f"{_PREFIX}a row is too large")
        payload = self._read_exactly(size, cancelled)
        if payload is None:
            return None
        reply: dict[str, Any] = json.loads(payload)
        return reply

    def _read_exactly(self, count: int, cancelled: threading.Event) -> bytes | None:
        data = bytearray()
        while len(data) < count:
            if cancelled.is_set():
                raise ScriptError(f"{_PREFIX}the script was stopped")
            ready, _, _ = select.select([self._replies], [], [], POLL_SECONDS)
            if not ready:
                continue
            piece = os.read(self._replies, min(count - len(data), 1 << 20))
            if not piece:
                return None
            data += piece
        return bytes(data)

    def printed(self) -> str:
        """The last lines that it printed; it has ended then."""
        self._end()
        return b"".join(self._tail).decode("utf-8", "replace").strip()

    def obituary(self) -> str:
        """Why it ended without an answer, with the last lines it printed."""
        last = self.printed()
        code = self._child.returncode
        how = f"killed by signal {-code}" if code < 0 else f"exit status {code}"
        return f"{_PREFIX}VM crashed ({how})" + (f"\n{last}" if last else "")


class Conversation:
    """Feeds the groups of one call to a process and gathers what they emit."""

    def __init__(
        self,
        process: Process,
        call: ScriptCall,
        cancelled: threading.Event,
        obituary: Callable[[str], str | None],
    ) -> None:
        self._process = process
        self._obituary = obituary
        self._call = call
        self._cancelled = cancelled

    def hold(self, request: Any, groups: Sequence[Sequence[Row]]) -> list[list[Row]]:
        """The rows of each group. Raises ScriptError when the script fails or dies."""
        results: list[list[Row]] = [[] for _ in groups]
        feeder = threading.Thread(target=self._feed, args=(request, groups), daemon=True)
        feeder.start()
        while (reply := self._process.read(self._cancelled)) is not None:
            if reply["kind"] == "done":
                feeder.join(timeout=5)
                return results
            self._handle(reply, results)
        raise ScriptError(self._obituary(self._process.printed()) or self._process.obituary())

    def _feed(self, request: object, groups: Sequence[Sequence[Row]]) -> None:
        # A script that failed no longer reads; its error tells what happened.
        with contextlib.suppress(OSError):
            self._process.write(request)
            for first, batch in _batches(groups):
                self._process.write((first, batch))
            self._process.write(None)

    def _handle(self, reply: dict[str, Any], results: list[list[Row]]) -> None:
        value = reply["value"]
        match reply["kind"]:
            case "rows":
                results[value[0]].extend(self._row(row) for row in value[1])
            case "ask":
                self._process.write(self._answer(*value), answer=True)
            case "error":
                raise ScriptError(f"{_PREFIX}{value}")

    def _row(self, row: list[str | None]) -> Row:
        columns = self._call.output_columns
        return tuple(_read(column, text) for column, text in zip(columns, row, strict=True))

    def _answer(self, question: str, name: str) -> tuple[bool, object]:
        try:
            if question == "connection":
                return True, dict(self._call.get_connection(name))
            return True, self._call.import_script(name)
        except ScriptError as error:
            return False, str(error)


def _batches(groups: Sequence[Sequence[Row]]) -> list[tuple[int, list[list[list[object]]]]]:
    """Groups in batches of about BATCH rows, each with the number of its first group."""
    batches: list[tuple[int, list[list[list[object]]]]] = []
    size = BATCH
    for number, group in enumerate(groups):
        if size >= BATCH:
            batches.append((number, []))
            size = 0
        batches[-1][1].append([[_written(value) for value in row] for row in group])
        size += len(group) or 1
    return batches


def _written(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, dt.date) else value


def _read(column: Column, text: str | None) -> object:
    """A value the script emitted, in its column's type; the empty string is NULL."""
    if text is None or text == "":
        return None
    try:
        value = _converted(column, text)
        _check_size(column, value)
        return value
    except (ValueError, ArithmeticError) as error:
        raise ScriptError(
            f"{_PREFIX}column {column.name} of type {column.sql_type} cannot hold {text[:100]!r}"
        ) from error


def _check_size(column: Column, value: object) -> None:
    """Raises ValueError for a number with too many digits, or a text that is too long."""
    if isinstance(value, (int, Decimal)) and column.type_name == "DECIMAL" and column.precision:
        if abs(value) >= 10 ** (column.precision - (column.scale or 0)):
            raise ValueError("too many digits")
    elif isinstance(value, str) and column.length is not None and len(value) > column.length:
        raise ValueError("too long")


def _converted(column: Column, text: str) -> object:
    match column.type_name:
        case "DECIMAL" if not column.scale:
            return int(Decimal(text))
        case "DECIMAL":
            return Decimal(text).quantize(Decimal(1).scaleb(-(column.scale or 0)))
        case "DOUBLE":
            return float(text)
        case "BOOLEAN":
            return text == "true"
        case "DATE":
            return dt.date.fromisoformat(text)
        case "TIMESTAMP":
            moment = dt.datetime.fromisoformat(text)
            if moment.tzinfo is not None:
                raise ValueError("a TIMESTAMP has no time zone")
            return moment
    return text
