"""Requests against real TLS servers on loopback, hostile ones among them."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest
import trustme

from exatrust_udf import https_arguments, https_credentials
from exatrust_udf.findings import Finding, make
from exatrust_udf.https_allowed import AllowList, Rule
from exatrust_udf.https_fetch import Answer, Fetcher, Idle
from exatrust_udf.https_url import Url
from exatrust_udf.https_wire import Network, Wire
from exatrust_udf.resolver import Address, system

from .web import Asked, Manner, Web, answer, sending, server_context, serving

CA = trustme.CA()
LEAF = CA.issue_cert("localhost", "other.localhost", "rebind.example", "127.0.0.1", "::1")
TRUSTING = ssl.create_default_context(cadata=CA.cert_pem.bytes().decode())
HERE = AllowList((Rule("localhost", None, "LOCAL"), Rule("other.localhost", None, "LOCAL")))


def looked(url: Url, address: Address) -> Finding:
    return make("CA_NOT_IN_TRUSTSTORE")


def resolve(host: str, port: int) -> list[Address]:
    return system("127.0.0.1" if host.endswith("localhost") else host, port)


NETWORK = Network(resolve=resolve)


def fetcher(allowed: AllowList = HERE, **network: Any) -> Fetcher:
    return Fetcher(allowed, TRUSTING, looked, Network(**{"resolve": resolve, **network}))


def serve(manner: Manner) -> AbstractContextManager[Web]:
    return serving(manner, server_context(LEAF))


def ask(
    url: str,
    method: str = "GET",
    options: str = "timeout=5",
    by: Fetcher | None = None,
    credentials: https_credentials.Credentials | None = None,
    **named: object,
) -> Answer:
    request = https_arguments.request({"method": method, "url": url, "options": options, **named})
    by = by or fetcher()
    try:
        return by.fetch(request, credentials)
    finally:
        by.idle.close()


def finding(found: Answer) -> str | None:
    return found.finding.id if found.finding else None


def cause(found: Answer) -> str:
    return found.finding.cause if found.finding else ""


def by_path(answers: Mapping[str, bytes]) -> Manner:
    def manner(asked: Asked, sock: ssl.SSLSocket) -> bool:
        sock.sendall(answers[asked.target])
        return True

    return manner


def redirect(to: str, status: int = 302) -> bytes:
    return answer(status, b"", {"Location": to})


def test_an_answer_has_status_headers_body_and_where_it_came_from() -> None:
    said = answer(404, b"nope", {"X-A": "1", "x-a": "2", "Set-Cookie": "a=b, c"})
    with serve(sending(said)) as web:
        found = ask(web.url("/x?y"), headers='{"X-Mine": "me"}')
    assert found.reply is not None
    assert (found.reply.status, found.reply.body.data) == (404, b"nope")
    assert found.reply.headers["x-a"] == "1, 2"
    assert (found.address, found.attempts, found.redirects) == ("127.0.0.1", 1, 0)
    (asked,) = web.asked
    assert (asked.method, asked.target) == ("GET", "/x?y")
    assert asked.headers["host"] == f"localhost:{web.port}"
    assert (asked.headers["x-mine"], asked.headers["accept-encoding"]) == ("me", "identity")


def test_a_body_and_a_method_are_sent() -> None:
    with serve(sending(answer())) as web:
        assert finding(ask(web.url(), "POST", body='{"ü": 1}')) is None
        assert finding(ask(web.url(), "DELETE")) is None
        assert finding(ask(web.url(), "HEAD")) is None
    post, delete, _ = web.asked
    assert (post.body, post.headers["content-type"]) == ('{"ü": 1}'.encode(), "application/json")
    assert "content-length" not in delete.headers


def test_connections_are_used_again_but_not_for_what_must_not_happen_twice() -> None:
    by = fetcher()
    with serve(sending(answer(200, b"x"))) as web:
        for method in ("GET", "GET", "PUT", "POST", "POST"):
            request = https_arguments.request({"method": method, "url": web.url()})
            assert by.fetch(request).finding is None
        by.idle.close()
    assert web.connections == 3


def test_a_connection_that_the_server_closed_meanwhile_is_replaced_without_a_retry() -> None:
    by = fetcher()
    with serve(sending(answer(200, b"x"), keep=False)) as web:
        for _ in range(3):
            found = by.fetch(https_arguments.request({"url": web.url()}))
            assert (finding(found), found.attempts) == (None, 1)
        by.idle.close()


def test_few_connections_wait_however_many_hosts_there_are() -> None:
    many = Idle()
    wires = [Waiting() for _ in range(100)]
    for number, wire in enumerate(wires):
        many.put(number, cast(Wire, wire))
    assert sum(wire.closed for wire in wires) == 100 - 32
    assert many.take(0) is None
    assert many.take(99) is wires[99]
    wires[98].idle = False
    assert many.take(98) is None
    assert wires[98].closed


def test_a_server_that_is_silent_on_a_used_connection_is_not_asked_once_more() -> None:
    def first_only(asked: Asked, sock: ssl.SSLSocket) -> bool:
        if asked.target == "/slow":
            time.sleep(1)
        sock.sendall(answer())
        return True

    by = fetcher()
    with serve(first_only) as web:
        by.fetch(https_arguments.request({"url": web.url()}))
        slow = https_arguments.request({"url": web.url("/slow"), "options": "timeout=0.3"})
        found = by.fetch(slow)
        by.idle.close()
    assert (finding(found), found.attempts, web.connections) == ("TIMEOUT", 1, 1)
    assert "bytes of it received" in cause(found)


@dataclass(eq=False)
class Waiting:
    """What is kept of a connection that waits."""

    idle: bool = True
    closed: bool = False

    def close(self) -> None:
        self.closed = True


def test_bytes_after_an_answer_do_not_become_the_next_one() -> None:
    by = fetcher()
    poisoned = answer(200, b"mine") + answer(200, b"poison")
    with serve(sending(poisoned)) as web:
        for _ in range(2):
            found = by.fetch(https_arguments.request({"url": web.url()}))
            assert found.reply is not None
            assert found.reply.body.data == b"mine"
        by.idle.close()
    assert web.connections == 2


# -- where a request may go


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("http://localhost/", "only https is spoken"),
        ("http://169.254.169.254/latest/meta-data/", "only https is spoken"),
        ("https://2130706433/", "no IPv4 address"),
        ("https://u:planted@localhost/", "CONNECTION"),
        ("/a\tb", "control characters"),
        ("file:///etc/passwd", "only https is spoken"),
    ],
)
def test_a_redirect_to_anything_but_a_plain_https_url_is_refused(to: str, why: str) -> None:
    with serve(sending(redirect(to))) as web:
        found = ask(web.url())
    assert (finding(found), len(web.asked)) == ("HTTP_REDIRECT", 1)
    assert why in cause(found)
    assert "planted" not in cause(found)
    assert found.reply is not None
    assert found.reply.status == 302


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]",
             "0.0.0.0", "[2002:7f00:1::]"],
)  # fmt: skip
def test_a_redirect_to_an_address_that_is_not_allowed_is_refused_before_it_is_connected_to(
    host: str,
) -> None:
    allowed = AllowList((*HERE.rules, Rule("*")))
    with serve(sending(answer(200, b"secret"))) as inside:
        to = redirect(f"https://{host}:{inside.port}/")
        with serve(sending(to)) as web:
            found = ask(web.url(), by=fetcher(allowed))
    assert finding(found) == "HTTP_ADDRESS_NOT_ALLOWED"
    assert (len(web.asked), inside.connections) == (1, 0)


def test_a_redirect_to_a_host_that_is_not_listed_is_refused() -> None:
    only = AllowList((Rule("localhost", None, "LOCAL"),))
    with serve(sending(redirect("https://other.localhost/"))) as web:
        found = ask(web.url(), by=fetcher(only))
    assert finding(found) == "HTTP_HOST_NOT_ALLOWED"
    assert "other.localhost:443" in cause(found)


def test_a_host_that_is_not_listed_is_not_even_looked_up() -> None:
    def never(host: str, port: int) -> list[Address]:
        raise AssertionError(host)

    found = ask("https://evil.example/", by=fetcher(resolve=never))
    assert finding(found) == "HTTP_HOST_NOT_ALLOWED"


@pytest.mark.parametrize("rules", [(), (Rule("*"),), (Rule("rebind.example", None, "PUBLIC"),)])
def test_dns_that_changes_between_check_and_connect_changes_nothing(
    rules: tuple[Rule, ...],
) -> None:
    """A resolver that says something harmless first, and this machine the second time."""
    answers = iter(["192.0.2.1", "127.0.0.1", "127.0.0.1"])
    asked = []

    def rebinding(host: str, port: int) -> list[Address]:
        asked.append(host)
        return [(socket.AF_INET, (next(answers), port))]

    with serve(sending(answer(200, b"secret"))) as web:
        url = web.url(host="rebind.example")
        first = ask(
            url, options="retries=0 timeout=2", by=fetcher(AllowList(rules), resolve=rebinding)
        )
        second = ask(
            url, options="retries=0 timeout=2", by=fetcher(AllowList(rules), resolve=rebinding)
        )
    assert finding(first) == finding(second) == "HTTP_ADDRESS_NOT_ALLOWED"
    assert "loopback" in cause(second)
    assert (asked, web.connections) == (["rebind.example"] * 2, 0)


def test_every_attempt_connects_to_the_very_address_it_checked() -> None:
    """The name is looked up once for each connection: what is checked is what is connected to."""
    looked_up: list[str] = []

    def alternating(host: str, port: int) -> list[Address]:
        looked_up.append(host)
        inside = len(looked_up) % 2 == 0
        return [(socket.AF_INET, ("127.0.0.2" if inside else "127.0.0.1", port))]

    allowed = AllowList((Rule("rebind.example", None, "LOCAL"),))
    with serve(sending(answer(200, b"x"))) as web:
        found = ask(web.url(host="rebind.example"), by=fetcher(allowed, resolve=alternating))
    assert (found.address, len(looked_up)) == ("127.0.0.1", 1)


def test_of_several_addresses_only_those_allowed_are_tried() -> None:
    def both(host: str, port: int) -> list[Address]:
        return [(socket.AF_INET, ("0.0.0.0", port)), (socket.AF_INET, ("127.0.0.1", port))]

    allowed = AllowList((Rule("rebind.example", None, "LOCAL"),))
    with serve(sending(answer())) as web:
        found = ask(web.url(host="rebind.example"), by=fetcher(allowed, resolve=both))
    assert (finding(found), found.address) == (None, "127.0.0.1")


# -- redirects


def test_redirects_are_followed_and_counted() -> None:
    answers = {"/": redirect("/b", 301), "/b": redirect("c", 308), "/c": answer(200, b"end")}
    with serve(by_path(answers)) as web:
        found = ask(web.url())
        stopped = ask(web.url(), options="redirects=1")
        given = ask(web.url(), options="redirects=0")
    assert (str(found.url), found.redirects, found.attempts) == (web.url("/c"), 2, 3)
    assert finding(stopped) == "HTTP_REDIRECT"
    assert "more than 1" in cause(stopped).lower()
    assert given.reply is not None
    assert (given.reply.status, finding(given)) == (301, None)


@pytest.mark.parametrize(
    ("status", "method", "expected"),
    [(301, "POST", "GET"), (302, "POST", "GET"), (303, "PUT", "GET"), (307, "POST", "POST"),
     (308, "PUT", "PUT"), (302, "PUT", "PUT"), (303, "HEAD", "HEAD")],
)  # fmt: skip
def test_a_redirect_keeps_or_changes_the_method_as_http_says(
    status: int, method: str, expected: str
) -> None:
    body = {} if method == "HEAD" else {"body": "{}"}
    with serve(by_path({"/": redirect("/b", status), "/b": answer()})) as web:
        assert finding(ask(web.url(), method, **body)) is None
    last = web.asked[-1]
    assert last.method == expected
    assert last.body == (b"{}" if expected in ("POST", "PUT") else b"")


def basic(web: Web) -> https_credentials.Credentials:
    connection = SimpleNamespace(address=web.url("/"), user="alice", password="planted")
    return https_credentials.read("API", connection)


def test_credentials_and_headers_stay_with_their_host_even_if_it_comes_back() -> None:
    with (
        serve(lambda asked, sock: elsewhere(asked, sock)) as first,
        serve(lambda asked, sock: back(asked, sock)) as second,
    ):

        def elsewhere(asked: Asked, sock: ssl.SSLSocket) -> bool:
            home = asked.target == "/home"
            sock.sendall(answer() if home else redirect(second.url("/", "other.localhost")))
            return True

        def back(asked: Asked, sock: ssl.SSLSocket) -> bool:
            sock.sendall(redirect(first.url("/home")))
            return True

        headers = '{"X-Tenant": "planted", "Accept": "text/csv"}'
        found = ask(first.url("/start"), credentials=basic(first), headers=headers)
    assert finding(found) is None
    assert [asked.target for asked in first.asked] == ["/start", "/home"]
    assert first.asked[0].headers["authorization"].startswith("Basic ")
    for asked in (second.asked[0], first.asked[1]):
        assert "planted" not in str(asked.headers)
        assert "authorization" not in asked.headers
        assert asked.headers["accept"] == "text/csv"


def test_a_header_of_the_row_does_not_stand_beside_the_one_of_the_connection() -> None:
    with serve(sending(answer())) as web:
        connection = SimpleNamespace(address=web.url("/"), user="header:X-Key", password="right")
        credentials = https_credentials.read("API", connection)
        ask(web.url(), credentials=credentials, headers='{"x-key": "wrong", "ACCEPT": "a/b"}')
    (asked,) = web.asked
    assert (asked.headers["x-key"], asked.headers["accept"]) == ("right", "a/b")


def test_another_port_is_another_host_for_credentials() -> None:
    with serve(sending(answer())) as other, serve(sending(redirect(other.url()))) as web:
        assert finding(ask(web.url(), credentials=basic(web))) is None
    assert "authorization" not in other.asked[0].headers


@pytest.mark.parametrize("status", [307, 308])
def test_what_changes_something_is_not_sent_on_to_another_host(status: int) -> None:
    with serve(sending(answer())) as other, serve(sending(redirect(other.url(), status))) as web:
        found = ask(web.url(), "POST", body="planted")
    assert (finding(found), other.connections) == ("HTTP_REDIRECT", 0)


# -- retries


class Naps:
    """A sleep that only notes how long."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def failing(*statuses: int, headers: Mapping[str, str] | None = None) -> Manner:
    left = list(statuses)

    def manner(asked: Asked, sock: ssl.SSLSocket) -> bool:
        status = left.pop(0) if left else 200
        sock.sendall(answer(status, b"", headers if status != 200 else None))
        return True

    return manner


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_passes_is_tried_again_with_growing_pauses(status: int) -> None:
    naps = Naps()
    with serve(failing(status, status)) as web:
        found = ask(web.url(), by=fetcher(sleep=naps))
    assert (found.attempts, found.reply and found.reply.status) == (3, 200)
    first, second = naps.taken
    assert 0.25 <= first <= 0.5 <= second <= 1.0


