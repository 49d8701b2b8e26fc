"""pytest fixtures that hand a test a running stand-in.

Installed with `exatrust[sandbox]`, so any project's test may ask for one:

    def test_my_udf(exatrust_sandbox):
        pyexasol.connect(dsn=exatrust_sandbox.dsn, user="sys",
                         password=exatrust_sandbox.layout.password("sys"))
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from exatrust_sandbox.cluster import Sandbox


@pytest.fixture(scope="session")
def exatrust_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A cluster of four nodes, shared by the whole test run."""
    yield from _running(tmp_path_factory)


@pytest.fixture
def fresh_exatrust_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A cluster of four nodes with nothing in it, for this test alone."""
    yield from _running(tmp_path_factory)


def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    # Imported here: the plugin is loaded in every pytest run of the environment.
    from exatrust_sandbox.cluster import Sandbox

    with Sandbox(tmp_path_factory.mktemp("sandbox"), nodes=4) as sandbox:
        yield sandbox
