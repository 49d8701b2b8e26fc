"""Servers that are broken or mean: each attempt ends within its deadlines, with evidence."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl
import struct
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from tls_lab import (
    HOST,
    SHORT,
    Manner,
    chain_context,
    examine,
    family,
    ids,
    make,
    name,
    server_context,
    serving,
    store,
    tls_manner,
)

from exatrust_udf.endpoint import Endpoint
from exatrust_udf.evidence import Evidence
from exatrust_udf.handshake import Limits, client_context, collect

ROOT, MIDDLE = family()
LEAF = make("leaf", MIDDLE)
QUICK = Limits(resolve=1, connect=1, handshake=0.5, in_flight=64)


def attempt(manner: Manner, options: str | None = None, limits: Limits = QUICK) -> Evidence:
    with serving(manner) as port:
        endpoint = Endpoint.parse("127.0.0.1", port, options)
        (evidence,) = collect([endpoint], client_context([ROOT.der]), limits)
    return evidence


def server_flight(chain_pem: bytes) -> bytes:
    """What a TLS 1.2 server sends after our ClientHello, captured in memory."""
    server = server_context(LEAF.key_pem, chain_pem)
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=HOST)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (ours, theirs):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    return to_client.read()


FLIGHT = server_flight(LEAF.pem + MIDDLE.pem)


def silent(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def saying(data: bytes, then: Manner | None = None) -> Manner:
    """Read the ClientHello, answer `data`, then close, or go on with `then`."""

    def manner(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(data)
        if then is not None:
            then(connection)

    return manner


def drip(data: bytes) -> Manner:
    def manner(connection: socket.socket) -> None:
        connection.recv(65536)
        for byte in data:
            connection.sendall(bytes([byte]))
            time.sleep(0.01)

    return manner


def echo(connection: socket.socket) -> None:
    while data := connection.recv(65536):
        connection.sendall(data)


def reset(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def record(kind: int, body: bytes) -> bytes:
    return bytes([kind, 3, 3]) + len(body).to_bytes(2, "big") + body


def message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def server_hello() -> bytes:
    end = 5 + int.from_bytes(FLIGHT[3:5], "big")
    return FLIGHT[:end]


def certificates(*ders: bytes) -> bytes:
    """A TLS 1.2 Certificate message with whatever bytes as certificates, in records."""
    body = b"".join(len(der).to_bytes(3, "big") + der for der in ders)
    whole = message(11, len(body).to_bytes(3, "big") + body)
    return b"".join(record(22, whole[i : i + 16000]) for i in range(0, len(whole), 16000))


def endless(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(server_hello())
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(record(22, message(11, bytes(16000))))


def old_tls(connection: socket.socket) -> None:
    context = server_context(LEAF.key_pem, LEAF.pem + MIDDLE.pem, weak=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    tls_manner(context)(connection)


def other_ciphers(connection: socket.socket) -> None:
    context = chain_context([LEAF, MIDDLE])
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-CCM8@SECLEVEL=0")
    tls_manner(context)(connection)


def wanting_certificate(version: ssl.TLSVersion) -> Manner:
    context = chain_context([LEAF, MIDDLE])
    context.minimum_version = context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=ROOT.pem.decode())
    return tls_manner(context)


def refusing_name(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(record(21, b"\x02\x70"))


MANNERS: dict[str, tuple[Manner, str, str]] = {
    "never answers": (silent, "TIMEOUT", "0 bytes"),
    "drips one byte at a time": (drip(FLIGHT), "TIMEOUT", "bytes received"),
    "closes at once": (lambda _: None, "CLOSED", "without an answer"),
    "closes after our hello": (saying(b""), "CLOSED", "without an answer"),
    "closes within its hello": (saying(FLIGHT[:20]), "CLOSED", "after 20 bytes"),
    "closes after its hello": (saying(server_hello()), "CLOSED", "ServerHello"),
    "closes after half the chain": (saying(FLIGHT[:400]), "CLOSED", "ServerHello"),
    "resets": (reset, "CLOSED", "without an answer"),
    "falls silent after its hello": (saying(server_hello(), silent), "TIMEOUT", "bytes"),
    "speaks plain HTTP": (
        saying(b"HTTP/1.1 400 Bad Request\r\n\r\n\0\n<h1>"),
        "NOT_TLS",
        r"first bytes: HTTP/1.1 400 Bad Request\r\n\r\n\x00\n",
    ),
    "greets like SMTP": (saying(b"220 mail.example ESMTP\r\n"), "NOT_TLS", "220 mail.example"),
    "echoes": (echo, "NOT_TLS", "echo"),
    "sends random bytes": (saying(bytes(range(128, 250))), "NOT_TLS", r"\x80\x81"),
    "sends DER garbage": (
        saying(server_hello() + certificates(b"\x30\x82\x01\x00garbage"), silent),
        "BAD_CERTIFICATE",
        "",
    ),
    "sends an empty chain": (
        saying(server_hello() + certificates(), silent),
        "HANDSHAKE_FAILED",
        "",
    ),
    "sends 1 MB of certificates": (
        saying(server_hello() + certificates(*[MIDDLE.der] * 2000), silent),
        "CHAIN_TOO_LARGE",
        "excessive message size",
    ),
    "sends without end": (endless, "HANDSHAKE_FAILED", ""),
    "speaks only old TLS": (old_tls, "PROTOCOL_VERSION", ""),
    "has other ciphers": (other_ciphers, "NO_CIPHER", ""),
    "does not know the name": (refusing_name, "UNRECOGNIZED_NAME", ""),
    "alerts": (saying(record(21, b"\x02\x50")), "ALERT", "internal error"),
    "wants a certificate, TLS 1.2": (
        wanting_certificate(ssl.TLSVersion.TLSv1_2),
        "CLIENT_CERT_REQUIRED",
        "",
    ),
    "wants a certificate, TLS 1.3": (
        wanting_certificate(ssl.TLSVersion.TLSv1_3),
        "CLIENT_CERT_REQUIRED",
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MANNERS, ids=list(MANNERS))
def test_a_broken_server_is_named_within_the_deadline(case: str) -> None:
    manner, finding, words = MANNERS[case]
    started = time.monotonic()
    with serving(manner) as port:
        (examined,) = examine(port, store(ROOT), limits=QUICK)
    assert time.monotonic() - started < 2.5
    problem = examined.case.evidence.problem
    assert problem is not None
    assert (problem.finding, problem.phase) == (finding, "handshake")
    assert words in problem.detail
    assert examined.findings[0].id == finding
    assert examined.findings[0].cause.isprintable()


def test_what_is_sent_before_a_failure_without_trust_is_kept() -> None:
    evidence = attempt(wanting_certificate(ssl.TLSVersion.TLSv1_3), "name=localhost sni=localhost")
    assert evidence.verify_code == 0
    assert len(evidence.received) == 2
    assert evidence.problem is not None


def served(*ders: bytes) -> ssl.SSLContext:
    pems = b"".join(map(str.encode, map(ssl.DER_cert_to_PEM_cert, ders)))
    return server_context(LEAF.key_pem, pems)


def cycle() -> list[bytes]:
    """A signed by B, B signed by A."""
    a = make("A", ca=True)
    b = make("B", a, ca=True)
    again = make("A", b, ca=True, key=a.key)
    return [again.der, b.der]


CHAINS: dict[str, Callable[[], list[bytes]]] = {
    "a hundred intermediates": lambda: [
        LEAF.der,
        *(make(f"I{n}", MIDDLE, ca=True).der for n in range(100)),
    ],
    "the same certificate fifty times": lambda: [LEAF.der, *[MIDDLE.der] * 50],
    "a cycle": lambda: [LEAF.der, *cycle()],
    "the leaf twice": lambda: [LEAF.der, LEAF.der, MIDDLE.der],
}


@pytest.mark.parametrize("case", CHAINS, ids=list(CHAINS))
def test_an_odd_chain_is_judged_and_every_certificate_of_it_kept(case: str) -> None:
    ders = CHAINS[case]()
    with serving(tls_manner(served(*ders))) as port:
        (examined,) = examine(port, store(ROOT))
    assert examined.case.evidence.received == tuple(ders)
    complete = MIDDLE.der in ders
    assert examined.trusted is complete
    missing = set() if complete else {"MISSING_INTERMEDIATE"}
    assert ids(examined) == {"EXTRA_CERTIFICATE"} | missing


def test_a_long_chain_of_real_issuers_is_followed_to_openssls_limit() -> None:
    chain = [make("top", ROOT, ca=True)]
    for number in range(110):
        chain.insert(0, make(f"level {number}", chain[0], ca=True))
    chain.insert(0, make("leaf", chain[0]))
    with serving(tls_manner(chain_context(chain))) as port:
        (examined,) = examine(port, store(ROOT))
    assert len(examined.case.evidence.received) == 112
    assert examined.findings[0].id == "CHAIN_TOO_LONG"
    assert examined.trusted is False


def test_ten_thousand_names_end_in_a_row() -> None:
    big = make("big", MIDDLE, san=[f"n{i}.example" for i in range(10_000)])
    with serving(tls_manner(chain_context([big, MIDDLE]))) as port:
        (examined,) = examine(port, store(ROOT))
    # OpenSSL stops at 100 kB of certificates: then nothing was judged.
    assert [finding.id for finding in examined.findings] == ["CHAIN_TOO_LARGE"]


def test_many_names_are_not_all_repeated_in_the_cause() -> None:
    big = make("big", MIDDLE, san=[f"n{i}.example" for i in range(3_000)])
    with serving(tls_manner(chain_context([big, MIDDLE]))) as port:
        (examined,) = examine(port, store(ROOT))
    (finding,) = examined.findings
    assert finding.id == "HOST_MISMATCH"
    assert "and 2995 more" in finding.cause
    assert len(finding.cause) < 600


def test_control_characters_of_a_name_are_escaped() -> None:
    evil = make(name("a\0b\r\nTRUSTED;\x1b[2J", "Lab"), MIDDLE, san=("evil.example",))
    with serving(tls_manner(chain_context([evil, MIDDLE]))) as port:
        (examined,) = examine(port, store(ROOT))
    (finding,) = examined.findings
    assert finding.id == "HOST_MISMATCH"
    assert finding.cause.isprintable()
    assert finding.subject is not None
    assert finding.subject.isprintable()
    assert r"\00" in finding.subject


@pytest.fixture
def blackhole() -> Iterator[int]:
    """A port whose backlog is full: connecting to it hangs."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fill = [socket.socket() for _ in range(8)]
    for sock in fill:
        sock.setblocking(False)
        sock.connect_ex(listener.getsockname())
    yield listener.getsockname()[1]
    for sock in [*fill, listener]:
        sock.close()


