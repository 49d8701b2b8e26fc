"""IMPORT and EXPORT over connections that the client opens."""

from __future__ import annotations

import base64
import gzip
import hashlib
import socket
import struct
import threading

import pyexasol
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from exatrust_sandbox.database.compression import FormatError, pack, unpack
from exatrust_sandbox.database.limits import Limits
from exatrust_sandbox.database.model import SqlError
from exatrust_sandbox.database.transport import MAGIC, Tunnels, TunnelTransport, pin_matches

ROWS = [(number, f"text {number}") for number in range(3)]
CSV = b'0,"text 0"\n1,"text 1"\n2,"text 2"\n'

# pyexasol's own callbacks leave files and pipes to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")


def open_tunnel(server):
    client = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    client.sendall(MAGIC)
    _, port, host = struct.unpack("<ii16s", client.recv(24, socket.MSG_WAITALL))
    return client, f"{host.rstrip(bytes(1)).decode()}:{port}"


@pytest.fixture(params=[False, True], ids=["plain", "compressed"])
def connection(request, connect):
    return connect(compression=request.param)


def test_import_from_iterable_delivers_the_rows_as_csv(connection, engine):
    connection.import_from_iterable(ROWS, "T")
    (name, data), *more = engine.files
    assert (data, more) == (CSV, [])
    assert name == ("000.gz" if connection.options["compression"] else "000.csv")


def test_a_large_import_arrives_complete(connection, engine):
    rows = [(number, "x" * 100) for number in range(50_000)]
    connection.import_from_iterable(rows, "T")
    lines = engine.files[0][1].splitlines()
    assert len(lines) == 50_000
    assert lines[-1] == b'49999,"' + b"x" * 100 + b'"'


def test_export_to_list_delivers_the_rows(connection, engine):
    engine.export = b"1,one\n2,two\n"
    assert connection.export_to_list("SELECT 1") == [["1", "one"], ["2", "two"]]


def test_a_large_export_arrives_complete(connection, engine):
    engine.export = b"some text in a row\n" * 200_000
    assert len(connection.export_to_list("SELECT 1")) == 200_000


def test_export_to_file_packs_what_is_asked_for_as_gz(connect, engine, tmp_path):
    engine.export = b"1,one\n"
    target = tmp_path / "rows.gz"
    connect().export_to_file(str(target), "SELECT 1", export_params={"format": "gz"})
    assert gzip.decompress(target.read_bytes()) == b"1,one\n"


@pytest.mark.parametrize("format_", ["gz", "bz2", "zip"])
def test_import_from_file_unpacks_by_the_suffix(connect, engine, tmp_path, format_):
    source = tmp_path / f"rows.{format_}"
    source.write_bytes(pack(f"rows.{format_}", CSV))
    connect().import_from_file(str(source), "T", import_params={"format": format_})
    assert engine.files == [(f"000.{format_}", CSV)]


def test_a_parallel_import_reads_from_every_client(server, connect, engine):
    parts = [pyexasol.http_transport("127.0.0.1", server.port) for _ in range(3)]
    threads = [
        threading.Thread(
            target=part.import_from_callback,
            args=(lambda pipe, text: pipe.write(text), b"part %d\n" % number),
        )
        for number, part in enumerate(parts)
    ]
    for thread in threads:
        thread.start()
    connect().import_parallel([part.exa_address for part in parts], "T")
    for thread in threads:
        thread.join(10)
    assert engine.files == [(f"00{n}.csv", b"part %d\n" % n) for n in range(3)]


def test_a_client_that_fails_half_way_fails_the_import(connection, engine):
    def broken(pipe, source):
        pipe.write(b"half a row")
        raise RuntimeError("no more rows")

    with pytest.raises(pyexasol.exceptions.ExaImportError) as caught:
        connection.import_from_callback(broken, None, "T")
    assert "no more rows" in str(caught.value)
    assert engine.files == []
    assert connection.execute("NUMBERS 1").fetchval() == 0


def test_a_failing_statement_leaves_no_client_hanging(connect):
    connection = connect()
    with pytest.raises(pyexasol.exceptions.ExaImportError, match="it was meant to fail"):
        with_statement(connection, "FAIL 42000")
    assert connection.execute("NUMBERS 1").fetchval() == 0


def with_statement(connection, sql):
    """Imports while the statement that reaches the server is another one."""
    execute = connection.execute
    connection.execute = lambda *_: execute(sql)
    try:
        connection.import_from_iterable(ROWS, "T")
    finally:
        del connection.execute


