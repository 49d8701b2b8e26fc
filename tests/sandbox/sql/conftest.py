"""Sessions of the SQL engine in this process, with real virtual machines behind the scripts."""

from __future__ import annotations

import contextlib

import pytest

from exatrust_sandbox.containers import image
from exatrust_sandbox.containers.isolation import probe
from exatrust_sandbox.containers.vm import Node, Runtime
from exatrust_sandbox.database.engine import Engine

NODES = 4
PASSWORD = "exasol"


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    return tmp_path_factory.mktemp("images")


@contextlib.contextmanager
def engines(directory, images):
    """A function that makes engines over files in a directory; all are closed at the end."""
    isolation, _ = probe()
    nodes = [Node(number, directory / f"node{number}") for number in range(NODES)]
    for node in nodes:
        node.buckets.mkdir()
    with contextlib.ExitStack() as stack:

        def make(name="exasol", **options):
            engine = Engine(
                directory / f"{name}.duckdb",
                containers=lambda alias, node: image.build(
                    {"PYTHON3": "python-3.10"}[alias], images
                ),
                runtime=Runtime(isolation, nodes),
                nodes=NODES,
                sys_password=PASSWORD,
                isolation=isolation.value,
                lock_wait=0.2,
                **options,
            )
            stack.callback(engine.close)
            return engine

        yield make


@pytest.fixture
def make_engine(tmp_path, images):
    """Engines over one file; `name` chooses another file."""
    with engines(tmp_path, images) as make:
        yield make


def filled(engine):
    """A session of SYS with the schema S open and a table T in it."""
    session = engine.open_session("sys", "tests")
    session.execute("CREATE SCHEMA S")
    session.execute("CREATE TABLE T (ID INT, G VARCHAR(10), X DOUBLE)")
    session.execute("INSERT INTO T VALUES (1, 'a', 1), (2, 'a', 2), (3, 'b', 3), (4, NULL, 4)")
    return session


def definer(session):
    """Creates a Python script: define("SCALAR F(x INT) RETURNS INT", body)."""

    def define(signature, body, schema="S"):
        kind, _, rest = signature.partition(" ")
        session.execute(f"CREATE OR REPLACE PYTHON3 {kind} SCRIPT {schema}.{rest} AS\n{body}\n")

    return define


@pytest.fixture(scope="module")
def shared(tmp_path_factory, images):
    """A session like `session` for tests that change nothing."""
    with engines(tmp_path_factory.mktemp("shared"), images) as make:
        yield filled(make())


@pytest.fixture
def engine(make_engine):
    return make_engine()


@pytest.fixture
def session(engine):
    """The schema S with a table T, for one test alone."""
    return filled(engine)


@pytest.fixture
def rows(session):
    """The rows of a query."""
    return lambda sql: session.execute(sql).rows


@pytest.fixture
def define(session):
    """Creates a Python script: define("SCALAR F(x INT) RETURNS INT", body)."""
    return definer(session)