def test_a_connection_that_hangs_is_a_time_out_of_its_phase(blackhole: int) -> None:
    endpoint = Endpoint.parse("127.0.0.1", blackhole, "timeout=0.3")
    (evidence,) = collect([endpoint], client_context([ROOT.der]), QUICK)
    assert evidence.problem is not None
    assert (evidence.problem.finding, evidence.problem.phase) == ("TIMEOUT", "connect")
    assert evidence.connected is False
    assert 250 < (evidence.connect_ms or 0) < 1500


def test_hung_look_ups_neither_block_the_others_nor_outlive_their_deadline() -> None:
    release = threading.Event()

    def resolve(host: str, port: int) -> list[tuple[int, tuple[object, ...]]]:
        if host.startswith("hung"):
            release.wait(10)
        return [(socket.AF_INET, ("127.0.0.1", port))]

    limits = Limits(resolve=0.3, connect=1, handshake=1, in_flight=64)
    with serving(tls_manner(chain_context([LEAF, MIDDLE]))) as port:
        hung = [Endpoint.parse(f"hung{n}.example", port) for n in range(20)]
        good = Endpoint.parse(HOST, port)
        started = time.monotonic()
        found = list(collect([*hung, good], client_context([ROOT.der]), limits, resolve=resolve))
        took = time.monotonic() - started
    release.set()
    verdicts = {str(e.endpoint): e.verify_code for e in found}
    assert verdicts.pop(str(good)) == 0
    assert set(verdicts.values()) == {None}
    assert {e.problem.phase for e in found if e.problem} == {"resolve"}
    assert took < 3


