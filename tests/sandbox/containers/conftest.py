"""Language containers under test: real images, a real sandbox, one node with a bucket."""

from __future__ import annotations

import threading

import pytest

from exatrust_sandbox.containers import image, isolation
from exatrust_sandbox.containers.isolation import Isolation
from exatrust_sandbox.containers.model import Column, Node, ScriptCall, ScriptError
from exatrust_sandbox.containers.vm import Runtime

TEXT = Column("V", "VARCHAR(2000) UTF8", "VARCHAR", length=2000)
SHORT = Column("S", "VARCHAR(9) UTF8", "VARCHAR", length=9)
NUMBER = Column("N", "DECIMAL(18,0)", "DECIMAL", 18, 0)
EXACT = Column("E", "DECIMAL(9,2)", "DECIMAL", 9, 2)
MOMENT = Column("T", "TIMESTAMP", "TIMESTAMP")
DAY = Column("D", "DATE", "DATE")
TRUTH = Column("B", "BOOLEAN", "BOOLEAN")
REAL = Column("R", "DOUBLE", "DOUBLE")


@pytest.fixture(scope="session")
def images_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("images")


@pytest.fixture(scope="session", params=["3.10", "3.12", "3.13"])
def standard_image(request, images_dir):
    """A container for each Python; skipped where the machine has none."""
    built = image.build(f"python-{request.param}", images_dir)
    if built.note:
        pytest.skip(built.note)
    return built


@pytest.fixture(scope="session")
def one_image(images_dir):
    return image.build("python-3.12", images_dir)


@pytest.fixture
def node(tmp_path):
    bucket = tmp_path / "node7" / "bfsdefault" / "default"
    bucket.mkdir(parents=True)
    (bucket / "file.txt").write_text("from the bucket")
    return Node(7, tmp_path / "node7")


@pytest.fixture
def isolated(node):
    """A runtime that really isolates; skipped, loudly, where that is not possible."""
    kind, reason = isolation.probe()
    if kind is Isolation.NONE:
        pytest.skip(f"no isolation here: {reason}")
    return Runtime(kind, [node])


@pytest.fixture
def runtime(node):
    """A runtime with what the machine has."""
    return Runtime(isolation.probe()[0], [node])


def _no_connection(name: str):
    raise ScriptError(f"connection {name} does not exist")


def make_call(code: str, **changes) -> ScriptCall:
    """A call of a SET EMITS script with one number in and one text out, unless told otherwise."""
    fields = {
        "code": code, "env": {}, "input_type": "SET", "output_type": "EMITS",
        "input_columns": (NUMBER,), "output_columns": (TEXT,),
        "meta": {"script_name": "SCRIPT", "script_code": code},
        "get_connection": _no_connection, "import_script": lambda name: "def answer(): return 42",
        **changes,
    }  # fmt: skip
    return ScriptCall(**fields)


def run_in(runtime: Runtime, built, code: str, groups=(((1,),),), **changes):
    """The rows of each group."""
    call = make_call(code, **changes)
    return runtime.run(7, built, call, [list(group) for group in groups], threading.Event())
