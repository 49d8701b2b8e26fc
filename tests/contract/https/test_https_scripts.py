"""HTTPS_GET, HTTPS_REQUEST and HTTPS_JSON, called as an analyst calls them."""

from __future__ import annotations

import gzip
import json
import re
import socket
import ssl
import threading
import time
from contextlib import closing, suppress

import pytest
import trustme

from exatrust.credentials import Secret
from exatrust.database import Database
from exatrust.dsn import parse_dsn
from exatrust.settings import DatabaseSettings
from exatrust_sandbox.cluster import Sandbox
from exatrust_sandbox.pki import Authorities

from ..running import Rows
from .conftest import Ask, Serve
from .web import Asked, answer, sending, server_context, serving

SECRET = "s3cr3t-planted"


def echo(asked: Asked, sock: ssl.SSLSocket) -> bool:
    """The request as JSON."""
    told = {"method": asked.method, "target": asked.target, "headers": dict(asked.headers)}
    body = json.dumps({**told, "body": asked.body.decode()}).encode()
    sock.sendall(answer(200, body, {"Content-Type": "application/json"}))
    return True


def test_one_row_tells_what_was_answered(ask: Ask, serve: Serve) -> None:
    said = answer(200, "grüße".encode(), {"Content-Type": "text/plain", "X-A": "b"})
    with serve(sending(said)) as web:
        (row,) = ask(f"SELECT EXATRUST.HTTPS_GET('{web.url('/x?y=z')}')")
    assert (row["STATUS"], row["BODY"], row["FINDING"]) == (200, "grüße", None)
    assert json.loads(row["HEADERS"])["x-a"] == "b"
    assert (row["URL"], row["FINAL_URL"]) == (web.url("/x?y=z"),) * 2
    assert (row["RESOLVED_IP"], row["ATTEMPTS"], row["REDIRECTS"]) == ("127.0.0.1", 1, 0)
    assert row["DURATION_MS"] > 0
    assert (row["LANGUAGE_ALIAS"], row["ID"]) == ("PYTHON3", None)


def test_many_rows_at_once_come_back_with_their_ids(ask: Ask, serve: Serve) -> None:
    count = 400

    def manner(asked: Asked, sock: ssl.SSLSocket) -> bool:
        number = int(asked.target.rpartition("/")[2])
        time.sleep(0.02 if number % 7 else 0.1)
        sock.sendall(answer(200, f"answer {number}".encode()))
        return True

    with serve(manner) as web:
        rows = ask(
            f"SELECT EXATRUST.HTTPS_GET('{web.url('/item/')}' || n, n, 'timeout=20')"
            f" FROM VALUES BETWEEN 1 AND {count} AS v(n)"
        )
    assert {row["ID"]: row["BODY"] for row in rows} == {
        str(n): f"answer {n}" for n in range(1, count + 1)
    }
    assert [row["FINDING"] for row in rows] == [None] * count
    assert 1 < web.most_at_once <= 4  # for one host
    assert web.connections <= 8  # and they are used again


def test_a_slow_host_does_not_hold_up_another(ask: Ask, serve: Serve) -> None:
    def slow(asked: Asked, sock: ssl.SSLSocket) -> bool:
        time.sleep(0.3)
        sock.sendall(answer())
        return True

    with serve(slow) as one, serve(sending(answer())) as two:
        rows = ask(
            "SELECT EXATRUST.HTTPS_GET(u, n) FROM ("
            f"SELECT '{one.url(host='127.0.0.1')}' AS u, 'slow' || n AS n"
            " FROM VALUES BETWEEN 1 AND 12 AS a(n)"
            f" UNION ALL SELECT '{two.url()}', 'fast' || n FROM VALUES BETWEEN 1 AND 30 AS b(n))"
        )
    assert {row["STATUS"] for row in rows} == {200}
    order = [row["ID"][:4] for row in rows]
    assert sorted(order) == ["fast"] * 30 + ["slow"] * 12
    # The slow ones take three rounds of four; the others are there after the first.
    assert order[-8:] == ["slow"] * 8


