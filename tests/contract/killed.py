"""Run a command, and kill its process at its n-th step towards a change.

    python killed.py N ARGUMENTS…      the last line of standard error is "steps: COUNT"

A step is the middle of an upload, its end, the end of a statement that changes something, the
moment before a commit, and the one after it. The libraries are wrapped, the product is as it is.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import pyexasol
import requests

from exatrust import cli


class Steps:
    def __init__(self, last: int) -> None:
        self.count = 0
        self.last = last

    def done(self) -> None:
        self.count += 1
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


class Body:
    """Bytes that requests sends in two parts, with a step between them."""

    def __init__(self, content: bytes, steps: Steps) -> None:
        middle = len(content) // 2
        self._parts = [content[:middle], content[middle:]]
        self._length = len(content)
        self._steps = steps

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        if len(self._parts) == 1:
            self._steps.done()
        return self._parts.pop(0) if self._parts else b""


def wrap(steps: Steps) -> None:
    request = requests.Session.request
    execute = pyexasol.ExaConnection.execute
    commit = pyexasol.ExaConnection.commit

    def sent(self: requests.Session, method: str, url: str, **kwargs: Any) -> requests.Response:
        if method != "PUT":
            return request(self, method, url, **kwargs)
        body = Body(kwargs["data"].read(), steps)
        answer = request(self, method, url, **{**kwargs, "data": body})
        steps.done()
        return answer

    def executed(self: pyexasol.ExaConnection, query: str, *args: Any) -> Any:
        result = execute(self, query, *args)
        if not query.lstrip().upper().startswith(("SELECT", "ROLLBACK", "COMMIT")):
            steps.done()
        return result

    def committed(self: pyexasol.ExaConnection) -> None:
        steps.done()
        commit(self)
        steps.done()

    requests.Session.request = sent  # type: ignore[method-assign]
    pyexasol.ExaConnection.execute = executed
    pyexasol.ExaConnection.commit = committed


if __name__ == "__main__":
    counted = Steps(int(sys.argv[1]))
    wrap(counted)
    status = cli.main(sys.argv[2:])
    sys.stderr.write(f"steps: {counted.count}\n")
    sys.exit(status)
