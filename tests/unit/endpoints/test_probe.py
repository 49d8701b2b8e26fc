"""`exatrust probe` and `exatrust diagnose`: real servers on loopback, and chains in files."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from tls_lab import (
    HOST,
    NOW,
    Made,
    chain_context,
    family,
    make,
    revocation_list,
    serving,
    tls_manner,
)

from exatrust.cli import main
from exatrust.commands.probe import read_chain
from exatrust.errors import UsageError

ROOT, MIDDLE = family()
OTHER, _ = family("Other")
GOOD = (make("good leaf", MIDDLE), MIDDLE)
BAD = (make("bad leaf", MIDDLE, san=("other.example",), days=(-90, -30)),)
NO_CHAIN = str(Path(__file__).with_name("conftest.py"))
EVERY_CAUSE = {"MISSING_INTERMEDIATE", "HOST_MISMATCH", "EXPIRED"}


def written(path: Path, *made: Made) -> str:
    path.write_bytes(b"".join(item.pem for item in made))
    return str(path)


@pytest.fixture
def root(tmp_path: Path) -> str:
    return written(tmp_path / "root.pem", ROOT)


@pytest.fixture
def other(tmp_path: Path) -> str:
    return written(tmp_path / "other.pem", OTHER)


@pytest.fixture
def nobody() -> str:
    """An endpoint at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


def server(chain: Sequence[Made]) -> AbstractContextManager[int]:
    return serving(tls_manner(chain_context(chain)))


