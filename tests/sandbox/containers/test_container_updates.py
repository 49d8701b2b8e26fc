"""Containers that change under a running cluster: on all nodes, on one, or by a root they bring."""

from __future__ import annotations

import hashlib
import ssl

import pyexasol
import pytest

from exatrust_sandbox.cluster import Sandbox
from exatrust_sandbox.layout import Layout, SandboxError
from exatrust_udf.jks import read_jks

STORES = """
CREATE OR REPLACE PYTHON3 SET SCRIPT CONTAINERS.STORES(i INT)
EMITS (NODE INT, PYTHON VARCHAR(20), IN_FILE BOOLEAN, IN_DIRECTORY BOOLEAN,
       IN_CERTIFI BOOLEAN) AS
import hashlib, pathlib, ssl, sys
WANTED = "{fingerprint}"

def holds(path):
    if not path.exists():
        return None
    end = "-----END CERTIFICATE-----"
    blocks = [block.strip() + "\\n" + end for block in path.read_text().split(end)[:-1]]
    return WANTED in [hashlib.sha256(ssl.PEM_cert_to_DER_cert(b)).hexdigest() for b in blocks]

def run(ctx):
    certs = pathlib.Path("{certs}")
    try:
        import certifi
        bundle = holds(pathlib.Path(certifi.where()))
    except ImportError:
        bundle = None
    hashed = any(holds(p) for p in certs.glob("*.0"))
    ctx.emit(exa.meta.node_id, ".".join(map(str, sys.version_info[:2])),
             holds(certs / "ca-certificates.crt"), hashed, bundle)
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Sandbox(tmp_path_factory.mktemp("updates"), nodes=2) as sandbox:
        if sandbox.isolation_note:
            pytest.skip("containers have no file system of their own here")
        yield sandbox


@pytest.fixture
def sandbox(cluster):
    """The cluster with all containers as they were at first."""
    cluster.update_container("python-3.10", alias="PYTHON3")
    return cluster


@pytest.fixture(scope="module")
def company_root(cluster):
    return cluster.authorities.company.cert_pem.bytes()


@pytest.fixture
def stores(sandbox, company_root):
    """A function: (Python, in file, in directory, in certifi) of each node by its number."""
    der = ssl.PEM_cert_to_DER_cert(company_root.decode())
    text = STORES.replace("{fingerprint}", hashlib.sha256(der).hexdigest())
    connection = pyexasol.connect(
        dsn=sandbox.dsn, user="sys", password=sandbox.layout.password("sys")
    )
    with connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS CONTAINERS")
        connection.execute(text.replace("{certs}", "/etc/ssl/certs"))

        def look():
            rows = connection.execute(
                "SELECT CONTAINERS.STORES(I) FROM (VALUES BETWEEN 0 AND 15) AS T(I) GROUP BY I"
            ).fetchall()
            return {node: tuple(facts) for node, *facts in rows}

        yield look


PLAIN = ("3.10", False, False, False)
TRUSTING = ("3.10", True, True, True)


def test_an_update_of_one_node_shows_on_that_node_alone_at_the_next_call(sandbox, stores):
    assert stores() == {0: PLAIN, 1: PLAIN}
    assert sandbox.update_container("python-3.12", alias="PYTHON3", node=1) == "python-3.10"
    assert stores() == {0: PLAIN, 1: ("3.12", False, False, False)}


def test_an_update_of_all_nodes_ends_what_a_single_node_had(sandbox, stores):
    sandbox.update_container("python-3.12", alias="PYTHON3", node=0)
    sandbox.update_container("python-3.10", alias="PYTHON3")
    assert stores() == {0: PLAIN, 1: PLAIN}


def test_a_planted_root_is_in_all_stores_of_the_container(sandbox, stores, company_root):
    sandbox.plant_root(company_root, alias="PYTHON3")
    assert stores() == {0: TRUSTING, 1: TRUSTING}


def test_a_root_planted_on_one_node_is_on_that_node_alone(sandbox, stores, company_root):
    sandbox.plant_root(company_root, alias="PYTHON3", node=1)
    assert stores() == {0: PLAIN, 1: TRUSTING}


def test_a_root_planted_everywhere_reaches_a_node_with_another_image(sandbox, stores, company_root):
    sandbox.update_container("python-3.12", alias="PYTHON3", node=1)
    sandbox.plant_root(company_root, alias="PYTHON3")
    assert stores() == {0: TRUSTING, 1: ("3.12", True, True, True)}


def test_a_later_update_takes_a_planted_root_away(sandbox, stores, company_root):
    sandbox.plant_root(company_root, alias="PYTHON3")
    sandbox.update_container("python-3.10", alias="PYTHON3", node=0)
    assert stores() == {0: PLAIN, 1: TRUSTING}
    sandbox.update_container("python-3.10", alias="PYTHON3")
    assert stores() == {0: PLAIN, 1: PLAIN}


def test_a_container_without_certifi_gets_the_root_in_its_other_stores(
    sandbox, stores, company_root
):
    sandbox.update_container("python-3.12-slim", alias="PYTHON3")
    sandbox.plant_root(company_root, alias="PYTHON3")
    assert stores()[0] == ("3.12", True, True, None)


def test_the_java_store_gets_a_planted_root_too(sandbox, company_root):
    sandbox.update_container("python-3.10-java", alias="PYTHON3")
    before = _java_store(sandbox)
    sandbox.plant_root(company_root, alias="PYTHON3")
    der = ssl.PEM_cert_to_DER_cert(company_root.decode())
    assert _java_store(sandbox) == before | {hashlib.sha256(der).digest()}


def _java_store(sandbox):
    root = sandbox.engine.images("PYTHON3", 0).root
    entries = read_jks((root / "etc/ssl/certs/java/cacerts").read_bytes())
    assert not entries.problems
    return {hashlib.sha256(der).digest() for _, der in entries.certificates}


def test_what_was_done_to_containers_survives_a_restart(sandbox, company_root):
    sandbox.plant_root(company_root, alias="PYTHON3", node=1)
    sandbox.update_container("python-3.13", alias="PYTHON312", node=0)
    read_again = Layout(sandbox.layout.directory).aliases()
    assert read_again["PYTHON3"].on(0).roots == ()
    assert read_again["PYTHON3"].on(1).roots == (company_root.decode(),)
    assert read_again["PYTHON312"].on(0).image == "python-3.13"
    assert read_again["PYTHON312"].on(1).image == "python-3.12"
    sandbox.update_container("python-3.12", alias="PYTHON312")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s.update_container("python-3.12", alias="PYTHON9"), "no alias PYTHON9"),
        (lambda s: s.update_container("python-9", alias="PYTHON3"), "no image python-9"),
        (lambda s: s.update_container("python-3.12", alias="PYTHON3", node=2), "nodes 0 to 1"),
        (lambda s: s.plant_root(b"no certificate", alias="PYTHON3"), "no PEM file"),
        (lambda s: s.plant_root(b"", alias="PYTHON3", node=9), "no node 9"),
    ],
)
def test_a_mistake_is_named_and_changes_nothing(sandbox, change, said):
    before = sandbox.layout.containers_file.read_text()
    with pytest.raises(SandboxError, match=said):
        change(sandbox)
    assert sandbox.layout.containers_file.read_text() == before


def test_a_private_key_in_the_file_is_not_kept(sandbox, company_root):
    authority = sandbox.authorities.company
    sandbox.plant_root(authority.private_key_pem.bytes() + company_root, alias="PYTHON3")
    assert "PRIVATE KEY" not in sandbox.layout.containers_file.read_text()
