"""A cluster with a release installed, whose scripts may ask servers on this machine."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from typing import Any

import pytest

from exatrust import cli
from exatrust.database import Database
from exatrust_sandbox.cluster import Sandbox
from exatrust_sandbox.endpoints import context_of
from exatrust_sandbox.pki import Authorities, open_authorities

from ..running import connect
from .web import Manner, Web, serving

Row = dict[str, Any]
Ask = Callable[[str], list[Row]]
Serve = Callable[..., AbstractContextManager[Web]]
LISTED = (
    "INSERT INTO EXATRUST.ALLOWED_HOST VALUES"
    " ('localhost', NULL, 'LOCAL', 'tests'), ('127.0.0.1', NULL, 'LOCAL', 'tests')"
)


@pytest.fixture(scope="session")
def https_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One cluster for all tests of this folder."""
    with Sandbox(tmp_path_factory.mktemp("https"), nodes=2, replication_delay=0.05) as cluster:
        install(cluster)
        with closing(connect(cluster)) as database:
            database.transaction(lambda: database.execute(LISTED))
        install(cluster)
        yield cluster


def install(sandbox: Sandbox) -> None:
    root = sandbox.layout.pki / "company-root.pem"
    flags = ("--yes", "--ca", str(root), "--confirm", sandbox.company_fingerprint())
    assert cli.main(("install", "--config", str(sandbox.layout.settings_file), *flags)) == 0


@pytest.fixture
def sandbox(https_sandbox: Sandbox) -> Sandbox:
    return https_sandbox


@pytest.fixture
def schema() -> str:
    return "EXATRUST"


@pytest.fixture
def authorities(sandbox: Sandbox) -> Authorities:
    return open_authorities(sandbox.layout.pki)


@pytest.fixture
def company(authorities: Authorities) -> ssl.SSLContext:
    """The server side of a service of the company."""
    leaf = authorities.issuing.issue_cert("localhost", "127.0.0.1")
    return context_of(
        leaf.private_key_pem.bytes(),
        leaf.cert_chain_pems[0].bytes() + authorities.issuing.cert_pem.bytes(),
    )


@pytest.fixture
def serve(company: ssl.SSLContext) -> Serve:
    """Starts a service of the company."""

    def start(manner: Manner, context: ssl.SSLContext | None = None) -> Any:
        return serving(manner, context or company)

    return start


@pytest.fixture
def ask(database: Database) -> Ask:
    """The rows of a script's call, by column."""

    def run(sql: str) -> list[Row]:
        database.rollback()
        return [
            dict(zip(COLUMNS[script], row, strict=True))
            for script in COLUMNS
            if f".{script}(" in sql
            for row in database.rows(sql)
        ]

    return run


_KEYS = ["NODE_ID", "LANGUAGE_ALIAS", "RELEASE", "CHECKED_AT", "ID"]
_END = ["FINDING", "SEVERITY", "CAUSE", "ACTION", "FINAL_URL", "RESOLVED_IP", "ATTEMPTS",
        "REDIRECTS", "DURATION_MS"]  # fmt: skip
COLUMNS = {
    "HTTPS_GET": [*_KEYS, "URL", "STATUS", "HEADERS", "BODY", *_END],
    "HTTPS_REQUEST": [*_KEYS, "HTTP_METHOD", "URL", "STATUS", "HEADERS", "BODY", *_END],
    "HTTPS_JSON": [*_KEYS, "URL", "POINTER", "STATUS", "VALUE_TEXT", "VALUE_TYPE", *_END],
}
