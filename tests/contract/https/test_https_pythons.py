"""The scripts' text under each Python of a container, with neither site nor packages."""

from __future__ import annotations

import importlib.util
import json
import ssl
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import trustme

from .web import Asked, answer, sending, server_context, serving

UDFS = Path(__file__).resolve().parents[2] / "udfs"
CA = trustme.CA()
LEAF = CA.issue_cert("localhost")

RUNNER = """
import importlib.util, json, resource, sys, types
spec = importlib.util.spec_from_file_location("harness", sys.argv[1])
harness = importlib.util.module_from_spec(spec)
sys.modules["harness"] = harness
spec.loader.exec_module(harness)
request = json.load(sys.stdin)
machine = harness.Machine(request["statement"])
machine.meta.input_column_count = len(request["rows"][0])
machine.meta.memory_limit = request["memory"]
machine.globals["exa"].get_connection = lambda name: types.SimpleNamespace(
    **request["connections"][name])
count, kept = 0, []
def add(values):
    global count
    count += 1
    if request["keep"]:
        kept.append(dict(zip([name for name, _ in machine.out.declared], values)))
check = machine.out.add
machine.out.add = lambda values: (check(values), machine.out.rows.clear(), add(values))
machine.run(*request["rows"])
json.dump({"rows": kept, "count": count,
           "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}, sys.stdout, default=str)
"""


def _load(name: str, file: str) -> Any:
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, UDFS / file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


harness = _load("udf_harness", "harness.py")
interpreters = _load("udf_interpreters", "interpreters.py")


def run(
    version: str,
    script: str,
    directory: Path,
    rows: Sequence[Sequence[object]],
    connections: Mapping[str, Mapping[str, str]] | None = None,
    keep: bool = True,
    damage: bool = False,
) -> dict[str, Any]:
    pin = harness.release(directory, script, CA.cert_pem.bytes(), {})
    pin["allowed_hosts"] = "localhost * LOCAL"
    if damage:
        (directory / pin["pyz"]).write_bytes(b"altered")
    request = {
        "statement": harness.render(script, pin), "rows": rows, "keep": keep,
        "connections": connections or {}, "memory": 4_000_000_000,
    }  # fmt: skip
    done = subprocess.run(
        [interpreters.require(version), "-I", "-S", "-W", "error", "-c", RUNNER,
         str(UDFS / "harness.py")],
        input=json.dumps(request), capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(params=interpreters.VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def number(asked: Asked, sock: ssl.SSLSocket) -> bool:
    body = json.dumps({"n": int(asked.target.rpartition("/")[2])}).encode()
    sock.sendall(answer(200, body, {"Content-Type": "application/json"}))
    return True


def test_values_come_back_with_their_ids(version: str, tmp_path: Path) -> None:
    with serving(number, server_context(LEAF)) as web:
        rows = [[web.url(f"/{n}"), "/n", None, n] for n in range(100)]
        found = run(version, "https_json", tmp_path, rows)["rows"]
    assert {row["ID"]: row["VALUE_TEXT"] for row in found} == {str(n): str(n) for n in range(100)}


def test_credentials_are_taken_from_exa(version: str, tmp_path: Path) -> None:
    context = server_context(LEAF, client_ca=CA)
    pem = CA.issue_cert("c.example", common_name="Client").private_key_and_cert_chain_pem.bytes()
    with serving(sending(answer(200, b"in")), context) as web:
        known = {"address": web.url(""), "user": "certificate:", "password": pem.decode()}
        rows = [["GET", web.url(), None, None, "CERT"]]
        (row,) = run(version, "https_request", tmp_path, rows, {"CERT": known})["rows"]
    assert (row["STATUS"], row["BODY"], web.client) == (200, "in", "Client")


def test_a_server_that_nobody_vouches_for_is_explained(version: str, tmp_path: Path) -> None:
    other = trustme.CA().issue_cert("localhost")
    with serving(sending(answer()), server_context(other)) as web:
        (row,) = run(version, "https_get", tmp_path, [[web.url(), None, None]])["rows"]
    assert row["FINDING"] in ("CA_NOT_IN_TRUSTSTORE", "MISSING_INTERMEDIATE")
    assert not web.asked


def test_a_damaged_release_is_said_in_every_row(version: str, tmp_path: Path) -> None:
    for script, row in (
        ("https_get", ["https://localhost/", 7]),
        ("https_json", ["https://localhost/", "/a", None, 7]),
        ("https_request", ["GET", "https://localhost/", None, None, None, 7]),
    ):
        found = run(version, script, tmp_path / script, [row, row], damage=True)["rows"]
        assert [(r["FINDING"], r["ID"]) for r in found] == [("RELEASE_DAMAGED", "7")] * 2


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    body = answer(200, b"x" * 500_000)
    peaks = []
    with serving(sending(body), server_context(LEAF)) as web:
        for count in (60, 600):
            rows = [[web.url(f"/{n}"), n, None] for n in range(count)]
            told = run("3.12", "https_get", tmp_path, rows, keep=False)
            assert told["count"] == count
            peaks.append(told["peak"])
    assert peaks[1] < peaks[0] + 30_000, f"{peaks} KiB for 60 and 600 rows of 500 kB"
