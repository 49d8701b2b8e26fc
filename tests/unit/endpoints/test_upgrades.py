"""The way to TLS in each protocol: as bytes, and against scripted servers."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tls_lab import HOST, Manner, chain_context, examine, family, make, serving, store, tls_manner

from exatrust_udf import upgrade, upgrade_binary, upgrade_tds
from exatrust_udf.endpoint import PROTOCOLS
from exatrust_udf.handshake import Limits
from exatrust_udf.talk import Closed, Inbox, NotThisProtocol, Refused, Talk

ROOT, MIDDLE = family()
LEAF = make("leaf", MIDDLE)
CONTEXT = chain_context([LEAF, MIDDLE])
QUICK = Limits(resolve=1, connect=1, handshake=0.7, in_flight=16)

STARTS: dict[str, Callable[[Inbox], Talk[None]]] = {
    "smtp": upgrade.smtp,
    "ftp": upgrade.ftp,
    "imap": upgrade.imap,
    "pop3": upgrade.pop3,
    "postgres": upgrade_binary.postgres,
    "mysql": upgrade_binary.mysql,
    "ldap": upgrade_binary.ldap,
    "tds": upgrade_tds.prelogin,
}

MYSQL_CAPABILITIES = 0xFFFF


def mysql_greeting(capabilities: int = MYSQL_CAPABILITIES) -> bytes:
    body = b"\x0a8.0.0\0" + bytes(4) + b"12345678\0" + struct.pack("<H", capabilities) + bytes(40)
    return len(body).to_bytes(3, "little") + b"\0" + body


def tds_answer(encryption: int) -> bytes:
    payload = struct.pack("!BHHBHHB", 0, 11, 6, 1, 17, 1, 0xFF) + bytes(6) + bytes([encryption])
    return struct.pack("!BBHHBB", 4, 1, 8 + len(payload), 0, 1, 0) + payload


def ldap_answer(code: int, words: bytes = b"no") -> bytes:
    body = b"\x0a\x01" + bytes([code]) + b"\x04\x00\x04" + bytes([len(words)]) + words
    message = b"\x02\x01\x01\x78" + bytes([len(body)]) + body
    return b"\x30\x84" + len(message).to_bytes(4, "big") + message


# What a server says: (before we say anything, in answer to each of our messages).
AGREES: dict[str, tuple[bytes, list[bytes]]] = {
    "smtp": (b"220-hi\r\n220 mail\r\n", [b"250-mail\r\n250 STARTTLS\r\n", b"220 go\r\n"]),
    "ftp": (b"220-hello\r\n more\r\n220 ftp\r\n", [b"234 go\r\n"]),
    "imap": (b"* OK ready\r\n", [b"* note\r\na1 OK go\r\n"]),
    "pop3": (b"+OK ready\r\n", [b"+OK go\r\n"]),
    "postgres": (b"", [b"S"]),
    "mysql": (mysql_greeting(), []),
    "ldap": (b"", [ldap_answer(0)]),
    "tds": (b"", [tds_answer(1)]),
}  # fmt: skip
DECLINES: dict[str, tuple[bytes, list[bytes]]] = {
    "smtp": (b"220 mail\r\n", [b"250-mail\r\n250 SIZE 1\r\n"]),
    "ftp": (b"220 ftp\r\n", [b"502 not here\r\n"]),
    "imap": (b"* OK ready\r\n", [b"a1 BAD what\r\n"]),
    "pop3": (b"+OK ready\r\n", [b"-ERR no\r\n"]),
    "postgres": (b"", [b"N"]),
    "mysql": (mysql_greeting(MYSQL_CAPABILITIES & ~0x0800), []),
    "ldap": (b"", [ldap_answer(2)]),
    "tds": (b"", [tds_answer(2)]),
}


def test_every_protocol_but_those_that_begin_with_tls_has_its_upgrade() -> None:
    assert set(STARTS) | {"tls", "exasol"} == PROTOCOLS
    assert set(AGREES) == set(DECLINES) == set(STARTS)


def play(protocol: str, first: bytes, answers: list[bytes], size: int = 1 << 16) -> Inbox:
    """Run an upgrade against a script, feeding at most `size` bytes at a time."""
    inbox = Inbox()
    talk = STARTS[protocol](inbox)
    pending, script = first, list(answers)
    try:
        out = next(talk)
        for _ in range(100_000):
            if out and script:
                pending += script.pop(0)
            piece, pending = pending[:size], pending[size:]
            out = talk.send(piece)
    except StopIteration:
        return inbox
    raise AssertionError("the upgrade does not end")


@pytest.mark.parametrize("protocol", STARTS)
@pytest.mark.parametrize("size", [1, 7, 65536])
def test_an_upgrade_reads_its_answers_in_any_pieces(protocol: str, size: int) -> None:
    inbox = play(protocol, *AGREES[protocol], size)
    assert inbox.rest() == b""


@pytest.mark.parametrize("protocol", STARTS)
def test_a_server_without_tls_is_told_from_one_of_another_protocol(protocol: str) -> None:
    with pytest.raises(Refused):
        play(protocol, *DECLINES[protocol])
    with pytest.raises(NotThisProtocol):
        play(protocol, b"HTTP/1.1 400 Bad\r\n\r\n" * 40, [b"\xffHTTP"])


def test_a_refusal_without_words_ends_with_its_code() -> None:
    with pytest.raises(Refused, match=r"result code 2$"):
        play("ldap", b"", [ldap_answer(2, b"")])


@pytest.mark.parametrize("protocol", STARTS)
def test_a_server_that_closes_in_the_upgrade_is_closed(protocol: str) -> None:
    with pytest.raises(Closed):
        play(protocol, AGREES[protocol][0][:1], [])


@pytest.mark.parametrize("protocol", STARTS)
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=400), size=st.integers(1, 50))
def test_no_bytes_make_an_upgrade_fail_otherwise(protocol: str, data: bytes, size: int) -> None:
    with contextlib.suppress(Refused, NotThisProtocol, Closed):
        play(protocol, data, [data] * 4, size)


@pytest.mark.parametrize("protocol", ["smtp", "ftp", "imap", "pop3"])
def test_a_server_that_talks_on_without_end_is_left(protocol: str) -> None:
    with pytest.raises(NotThisProtocol):
        play(protocol, b"220-more\r\n" * 20_000, [])
    with pytest.raises(NotThisProtocol):
        play(protocol, b"2" * 100_000, [])


class TdsCarrier:
    """The server's side of TLS inside TDS packets."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._unpacker = upgrade_tds.Unpacker()

    def handshake(self, context: ssl.SSLContext) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush(outgoing)
                incoming.write(self._unpacker.feed(self._connection.recv(65536)))
            else:
                self._flush(outgoing)
                return

    def _flush(self, outgoing: ssl.MemoryBIO) -> None:
        data = outgoing.read()
        for start in range(0, len(data), 500):
            self._connection.sendall(upgrade_tds.packet(data[start : start + 500]))