def test_what_does_not_pass_or_must_not_happen_twice_is_tried_once() -> None:
    naps = Naps()
    for method, status in (("GET", 500), ("POST", 503), ("PATCH", 502)):
        with serve(failing(status, status)) as web:
            found = ask(web.url(), method, by=fetcher(sleep=naps))
        assert (found.attempts, found.reply and found.reply.status) == (1, status)
    assert naps.taken == []


@pytest.mark.parametrize("after", ["2", "Thu, 01 Jan 2026 00:00:02 GMT"])
def test_retry_after_is_obeyed_within_the_time_limit(after: str) -> None:
    naps, now = Naps(), 1767225600.0
    with serve(failing(503, headers={"Retry-After": after})) as web:
        found = ask(web.url(), by=fetcher(sleep=naps, now=lambda: now))
        assert found.attempts == 2
        assert naps.taken == [pytest.approx(2.0)]


@pytest.mark.parametrize("after", ["3600", "9" * 100, "Thu, 01 Jan 2099 00:00:00 GMT"])
def test_a_server_that_wants_a_longer_pause_gets_its_answer_into_the_row(after: str) -> None:
    naps = Naps()
    with serve(failing(429, headers={"Retry-After": after})) as web:
        found = ask(web.url(), by=fetcher(sleep=naps))
    assert (found.attempts, found.reply and found.reply.status, naps.taken) == (1, 429, [])


