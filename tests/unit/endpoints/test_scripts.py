"""CHECK_ENDPOINT, DIAGNOSE_ENDPOINT and FETCH_CHAIN as texts, under each Python of a container."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import ssl
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tls_lab import (
    HOST,
    Made,
    chain_context,
    family,
    make,
    revocation_list,
    serving,
    tls_manner,
)

from exatrust_udf.case import given_name

UDFS = Path(__file__).resolve().parents[2] / "udfs"


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
ROOT, MIDDLE = family()
OTHER, _ = family("Other")

# The harness knows declared input columns; these scripts take whatever comes, `(...)`.
RUNNER = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("harness", sys.argv[1])
harness = importlib.util.module_from_spec(spec)
sys.modules["harness"] = harness
spec.loader.exec_module(harness)
request = json.load(sys.stdin)
machine = harness.Machine(request["statement"])
machine.meta.input_column_count = len(request["groups"][0][0])
rows = [row for group in request["groups"] for row in machine.run(*group)]
heavy = [m for m in ("asyncio", "cryptography", "logging", "email", "http.client", "urllib.request",
                     "concurrent.futures", "subprocess", "tempfile", "random") if m in sys.modules]
json.dump({"rows": rows, "heavy": heavy}, sys.stdout, default=str)
"""


def run(
    version: str,
    script: str,
    directory: Path,
    bundle: bytes,
    *groups: Sequence[Sequence[object]],
) -> dict[str, Any]:
    pin = harness.release(directory, script, bundle, {})
    request = json.dumps({"statement": harness.render(script, pin), "groups": groups})
    done = subprocess.run(
        [interpreters.require(version), "-I", "-S", "-W", "error", "-c", RUNNER,
         str(UDFS / "harness.py")],
        input=request, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(params=interpreters.VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def everything_wrong() -> list[Made]:
    return [make("leaf", MIDDLE, san=("other.example",), days=(-90, -30))]


def test_one_row_tells_verdict_and_facts_of_a_good_endpoint(version: str, tmp_path: Path) -> None:
    leaf = make("good leaf", MIDDLE)
    with serving(tls_manner(chain_context([leaf, MIDDLE]))) as port:
        answer = run(version, "check_endpoint", tmp_path, ROOT.pem, [[f"{HOST}:{port}"]])
    assert answer["heavy"] == []
    row = answer["rows"][0]
    assert (row["TRUSTSTORE"], row["TRUSTED"], row["FINDING"]) == ("shared-bundle", True, None)
    assert (row["VERIFY_CODE"], row["RECEIVED_COUNT"], row["VERIFIED_COUNT"]) == (0, 2, 3)
    assert row["ANCHOR_SHA256"] == hashlib.sha256(ROOT.der).hexdigest()
    assert row["LEAF_SUBJECT"] == "CN=good leaf,O=Lab"
    assert (row["DAYS_LEFT"], row["CHAIN_DAYS_LEFT"]) == (299, 299)
    assert (row["HOST"], row["PORT"], row["SNI"], row["PROTOCOL"]) == (HOST, port, HOST, "tls")
    assert (row["TLS_VERSION"], row["CONNECTED"]) == ("TLSv1.3", True)
    assert min(row["RESOLVE_MS"], row["CONNECT_MS"], row["HANDSHAKE_MS"]) >= 0
    assert row["PYTHON_VERSION"].startswith(version)
    others = {r["TRUSTSTORE"]: r["TRUSTED"] for r in answer["rows"][1:]}
    assert others["container"] is False


def test_every_cause_is_a_row_and_the_facts_stay_filled(version: str, tmp_path: Path) -> None:
    with serving(tls_manner(chain_context(everything_wrong()))) as port:
        found = run(version, "diagnose_endpoint", tmp_path, OTHER.pem, [[HOST, port, None]])
        checked = run(version, "check_endpoint", tmp_path, OTHER.pem, [[HOST, port, None]])
    own = [row for row in found["rows"] if row["TRUSTSTORE"] == "shared-bundle"]
    assert {row["FINDING"] for row in own} == {
        "MISSING_INTERMEDIATE", "CA_NOT_IN_TRUSTSTORE", "EXPIRED", "HOST_MISMATCH",
    }  # fmt: skip
    assert [(row["POSITION"], row["IS_PRIMARY"]) for row in own] == [
        (1, True), (2, False), (3, False), (4, False),
    ]  # fmt: skip
    row = checked["rows"][0]
    assert (row["TRUSTED"], row["FINDING"]) == (False, "MISSING_INTERMEDIATE")
    assert row["LEAF_SUBJECT"] == "CN=leaf,O=Lab"
    assert row["DAYS_LEFT"] == -31
    assert (row["VERIFY_CODE"], row["VERIFY_DEPTH"]) == (20, 0)


def test_the_chain_comes_as_received_and_as_verified(version: str, tmp_path: Path) -> None:
    leaf = make("leaf", MIDDLE)
    with serving(tls_manner(chain_context([leaf, MIDDLE]))) as port:
        answer = run(version, "fetch_chain", tmp_path, ROOT.pem, [[HOST, port]])
    found = [(r["CHAIN"], r["TRUSTSTORE"], r["POSITION"], r["SHA256"]) for r in answer["rows"]]
    digests = [hashlib.sha256(m.der).hexdigest() for m in (leaf, MIDDLE, ROOT)]
    assert found == [
        *(("received", None, n, digests[n - 1]) for n in (1, 2)),
        *(("verified", "shared-bundle", n, digests[n - 1]) for n in (1, 2, 3)),
    ]
    assert [r["IS_ANCHOR"] for r in answer["rows"]] == [False, False, False, False, True]
    assert all(r["IN_ORDER"] for r in answer["rows"])
    assert ssl.PEM_cert_to_DER_cert(answer["rows"][0]["CERTIFICATE_PEM"]) == leaf.der


BAD = [[None, None, None], ["no port", None, None], ["h", 0, None], ["h", 1, "protocol=x"],
       ["h:2", None, "timeut=3"]]  # fmt: skip


@pytest.mark.parametrize("script", ["check_endpoint", "diagnose_endpoint"])
def test_bad_input_is_a_row_each_and_does_not_stop_the_others(script: str, tmp_path: Path) -> None:
    leaf = make("leaf", MIDDLE)
    with serving(tls_manner(chain_context([leaf, MIDDLE]))) as port:
        good = [HOST, port, None]
        answer = run("3.11", script, tmp_path, OTHER.pem, [*BAD, good])
    bad = [row for row in answer["rows"] if row["FINDING"] == "BAD_INPUT"]
    assert [row["HOST"] for row in bad] == [None, "no port", "h", "h", "h"]
    assert [row["PORT"] for row in bad] == [None, None, None, 1, 2]
    assert any(row["HOST"] == HOST for row in answer["rows"])


def test_groups_of_one_statement_share_one_handshake(tmp_path: Path) -> None:
    accepted: list[int] = []
    inner = tls_manner(chain_context([make("leaf", MIDDLE), MIDDLE]))

    def counting(connection: Any) -> None:
        accepted.append(1)
        inner(connection)

    with serving(counting) as port:
        groups = [[[HOST, port]]] * 8
        answer = run("3.11", "check_endpoint", tmp_path, ROOT.pem, *groups)
    assert accepted == [1]
    assert len(answer["rows"]) % 8 == 0


def test_an_altered_bundle_trusts_nothing_and_says_why(tmp_path: Path) -> None:
    pin = harness.release(tmp_path, "check_endpoint", ROOT.pem, {})
    (tmp_path / pin["bundle"]).write_bytes(OTHER.pem)
    request = {"statement": harness.render("check_endpoint", pin)}
    leaf = make("leaf", MIDDLE)
    with serving(tls_manner(chain_context([leaf, MIDDLE]))) as port:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", RUNNER, str(UDFS / "harness.py")],
            input=json.dumps({**request, "groups": [[[f"{HOST}:{port}"]]]}),
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
    row = json.loads(done.stdout)["rows"][0]
    assert (row["TRUSTED"], row["FINDING"]) == (False, "TRUST_STORE_EMPTY")
    assert "altered" in row["CAUSE"]


def test_a_store_given_by_path_is_judged_too(tmp_path: Path) -> None:
    given = tmp_path / "given.pem"
    given.write_bytes(ROOT.pem)
    with serving(tls_manner(chain_context([make("leaf", MIDDLE), MIDDLE]))) as port:
        options = f"store={given} store=/no/such/store.pem"
        answer = run("3.11", "check_endpoint", tmp_path / "r", OTHER.pem, [[HOST, port, options]])
    found = {r["TRUSTSTORE_PATH"]: (r["TRUSTED"], r["FINDING"]) for r in answer["rows"]}
    assert found[str(given)] == (True, None)
    assert found["/no/such/store.pem"] == (False, "TRUST_STORE_EMPTY")


def test_a_mistyped_store_is_a_matter_of_its_path_not_of_an_install(tmp_path: Path) -> None:
    with serving(tls_manner(chain_context([make("leaf", MIDDLE), MIDDLE]))) as port:
        options = "store=/buckets/bfsdefault/default/typo.pem"
        answer = run("3.11", "check_endpoint", tmp_path, ROOT.pem, [[HOST, port, options]])
    actions = {r["TRUSTSTORE"]: r["ACTION"] for r in answer["rows"] if not r["TRUSTED"]}
    action = actions["/buckets/bfsdefault/default/typo.pem"]
    assert "Check the path after store=" in action
    assert "/buckets/..." in action
    assert "install" not in action


@pytest.mark.parametrize("script", ["diagnose_endpoint", "fetch_chain"])
def test_two_stores_given_can_be_told_apart_in_every_row(script: str, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("one.pem", "two.pem")]
    for path in paths:
        path.write_bytes(ROOT.pem)
    leaf = make("leaf", MIDDLE, days=(-10, 5) if script == "diagnose_endpoint" else (-10, 90))
    with serving(tls_manner(chain_context([leaf, MIDDLE]))) as port:
        options = " ".join(f"store={path}" for path in paths)
        answer = run("3.11", script, tmp_path / "r", OTHER.pem, [[HOST, port, options]])
    keys = [(r["TRUSTSTORE"], r.get("CHAIN"), r["POSITION"]) for r in answer["rows"]]
    assert len(keys) == len(set(keys))
    assert {str(path) for path in paths} < {r["TRUSTSTORE"] for r in answer["rows"]}


def test_a_very_long_path_is_still_a_name_of_its_own() -> None:
    names = {given_name(f"/{'x' * 300}/{n}.pem") for n in range(2)}
    assert len(names) == 2
    assert {len(name) for name in names} == {200}


CHAINLESS = {"BAD_INPUT": ["h", 1, "timeut=3"], "REFUSED": ["127.0.0.1", 1, None]}


@pytest.mark.parametrize("finding", CHAINLESS)
def test_an_endpoint_without_a_chain_has_a_row_that_says_why(finding: str, tmp_path: Path) -> None:
    (row,) = run("3.11", "fetch_chain", tmp_path, ROOT.pem, [CHAINLESS[finding]])["rows"]
    assert (row["HOST"], row["PORT"]) == tuple(CHAINLESS[finding][:2])
    assert (row["CHAIN"], row["POSITION"], row["SHA256"]) == (None, None, None)
    assert row["PROBLEM"].startswith(f"{finding}: ")


def test_revocation_lists_are_judged_by_in_a_container_of_any_version(
    version: str, tmp_path: Path
) -> None:
    leaf = make("leaf", MIDDLE)
    lists = [revocation_list(MIDDLE, [leaf], (-1, 9)), revocation_list(ROOT, [], (-1, 9))]
    paths = [tmp_path / f"{n}.crl" for n in range(2)]
    for path, der in zip(paths, lists, strict=True):
        path.write_bytes(der)
    given = " ".join(f"crl={path}" for path in paths)
    with serving(tls_manner(chain_context([leaf, MIDDLE]))) as port:
        options = (None, given, f"crl={tmp_path}/typo.crl")
        rows = [[HOST, port, text] for text in options]
        answer = run(version, "check_endpoint", tmp_path / "r", ROOT.pem, rows)
    assert answer["heavy"] == []
    own = [row for row in answer["rows"] if row["TRUSTSTORE"] == "shared-bundle"]
    assert [(row["TRUSTED"], row["FINDING"]) for row in own] == [
        (True, None), (False, "REVOKED"), (False, "CRL_UNREADABLE"),
    ]  # fmt: skip
    assert "typo.crl: No such file or directory" in own[2]["CAUSE"]


@pytest.mark.parametrize("script", ["check_endpoint", "diagnose_endpoint", "fetch_chain"])
def test_a_script_takes_any_input_and_declares_the_keys(script: str) -> None:
    text = (harness.SQL / f"{script}.sql").read_text()
    assert "{{script}} (...)\nEMITS (" in text
    names = re.findall(r'^    "(\w+)"', text, re.M)
    assert names[:4] == ["NODE_ID", "LANGUAGE_ALIAS", "RELEASE", "CHECKED_AT"]
    assert len(names) == len(set(names))