def test_a_client_with_another_key_is_not_read_from(connect, engine):
    connection = connect()
    execute = connection.execute
    wrong = base64.b64encode(bytes(32)).decode()

    def tampered(sql, *rest):
        head, _, tail = sql.partition("sha256//")
        return execute(f"{head}sha256//{wrong}{tail[tail.index(chr(39)) :]}", *rest)

    connection.execute = tampered
    with pytest.raises(
        pyexasol.exceptions.ExaImportError, match="does not match pinned public key"
    ):
        connection.import_from_iterable(ROWS, "T")
    assert engine.files == []


def test_an_address_that_nobody_waits_at_is_an_error(connect):
    sql = "IMPORT INTO T FROM CSV AT 'http://192.0.2.11:1' FILE '000.csv'"
    with pytest.raises(pyexasol.ExaQueryError) as caught:
        connect().execute(sql)
    assert caught.value.code == "42636"
    assert "no client waits at this address" in caught.value.message


def test_a_tunnel_serves_one_request_only(server, connect, engine):
    client, address = open_tunnel(server)
    with client:
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nrow\n")
        sql = f"IMPORT INTO T FROM CSV AT 'http://{address}' FILE 'a.csv'"
        connection = connect()
        connection.execute(sql)
        assert engine.files == [("a.csv", b"row\n")]
        with pytest.raises(pyexasol.ExaQueryError, match="no client waits"):
            connection.execute(sql)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
    ],
)
def test_a_client_that_answers_badly_fails_the_import(server, connect, engine, answer):
    client, address = open_tunnel(server)
    with client:
        client.sendall(answer)
        client.shutdown(socket.SHUT_WR)
        with pytest.raises(pyexasol.ExaQueryError, match="ETL-5105"):
            connect().execute(f"IMPORT INTO T FROM CSV AT 'http://{address}' FILE 'a.csv'")
    assert engine.files == []


def test_a_packed_file_that_is_not_packed_fails_the_import(server, connect):
    client, address = open_tunnel(server)
    with client:
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nrow\n")
        with pytest.raises(pyexasol.ExaQueryError, match="gzip"):
            connect().execute(f"IMPORT INTO T FROM CSV AT 'http://{address}' FILE 'a.gz'")


def test_an_abort_breaks_a_transfer_that_stalls(server, connect):
    client, address = open_tunnel(server)
    with client:
        connection = connect()
        head = threading.Thread(target=lambda: (client.recv(1), connection.abort_query()))
        head.start()
        with pytest.raises(pyexasol.ExaQueryAbortError):
            connection.execute(f"IMPORT INTO T FROM CSV AT 'http://{address}' FILE 'a.csv'")
        head.join()
        assert connection.execute("NUMBERS 1").fetchval() == 0


def test_tunnels_of_clients_that_left_make_room(start):
    server = start(limits=Limits(waiting_tunnels=2))
    addresses = set()
    for _ in range(5):
        client, address = open_tunnel(server)
        addresses.add(address)
        client.close()
    assert len(addresses) == 5


def test_too_many_waiting_tunnels_are_turned_away(start):
    server = start(limits=Limits(waiting_tunnels=1))
    first, _ = open_tunnel(server)
    with first, socket.create_connection(("127.0.0.1", server.port), timeout=10) as second:
        second.sendall(MAGIC)
        assert second.recv(24) == b""


def test_a_transfer_without_tunnels_says_which_address_was_meant():
    transport = TunnelTransport(Tunnels(Limits()), Limits())
    with pytest.raises(SqlError, match=r"https://1\.2\.3\.4:5/000\.csv"):
        transport.send("1.2.3.4:5", "000.csv", b"", None, secure=True)


def test_a_pin_names_the_key_of_the_certificate(certificate):
    parsed = x509.load_pem_x509_certificate(certificate.chain_pem)
    der = parsed.public_bytes(serialization.Encoding.DER)
    key = parsed.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    pin = "sha256//" + base64.b64encode(hashlib.sha256(key).digest()).decode()
    assert pin_matches(pin, der)
    assert pin_matches(f"sha256//AAAA;{pin}", der)
    assert not pin_matches("sha256//AAAA", der)
    assert not pin_matches("", der)
    assert not pin_matches(pin.removeprefix("sha256//"), der)


@given(data=st.binary(max_size=2000), name=st.sampled_from(["a.csv", "a.gz", "a.bz2", "a.zip"]))
def test_what_is_packed_can_be_unpacked(data, name):
    assert unpack(name, pack(name, data)) == data


@given(data=st.binary(max_size=200), name=st.sampled_from(["a.gz", "a.bz2", "a.zip"]))
def test_bytes_that_are_no_archive_are_told_apart(data, name):
    try:
        unpacked = unpack(name, data)
    except FormatError:
        return
    assert unpacked == b""
