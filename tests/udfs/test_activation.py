"""What an analyst's UDF imports: activate(), ssl_context(), bundle_path()."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import ModuleType

import certifi
import pytest
from udf_harness import body_of, release, render
from udf_interpreters import VERSIONS, require, run_script

from exatrust_udf.activation import remaining
from exatrust_udf.clients import CLIENTS, VARIABLES

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
    path = f"{pin['directory']}/{pin['bundle']}"
    message = "cannot be used: no certificate in it: nothing is trusted. Run `exatrust status`"
    assert analyst(pin, code) == f"exatrust: {path} {message}, then `exatrust install`.\nTrue"


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


IMPORTED = """
import types
module = types.ModuleType("EXATRUST.EXATRUST_UDF")
module.exa = types.SimpleNamespace(meta=types.SimpleNamespace(node_id=2))
exec(compile({body!r}, "EXATRUST_UDF", "exec"), module.__dict__)
exatrust_udf = module
"""


def imported(pin: dict[str, str], code: str, version: str = "3.11") -> str:
    """What an analyst's code says that imported the database script EXATRUST_UDF."""
    body = body_of(render("exatrust_udf", {**pin, "script": "exatrust_udf"}))
    command = [require(version), "-I", "-S", "-W", "error", "-c"]
    text = IMPORTED.format(body=body) + code
    done = subprocess.run([*command, text], capture_output=True, text=True, timeout=60)
    return (done.stdout + done.stderr).strip()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_imported_script_is_the_package_of_its_release(
    version: str, pin: dict[str, str]
) -> None:
    path = f"{pin['directory']}/{pin['bundle']}"
    code = "print(exatrust_udf.activate())\nprint(exatrust_udf.bundle_path())"
    assert imported(pin, code, version).splitlines() == [
        f"exatrust release 0.1.0-test: trusting {path}",
        path,
    ]


def test_importing_the_script_loads_nothing(pin: dict[str, str]) -> None:
    code = "import sys\nprint('exatrust_udf' in sys.modules, hasattr(exatrust_udf, '__path__'))"
    assert imported(pin, code) == "False False"


def test_what_the_package_does_not_offer_is_said_with_what_it_does(pin: dict[str, str]) -> None:
    error = imported(pin, "exatrust_udf.enable()").splitlines()[-1]
    names = "activate, bundle_path, release, ssl_context, status, use_pin"
    assert error == f"AttributeError: exatrust_udf has no enable; it has {names}"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "cannot be read: No such file"), (b"", "was altered"), (b"x", "was altered: SHA-256")],
)
def test_a_damaged_bundle_is_refused_with_node_file_and_what_to_do(
    content: bytes | None, reason: str, pin: dict[str, str]
) -> None:
    path = Path(pin["directory"], pin["bundle"])
    path.unlink() if content is None else path.write_bytes(content)
    code = (
        "import os\nbefore = dict(os.environ)\n"
        "try: exatrust_udf.activate()\n"
        "except RuntimeError as error: print(error)\n"
        "print(before == dict(os.environ))"
    )
    said, unchanged = imported(pin, code).splitlines()
    assert said.startswith(f"exatrust: node 2: {path} {reason}")
    assert said.endswith("Run `exatrust status`, then `exatrust install`.")
    assert unchanged == "True"


@pytest.mark.parametrize("version", VERSIONS)
def test_status_says_what_each_client_would_trust_before_and_after(
    version: str, pin: dict[str, str]
) -> None:
    code = (
        "show = lambda: print(*exatrust_udf.status(), sep='\\n')\n"
        "show()\nexatrust_udf.activate()\nshow()"
    )
    lines = imported(pin, code, version).splitlines()
    before, after = lines[: len(CLIENTS)], lines[len(CLIENTS) :]
    assert [line.split(" ")[0] for line in before] == [client.name for client in CLIENTS]
    assert not [line for line in before if ", the release" in line]
    path = f"{pin['directory']}/{pin['bundle']}"
    count = Path(certifi.where()).read_text().count("BEGIN CERT")
    for client, line in zip(CLIENTS, after, strict=True):
        if client.variables:
            told = f": {client.variables[0]}: {path}, {count} CAs, the release"
            assert told in line
    assert "pycurl not installed: compiled into libcurl: None (reads no variable" in "".join(after)


