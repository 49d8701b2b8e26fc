"""What ended an attempt before trust could matter: who it was, and what to do about it."""

from __future__ import annotations

import re
import socket
import struct
import time
from collections.abc import Callable

import pytest
from tls_lab import Manner, chain_context, examine, family, make, serving, store, tls_manner

from exatrust_udf import findings, greetings, wire, wording
from exatrust_udf.endpoint import PROTOCOLS, USUAL_PORTS, Endpoint
from exatrust_udf.evidence import CONNECT, HANDSHAKE, PROXY, RESOLVE, Evidence, Problem
from exatrust_udf.findings import Finding
from exatrust_udf.handshake import Limits
from exatrust_udf.obstacles import obstacle

ROOT, MIDDLE = family()
LEAF = make("leaf", MIDDLE)
QUICK = Limits(resolve=1, connect=1, handshake=0.5, in_flight=16)
SERVICE = "erp.example:443"
MYSQL = b"\x4a\0\0\0\x0a8.0.36\0" + bytes(40)
TLS_ALERT = b"\x15\x03\x01\0\x02\x02\x46"


def first(manner: Manner, options: str) -> Finding:
    """The primary finding about a server with this manner."""
    with serving(manner) as port:
        (examined,) = examine(port, store(ROOT), options=options, limits=QUICK)
    return examined.findings[0]


def told(
    finding: str, phase: str, options: str = "", heard: bytes = b"", port: int = 443
) -> Finding:
    """The finding about made-up evidence."""
    problem = Problem(finding, phase, "detail")
    endpoint = Endpoint.parse("erp.example", port, options)
    return obstacle(Evidence(endpoint, problem=problem, first_bytes=heard), problem)


