"""Servers of Debian's packages, each started with files, a port and a process group of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from tls_lab import Made

START_SECONDS = 20.0
STOP_SECONDS = 10.0
# Debian keeps daemons where only root's PATH leads, PostgreSQL's not even there.
PLACES = os.pathsep.join(
    [
        os.environ.get("PATH", ""),
        "/usr/local/sbin:/usr/sbin:/sbin",
        *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)),
    ]
)


@dataclass(frozen=True)
class Place:
    """Where one server runs: its directory holds chain.pem and key.pem."""

    directory: Path
    port: int
    tls: bool


@dataclass(frozen=True)
class Program:
    """A server, the Debian package that has it, and the protocol that leads to its TLS."""

    name: str
    package: str
    protocol: str
    # Writes what the server needs into its directory and gives the command that runs it there.
    command: Callable[[Place], list[str]]
    # What it says to the upgrade where it is configured without TLS.
    refusal: str
    # Who it runs as when the tests run as root; None for root itself.
    user: str | None = None
    # Who reads its files although it was started as root.
    reader: str | None = None
    # What has to be run before, for a program that needs its data directory made.
    before: Callable[[Place], list[str]] | None = None
    # The beginning of what `--version` prints, where another one reads other configurations.
    version: str = ""
    # Whether it starts for root alone.
    needs_root: bool = False


def _slapd(place: Place) -> list[str]:
    (place.directory / "data").mkdir()
    tls = (
        f"TLSCertificateFile {place.directory}/chain.pem\n"
        f"TLSCertificateKeyFile {place.directory}/key.pem\n"
    )
    (place.directory / "slapd.conf").write_text(
        "include /etc/ldap/schema/core.schema\n"
        f"pidfile {place.directory}/slapd.pid\n{tls if place.tls else ''}"
        f'database ldif\nsuffix "dc=example"\ndirectory {place.directory}/data\n'
    )
    listen = f"ldap://127.0.0.1:{place.port}"
    return ["slapd", "-d", "0", "-f", str(place.directory / "slapd.conf"), "-h", listen]


def _mariadb(place: Place) -> list[str]:
    directory = place.directory
    (directory / "data").mkdir()
    tls = [f"--ssl-cert={directory}/chain.pem", f"--ssl-key={directory}/key.pem"]
    return [
        "mariadbd", "--no-defaults", "--user=root", "--skip-grant-tables",
        f"--datadir={directory}/data", f"--socket={directory}/socket",
        f"--pid-file={directory}/pid", "--bind-address=127.0.0.1", f"--port={place.port}",
        *(tls if place.tls else ["--skip-ssl"]),
    ]  # fmt: skip


def _exim(place: Place) -> list[str]:
    directory = place.directory
    (directory / "exim.conf").write_text(
        f"primary_hostname = localhost\nspool_directory = {directory}/spool\n"
        f"log_file_path = {directory}/log-%s\nlocal_interfaces = 127.0.0.1\n"
        f"daemon_smtp_ports = {place.port}\npid_file_path = {directory}/exim.pid\n"
        f"tls_advertise_hosts = {'*' if place.tls else ''}\n"
        f"tls_certificate = {directory}/chain.pem\n"
        f"tls_privatekey = {directory}/key.pem\nkeep_environment =\n"
    )
    return ["exim4", "-C", str(directory / "exim.conf"), "-bdf", "-v"]


def _dovecot(protocol: str) -> Callable[[Place], list[str]]:
    def command(place: Place) -> list[str]:
        directory = place.directory
        (directory / "dovecot.conf").write_text(
            f"protocols = {protocol}\nbase_dir = {directory}/base\nstate_dir = {directory}/state\n"
            f"log_path = {directory}/log\nlisten = 127.0.0.1\n"
            f"ssl = {'yes' if place.tls else 'no'}\n"
            f"ssl_cert = <{directory}/chain.pem\nssl_key = <{directory}/key.pem\n"
            "passdb {\n  driver = static\n  args = nopassword=y\n}\n"
            f"service {protocol}-login {{\n"
            f"  inet_listener {protocol} {{\n    port = {place.port}\n  }}\n"
            f"  inet_listener {protocol}s {{\n    port = 0\n  }}\n}}\n"
        )
        return ["dovecot", "-F", "-c", str(directory / "dovecot.conf")]

    return command


def _vsftpd(place: Place) -> list[str]:
    directory = place.directory
    (directory / "empty").mkdir()
    (directory / "vsftpd.conf").write_text(
        f"listen=YES\nlisten_address=127.0.0.1\nlisten_port={place.port}\nbackground=NO\n"
        "run_as_launching_user=YES\nanonymous_enable=YES\nlocal_enable=NO\n"
        f"secure_chroot_dir={directory}/empty\nssl_enable={'YES' if place.tls else 'NO'}\n"
        f"rsa_cert_file={directory}/chain.pem\nrsa_private_key_file={directory}/key.pem\n"
    )
    return ["vsftpd", str(directory / "vsftpd.conf")]


def _initdb(place: Place) -> list[str]:
    return ["initdb", "-D", str(place.directory / "data"), "-A", "trust", "--no-sync"]


def _postgres(place: Place) -> list[str]:
    directory = place.directory
    tls = [
        "-c", "ssl=on", "-c", f"ssl_cert_file={directory}/chain.pem",
        "-c", f"ssl_key_file={directory}/key.pem",
    ]  # fmt: skip
    return [
        "postgres", "-D", str(directory / "data"), "-p", str(place.port), "-h", "127.0.0.1",
        "-k", "", "-c", "fsync=off", *(tls if place.tls else ["-c", "ssl=off"]),
    ]  # fmt: skip


PROGRAMS = (
    Program(
        "postgres", "postgresql", "postgres", _postgres, "SSL is off",
        user="postgres", before=_initdb,
    ),
    Program("mariadbd", "mariadb-server", "mysql", _mariadb, "no CLIENT_SSL"),
    Program("slapd", "slapd", "ldap", _slapd, "code 2: unsupported extended operation"),
    Program(
        "exim4", "exim4-daemon-light", "smtp", _exim, "does not offer STARTTLS",
        reader="Debian-exim", needs_root=True,
    ),
    Program("vsftpd", "vsftpd", "ftp", _vsftpd, "530 Please login"),
    Program(
        "dovecot", "dovecot-imapd", "imap", _dovecot("imap"), "BAD TLS support isn't enabled",
        version="2.3.", needs_root=True,
    ),
    Program(
        "dovecot", "dovecot-pop3d", "pop3", _dovecot("pop3"), "-ERR TLS support isn't enabled",
        version="2.3.", needs_root=True,
    ),
)  # fmt: skip


@contextmanager
def running(program: Program, chain: Sequence[Made], *, tls: bool = True) -> Iterator[int]:
    """The server's port; the server is surely gone afterwards. Skips where it cannot run."""
    _skip_where_it_cannot_run(program)
    as_root = os.geteuid() == 0
    user = program.user if as_root else None
    # Directly below /tmp: other users may come here, and paths of sockets must be short.
    with tempfile.TemporaryDirectory(prefix="exatrust-", dir="/tmp") as made:
        place = Place(Path(made), _free_port(), tls)
        (place.directory / "chain.pem").write_bytes(b"".join(one.pem for one in chain))
        key = place.directory / "key.pem"
        key.touch(0o600)
        key.write_bytes(chain[0].key_pem)
        owner = program.user or program.reader
        if as_root and owner is not None:
            for path in (place.directory, key):
                shutil.chown(path, owner)
        said = place.directory / "output"
        if program.before is not None:
            with _started(program.before(place), user, said) as process:
                assert process.wait(START_SECONDS) == 0, said.read_text(errors="replace")
        with _started(program.command(place), user, said) as process:
            _wait_for(place.port, process, said)
            yield place.port


