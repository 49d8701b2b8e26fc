"""Real servers from Debian's packages, each started here with its own files and on its own port."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tls_lab import examine, family, make, store

ROOT, MIDDLE = family()
LEAF = make("leaf", MIDDLE)
STRANGER = make("stranger", ca=True)
START_SECONDS = 20.0

# Writes what the server needs into its directory and gives the command that runs it there.
Prepare = Callable[[Path, int], list[str]]


@dataclass(frozen=True)
class Program:
    """A server, the Debian package that has it, and the protocol that leads to its TLS."""

    name: str
    package: str
    protocol: str
    prepare: Prepare


def _slapd(directory: Path, port: int) -> list[str]:
    (directory / "data").mkdir()
    (directory / "slapd.conf").write_text(
        "include /etc/ldap/schema/core.schema\n"
        f"pidfile {directory}/slapd.pid\n"
        f"TLSCertificateFile {directory}/chain.pem\n"
        f"TLSCertificateKeyFile {directory}/key.pem\n"
        f'database ldif\nsuffix "dc=example"\ndirectory {directory}/data\n'
    )
    listen = f"ldap://127.0.0.1:{port}"
    return ["slapd", "-d", "0", "-f", str(directory / "slapd.conf"), "-h", listen]


def _mariadb(directory: Path, port: int) -> list[str]:
    (directory / "data").mkdir()
    return [
        "mariadbd", "--no-defaults", "--user=root", "--skip-grant-tables",
        f"--datadir={directory}/data", f"--socket={directory}/socket",
        f"--pid-file={directory}/pid", "--bind-address=127.0.0.1", f"--port={port}",
        f"--ssl-cert={directory}/chain.pem", f"--ssl-key={directory}/key.pem",
    ]  # fmt: skip


def _exim(directory: Path, port: int) -> list[str]:
    (directory / "exim.conf").write_text(
        f"primary_hostname = localhost\nspool_directory = {directory}/spool\n"
        f"log_file_path = {directory}/log-%s\nlocal_interfaces = 127.0.0.1\n"
        f"daemon_smtp_ports = {port}\npid_file_path = {directory}/exim.pid\n"
        f"tls_advertise_hosts = *\ntls_certificate = {directory}/chain.pem\n"
        f"tls_privatekey = {directory}/key.pem\nkeep_environment =\n"
    )
    if os.geteuid() == 0:
        # The daemon gives up root's rights, and has to read and write here all the same.
        for path in (directory, directory / "key.pem"):
            shutil.chown(path, "Debian-exim")
    for path in (directory, directory.parent, directory.parent.parent):
        path.chmod(0o755)
    return ["exim4", "-C", str(directory / "exim.conf"), "-bdf", "-v"]


def _dovecot(protocol: str) -> Prepare:
    def prepare(directory: Path, port: int) -> list[str]:
        (directory / "dovecot.conf").write_text(
            f"protocols = {protocol}\nbase_dir = {directory}/base\nstate_dir = {directory}/state\n"
            f"log_path = {directory}/log\nlisten = 127.0.0.1\nssl = yes\n"
            f"ssl_cert = <{directory}/chain.pem\nssl_key = <{directory}/key.pem\n"
            "passdb {\n  driver = static\n  args = nopassword=y\n}\n"
            f"service {protocol}-login {{\n"
            f"  inet_listener {protocol} {{\n    port = {port}\n  }}\n"
            f"  inet_listener {protocol}s {{\n    port = 0\n  }}\n}}\n"
        )
        return ["dovecot", "-F", "-c", str(directory / "dovecot.conf")]

    return prepare


PROGRAMS = (
    Program("slapd", "slapd", "ldap", _slapd),
    Program("mariadbd", "mariadb-server", "mysql", _mariadb),
    Program("exim4", "exim4-daemon-light", "smtp", _exim),
    Program("dovecot", "dovecot-imapd", "imap", _dovecot("imap")),
    Program("dovecot", "dovecot-pop3d", "pop3", _dovecot("pop3")),
)


@contextmanager
def running(program: Program, directory: Path) -> Iterator[int]:
    """The server's port; the server is surely gone afterwards. Skips where it is not installed."""
    if shutil.which(program.name) is None:
        pytest.skip(f"no {program.name} here: apt-get install {program.package}")
    (directory / "chain.pem").write_bytes(LEAF.pem + MIDDLE.pem)
    (directory / "key.pem").write_bytes(LEAF.key_pem)
    (directory / "key.pem").chmod(0o600)
    port = _free_port()
    with (directory / "output").open("wb") as output:
        process = subprocess.Popen(
            program.prepare(directory, port), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        _wait_for(port, process, directory / "output")
        yield port
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def _wait_for(port: int, process: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as client:
            client.settimeout(1)
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError(
        f"the server does not listen: {output.read_text(errors='replace')[-2000:]}"
    )


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: f"{p.name}-{p.protocol}")
def test_a_real_server_is_verified_through_its_own_upgrade(
    program: Program, tmp_path: Path
) -> None:
    with running(program, tmp_path) as port:
        options = f"protocol={program.protocol}"
        good, bad = examine(port, store(ROOT), options=options, others=[store(STRANGER)])
        (elsewhere,) = examine(
            port, store(ROOT), options=f"{options} name=elsewhere.example sni=elsewhere.example"
        )
    assert (good.trusted, good.findings) == (True, ())
    assert [finding.id for finding in bad.findings] == ["CA_NOT_IN_TRUSTSTORE"]
    assert [finding.id for finding in elsewhere.findings] == ["HOST_MISMATCH"]