def test_a_connection_that_breaks_is_tried_again_for_what_may_happen_twice() -> None:
    def breaking(asked: Asked, sock: ssl.SSLSocket) -> bool:
        return False

    naps = Naps()
    with serve(breaking) as web:
        got = ask(web.url(), by=fetcher(sleep=naps))
        posted = ask(web.url(), "POST", by=fetcher(sleep=naps))
    assert (finding(got), got.attempts) == ("HTTP_INCOMPLETE", 3)
    assert (finding(posted), posted.attempts) == ("HTTP_INCOMPLETE", 1)


def test_a_port_where_nothing_listens_is_tried_again_and_then_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    found = ask(f"https://localhost:{port}/", by=fetcher(sleep=Naps()))
    assert (finding(found), found.attempts) == ("REFUSED", 3)


def test_a_name_that_nobody_knows_is_not_tried_again() -> None:
    def unknown(host: str, port: int) -> list[Address]:
        raise socket.gaierror(-2, "Name or service not known")

    found = ask("https://localhost/", by=fetcher(resolve=unknown))
    assert (finding(found), found.attempts) == ("DNS", 1)


# -- servers that are slow, endless or no web servers


def slowly(data: bytes, pause: float = 0.05) -> Manner:
    def manner(asked: Asked, sock: ssl.SSLSocket) -> bool:
        for byte in data:
            sock.sendall(bytes((byte,)))
            time.sleep(pause)
        return True

    return manner


