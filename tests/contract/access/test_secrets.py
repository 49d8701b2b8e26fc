"""No secret reaches a terminal, a log file or a JSON document, whatever goes wrong."""

from __future__ import annotations

import base64
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from exatrust_sandbox.cluster import Sandbox

WRONG = "planted-wrong-password"
KEY = "cGxhbnRlZC1wcml2YXRlLWtleS1tYXRlcmlhbA=="
COMMANDS = (
    ("doctor", "--write"), ("doctor", "--json"), ("plan",), ("plan", "--json"),
    ("install", "--yes"), ("install", "--yes", "--json"), ("status", "--json"), ("roles",),
    ("check", "localhost:1"),
    ("check", "localhost:1", "--options", "proxy=http://user:planted-proxy@localhost:1"),
    ("snapshot",), ("trust-server",), ("check", "--json"), ("uninstall", "--yes"),
)  # fmt: skip
pytestmark = pytest.mark.usefixtures("languages", "one_alias")


def spellings(secret: str, user: str) -> Iterator[str]:
    """A secret as it is, and as the header of a request would hold it."""
    yield secret
    yield base64.b64encode(f"{user}:{secret}".encode()).decode()


def secrets(sandbox: Sandbox) -> list[str]:
    users = {"sys": "sys", "w": "w", "r": "r"}
    found = [
        text
        for name, user in users.items()
        for text in spellings(sandbox.layout.password(name), user)
    ]
    return [*found, *spellings(WRONG, "w"), "planted"]


def test_no_command_shows_a_password_and_its_log_tells_what_was_done(
    exatrust, sandbox: Sandbox
) -> None:
    shown = ""
    for command in COMMANDS:
        done = exatrust(*command, "--log-file", "all.log")
        shown += done.text
    logged = Path("all.log").read_text()
    leaked = [text for text in secrets(sandbox) if text in shown + logged]
    assert not leaked
    assert "Authorization" not in shown + logged
    lines = logged.splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (INFO|WARNING|ERROR) ", line)
               for line in lines)  # fmt: skip
    for expected in (
        "exatrust install 0.1.0",
        "connected to the database 127.0.0.1:",
        "INFO PUT /default/access",
        ": 200, ",
        'SQL CREATE OR REPLACE PYTHON3 SET SCRIPT "ACCESS',
        "SQL COMMIT",
        "SQL ROLLBACK",
        "exit status 0",
    ):
        assert expected in logged, expected


@pytest.mark.parametrize("section", ["DATABASE", "BUCKETFS"])
def test_a_wrong_password_shows_nowhere(
    exatrust, monkeypatch: pytest.MonkeyPatch, section: str
) -> None:
    monkeypatch.setenv(f"EXATRUST_{section}_PASSWORD", WRONG)
    for command in (("plan",), ("doctor", "--json")):
        refused = exatrust(*command, "--log-file", "wrong.log")
        assert refused.status == 2
        assert "planted" not in refused.text + Path("wrong.log").read_text()
    assert "ERROR" in Path("wrong.log").read_text()


def test_a_private_key_in_a_ca_file_shows_nowhere(exatrust) -> None:
    Path("corp.pem").write_text(f"-----BEGIN PRIVATE KEY-----\n{KEY}\n-----END PRIVATE KEY-----\n")
    refused = exatrust("install", "--yes", "--ca", "corp.pem", "--log-file", "key.log")
    assert refused.status == 2
    assert "PRIVATE KEY" in refused.err
    assert KEY not in refused.text + Path("key.log").read_text()


def test_a_password_in_an_address_shows_nowhere(exatrust, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXATRUST_BUCKETFS_URL", "https://w:planted-in-address@localhost:1")
    for command in (("plan",), ("doctor", "--json"), ("trust-server",)):
        refused = exatrust(*command, "--log-file", "url.log")
        assert refused.status == 2
        assert "planted" not in refused.text + Path("url.log").read_text()


def test_a_password_in_the_settings_file_shows_nowhere(exatrust) -> None:
    path = Path("exatrust.toml")
    path.write_text(path.read_text().replace('user = "w"', 'user = "w"\npassword = "planted-x"'))
    refused = exatrust("doctor", "--json", "--log-file", "toml.log")
    assert refused.status == 2
    assert "planted" not in refused.text + Path("toml.log").read_text()


def on_terminal(*arguments: str) -> str:
    """What a person sees who runs a command on a terminal."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(
        [sys.executable, "-m", "exatrust", *arguments],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environment,
    ) as process:  # fmt: skip
        os.close(theirs)
        seen = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux's way to say that nobody writes any more
                break
            seen += part
        os.close(ours)
    assert process.returncode == 0, seen.decode()
    return seen.decode()


def test_a_terminal_sees_bars_for_uploads_and_nodes_and_a_pipe_does_not(
    exatrust, sandbox: Sandbox
) -> None:
    seen = on_terminal("install", "--yes")
    assert "ca-bundle-" in seen
    assert "nodes that see the release" in seen
    assert "2/2" in seen
    assert not [text for text in secrets(sandbox) if text in seen]
    assert exatrust("uninstall", "--yes").status == 0
    piped = exatrust("install", "--yes")
    assert "\x1b" not in piped.text
    assert "\r" not in piped.text
    assert "nodes that see the release" not in piped.text