def test_a_dead_name_server_is_not_waited_for_once_for_each_name() -> None:
    def resolve(host: str, port: int) -> list[tuple[int, tuple[object, ...]]]:
        time.sleep(5)
        raise OSError("no answer")

    limits = Limits(resolve=0.5, connect=1, handshake=1, in_flight=256)
    started = time.monotonic()
    endpoints = [Endpoint.parse(f"dead{n}.example", 443) for n in range(60)]
    found = list(collect(endpoints, client_context([ROOT.der]), limits, resolve=resolve))
    assert len(found) == 60
    assert time.monotonic() - started < 2.5


def test_the_dead_cost_one_time_out_together_not_each() -> None:
    limits = Limits(resolve=1, connect=1, handshake=0.5, in_flight=64)
    with serving(silent) as dead, serving(tls_manner(chain_context([LEAF, MIDDLE]))) as alive:
        ports = [dead] * 40 + [alive] * 10
        endpoints = [Endpoint.parse(HOST, p, f"timeout=0.{5 + n % 2}") for n, p in enumerate(ports)]
        started = time.monotonic()
        found = list(collect(endpoints, client_context([ROOT.der]), limits))
        took = time.monotonic() - started
    assert sum(e.verify_code == 0 for e in found) == 10
    assert sum(e.problem is not None and e.problem.finding == "TIMEOUT" for e in found) == 40
    assert took < 2