@pytest.mark.parametrize(
    "data",
    [b"HTTP/1.1 200 OK" + b" " * 900, answer(200, b"x" * 900), b"HTTP/1.1 100 C\r\n\r\n" * 40],
    ids=["status line", "body", "interim answers"],
)  # fmt: skip
def test_a_server_that_drips_is_stopped_by_the_time_limit(data: bytes) -> None:
    with serve(slowly(data)) as web:
        begun = time.monotonic()
        found = ask(web.url(), options="timeout=0.6")
    assert finding(found) == "TIMEOUT"
    assert "bytes of it received" in cause(found)
    assert time.monotonic() - begun < 2


def test_a_resolver_that_hangs_is_stopped_by_the_time_limit() -> None:
    def hanging(host: str, port: int) -> list[Address]:
        time.sleep(3)
        return []

    begun = time.monotonic()
    found = ask("https://localhost/", options="timeout=0.3", by=fetcher(resolve=hanging))
    assert finding(found) == "TIMEOUT"
    assert time.monotonic() - begun < 2


def test_a_server_that_never_shakes_hands_is_stopped_by_the_time_limit() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = ask(f"https://localhost:{silent.getsockname()[1]}/", options="timeout=0.3")
    assert finding(found) == "TIMEOUT"
    assert "does not answer the beginning of TLS" in cause(found)