def saying(data: bytes) -> Manner:
    """Read something, answer, and keep the connection."""

    def manner(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(data)
        time.sleep(2)

    return manner


def greeting(data: bytes) -> Manner:
    """Greet at once, as protocols do that begin without TLS, then wait."""

    def manner(connection: socket.socket) -> None:
        connection.sendall(data)
        time.sleep(2)

    return manner


def closing(connection: socket.socket) -> None:
    connection.recv(65536)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


# -- the proxy


@pytest.mark.parametrize(
    ("finding", "phase", "cause"),
    [
        ("DNS", RESOLVE, "The name of the proxy could not be resolved"),
        ("TIMEOUT", RESOLVE, "The proxy could not be reached in time"),
        ("TIMEOUT", CONNECT, "The proxy could not be reached in time"),
        ("REFUSED", CONNECT, "Nothing listens on the proxy's port"),
        ("UNREACHABLE", CONNECT, "no network route from this machine to the proxy"),
        ("CLOSED", CONNECT, "The proxy closed the connection at once"),
        ("TIMEOUT", PROXY, "took the connection, but did not open the tunnel"),
        ("CLOSED", PROXY, "closed it without opening the tunnel"),
    ],
)
def test_a_proxy_that_is_not_reached_is_named_with_its_port(
    finding: str, phase: str, cause: str
) -> None:
    found = told(finding, phase, "proxy=proxy.example:3128")
    assert found.id == finding
    assert cause in found.cause
    assert f"The proxy proxy.example:3128 for {SERVICE}: detail." in found.cause
    assert "proxy=proxy.example:3128" in found.action
    assert "port and that the service runs" not in found.action


@pytest.mark.parametrize(
    ("status", "cause", "action"),
    [
        ("403 Forbidden", "does not allow a tunnel", f"to allow CONNECT to {SERVICE}."),
        ("407 Proxy Authentication Required", "wants a login", "without a login"),
        ("502 Bad Gateway", "could not reach the service", f"reach {SERVICE}."),
        ("503 Service Unavailable", "could not reach the service", f"reach {SERVICE}."),
        ("504 Gateway Timeout", "could not reach the service", f"reach {SERVICE}."),
        ("501 Not Implemented", "does not open tunnels", "is an HTTP proxy that allows CONNECT"),
        ("429 Too Many Requests", "did not open a tunnel", "for the reason"),
    ],
)
def test_what_a_proxy_answers_for_the_service_decides_whom_to_ask(
    status: str, cause: str, action: str
) -> None:
    answer = f"HTTP/1.1 {status}\r\n\r\n".encode()
    found = told("PROXY_REFUSED", PROXY, "proxy=proxy.example:3128", answer)
    assert cause in found.cause
    assert action in found.action
    assert "proxy.example:3128" in found.cause
    assert "proxy.example:3128" in found.action


def test_a_real_proxy_that_forbids_is_told_from_one_that_is_not_there() -> None:
    with serving(saying(b"HTTP/1.1 403 Forbidden.\r\n\r\n")) as port:
        (forbids,) = examine(443, store(ROOT), "erp.example", f"proxy=127.0.0.1:{port}")
    (finding,) = forbids.findings
    assert finding.id == "PROXY_REFUSED"
    assert "does not allow a tunnel" in finding.cause
    assert finding.cause.endswith(
        f"The proxy 127.0.0.1:{port} for {SERVICE}: the proxy answers: HTTP/1.1 403 Forbidden."
    )
    nobody = closed_port()
    (absent,) = examine(443, store(ROOT), "erp.example", f"proxy=127.0.0.1:{nobody}")
    (finding,) = absent.findings
    assert finding.id == "REFUSED"
    assert f"The proxy 127.0.0.1:{nobody} for {SERVICE}" in finding.cause
    assert f"proxy=127.0.0.1:{nobody}" in finding.action


def test_what_is_no_proxy_is_told_so() -> None:
    with serving(saying(b"220 mail.example ESMTP\r\n")) as port:
        (examined,) = examine(443, store(ROOT), "erp.example", f"proxy=127.0.0.1:{port}")
    (finding,) = examined.findings
    assert finding.id == "PROXY_REFUSED"
    assert "does not open tunnels" in finding.cause
    assert "its answer is not HTTP: 220 mail.example" in finding.cause


def test_words_that_come_along_with_the_tunnel_are_not_taken_for_the_proxys() -> None:
    answer = b"HTTP/1.1 200 OK\r\n\r\n554 no service\r\n"
    with serving(saying(answer)) as port:
        options = f"proxy=127.0.0.1:{port} protocol=smtp"
        (examined,) = examine(443, store(ROOT), "erp.example", options)
    (finding,) = examined.findings
    assert finding.id == "TURNED_AWAY"
    assert "554 no service" in finding.cause
    assert f"{SERVICE} through the proxy 127.0.0.1:{port}" in finding.cause
    assert examined.case.evidence.first_bytes == b""


def test_behind_the_tunnel_it_is_the_service_that_fails() -> None:
    found = told("CLOSED", HANDSHAKE, "proxy=[2001:db8::1]:3128")
    assert f"{SERVICE} through the proxy [2001:db8::1]:3128: detail." in found.cause
    assert found.action.startswith(findings.KINDS["CLOSED"].action)


# -- the wrong protocol


@pytest.mark.parametrize("protocol", ["smtp", "imap", "pop3", "ftp", "mysql"])
def test_a_server_that_expects_tls_at_once_is_not_called_a_firewall(protocol: str) -> None:
    found = first(tls_manner(chain_context([LEAF, MIDDLE])), f"protocol={protocol}")
    assert found.id == "TIMEOUT"
    assert found.cause.startswith("The connection came about, but the server says nothing in ")
    assert "(upgrade)" in found.cause
    assert f"may expect TLS at once: leave protocol={protocol} out" in found.action
    assert "may not speak" in found.action
    assert "firewall" not in found.action.lower()


@pytest.mark.parametrize("protocol", ["postgres", "ldap", "tds"])
def test_an_alert_instead_of_the_upgrade_shows_that_tls_begins_at_once(protocol: str) -> None:
    def manner(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(TLS_ALERT)

    found = first(manner, f"protocol={protocol}")
    assert found.cause.startswith("The server speaks TLS at once")
    assert found.action == f"Leave protocol={protocol} out."


def test_a_server_that_falls_silent_after_its_greeting_is_not_told_to_leave_the_protocol_out() -> (
    None
):
    found = first(greeting(b"220 mail.example ESMTP\r\n"), "protocol=smtp")
    assert found.id == "TIMEOUT"
    assert "began to speak SMTP and fell silent" in found.cause
    assert "leave protocol=" not in found.action


def test_a_server_that_closes_without_a_word_may_expect_tls_too() -> None:
    found = first(closing, "protocol=ldap")
    assert (found.id, "without a word in LDAP" in found.cause) == ("CLOSED", True)
    assert "leave protocol=ldap out" in found.action


@pytest.mark.parametrize(
    ("heard", "protocol"),
    [
        (b"220 mail.example ESMTP Postfix\r\n", "smtp"),
        (b"220-FTP server ready\r\n", "ftp"),
        (b"* OK [CAPABILITY IMAP4rev1] ready\r\n", "imap"),
        (b"+OK ready\r\n", "pop3"),
        (MYSQL, "mysql"),
    ],
)
@pytest.mark.parametrize("options", ["", "protocol=other"])
def test_a_greeting_in_plain_names_the_protocol_to_give(
    heard: bytes, protocol: str, options: str
) -> None:
    # Any protocol that waits for the server's first word, but this one.
    other = "pop3" if protocol != "pop3" else "imap"
    found = first(greeting(heard), options.replace("other", other))
    assert found.id == "NOT_TLS"
    assert found.action.endswith(f"begins without TLS: give protocol={protocol}.")


@pytest.mark.parametrize(
    ("protocol", "replies", "spoken"),
    [
        ("ftp", [b"220 mail.example ESMTP Exim\r\n", b"503 not advertised\r\n"], "smtp"),
        ("smtp", [b"220 (vsFTPd 3.0.3)\r\n", b"530 Please login\r\n"], "ftp"),
    ],
)
def test_a_refusal_after_a_greeting_in_another_protocol_names_that_one(
    protocol: str, replies: list[bytes], spoken: str
) -> None:
    def manner(connection: socket.socket) -> None:
        for reply in replies:
            connection.sendall(reply)
            connection.recv(65536)

    found = first(manner, f"protocol={protocol}")
    assert found.id == "UPGRADE_REFUSED"
    assert "does not speak" in found.cause
    assert found.action.endswith(f"give protocol={spoken}.")


@pytest.mark.parametrize(
    ("protocol", "heard"),
    [
        ("smtp", b"554 no service here\r\n"),
        ("ftp", b"421 too many users\r\n"),
        ("imap", b"* BYE overloaded\r\n"),
        ("pop3", b"-ERR Auth process broken\r\n"),
        ("mysql", b"\x17\0\0\0\xff\x10\x04Too many connections"),
        ("postgres", b"E\0\0\0\x1dSFATAL\0Msorry, too many\0\0"),
    ],
)
def test_a_server_that_serves_nobody_is_not_told_to_enable_tls(protocol: str, heard: bytes) -> None:
    found = first(greeting(heard), f"protocol={protocol}")
    assert found.id == "TURNED_AWAY"
    assert re.findall(rb"[A-Za-z, ]{8,}", heard)[0].decode().lstrip("M") in found.cause
    assert "Enable TLS" not in found.action


@pytest.mark.parametrize(
    ("heard", "port", "words"),
    [
        (b"220 ready\r\n", 587, "protocol=smtp."),
        (b"220 ready\r\n", 21, "protocol=ftp."),
        (b"220 ready\r\n", 4711, "protocol=smtp for a mail server, protocol=ftp for"),
        (b"HTTP/1.1 400 Bad Request\r\n", 80, "port for HTTPS"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", 22, "SSH"),
    ],
)
def test_what_else_greets_in_plain_has_a_hint(heard: bytes, port: int, words: str) -> None:
    found = told("NOT_TLS", HANDSHAKE, heard=heard, port=port)
    assert words in found.action


def test_unknown_first_bytes_have_the_general_advice() -> None:
    assert greetings.hint(b"\x80\x81", 443) is None
    found = told("NOT_TLS", HANDSHAKE, heard=b"\x80\x81")
    assert found.action == findings.KINDS["NOT_TLS"].action


@pytest.mark.parametrize("port", sorted(USUAL_PORTS))
def test_silence_on_a_port_of_another_protocol_names_that_protocol(port: int) -> None:
    assert f"give protocol={USUAL_PORTS[port]}" in told("TIMEOUT", HANDSHAKE, port=port).action
    assert f"give protocol={USUAL_PORTS[port]}" in told("CLOSED", HANDSHAKE, port=port).action
    assert USUAL_PORTS[port] in PROTOCOLS


def test_silence_in_the_handshake_is_told_from_silence_of_the_network() -> None:
    handshake, connect = told("TIMEOUT", HANDSHAKE), told("TIMEOUT", CONNECT)
    assert "The connection came about" in handshake.cause
    assert "else give protocol=" in handshake.action
    assert connect.action == findings.KINDS["TIMEOUT"].action
    assert "DNS servers of this machine" in told("TIMEOUT", RESOLVE).action


# -- words that hold for a node of the database and for an administrator's machine


@pytest.mark.parametrize("kind", findings.KINDS.values(), ids=lambda kind: kind.id)
def test_a_finding_is_about_this_machine_whichever_it_is(kind: findings.Kind) -> None:
    texts = f"{kind.cause} {kind.action} {kind.certainty}"
    assert "this node" not in texts
    assert "database nodes" not in texts
    assert "the node" not in texts
    assert not {"{", "}"} & set(texts), "the words about an obstacle are filled in"


@pytest.mark.parametrize(
    ("said", "sentence"), [("no", "no."), ("No.", "No."), ("Why?", "Why?"), ("a...", "a...")]
)
def test_words_of_a_server_get_one_full_stop_at_most(said: str, sentence: str) -> None:
    assert wording.sentence(said) == sentence


# -- too many certificates


@pytest.mark.parametrize("bulk", ["names", "certificates"])
def test_too_many_certificates_are_called_so_and_not_a_failed_handshake(bulk: str) -> None:
    def names() -> list[object]:
        return [make("big", MIDDLE, san=[f"n{i}.example" for i in range(10_000)]), MIDDLE]

    def certificates() -> list[object]:
        return [LEAF, MIDDLE, *(make(f"CA {n}", ca=True) for n in range(300))]

    makers: dict[str, Callable[[], list[object]]] = {"names": names, "certificates": certificates}
    found = first(tls_manner(chain_context(makers[bulk]())), "")  # type: ignore[arg-type]
    assert (found.id, found.severity) == ("CHAIN_TOO_LARGE", "ERROR")
    assert "OpenSSL's limit of 100 kB" in found.cause
    assert "excessive message size" in found.cause
    assert "its own certificate and the intermediates" in found.action


def test_a_greeting_of_mysql_does_not_pass_for_tls() -> None:
    for size in range(40, 120):
        assert not wire.looks_like_tls(struct.pack("<I", size) + b"\x0a")


@pytest.mark.parametrize("number", [110, 111, 113, 114, 115, 120])
def test_every_alert_is_called_one(number: int) -> None:
    found = first(saying(b"\x15\x03\x03\0\x02\x02" + bytes([number])), "")
    assert found.id == "ALERT"
    assert "tlsv1" in found.cause
    assert "_ssl.c" not in found.cause


def test_a_server_that_speaks_first_behind_a_proxy_is_not_the_proxys_refusal() -> None:
    def manner(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n220 mail.example ESMTP\r\n")
        time.sleep(1)

    with serving(manner) as port:
        found = first(closing, f"proxy=127.0.0.1:{port}")
    assert found.id == "NOT_TLS"
    assert "220 mail.example" in found.cause
    assert "protocol=smtp" in found.action


def test_what_was_given_already_is_not_advised() -> None:
    found = told("TIMEOUT", HANDSHAKE, "protocol=tds", port=1433)
    assert "protocol=" not in found.action
    assert "SQL Server" in found.cause


def test_a_server_that_takes_tls_for_an_error_may_need_its_protocol() -> None:
    assert "give its protocol=" in first(closing, "").action
