"""A UDF sees its container's files and its node's bucket, and nothing of this machine."""

from __future__ import annotations

import ssl
import threading

import pytest
import trustme

from exatrust_sandbox.containers import image
from exatrust_sandbox.containers.isolation import Isolation
from exatrust_sandbox.containers.vm import Runtime
from exatrust_sandbox.database.certificate import signed_by
from exatrust_sandbox.endpoints import TlsServer, context_of

from .conftest import run_in


def _one(rows) -> str:
    return rows[0][0][0]


def test_a_script_is_another_user_without_the_machine_s_files(isolated, standard_image):
    code = (
        "def run(ctx):\n"
        "    ctx.emit(str((os.getuid(), os.path.exists('/root/.bashrc'), os.path.exists('/var'))))"
    )
    assert _one(run_in(isolated, standard_image, code)) == "(500, False, False)"


def test_the_container_s_files_and_buckets_are_read_only(isolated, standard_image):
    code = (
        "def run(ctx):\n"
        "    bucket = '/buckets/bfsdefault/default/x'\n"
        "    for path in ('/x', '/etc/x', '/usr/x', '/usr/local/x', bucket):\n"
        "        try:\n"
        "            open(path, 'w')\n"
        "        except OSError as error:\n"
        "            ctx.emit(error.strerror)\n"
        "    open('/tmp/x', 'w').write('mine')\n"
        "    ctx.emit(str(os.listdir('/tmp')))"
    )
    rows = [row[0] for row in run_in(isolated, standard_image, code)[0]]
    assert rows[:5] == ["Read-only file system"] * 5
    assert rows[5] == "['x']"


def test_nothing_in_tmp_outlives_the_virtual_machine(isolated, one_image):
    leave = "def run(ctx):\n    open('/tmp/left', 'w')"
    look = "def run(ctx):\n    ctx.emit(str(os.listdir('/tmp')))"
    run_in(isolated, one_image, leave)
    assert _one(run_in(isolated, one_image, look)) == "[]"


def test_a_script_reads_its_node_s_bucket(runtime, standard_image):
    code = "def run(ctx):\n    ctx.emit(open('/buckets/bfsdefault/default/file.txt').read())"
    assert _one(run_in(runtime, standard_image, code)) == "from the bucket"


def test_without_isolation_the_bucket_is_found_all_the_same(node, one_image):
    runtime = Runtime(Isolation.NONE, [node])
    code = "def run(ctx):\n    ctx.emit(open('/buckets/bfsdefault/default/file.txt').read())"
    assert _one(run_in(runtime, one_image, code)) == "from the bucket"


def test_the_environment_has_home_and_env_lines_but_no_tls_variables(isolated, standard_image):
    code = (
        "def run(ctx):\n"
        "    names = [n for n in os.environ if n.startswith('SSL') or n.endswith('BUNDLE')]\n"
        "    ctx.emit(str((os.environ['HOME'], os.environ['MINE'], names)))"
    )
    rows = run_in(isolated, standard_image, code, env={"MINE": "set"})
    assert _one(rows) == "('/tmp', 'set', [])"


CONNECT = """
import socket, ssl
def run(ctx):
    context = ssl.create_default_context()
    try:
        with socket.create_connection(("127.0.0.1", ctx.N), timeout=5) as raw:
            with context.wrap_socket(raw, server_hostname="localhost"):
                ctx.emit("trusted")
    except ssl.SSLCertVerificationError as error:
        ctx.emit(str(error.verify_code))
"""


def test_the_default_context_trusts_the_image_s_roots_and_not_the_machine_s(isolated, tmp_path):
    authority = trustme.CA()
    certificate = signed_by(authority, "localhost")
    server = TlsServer(context_of(certificate.key_pem, certificate.chain_pem))
    server.start()
    try:
        answers = []
        for roots in ((), (authority.cert_pem.bytes(),)):
            built = image.build("python-3.12", tmp_path / str(len(roots)), roots)
            answers.append(_one(run_in(isolated, built, CONNECT, [[(server.port,)]])))
    finally:
        server.stop()
    assert answers == ["20", "trusted"]


def test_a_missing_ssl_cert_file_gives_an_empty_store_without_an_error(isolated, standard_image):
    code = (
        "import ssl\n"
        "def run(ctx):\n"
        "    ctx.emit(str(ssl.create_default_context().cert_store_stats()['x509']))"
    )
    missing = {"SSL_CERT_FILE": "/nowhere", "SSL_CERT_DIR": "/nowhere"}
    assert _one(run_in(isolated, standard_image, code, env=missing)) == "0"


def test_an_update_takes_roots_away_and_the_same_image_stays_the_same(tmp_path):
    paths = ("etc/ssl/certs/ca-certificates.crt",)
    old = image.build("python-3.12", tmp_path)
    before = [(old.root / path).read_bytes() for path in paths]
    new = image.build("python-3.12-2026.10", tmp_path)
    again = image.build("python-3.12", tmp_path)
    assert [(again.root / path).read_bytes() for path in paths] == before
    lost = before[0].count(b"BEGIN CERT") - (new.root / paths[0]).read_bytes().count(b"BEGIN CERT")
    assert lost == 3


def test_the_hashed_directory_holds_every_root(one_image):
    directory = one_image.root / "etc/ssl/certs"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(directory / "ca-certificates.crt")
    links = [path for path in directory.iterdir() if path.suffix.lstrip(".").isdigit()]
    assert len(links) == context.cert_store_stats()["x509"]


def test_several_virtual_machines_run_at_once(runtime, one_image):
    code = "def run(ctx):\n    ctx.emit(exa.meta.vm_id)"
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(_one(run_in(runtime, one_image, code))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(set(found)) == 4


@pytest.mark.parametrize("version", ["3.10", "3.12"])
def test_a_container_has_cryptography_only_where_its_recipe_says_so(isolated, tmp_path, version):
    code = (
        "def run(ctx):\n"
        "    try:\n"
        "        from cryptography import x509\n"
        "        ctx.emit('has it')\n"
        "    except ModuleNotFoundError:\n"
        "        ctx.emit('has it not')"
    )
    plain = image.build(f"python-{version}", tmp_path)
    if plain.note:
        pytest.skip(plain.note)
    try:
        full = image.build(f"python-{version}-cryptography", tmp_path)
    except image.ImageError as error:
        pytest.skip(str(error))
    assert _one(run_in(isolated, plain, code)) == "has it not"
    assert _one(run_in(isolated, full, code)) == "has it"