def test_a_request_sends_method_headers_and_body(ask: Ask, serve: Serve) -> None:
    with serve(echo) as web:
        (row,) = ask(
            f"SELECT EXATRUST.HTTPS_REQUEST('post', '{web.url()}',"
            """ '{"X-Mine": "me"}', '{"a": "ü"}', NULL, 7)"""
        )
    told = json.loads(row["BODY"])
    assert (told["method"], told["body"], told["headers"]["x-mine"]) == ("POST", '{"a": "ü"}', "me")
    assert told["headers"]["content-type"] == "application/json"
    assert (row["ID"], row["HTTP_METHOD"]) == ("7", "POST")


def test_a_value_is_looked_up_for_each_row(ask: Ask, serve: Serve) -> None:
    document = b'{"rates": {"USD": 1.10, "CHF": null, "JPY": [1, 2]}}'
    with serve(sending(answer(200, document))) as web:
        rows = ask(
            f"SELECT EXATRUST.HTTPS_JSON('{web.url()}', '/rates/' || c, NULL, c) FROM ("
            "SELECT 'USD' AS c UNION ALL SELECT 'CHF' UNION ALL"
            " SELECT 'JPY' UNION ALL SELECT 'XXX')"
        )
    found = {row["ID"]: (row["VALUE_TEXT"], row["VALUE_TYPE"], row["FINDING"]) for row in rows}
    assert found == {
        "USD": ("1.10", "number", None),
        "CHF": (None, "null", None),
        "JPY": ("[1, 2]", "array", None),
        "XXX": (None, None, "HTTP_JSON_NOTHING_THERE"),
    }
    assert web.asked[0].headers["accept"] == "application/json"


@pytest.mark.parametrize(
    ("said", "finding"),
    [
        (answer(200, b"<html>"), "HTTP_BODY_NOT_JSON"),
        (answer(404, b"{}"), "HTTP_STATUS"),
        (answer(200, b'"' + b"x" * 8_000_001 + b'"'), "HTTP_TOO_LARGE"),
    ],
    ids=["html", "404", "large"],
)
def test_an_answer_without_the_value_says_why(
    ask: Ask, serve: Serve, said: bytes, finding: str
) -> None:
    with serve(sending(said)) as web:
        (row,) = ask(f"SELECT EXATRUST.HTTPS_JSON('{web.url()}', '')")
    assert (row["FINDING"], row["VALUE_TEXT"]) == (finding, None)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (answer(503, b"busy", {"Retry-After": "999"}), (503, "HTTP_STATUS", "ERROR", 4)),
        (answer(200, b"x" * 3_000_000), (200, "HTTP_TOO_LARGE", "WARNING", 2_000_000)),
        (answer(200, "€".encode() * 1_999_999), (200, None, None, 1_999_999)),
        (answer(200, b"\x89PNG\xff\0"), (200, "HTTP_BODY_NOT_TEXT", "ERROR", None)),
        (answer(200, b""), (200, None, None, None)),
    ],
    ids=["status", "large", "just fits", "no text", "empty"],
)
def test_a_body_is_in_the_row_as_far_as_it_can_be(
    ask: Ask, serve: Serve, said: bytes, expected: tuple[object, ...]
) -> None:
    with serve(sending(said)) as web:
        (row,) = ask(f"SELECT EXATRUST.HTTPS_GET('{web.url()}')")
    length = None if row["BODY"] is None else len(row["BODY"])
    assert (row["STATUS"], row["FINDING"], row["SEVERITY"], length) == expected


def test_a_gzip_bomb_is_a_row(ask: Ask, serve: Serve) -> None:
    bomb = gzip.compress(b"a" * (200 << 20), 9)
    with serve(sending(answer(200, bomb, {"Content-Encoding": "gzip"}))) as web:
        rows = ask(
            f"SELECT EXATRUST.HTTPS_GET('{web.url()}', n, 'gzip=yes')"
            " FROM VALUES BETWEEN 1 AND 8 AS v(n)"
        )
        (refused,) = ask(f"SELECT EXATRUST.HTTPS_GET('{web.url()}')")
    assert {(r["FINDING"], r["SEVERITY"], len(r["BODY"])) for r in rows} == {
        ("HTTP_TOO_LARGE", "WARNING", 2_000_000)
    }
    assert refused["FINDING"] == "HTTP_BODY_ENCODING"


