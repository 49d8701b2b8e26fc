"""`exatrust check --import`: IMPORT asked for real, by nodes with truststores of their own."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from exatrust_sandbox.cluster import Sandbox

from .running import Exatrust, Rows

NODES = 2


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    directory = tmp_path_factory.mktemp("cluster")
    with Sandbox(directory, nodes=NODES, replication_delay=0.05) as cluster:
        yield cluster


@pytest.fixture
def schema(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> str:
    monkeypatch.chdir(sandbox.layout.directory)
    monkeypatch.setenv("EXATRUST_SCRIPTS_ALIASES", "PYTHON3")
    return "EXATRUST"


@pytest.fixture
def installed(exatrust: Exatrust, sandbox: Sandbox) -> None:
    """The bundle has the company's CA."""
    path = sandbox.layout.pki / "company-root.pem"
    flags = ("--ca", str(path), "--confirm", sandbox.company_fingerprint(), "--yes")
    done = exatrust("install", *flags)
    assert done.status == 0, done.text


def _pin(sandbox: Sandbox, kind: str) -> str:
    """Computed without any code of exatrust."""
    host, _, port = sandbox.endpoint(kind).rpartition(":")
    pem = ssl.get_server_certificate((host, int(port)))
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return "sha256//" + base64.b64encode(hashlib.sha256(der).digest()).decode()


@pytest.mark.usefixtures("installed")
def test_one_report_says_what_udfs_trust_and_what_import_does(
    exatrust: Exatrust, sandbox: Sandbox, rows: Rows
) -> None:
    kinds = ("public", "company", "expired", "wrong-name")
    endpoints = [sandbox.endpoint(kind) for kind in kinds]
    asked = exatrust("check", "--import", *endpoints, "localhost:1", "--json")
    assert asked.status == 1, asked.text
    found = {item["endpoint"]: item for item in json.loads(asked.out)["verdicts"]}
    told = {
        kind: (found[name]["trusted_by_udfs"], found[name]["verdict"], found[name]["finding"])
        for kind, name in zip(kinds, endpoints, strict=True)
    }
    assert told == {
        "public": (True, "TRUSTED", None),
        "company": (True, "NOT_TRUSTED", "CA_NOT_IN_TRUSTSTORE"),
        "expired": (False, "NOT_TRUSTED", "CA_NOT_IN_TRUSTSTORE"),
        "wrong-name": (False, "NOT_TRUSTED", "CA_NOT_IN_TRUSTSTORE"),
    }
    refused = found["localhost:1"]
    assert (refused["verdict"], refused["finding"]) == ("UNREACHABLE", "REFUSED")

    wrong = sandbox.endpoint("wrong-name")
    doubtful = exatrust("check", "--import", wrong)
    assert f"{wrong}: not trusted for UDFs (HOST_MISMATCH), nor for IMPORT" in doubtful.out
    assert "this key may be an impostor's" in doubtful.err

    company = sandbox.endpoint("company")
    told = exatrust("check", "--import", company)
    assert (told.status, "impostor" in told.err) == (1, False)
    assert f"{company}: trusted for UDFs, not for IMPORT (SSL certificate problem:" in told.out
    assert "/etc/pki/ca-trust/extracted/java/cacerts" in told.out
    pin = _pin(sandbox, "company")
    assert f"PUBLIC KEY '{pin}'" in told.out
    # The statement that was printed works, against the real key.
    sql = next(line.strip() for line in told.out.splitlines() if "PUBLIC KEY" in line)
    rows("CREATE SCHEMA IMPORTED")
    rows("CREATE TABLE IMPORTED.T (A VARCHAR(100))")
    rows(sql.replace("<table>", "IMPORTED.T").replace("<file>", "a.csv"))
    assert rows("SELECT A FROM IMPORTED.T") == [("ok",)]


@pytest.mark.usefixtures("installed")
def test_a_ca_on_one_node_is_not_enough_and_on_all_it_is(
    exatrust: Exatrust, sandbox: Sandbox
) -> None:
    company = sandbox.endpoint("company")
    pem = (sandbox.layout.pki / "company-root.pem").read_bytes()
    sandbox.trust_on_host(pem, node=0)
    some = exatrust("check", "--import", company)
    assert some.status == 1
    assert "not for IMPORT, in 2 of 4 tries" in some.out, some.text
    sandbox.trust_on_host(pem, node=1)
    done = exatrust("check", "--import", company)
    assert done.status == 0, done.text
    assert f"{company}: trusted for UDFs, trusted for IMPORT" in done.out
    names = exatrust("check", "--import", sandbox.endpoint("wrong-name"), "--json")
    assert json.loads(names.out)["verdicts"][0]["finding"] == "HOST_MISMATCH"
    assert "no-such-table" not in done.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--import",), "give HOST:PORT"),
        (("--import", "--options", "timeout=3", "h:1"), "IMPORT takes none of them"),
        (("--import", "h"), "h"),
    ],
)
def test_wrong_arguments_are_refused(exatrust: Exatrust, arguments, told: str) -> None:
    refused = exatrust("check", *arguments)
    assert (refused.status, told in refused.err) == (2, True), refused.text
