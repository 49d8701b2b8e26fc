"""What an analyst's UDF imports: activate(), ssl_context(), bundle_path()."""

from __future__ import annotations

import subprocess
from pathlib import Path

import certifi
import pytest
from udf_harness import release
from udf_interpreters import VERSIONS, require

CODE = """
import sys
sys.path.insert(0, sys.argv[1])
import exatrust_udf
{code}
"""


@pytest.fixture
def pin(tmp_path: Path) -> dict[str, str]:
    bundle = Path(certifi.where()).read_bytes()
    return release(tmp_path / "releases" / "0.1.0-abc", "none", bundle, {})


def analyst(pin: dict[str, str], code: str, version: str = "3.11") -> str:
    archive = f"{pin['directory']}/{pin['pyz']}"
    command = [require(version), "-I", "-S", "-W", "error", "-c", CODE.format(code=code), archive]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return (done.stdout + done.stderr).strip()


@pytest.mark.parametrize("version", VERSIONS)
def test_activate_points_every_library_at_the_bundle_of_its_release(
    version: str, pin: dict[str, str]
) -> None:
    code = "import os\nprint(exatrust_udf.activate())\nprint(os.environ['REQUESTS_CA_BUNDLE'])"
    path = f"{pin['directory']}/{pin['bundle']}"
    expected = f"exatrust release 0.1.0-abc: trusting {path}\n{path}"
    assert analyst(pin, code, version) == expected


def test_after_activate_openssl_trusts_the_bundle_and_nothing_else(pin: dict[str, str]) -> None:
    code = (
        "exatrust_udf.activate()\nimport ssl\n"
        "context = ssl.create_default_context()\n"
        "print(len(context.get_ca_certs()), ssl.get_default_verify_paths().capath)"
    )
    assert analyst(pin, code) == f"{Path(certifi.where()).read_text().count('BEGIN CERT')} None"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_context_verifies_chain_and_name(version: str, pin: dict[str, str]) -> None:
    code = (
        "context = exatrust_udf.ssl_context()\n"
        "print(context.verify_mode.name, context.check_hostname, len(context.get_ca_certs()) > 100)"
    )
    assert analyst(pin, code, version) == "CERT_REQUIRED True True"


def test_an_empty_bundle_is_refused_and_nothing_is_changed(pin: dict[str, str]) -> None:
    Path(pin["directory"], pin["bundle"]).write_bytes(b"")
    code = (
        "import os\nbefore = dict(os.environ)\n"
        "try: exatrust_udf.activate()\n"
        "except RuntimeError as error: print(error)\n"
        "print(before == dict(os.environ))"
    )
    message = "no certificate in it: nothing is trusted"
    assert analyst(pin, code) == f"exatrust: {pin['directory']}/{pin['bundle']}: {message}\nTrue"


def test_a_missing_bundle_is_reported_with_its_directory(pin: dict[str, str]) -> None:
    Path(pin["directory"], pin["bundle"]).unlink()
    assert f"{pin['directory']} holds 0 bundles where one is expected" in analyst(
        pin, "exatrust_udf.bundle_path()"
    )


def test_a_pinned_bundle_that_was_altered_is_refused(pin: dict[str, str]) -> None:
    path = Path(pin["directory"], pin["bundle"])
    path.write_bytes(path.read_bytes() + b"\n")
    code = f"exatrust_udf.use_pin({pin!r})\nexatrust_udf.bundle_path()"
    assert f"{path} was altered" in analyst(pin, code)