def test_a_trusted_endpoint_is_one_row_and_status_0(
    root: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with server(GOOD) as port:
        assert main(["probe", f"{HOST}:{port}", "--ca", root]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "ENDPOINT",
        "TRUSTSTORE",
        "TRUSTED",
        "FINDING",
        "TLS",
        "DAYS",
        "LEFT",
    ]
    assert lines[1].split() == [f"{HOST}:{port}", "root.pem", "yes", "-", "TLSv1.3", "299"]
    assert len(lines) == 2


def test_every_finding_is_told_with_depth_certificate_cause_and_action(
    root: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with server(BAD) as port:
        assert main(["probe", f"{HOST}:{port}", "--ca", root]) == 1
    out = capsys.readouterr().out
    for finding in EVERY_CAUSE:
        assert f"\n  ERROR {finding}\n    At:     depth 0, CN=bad leaf,O=Lab, SHA-256 " in out
    assert out.count("    Cause:  ") == out.count("    Action: ") == 3


def test_certifi_and_this_machine_are_the_usual_truststores_and_shared_findings_come_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with server(BAD) as port:
        assert main(["probe", f"{HOST}:{port}"]) == 1
    out = capsys.readouterr().out
    assert [line.split()[1] for line in out.splitlines()[1:3]] == ["certifi", "openssl"]
    assert out.count("  ERROR EXPIRED\n") == 1
    assert "  ERROR MISSING_INTERMEDIATE, with certifi\n" in out
    assert "  ERROR MISSING_INTERMEDIATE, with openssl\n" in out


def test_each_truststore_given_judges_in_the_order_given(
    root: str, other: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with server(GOOD) as port:
        status = main(["probe", f"{HOST}:{port}", "--ca", other, "--ca", root, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert status == 1
    assert found["trusted"] is False
    assert [(row["truststore"], row["trusted"]) for row in found["verdicts"]] == [
        ("other.pem", False),
        ("root.pem", True),
    ]
    assert [row["finding"] for row in found["findings"]] == ["CA_NOT_IN_TRUSTSTORE"]


def test_truststores_of_the_same_name_are_told_apart_by_their_paths(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "old").mkdir()
    old, new = written(tmp_path / "old" / "ca.pem", OTHER), written(tmp_path / "ca.pem", ROOT)
    with server(GOOD) as port:
        main(["probe", f"{HOST}:{port}", "--ca", old, "--ca", new, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [row["truststore"] for row in found["verdicts"]] == [old, new]


def test_the_options_are_those_of_check(root: str, capsys: pytest.CaptureFixture[str]) -> None:
    with server(GOOD) as port:
        address = f"127.0.0.1:{port}"
        assert main(["probe", address, "--ca", root]) == 1
        assert "HOST_MISMATCH" in capsys.readouterr().out
        assert main(["probe", address, "--ca", root, "--options", f"sni={HOST}"]) == 0


def test_status_3_only_when_no_endpoint_could_be_reached(root: str, nobody: str) -> None:
    assert main(["probe", nobody, "--ca", root]) == 3
    with server(GOOD) as port:
        assert main(["probe", nobody, f"{HOST}:{port}", "--ca", root]) == 1


def test_names_of_a_server_cannot_write_to_the_terminal(
    root: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with server([make("leaf\x1b[2J\nfake", MIDDLE), MIDDLE, OTHER]) as port:
        main(["probe", f"{HOST}:{port}", "--ca", root])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\nfake" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["probe", "localhost"], "has no port"),
        (["probe", "db:443", "--options", "colour=red"], "there is no option 'colour'"),
        (["probe", "db:443", "--ca", "/no/such/file"], "/no/such/file: missing"),
        (["diagnose", "/no/such/file", "--host", "db"], "/no/such/file: No such file"),
        (["diagnose", NO_CHAIN, "--host", "db"], "no certificate in it"),
        (["diagnose", NO_CHAIN, "--host", "db", "--at", "yesterday"], "yesterday"),
        (["diagnose", NO_CHAIN], "--host"),
        (["probe"], "HOST:PORT"),
    ],
)
def test_bad_input_is_a_sentence_and_status_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


def test_a_chain_file_is_judged_as_a_server_that_sends_it(
    tmp_path: Path, root: str, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = written(tmp_path / "chain.pem", *BAD)
    assert main(["diagnose", chain, "--host", HOST, "--ca", root, "--json"]) == 1
    offline = json.loads(capsys.readouterr().out)["findings"]
    with server(BAD) as port:
        assert main(["probe", f"{HOST}:{port}", "--ca", root, "--json"]) == 1
    online = json.loads(capsys.readouterr().out)["findings"]
    assert {row["finding"] for row in offline} == EVERY_CAUSE
    assert [{**row, "port": port} for row in offline] == online


def test_a_good_chain_file_is_trusted_for_its_name_alone(
    tmp_path: Path, root: str, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = written(tmp_path / "chain.pem", *GOOD)
    assert main(["diagnose", chain, "--host", HOST, "--ca", root]) == 0
    assert "chain.pem for localhost  root.pem    yes" in capsys.readouterr().out
    assert main(["diagnose", chain, "--host", "db.example", "--ca", root]) == 1
    assert "HOST_MISMATCH" in capsys.readouterr().out


@pytest.mark.parametrize(("days", "finding"), [(-365, "NOT_YET_VALID"), (310, "EXPIRED")])
def test_another_day_is_another_verdict(
    days: int, finding: str, tmp_path: Path, root: str, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = written(tmp_path / "chain.pem", *GOOD)
    day = f"{NOW.fromordinal(NOW.toordinal() + days):%Y-%m-%d}"
    assert main(["diagnose", chain, "--host", HOST, "--ca", root, "--at", day]) == 1
    out = capsys.readouterr().out
    assert finding in out
    assert "CLOCK_SKEW_SUSPECT" not in out


def test_a_chain_that_begins_with_its_ca_is_judged_with_a_word_of_warning(
    tmp_path: Path, root: str, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = written(tmp_path / "chain.pem", *reversed(GOOD))
    assert main(["diagnose", chain, "--host", HOST, "--ca", root]) == 1
    assert f"{chain}: the first certificate is a CA's" in capsys.readouterr().err


def test_a_private_key_beside_the_chain_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "both.pem"
    path.write_bytes(GOOD[0].key_pem + GOOD[0].pem + MIDDLE.pem)
    assert read_chain(path) == (GOOD[0].der, MIDDLE.der)


def test_a_der_file_is_a_chain_of_one(tmp_path: Path) -> None:
    path = tmp_path / "leaf.der"
    path.write_bytes(GOOD[0].der)
    assert read_chain(path) == (GOOD[0].der,)


def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(UsageError, match="no server's chain"):
        read_chain(Path("/dev/zero"))


def test_a_broken_block_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.pem"
    path.write_bytes(GOOD[0].pem + b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n")
    with pytest.raises(UsageError, match="block 2: not base64"):
        read_chain(path)


def test_a_certificate_that_cannot_be_read_is_a_finding(
    tmp_path: Path, root: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "garbage.der"
    path.write_bytes(b"\x30\x03\x02\x01\x01")
    assert main(["diagnose", str(path), "--host", HOST, "--ca", root]) == 1
    assert "BAD_CERTIFICATE" in capsys.readouterr().out


def test_neither_command_loads_what_talks_to_databases() -> None:
    code = (
        "import sys; from exatrust.cli import main; status = main(['probe', 'localhost:1']);"
        "print(status, sorted({'requests', 'pyexasol', 'cryptography', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "3 []"


@pytest.mark.parametrize(("pem", "revoked"), [(True, True), (False, True), (True, False)])
def test_a_revoked_certificate_shows_when_its_lists_are_given(
    root: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], pem: bool, revoked: bool
) -> None:
    arguments = []
    for issuer, gone in ((MIDDLE, [GOOD[0]] if revoked else []), (ROOT, [])):
        der = revocation_list(issuer, gone, (-1, 9))
        path = tmp_path / f"{issuer.cert.serial_number}.crl"
        path.write_bytes(ssl_pem(der) if pem else der)
        arguments += ["--crl", str(path)]
    chain = written(tmp_path / "chain.pem", *GOOD)
    status = main(["diagnose", chain, "--host", HOST, "--ca", root, *arguments])
    assert status == int(revoked)
    assert ("REVOKED" in capsys.readouterr().out) is revoked


def ssl_pem(der: bytes) -> bytes:
    return x509.load_der_x509_crl(der).public_bytes(serialization.Encoding.PEM)


def test_what_is_no_revocation_list_is_named(
    root: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = written(tmp_path / "chain.pem", *GOOD)
    garbage = tmp_path / "garbage.crl"
    garbage.write_bytes(b"\x30\x03abc")
    for path in (root, str(garbage), str(tmp_path / "none.crl")):
        arguments = ["diagnose", chain, "--host", HOST, "--ca", root, "--crl", path]
        assert main(arguments) == 2
        assert path in capsys.readouterr().err
