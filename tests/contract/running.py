"""Installers in processes of their own, and somebody who reads while they work."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyexasol
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from exatrust.credentials import Secret
from exatrust.database import Database, Row
from exatrust.dsn import parse_dsn
from exatrust.settings import DatabaseSettings
from exatrust_sandbox.cluster import Sandbox


@dataclass(frozen=True)
class Run:
    """What a command ended with."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


Exatrust = Callable[..., Run]
Rows = Callable[[str], list[Row]]


def connect(sandbox: Sandbox) -> Database:
    """A session of SYS."""
    settings = DatabaseSettings(parse_dsn(sandbox.dsn), "sys")
    return Database(settings, Secret(sandbox.layout.password("sys")))


KILLED = Path(__file__).with_name("killed.py")
SECONDS = 120
NEVER = 10**9


@dataclass
class Reader:
    """Somebody who checks an endpoint again and again, whatever the installer does."""

    queries: int = 0
    errors: list[str] = field(default_factory=list)


def new_ca(directory: Path) -> Callable[[], tuple[str, ...]]:
    """Gives the flags that add a CA which nobody has seen before."""
    made = 0

    def flags() -> tuple[str, ...]:
        nonlocal made
        made += 1
        path = directory / f"ca{made}.pem"
        pem = trustme.CA(organization_name=f"Company {made}").cert_pem.bytes()
        path.write_bytes(pem)
        digest = x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex()
        return ("--yes", "--ca", str(path), "--confirm", digest)

    return flags


def start(sandbox: Sandbox, last: int, *arguments: str) -> subprocess.Popen[str]:
    """A command in a process of its own, which ends at a step."""
    return subprocess.Popen(
        [sys.executable, str(KILLED), str(last), *arguments],
        cwd=sandbox.layout.directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def run(sandbox: Sandbox, last: int, *arguments: str) -> tuple[int, str]:
    """Its status, negative for a signal, and what it said."""
    process = start(sandbox, last, *arguments)
    out, err = process.communicate(timeout=SECONDS)
    return process.returncode, out + err


def steps(said: str) -> int:
    return int(said.rstrip().rpartition("steps: ")[2])


@contextmanager
def reader(sandbox: Sandbox, schema: str = "EXATRUST") -> Iterator[Reader]:
    """Reads until the block ends; its first query has been answered when the block begins."""
    seen, ended = Reader(), threading.Event()
    host, _, port = sandbox.endpoint("public").rpartition(":")
    query = f"SELECT {schema}.CHECK_ENDPOINT('{host}', {port})"

    def read() -> None:
        with pyexasol.connect(
            dsn=sandbox.dsn, user="sys", password=sandbox.layout.password("sys")
        ) as connection:
            while not ended.is_set():
                try:
                    assert connection.execute(query).fetchall()
                except Exception as error:
                    seen.errors.append(str(error))
                seen.queries += 1

    thread = threading.Thread(target=read)
    thread.start()
    try:
        deadline = time.monotonic() + SECONDS
        while not seen.queries and time.monotonic() < deadline:
            time.sleep(0.05)
        yield seen
    finally:
        ended.set()
        thread.join(SECONDS)
