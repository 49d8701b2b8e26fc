"""ALLOWED_HOST: what is in the table counts once it is installed, and plan says what is not."""

from __future__ import annotations

import json

import pytest

from exatrust_sandbox.cluster import Sandbox

from ..running import Exatrust, Rows
from .conftest import Serve
from .web import answer, sending


@pytest.fixture
def schema(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> str:
    """A schema and a bucket prefix of these tests' own."""
    monkeypatch.chdir(sandbox.layout.directory)
    monkeypatch.setenv("EXATRUST_DATABASE_SCHEMA", "LISTED")
    monkeypatch.setenv("EXATRUST_BUCKETFS_PREFIX", "listed")
    monkeypatch.setenv("EXATRUST_SCRIPTS_ALIASES", "PYTHON3")
    return "LISTED"


def test_a_changed_table_is_drift_until_it_is_installed(
    exatrust: Exatrust, rows: Rows, serve: Serve, sandbox: Sandbox
) -> None:
    root = str(sandbox.layout.pki / "company-root.pem")
    flags = ("--yes", "--ca", root, "--confirm", sandbox.company_fingerprint())
    assert exatrust("install", *flags).status == 0
    with serve(sending(answer(200, b"in"))) as web:

        def get() -> tuple[object, ...]:
            (row,) = rows(f"SELECT LISTED.HTTPS_GET('{web.url()}')")
            return row[6], row[9]

        assert get() == (None, "HTTP_ADDRESS_NOT_ALLOWED")

        rows("INSERT INTO LISTED.ALLOWED_HOST VALUES ('localhost', NULL, 'LOCAL', 'test')")
        planned = exatrust("plan", "--json")
        assert planned.status == 1
        found = {item["name"]: item["reason"] for item in json.loads(planned.out)["actions"]}
        changed = "the table ALLOWED_HOST has changed"
        names = {"HTTPS_GET", "HTTPS_REQUEST", "HTTPS_JSON"}
        assert {name for name, why in found.items() if why == changed} >= names
        assert get() == (None, "HTTP_ADDRESS_NOT_ALLOWED")  # scripts read no table
        seen = exatrust("status")
        assert seen.status == 1
        assert "ALLOWED_HOST has changed, which is not yet in HTTPS_GET, HTTPS_JSON" in seen.out

        assert exatrust("install", "--yes").status == 0
        assert get() == (200, None)
        assert exatrust("plan").status == 0
        assert exatrust("check", "--only", "SCRIPT_PINS").status == 0
        assert "HTTPS" not in exatrust("status").text

        rows("INSERT INTO LISTED.ALLOWED_HOST VALUES ('*', 443, 'LOCAL', 'too much')")
        refused = exatrust("install", "--yes")
        assert refused.status == 2
        assert "table ALLOWED_HOST, row of HOST *, PORT 443" in refused.err
        assert "correct or delete the row" in refused.err
        assert "row of HOST *, PORT 443" in exatrust("status").out
        assert get() == (200, None)

        rows("DELETE FROM LISTED.ALLOWED_HOST")
        assert exatrust("install", "--yes").status == 0
        assert get() == (None, "HTTP_ADDRESS_NOT_ALLOWED")
        assert exatrust("check", "--only", "SCRIPT_PINS").status == 0