def scripted(protocol: str, script: tuple[bytes, list[bytes]], context: ssl.SSLContext) -> Manner:
    """A server that follows the script, then shakes hands."""
    first, answers = script

    def manner(connection: socket.socket) -> None:
        connection.sendall(first)
        for answer in answers:
            connection.recv(4096)
            connection.sendall(answer)
        if protocol == "mysql" and len(connection.recv(36)) != 36:
            return  # the client has left
        if protocol == "tds":
            TdsCarrier(connection).handshake(context)
        else:
            tls_manner(context)(connection)

    return manner


@pytest.mark.parametrize("protocol", STARTS)
def test_the_certificate_of_an_upgraded_connection_is_judged(protocol: str) -> None:
    context = chain_context([LEAF, MIDDLE])
    if protocol == "tds":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    with serving(scripted(protocol, AGREES[protocol], context)) as port:
        good, bad = examine(port, store(ROOT), options=f"protocol={protocol}", others=[store()])
    assert (good.trusted, good.case.evidence.problem) == (True, None)
    assert bad.findings[0].id == "TRUST_STORE_EMPTY"
    assert len(good.case.evidence.received) == 2


@pytest.mark.parametrize("protocol", STARTS)
def test_a_refused_upgrade_is_a_row(protocol: str) -> None:
    with serving(scripted(protocol, DECLINES[protocol], CONTEXT)) as port:
        (examined,) = examine(port, store(ROOT), options=f"protocol={protocol}", limits=QUICK)
    assert [f.id for f in examined.findings] == ["UPGRADE_REFUSED"]
    assert examined.trusted is False