@pytest.mark.parametrize(
    ("to", "finding"),
    [
        ("http://localhost:1/", "HTTP_REDIRECT"),
        ("http://169.254.169.254/latest/meta-data/", "HTTP_REDIRECT"),
        ("https://169.254.169.254/latest/meta-data/", "HTTP_HOST_NOT_ALLOWED"),
        ("https://[::ffff:127.0.0.1]/", "HTTP_HOST_NOT_ALLOWED"),
        ("https://2130706433/", "HTTP_REDIRECT"),
    ],
)
def test_a_redirect_into_the_network_is_refused(
    ask: Ask, serve: Serve, to: str, finding: str
) -> None:
    with serve(sending(answer(302, b"", {"Location": to}))) as web:
        (row,) = ask(f"SELECT EXATRUST.HTTPS_GET('{web.url()}')")
    assert (row["FINDING"], row["STATUS"], len(web.asked)) == (finding, 302, 1)


def test_what_is_no_request_is_a_row_and_the_others_are_made(ask: Ask, serve: Serve) -> None:
    bad = ["http://localhost/", "https://user:planted@localhost/", "https://0x7f.1/", "nonsense"]
    with serve(sending(answer(200, b"fine"))) as web:
        union = " UNION ALL ".join(f"SELECT '{url}' AS u" for url in [*bad, web.url()])
        rows = ask(f"SELECT EXATRUST.HTTPS_GET(u, u) FROM ({union})")
        (missing,) = ask("SELECT EXATRUST.HTTPS_GET(CAST(NULL AS VARCHAR(10)))")
        (long,) = ask(f"SELECT EXATRUST.HTTPS_GET('{web.url()}', '{'x' * 2001}')")
    found = {row["FINDING"]: 0 for row in rows}
    assert set(found) == {"HTTP_BAD_REQUEST", None}
    assert [row["BODY"] for row in rows if row["FINDING"] is None] == ["fine"]
    shown = "".join(f"{row['URL']} {row['CAUSE']}" for row in rows)
    assert "planted" not in shown
    assert missing["FINDING"] == long["FINDING"] == "HTTP_BAD_REQUEST"


def test_a_slow_server_is_a_row_after_the_time_limit(ask: Ask, serve: Serve) -> None:
    def dripping(asked: Asked, sock: ssl.SSLSocket) -> bool:
        for byte in answer(200, b"x" * 500):
            sock.sendall(bytes((byte,)))
            time.sleep(0.05)
        return True

    with serve(dripping) as web:
        (row,) = ask(f"SELECT EXATRUST.HTTPS_GET('{web.url()}', 1, 'timeout=0.5')")
    assert row["FINDING"] == "TIMEOUT"
    assert 400 < row["DURATION_MS"] < 3000


# -- TLS


def endpoint_finding(database: Database, url: str) -> str:
    """The primary finding of CHECK_ENDPOINT about the shared bundle."""
    host, port = re.findall(r"//([^:/]+):(\d+)", url)[0]
    database.rollback()
    rows = database.rows(f"SELECT EXATRUST.CHECK_ENDPOINT('{host}', {port})")
    (finding,) = {row[16] for row in rows if row[10] == "shared-bundle"}
    return str(finding)


@pytest.mark.parametrize("kind", ["expired", "wrong-name", "no-intermediate"])
def test_a_failing_handshake_has_the_finding_of_check_endpoint(
    ask: Ask, database: Database, sandbox: Sandbox, kind: str
) -> None:
    url = f"https://localhost:{sandbox.endpoint(kind).rpartition(':')[2]}/"
    rows = ask(f"SELECT EXATRUST.HTTPS_GET('{url}', n) FROM VALUES BETWEEN 1 AND 5 AS v(n)")
    assert {row["FINDING"] for row in rows} == {endpoint_finding(database, url)}
    assert {(row["STATUS"], row["ATTEMPTS"], row["RESOLVED_IP"]) for row in rows} == {
        (None, 1, "127.0.0.1")
    }
    assert all(row["CAUSE"] and row["ACTION"] for row in rows)


