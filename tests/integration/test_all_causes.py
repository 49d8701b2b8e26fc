"""An endpoint with every common fault at once: all of them are rows, in a bare container too."""

from __future__ import annotations

import datetime as dt

import pyexasol
import pytest
import trustme

from exatrust_sandbox.cluster import Sandbox, update_container
from exatrust_sandbox.endpoints import TlsServer, context_of

from .commands import exatrust


@pytest.fixture(scope="module")
def faulty_port():
    """Expired, for another name, of a CA nobody knows, and without its intermediate."""
    root = trustme.CA(organization_name="Unknown Company", organization_unit_name="Root")
    issuing = trustme.CA(root, organization_name="Unknown Company", organization_unit_name="CA 1")
    leaf = issuing.issue_cert(
        "other.company.example",
        not_before=dt.datetime(2024, 1, 1, tzinfo=dt.timezone.utc),
        not_after=dt.datetime(2025, 1, 1, tzinfo=dt.timezone.utc),
    )
    chain = leaf.cert_chain_pems[0].bytes()
    server = TlsServer(context_of(leaf.private_key_pem.bytes(), chain))
    server.start()
    yield server.port
    server.stop()


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    """A database with a standard container and one with neither certifi nor cryptography."""
    with Sandbox(tmp_path_factory.mktemp("cluster"), nodes=1) as sandbox:
        update_container(sandbox.layout, "PYTHON312", "python-3.12-slim")
        done = exatrust(sandbox.layout.directory, "install", "--yes")
        assert done.status == 0, done.output
        with pyexasol.connect(
            dsn=sandbox.dsn, user="sys", password=sandbox.layout.password("sys")
        ) as session:
            yield session


@pytest.mark.parametrize("script", ["DIAGNOSE_ENDPOINT", "DIAGNOSE_ENDPOINT_PYTHON312"])
def test_all_causes_of_one_handshake_are_rows(connection, faulty_port, script):
    rows = connection.execute(
        f"SELECT FINDING, IS_PRIMARY, SEVERITY FROM (SELECT EXATRUST.{script}"
        f"('localhost', {faulty_port})) WHERE TRUSTSTORE = 'shared-bundle' ORDER BY \"POSITION\""
    ).fetchall()
    errors = {finding for finding, _, severity in rows if severity == "ERROR"}
    assert {"EXPIRED", "HOST_MISMATCH", "MISSING_INTERMEDIATE"} <= errors
    assert "CA_NOT_IN_TRUSTSTORE" in {finding for finding, *_ in rows}
    assert [primary for _, primary, _ in rows] == [True] + [False] * (len(rows) - 1)


@pytest.mark.parametrize("script", ["CHECK_ENDPOINT", "CHECK_ENDPOINT_PYTHON312"])
def test_the_facts_of_the_leaf_stay_when_trust_fails(connection, faulty_port, script):
    rows = connection.execute(
        "SELECT TRUSTSTORE, TRUSTED, LEAF_SUBJECT, LEAF_NOT_AFTER, DAYS_LEFT, TLS_VERSION"
        f" FROM (SELECT EXATRUST.{script}('localhost', {faulty_port}))"
    ).fetchall()
    stores = {row[0] for row in rows}
    assert {"shared-bundle", "container"} <= stores
    assert ("certifi" in stores) is (script == "CHECK_ENDPOINT")
    for _, trusted, subject, not_after, days_left, version in rows:
        assert trusted is False
        assert "trustme" in subject
        assert str(not_after).startswith("2025-01-01")
        assert int(days_left) < 0
        assert version is None or version.startswith("TLS")