@pytest.mark.parametrize("protocol", STARTS)
def test_a_server_that_never_answers_the_upgrade_is_a_time_out(protocol: str) -> None:
    with serving(lambda connection: time.sleep(3)) as port:
        options = f"protocol={protocol} timeout=0.3"
        started = time.monotonic()
        (examined,) = examine(port, store(ROOT), options=options)
    problem = examined.case.evidence.problem
    assert problem is not None
    assert (problem.finding, problem.phase) == ("TIMEOUT", "upgrade")
    assert time.monotonic() - started < 2


def test_plain_bytes_behind_the_agreement_are_refused() -> None:
    injected = (AGREES["smtp"][0], [AGREES["smtp"][1][0], b"220 go\r\n250 injected\r\n"])
    with serving(scripted("smtp", injected, CONTEXT)) as port:
        (examined,) = examine(port, store(ROOT), options="protocol=smtp")
    assert examined.findings[0].id == "PLAINTEXT_INJECTED"
    assert "injected" in examined.findings[0].cause


def proxy(port: int, status: bytes = b"200 Connection established") -> Manner:
    def manner(connection: socket.socket) -> None:
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += connection.recv(4096)
        assert asked.startswith(b"CONNECT inside.example:443 HTTP/1.1\r\nHost: inside.example:443")
        connection.sendall(b"HTTP/1.1 " + status + b"\r\nVia: lab\r\n\r\n")
        if status.startswith(b"2"):
            tls_manner(chain_context([make("inner", MIDDLE, san=("inside.example",)), MIDDLE]))(
                connection
            )

    return manner


def test_a_tunnel_through_a_proxy_leads_to_the_servers_certificate() -> None:
    with serving(proxy(443)) as port:
        options = f"proxy=127.0.0.1:{port}"
        (examined,) = examine(443, store(ROOT), "inside.example", options)
    assert (examined.trusted, examined.findings) == (True, ())


def test_a_proxy_that_refuses_is_named() -> None:
    with serving(proxy(443, b"407 Proxy Authentication Required")) as port:
        (examined,) = examine(443, store(ROOT), "inside.example", f"proxy=127.0.0.1:{port}")
    (finding,) = examined.findings
    assert finding.id == "PROXY_REFUSED"
    assert "407 Proxy Authentication Required" in finding.cause


def test_tds_packets_are_taken_apart_wherever_they_are_cut() -> None:
    payload = bytes(range(256)) * 40
    packed = upgrade_tds.packets(payload)
    unpacker = upgrade_tds.Unpacker()
    assert b"".join(unpacker.feed(packed[i : i + 3]) for i in range(0, len(packed), 3)) == payload
    assert unpacker.feed(b"\x17\x03\x03plain TLS") == b"\x17\x03\x03plain TLS"


# -- OpenSSL's server; those of Debian's packages are in test_real_servers.py


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None:
            raise AssertionError(f"the server ended with {process.returncode}")
        time.sleep(0.05)
    raise AssertionError("the server does not listen")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command here")
def test_a_real_tls_server_of_openssl_is_verified(tmp_path: Path) -> None:
    (tmp_path / "chain.pem").write_bytes(LEAF.pem + MIDDLE.pem)
    (tmp_path / "key.pem").write_bytes(LEAF.key_pem)
    port = free_port()
    process = subprocess.Popen(
        ["openssl", "s_server", "-accept", str(port), "-cert", "chain.pem", "-key", "key.pem",
         "-cert_chain", "chain.pem", "-quiet"],
        cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(port, process)
        (examined,) = examine(port, store(ROOT), HOST, limits=Limits())
    finally:
        process.terminate()
        process.wait(10)
        if process.stdin is not None:
            process.stdin.close()
    assert examined.trusted is True