def test_a_ca_that_nobody_knows_has_the_finding_of_check_endpoint(
    ask: Ask, database: Database
) -> None:
    ca = trustme.CA(organization_name="Nobody")
    for leaf in (ca.issue_cert("localhost"), trustme.CA(parent_cert=ca).issue_cert("localhost")):
        with serving(sending(answer()), server_context(leaf)) as web:
            (row,) = ask(f"SELECT EXATRUST.HTTPS_GET('{web.url()}')")
            assert row["FINDING"] == endpoint_finding(database, web.url())
        assert row["FINDING"] in ("CA_NOT_IN_TRUSTSTORE", "MISSING_INTERMEDIATE")
        assert not web.asked


def test_a_server_that_wants_a_client_certificate_is_said_to(
    ask: Ask, database: Database, authorities: Authorities
) -> None:
    leaf = authorities.company.issue_cert("localhost")
    with serving(sending(answer()), server_context(leaf, authorities.company)) as web:
        (row,) = ask(f"SELECT EXATRUST.HTTPS_GET('{web.url()}')")
        assert row["FINDING"] == endpoint_finding(database, web.url()) == "CLIENT_CERT_REQUIRED"


def test_a_closed_port_has_the_finding_of_check_endpoint(ask: Ask, database: Database) -> None:
    url = "https://localhost:1/"
    (row,) = ask(f"SELECT EXATRUST.HTTPS_GET('{url}', 1, 'retries=0')")
    assert row["FINDING"] == endpoint_finding(database, url) == "REFUSED"


def test_a_server_without_tls_has_the_finding_of_check_endpoint(
    ask: Ask, database: Database
) -> None:
    def plain(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                with listener.accept()[0] as sock:
                    sock.recv(65536)
                    sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=plain, args=(listener,), daemon=True).start()
        url = f"https://localhost:{listener.getsockname()[1]}/"
        (row,) = ask(f"SELECT EXATRUST.HTTPS_GET('{url}')")
        assert row["FINDING"] == endpoint_finding(database, url) == "NOT_TLS"
        listener.shutdown(socket.SHUT_RDWR)


# -- credentials


@pytest.fixture
def connection(rows: Rows):
    """Creates a CONNECTION."""

    def create(name: str, address: str, user: str, password: str) -> None:
        rows(
            f"CREATE OR REPLACE CONNECTION {name} TO '{address}' USER '{user}'"
            f" IDENTIFIED BY '{password}'"
        )

    return create


@pytest.mark.parametrize(
    ("user", "header", "value"),
    [
        ("alice", "authorization", "Basic YWxpY2U6czNjcjN0LXBsYW50ZWQ="),
        ("bearer:", "authorization", f"Bearer {SECRET}"),
        ("header:X-Api-Key", "x-api-key", SECRET),
    ],
)
def test_credentials_of_a_connection_reach_its_host_and_no_other(
    ask: Ask, serve: Serve, connection, user: str, header: str, value: str
) -> None:
    with serve(sending(answer(200, b"in"))) as web, serve(sending(answer())) as other:
        connection("API", web.url(""), user, SECRET)
        (row,) = ask(f"SELECT EXATRUST.HTTPS_REQUEST('GET', '{web.url()}', NULL, NULL, 'API')")
        (away,) = ask(f"SELECT EXATRUST.HTTPS_REQUEST('GET', '{other.url()}', NULL, NULL, 'API')")
    assert (row["FINDING"], web.asked[0].headers[header]) == (None, value)
    assert (away["FINDING"], other.asked) == ("HTTP_CREDENTIALS", [])
    assert SECRET not in f"{row}{away}"