def test_status_works_where_the_bundle_is_damaged(pin: dict[str, str]) -> None:
    Path(pin["directory"], pin["bundle"]).unlink()
    lines = imported(pin, "print(*exatrust_udf.status(), sep='\\n')").splitlines()
    assert len(lines) == len(CLIENTS)


def test_a_file_without_its_directory_is_not_the_release_alone(
    pin: dict[str, str], tmp_path: Path
) -> None:
    hashed = tmp_path / "certs"
    hashed.mkdir()
    (hashed / "12345678.0").write_bytes(Path(certifi.where()).read_bytes()[:4000])
    path = f"{pin['directory']}/{pin['bundle']}"
    code = (
        f"import os, ssl\nos.environ['SSL_CERT_FILE'] = {path!r}\n"
        "os.environ.pop('SSL_CERT_DIR', None)\n"
        f"paths = ssl.get_default_verify_paths()._replace(openssl_capath={str(hashed)!r})\n"
        "ssl.get_default_verify_paths = lambda: paths\nprint(exatrust_udf.status()[0])"
    )
    said = imported(pin, code)
    assert ", NOT the release (and " in said
    assert f"CAs in {hashed}: SSL_CERT_DIR=/dev/null leaves them out)" in said


def test_an_opener_that_was_used_before_is_said(pin: dict[str, str]) -> None:
    code = (
        "import urllib.request\n"
        "try: urllib.request.urlopen('https://127.0.0.1:1/')\n"
        "except OSError: pass\n"
        "print(exatrust_udf.activate())\nprint(exatrust_udf.status()[0])"
    )
    keeps = "urlopen() was used before and keeps the truststore of then"
    said = imported(pin, code, "3.12")
    assert said.count(keeps) == 2
    assert "NOT the release" in said
    assert keeps not in imported(pin, code, "3.10")


@pytest.mark.parametrize("version", VERSIONS)
def test_called_itself_the_script_gives_rows(
    version: str, pin: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in (*VARIABLES, "SSL_CERT_DIR"):
        monkeypatch.delenv(variable, raising=False)
    statement = render("exatrust_udf", {**pin, "script": "exatrust_udf"})
    answer = run_script(version, statement, [[[False]], [[True]]], node_id=1)
    rows = answer["rows"]
    before, after = rows[: len(CLIENTS)], rows[len(CLIENTS) :]  # type: ignore[index]
    assert [row["CLIENT"] for row in after] == [client.name for client in CLIENTS]
    assert {row["NODE_ID"] for row in rows} == {1}  # type: ignore[attr-defined]
    assert True not in {row["IS_RELEASE"] for row in before}
    assert [row["IS_RELEASE"] for row in after] == [
        True if client.variables else None for client in CLIENTS
    ]


@pytest.mark.parametrize(
    ("modules", "said"),
    [
        ({}, []),
        ({"urllib.request": {"_opener": None}}, []),
        ({"grpc": {}}, ["grpcio"]),
        ({"aiohttp.connector": {}}, ["aiohttp"]),
        ({"aiohttp.connector": {"_SSL_CONTEXT_VERIFIED": 1, "_make_ssl_context": 2}}, []),
    ],
)
def test_what_may_have_been_read_too_early_is_said_of_what_is_imported(
    modules: dict[str, dict[str, object]], said: list[str]
) -> None:
    found = {name: ModuleType(name) for name in modules}
    for name, module in found.items():
        module.__dict__.update(modules[name])
    assert [text.partition(":")[0] for text in remaining(found)] == said


def test_a_pinned_bundle_without_a_certificate_is_refused(tmp_path: Path) -> None:
    empty = release(tmp_path / "releases" / "0.1.0-abc", "none", b"# nothing\n", {})
    said = imported(empty, "exatrust_udf.activate()").splitlines()[-1]
    path = f"{empty['directory']}/{empty['bundle']}"
    assert said.startswith(f"RuntimeError: exatrust: node 2: {path} cannot be used: no certificate")


def test_activate_reads_no_certificate_and_loads_little(pin: dict[str, str]) -> None:
    code = (
        "exatrust_udf.activate()\nimport sys\n"
        "print(sorted(n for n in sys.modules if n.startswith('exatrust_udf')))"
    )
    loaded = ["", ".activation", ".clients", ".own_release", ".pinned", ".rows", ".scripts"]
    loaded += [".scripts.exatrust_udf"]
    assert imported(pin, code) == str(["exatrust_udf" + name for name in loaded])