def _skip_where_it_cannot_run(program: Program) -> None:
    found = shutil.which(program.name, path=PLACES)
    if found is None:
        pytest.skip(f"no {program.name} here: apt-get install {program.package}")
    if program.name == "dovecot" and not Path(f"/usr/lib/dovecot/{program.protocol}").exists():
        pytest.skip(f"a dovecot without {program.protocol}: apt-get install {program.package}")
    if program.version:
        shown = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=10)
        if not shown.stdout.startswith(program.version):
            pytest.skip(
                f"{program.package} {shown.stdout.strip()} reads another configuration than "
                f"{program.version}x"
            )
    if os.geteuid() != 0:
        if program.needs_root:
            pytest.skip(f"{program.name} (package {program.package}) starts for root alone")
        return
    owner = program.user or program.reader
    try:
        pwd.getpwnam(owner or "root")
    except KeyError:
        pytest.skip(f"no user {owner} here: apt-get install {program.package}")


@contextmanager
def _started(
    command: Sequence[str], user: str | None, said: Path
) -> Iterator[subprocess.Popen[bytes]]:
    program = shutil.which(command[0], path=PLACES)
    assert program is not None, command[0]
    account = pwd.getpwnam(user) if user else None
    with said.open("wb") as output:
        process = subprocess.Popen(
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=said.parent,
            start_new_session=True,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        # Whatever it started is in its process group, and has nobody left to tell it to end.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_SECONDS)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def _wait_for(port: int, process: subprocess.Popen[bytes], said: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as client:
            client.settimeout(1)
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise AssertionError(f"the server does not listen: {said.read_text(errors='replace')[-2000:]}")