def test_a_client_certificate_of_a_connection_is_shown(
    ask: Ask, serve: Serve, connection, authorities: Authorities
) -> None:
    client = authorities.company.issue_cert("client.example", common_name="The Client")
    leaf = authorities.company.issue_cert("localhost")
    context = server_context(leaf, authorities.company)
    with serve(sending(answer(200, b'{"a": 5}')), context) as web:
        pem = client.private_key_and_cert_chain_pem.bytes().decode()
        connection("CERT", web.url(""), "certificate:", pem)
        (row,) = ask(f"SELECT EXATRUST.HTTPS_JSON('{web.url()}', '/a', 'CERT')")
    assert (row["VALUE_TEXT"], web.client) == ("5", "The Client")


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("oauth:", SECRET),
        ("bearer:", SECRET + "\n"),
        ("certificate:", SECRET),
        ("certificate:", f"-----BEGIN CERTIFICATE-----{SECRET} -----BEGIN PRIVATE KEY-----"),
    ],
)
def test_a_connection_that_cannot_be_used_is_a_row_without_its_secret(
    ask: Ask, connection, user: str, password: str
) -> None:
    connection("BAD", "https://localhost", user, password)
    (row,) = ask("SELECT EXATRUST.HTTPS_REQUEST('GET', 'https://localhost/', NULL, NULL, 'BAD')")
    assert row["FINDING"] == "HTTP_CREDENTIALS"
    assert "CONNECTION BAD" in row["CAUSE"]
    assert SECRET not in str(row)


def test_a_connection_that_does_not_exist_is_a_row(ask: Ask) -> None:
    call = "SELECT EXATRUST.HTTPS_REQUEST('GET', 'https://localhost/', NULL, NULL, 'NOSUCH')"
    (row,) = ask(call)
    assert row["FINDING"] == "HTTP_CREDENTIALS"
    assert "NOSUCH" in row["CAUSE"]


def test_an_analyst_needs_access_to_the_connection_and_keeps_it_over_an_install(
    sandbox: Sandbox, serve: Serve, connection, rows: Rows
) -> None:
    """Access for the schema outlives the replacing of a script; that for one script does not."""
    rows('CREATE USER CLERK IDENTIFIED BY "clerk"')
    rows("GRANT CREATE SESSION TO CLERK")
    rows("GRANT EXECUTE ON SCHEMA EXATRUST TO CLERK")
    settings = DatabaseSettings(parse_dsn(sandbox.dsn), "clerk")
    with (
        serve(sending(answer(200, b"in"))) as web,
        closing(Database(settings, Secret("clerk"))) as clerk,
    ):
        connection("CLERKS", web.url(""), "bearer:", SECRET)

        def asked() -> tuple[object, ...]:
            clerk.rollback()
            call = f"HTTPS_REQUEST('GET', '{web.url()}', NULL, NULL, 'CLERKS')"
            (row,) = clerk.rows(f"SELECT EXATRUST.{call}")
            return row[7], row[10]

        assert asked() == (None, "HTTP_CREDENTIALS")
        rows("GRANT ACCESS ON CONNECTION CLERKS FOR SCRIPT EXATRUST.HTTPS_REQUEST TO CLERK")
        assert asked() == (200, None)
        replace_scripts(rows)
        assert asked() == (None, "HTTP_CREDENTIALS")
        rows("GRANT ACCESS ON CONNECTION CLERKS FOR SCHEMA EXATRUST TO CLERK")
        assert asked() == (200, None)
        replace_scripts(rows)
        assert asked() == (200, None)


def replace_scripts(rows: Rows) -> None:
    """What an install does with the script."""
    ((text,),) = rows(
        "SELECT SCRIPT_TEXT FROM SYS.EXA_ALL_SCRIPTS"
        " WHERE SCRIPT_SCHEMA = 'EXATRUST' AND SCRIPT_NAME = 'HTTPS_REQUEST'"
    )
    rows(re.sub(r"\ACREATE\b(?! OR REPLACE)", "CREATE OR REPLACE", text))