def test_the_next_address_is_tried_when_one_is_dead() -> None:
    def resolve(host: str, port: int) -> list[tuple[int, tuple[object, ...]]]:
        return [(socket.AF_INET, ("127.0.0.1", 1)), (socket.AF_INET, ("127.0.0.1", port))]

    with serving(tls_manner(chain_context([LEAF, MIDDLE]))) as port:
        (evidence,) = collect(
            [Endpoint.parse(HOST, port)], client_context([ROOT.der]), SHORT, resolve=resolve
        )
    assert evidence.verify_code == 0


def test_an_unknown_name_and_a_closed_port_are_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    endpoints = [Endpoint.parse("no-such-host.invalid", 443), Endpoint.parse("127.0.0.1", port)]
    found = {e.endpoint.host: e for e in collect(endpoints, client_context([ROOT.der]), SHORT)}
    kinds = {host: e.problem.finding for host, e in found.items() if e.problem}
    assert kinds == {"no-such-host.invalid": "DNS", "127.0.0.1": "REFUSED"}


def test_a_context_that_does_not_verify_is_refused() -> None:
    context = client_context([ROOT.der])
    context.check_hostname = False
    with pytest.raises(ValueError, match="only with verification"):
        list(collect([Endpoint.parse("127.0.0.1", 1)], context))


def test_no_descriptor_is_left_open() -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    with serving(silent) as dead, serving(saying(b"x" * 10)) as closing:
        endpoints = [Endpoint.parse(HOST, p, "timeout=0.2") for p in (dead, closing, 1)]
        context = client_context([ROOT.der])
        list(collect(endpoints, context, QUICK))
        before = count()
        for _ in range(5):
            list(collect(endpoints, context, QUICK))
            generator = collect(endpoints, context, QUICK)
            next(generator)
            generator.close()
        after = count()
    # The server's side of the connections is in this process, too.
    assert after - before < 25


def test_a_certificate_for_an_address_is_one_for_that_address_only() -> None:
    leaf = make("by address", MIDDLE, san=None, ips=("127.0.0.1",))
    with serving(tls_manner(chain_context([leaf, MIDDLE]))) as port:
        (right,) = examine(port, store(ROOT), "127.0.0.1")
        (wrong,) = examine(port, store(ROOT), HOST)
    assert right.trusted is True
    assert ids(wrong) == {"HOST_MISMATCH"}


def test_the_clock_given_decides_about_dates() -> None:
    from exatrust_udf.examine import Examiner

    with serving(tls_manner(chain_context([LEAF, MIDDLE]))) as port:
        endpoint = Endpoint.parse(HOST, port)
        (evidence,) = collect([endpoint], client_context([ROOT.der]), SHORT)
    assert x509.load_der_x509_certificate(evidence.received[0]).public_bytes(Encoding.DER)
    examiner = Examiner([store(), store(ROOT)])
    later = dt.datetime.now(dt.timezone.utc) + dt.timedelta(days=2000)
    _, examined = examiner.judge(evidence, later)
    assert ids(examined) == {"EXPIRED"}
    assert {f.depth for f in examined.findings} == {0, 1}