def test_a_body_without_end_is_cut_and_the_connection_closed() -> None:
    def endless(asked: Asked, sock: ssl.SSLSocket) -> bool:
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            sock.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    with serve(endless) as web:
        found = ask(web.url())
    assert found.reply is not None
    assert found.reply.body.cut
    assert len(found.reply.body.data) == 8_000_000


def test_a_gzip_bomb_is_cut_where_gzip_was_asked_for_and_refused_where_not() -> None:
    bomb = answer(200, gzip.compress(b"\0" * (100 << 20), 9), {"Content-Encoding": "gzip"})
    with serve(sending(bomb)) as web:
        cut = ask(web.url(), options="gzip=yes")
        refused = ask(web.url())
    assert cut.reply is not None
    assert (cut.reply.body.cut, len(cut.reply.body.data)) == (True, 8_000_000)
    assert finding(refused) == "HTTP_BODY_ENCODING"
    assert web.asked[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "HTTP_MALFORMED"),
        (b"HTTP/1.1 abc\r\n\r\n", "HTTP_MALFORMED"),
        (b"HTTP/2 200 OK\r\n\r\n", "HTTP_MALFORMED"),
        (b"HTTP/1.1 101 Switching\r\n\r\n", "HTTP_MALFORMED"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP_MALFORMED",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP_MALFORMED",
        ),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000 + b"\r\n\r\n", "HTTP_TOO_LARGE"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "HTTP_MALFORMED"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "HTTP_INCOMPLETE"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nha", "HTTP_INCOMPLETE"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP_INCOMPLETE"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "HTTP_BODY_ENCODING"),
        (b"HTTP/1.1 200 OK\r\nConte", "HTTP_INCOMPLETE"),
        (b"", "HTTP_INCOMPLETE"),
    ],
)
def test_what_is_no_complete_answer_is_said_to_be_none(said: bytes, expected: str) -> None:
    with serve(sending(said, keep=False)) as web:
        assert finding(ask(web.url(), options="retries=0 timeout=5")) == expected


def test_interim_answers_are_passed_over() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    with serve(sending(interim + answer(200, b"x"))) as web:
        found = ask(web.url())
    assert found.reply is not None
    assert (found.reply.status, found.reply.body.data) == (200, b"x")
    assert "link" not in found.reply.headers


