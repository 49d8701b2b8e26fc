"""Clients that mean no good: they are turned away, and the others do not notice."""

from __future__ import annotations

import json
import os
import socket
import ssl
import time

import pytest
import websocket

from exatrust_sandbox.database.limits import Limits

STRICT = Limits(handshake_time=0.5, login_time=1.0, connections=12)


@pytest.fixture
def server(start):
    return start(limits=STRICT)


def dial(server):
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


def dial_tls(server):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(dial(server))


def dial_websocket(server):
    return websocket.create_connection(
        f"wss://127.0.0.1:{server.port}",
        timeout=10,
        sslopt={"cert_reqs": ssl.CERT_NONE, "check_hostname": False},
    )


def ends(sock, seconds=5.0):
    """Whether the server hangs up within that time; what it still sends is read."""
    sock.settimeout(seconds)
    try:
        while sock.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


@pytest.mark.parametrize(
    "garbage",
    [
        bytes(100),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x02\x21\x21\x03" + bytes(8),
        b"\x02\x21",
        b"\x16\x03\x01\xff\xff" + b"A" * 1000,
        b"\x16",
        b"",
    ],
    ids=["zeros", "http", "almost-magic", "half-magic", "bad-tls", "half-tls", "silence"],
)
def test_garbage_is_turned_away_and_a_session_goes_on(server, connect, garbage):
    connection = connect()
    with dial(server) as client:
        client.sendall(garbage)
        assert ends(client)
    assert connection.execute("NUMBERS 1").fetchval() == 0


def test_a_client_that_drips_its_handshake_is_cut_off(server):
    with dial(server) as client:
        started = time.monotonic()
        hello = b"\x16\x03\x01\x02\x00" + b"\x01" * 500
        gone = False
        for position in range(len(hello)):
            try:
                client.sendall(hello[position : position + 1])
            except OSError:
                gone = True
                break
            time.sleep(0.02)
        assert gone or ends(client)
        assert time.monotonic() - started < 5


def test_a_client_that_never_logs_in_is_cut_off(server):
    client = dial_websocket(server)
    client.settimeout(5)
    started = time.monotonic()
    assert client.recv_frame().opcode == websocket.ABNF.OPCODE_CLOSE
    assert 0.5 < time.monotonic() - started < 4
    client.shutdown()


def test_tls_without_a_websocket_is_cut_off(server):
    with dial_tls(server) as client:
        assert ends(client)
    with dial_tls(server) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 426")
        assert ends(client)
    with dial_tls(server) as client:
        client.sendall(os.urandom(2000))
        assert ends(client)


def test_a_stranger_may_not_send_large_messages(server):
    client = dial_websocket(server)
    client.send(json.dumps({"command": "login", "filler": "x" * 100_000}))
    assert client.recv_frame().opcode == websocket.ABNF.OPCODE_CLOSE
    client.shutdown()


def test_a_user_may_send_large_messages(connect):
    connection = connect()
    sql = "NUMBERS 1" + " " * 300_000
    assert connection.req({"command": "execute", "sqlText": sql})["status"] == "ok"


@pytest.mark.parametrize(
    "request_",
    [
        {"command": "execute", "sqlText": "NUMBERS 1"},
        {"command": "login", "protocolVersion": "three"},
        {"command": "login", "protocolVersion": 0},
        {"command": None},
        {"username": "sys", "password": "exasol"},
    ],
)
def test_nothing_but_a_login_is_answered_before_login(server, engine, request_):
    client = dial_websocket(server)
    client.send(json.dumps(request_))
    assert json.loads(client.recv())["exception"]["sqlCode"] == "08004"
    assert engine.sessions == 0
    client.close()


@pytest.mark.parametrize(
    "password", [None, "", "not base64!", "AAAA", "A" * 344, "Zm9v" * 86], ids=str
)
def test_passwords_that_cannot_be_decrypted_fail_like_wrong_ones(server, password):
    client = dial_websocket(server)
    client.send('{"command": "login", "protocolVersion": 3}')
    client.recv()
    client.send(json.dumps({"username": "sys", "password": password}))
    answer = json.loads(client.recv())
    assert answer["exception"] == {
        "text": "Connection exception - authentication failed.",
        "sqlCode": "08004",
    }
    client.close()


def test_after_some_failed_logins_the_connection_ends(server):
    client = dial_websocket(server)
    client.send('{"command": "login", "protocolVersion": 3}')
    client.recv()
    for _ in range(STRICT.login_attempts):
        client.send(json.dumps({"username": "sys", "password": "AAAA"}))
        assert json.loads(client.recv())["status"] == "error"
    assert client.recv_frame().opcode == websocket.ABNF.OPCODE_CLOSE
    client.shutdown()


def test_a_flood_of_requests_without_reading_ends_the_connection(connect, engine):
    connection = connect()
    for _ in range(20):
        connection._ws.send('{"command": "execute", "sqlText": "WAIT 0.2"}')
    frames = [connection._ws.recv_frame()]
    while frames[-1].opcode != websocket.ABNF.OPCODE_CLOSE:
        frames.append(connection._ws.recv_frame())
    assert len(frames) < 20
    connection._ws.shutdown()


def test_a_fragmented_message_is_put_together(server):
    client = dial_websocket(server)
    text = b'{"command": "login", "protocolVersion": 3}'
    parts = [text[:10], text[10:20], text[20:]]
    for position, part in enumerate(parts):
        opcode = websocket.ABNF.OPCODE_CONT if position else websocket.ABNF.OPCODE_TEXT
        last = position == len(parts) - 1
        client.send_frame(websocket.ABNF(int(last), 0, 0, 0, opcode, 1, part))
    assert "publicKeyPem" in json.loads(client.recv())["responseData"]
    client.close()


def test_text_that_is_not_utf8_ends_the_connection(server):
    client = dial_websocket(server)
    client.send_frame(websocket.ABNF(1, 0, 0, 0, websocket.ABNF.OPCODE_TEXT, 1, b"\xff\xfe"))
    assert client.recv_frame().opcode == websocket.ABNF.OPCODE_CLOSE
    client.shutdown()


def test_a_ping_is_answered(server):
    client = dial_websocket(server)
    client.ping("are you there")
    frame = client.recv_frame()
    assert (frame.opcode, frame.data) == (websocket.ABNF.OPCODE_PONG, b"are you there")
    client.close()


def test_beyond_the_limit_of_connections_newcomers_are_turned_away(server, connect):
    connection = connect()
    silent = [dial(server) for _ in range(STRICT.connections + 3)]
    try:
        assert ends(silent[-1])
        assert connection.execute("NUMBERS 1").fetchval() == 0
        assert all(ends(client) for client in silent)
    finally:
        for client in silent:
            client.close()
    assert connect().execute("NUMBERS 1").fetchval() == 0