def test_an_answer_that_ends_with_the_connection_must_end_as_tls_ends() -> None:
    head = b"HTTP/1.1 200 OK\r\n\r\n"

    def properly(asked: Asked, sock: ssl.SSLSocket) -> bool:
        sock.sendall(head + b"whole")
        sock.unwrap()
        return False

    def cut_off(asked: Asked, sock: ssl.SSLSocket) -> bool:
        sock.sendall(head + b"ha")
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
        return False

    with serve(properly) as web:
        found = ask(web.url())
    assert found.reply is not None
    assert found.reply.body.data == b"whole"
    with serve(cut_off) as web:
        assert finding(ask(web.url(), options="retries=0")) == "HTTP_INCOMPLETE"


def test_a_server_that_refuses_a_large_body_before_it_has_read_it_is_heard() -> None:
    context = server_context(LEAF)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            connection, _ = listener.accept()
            with context.wrap_socket(connection, server_side=True) as tls:
                tls.recv(1000)
                tls.sendall(answer(413, b"no"))
                while tls.recv(65536):  # else a reset would overtake the answer
                    pass

        thread = threading.Thread(target=refuse)
        thread.start()
        url = f"https://localhost:{listener.getsockname()[1]}/"
        found = ask(url, "POST", body="x" * 100_000)
        thread.join(5)
    assert found.reply is not None
    assert found.reply.status == 413


# -- TLS


def test_a_server_that_nobody_vouches_for_is_not_talked_to_and_looked_at() -> None:
    seen: list[tuple[Url, Address]] = []

    def look(url: Url, address: Address) -> Finding:
        seen.append((url, address))
        return make("CA_NOT_IN_TRUSTSTORE")

    other = trustme.CA().issue_cert("localhost")
    with serving(sending(answer()), server_context(other)) as web:
        by = Fetcher(HERE, TRUSTING, look, NETWORK)
        found = ask(web.url(), by=by)
    assert (finding(found), web.asked, found.attempts) == ("CA_NOT_IN_TRUSTSTORE", [], 1)
    ((_, address),) = seen
    assert address == (socket.AF_INET, ("127.0.0.1", web.port))


def test_where_a_second_handshake_succeeds_the_first_one_tells_what_it_knows() -> None:
    other = trustme.CA().issue_cert("localhost")
    with serving(sending(answer()), server_context(other)) as web:
        found = ask(web.url(), by=Fetcher(HERE, TRUSTING, lambda url, address: None, NETWORK))
    assert finding(found) == "VERIFY_ERROR"
    assert "unable to get local issuer certificate" in cause(found)


def test_a_client_certificate_that_the_server_refuses_is_said_to_be_refused() -> None:
    stranger = trustme.CA().issue_cert("client.example").private_key_and_cert_chain_pem
    with serving(sending(answer()), server_context(LEAF, client_ca=CA)) as web:
        pem = stranger.bytes().decode()
        connection = SimpleNamespace(address=web.url("/"), user="certificate:", password=pem)
        credentials = https_credentials.read("CERT", connection)
        client = ssl.create_default_context(cadata=CA.cert_pem.bytes().decode())
        https_credentials.client_context(client, credentials)
        request = https_arguments.request({"url": web.url(), "options": "retries=0"})
        found = fetcher().fetch(request, credentials, client)
    assert finding(found) == "ALERT"
    assert not web.asked


def test_a_context_that_does_not_verify_is_a_bug_and_no_row() -> None:
    careless = ssl.create_default_context()
    careless.check_hostname = False
    with pytest.raises(ValueError, match="only with verification"), serve(sending(answer())) as web:
        ask(web.url(), by=Fetcher(HERE, careless, looked, NETWORK))


def test_a_client_certificate_is_shown_to_its_host_alone() -> None:
    pem = CA.issue_cert("client.example", common_name="The Client").private_key_and_cert_chain_pem
    context = server_context(LEAF, client_ca=CA)
    with serving(sending(answer(200, b"in")), context) as web:
        connection = SimpleNamespace(
            address=web.url("/"), user="certificate:", password=pem.bytes().decode()
        )
        credentials = https_credentials.read("CERT", connection)
        client = ssl.create_default_context(cadata=CA.cert_pem.bytes().decode())
        https_credentials.client_context(client, credentials)
        by = fetcher()
        found = by.fetch(https_arguments.request({"url": web.url()}), credentials, client)
        assert (finding(found), web.client) == (None, "The Client")
        without = by.fetch(https_arguments.request({"url": web.url()}))
        assert finding(without) == "CA_NOT_IN_TRUSTSTORE"  # what the look says
        by.idle.close()
    assert len(web.asked) == 1
