"""One verified TLS call by each client library, as an analyst writes it. Runs inside a UDF.

Every function connects to `host`, `port`, does something real over TLS, and raises where that
fails. Libraries are imported where they are used, so that what each costs and reads is its own.
"""

import asyncio
import json
import os
import ssl

SECONDS = 10
PASSWORD = "{{password}}"  # of the stand-in's database


def call_urllib(host, port):
    import urllib.request

    with urllib.request.urlopen(f"https://{host}:{port}/", timeout=SECONDS) as answer:
        answer.read()


def call_http_client(host, port):
    import http.client

    connection = http.client.HTTPSConnection(host, port, timeout=SECONDS)
    connection.request("GET", "/")
    connection.getresponse().read()


def call_requests(host, port):
    import requests

    requests.get(f"https://{host}:{port}/", timeout=SECONDS).raise_for_status()


def call_urllib3(host, port):
    import urllib3

    urllib3.PoolManager().request("GET", f"https://{host}:{port}/", timeout=SECONDS, retries=False)


def call_httpx(host, port):
    import httpx

    httpx.get(f"https://{host}:{port}/", timeout=SECONDS).raise_for_status()


def call_aiohttp(host, port):
    import aiohttp

    async def get():
        url = f"https://{host}:{port}/"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            await answer.read()

    asyncio.run(asyncio.wait_for(get(), SECONDS))


def call_pycurl(host, port, ca_file=None):
    import pycurl

    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, f"https://{host}:{port}/")
    curl.setopt(pycurl.TIMEOUT, SECONDS)
    curl.setopt(pycurl.WRITEFUNCTION, lambda data: len(data))
    if ca_file:
        curl.setopt(pycurl.CAINFO, ca_file)
    curl.perform()


def call_pycurl_cainfo(host, port):
    call_pycurl(host, port, os.environ.get("CURL_CA_BUNDLE"))


def call_boto3(host, port):
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "s3",
        endpoint_url=f"https://{host}:{port}",
        region_name="eu-central-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=SECONDS),
    )
    assert [bucket["Name"] for bucket in client.list_buckets()["Buckets"]] == ["reports"]


def call_grpcio(host, port):
    import grpc

    with grpc.secure_channel(f"{host}:{port}", grpc.ssl_channel_credentials()) as channel:
        assert channel.unary_unary("/Echo/Say")(b"hello", timeout=SECONDS) == b"hello"


def call_websocket_client(host, port):
    import websocket

    websocket.create_connection(f"wss://{host}:{port}", timeout=SECONDS).close()


def call_pyexasol(host, port):
    import pyexasol

    with pyexasol.connect(
        dsn=f"{host}:{port}", user="sys", password=PASSWORD, connection_timeout=SECONDS
    ) as connection:
        assert connection.execute("SELECT 42").fetchval() == 42


def call_psycopg(host, port):
    import psycopg

    with psycopg.connect(
        host=host, port=port, user="postgres", sslmode="verify-full", connect_timeout=SECONDS
    ) as connection:
        assert connection.execute("SELECT 42").fetchone() == (42,)


def call_ldap3(host, port):
    import ldap3

    server = ldap3.Server(host, port, tls=ldap3.Tls(validate=ssl.CERT_REQUIRED), get_info=None)
    with ldap3.Connection(server, auto_bind=ldap3.AUTO_BIND_TLS_BEFORE_BIND) as connection:
        assert connection.bound


def call_smtplib(host, port):
    import smtplib

    with smtplib.SMTP(host, port, timeout=SECONDS) as server:
        server.starttls(context=ssl.create_default_context())
        assert server.noop()[0] == 250


# The name of the client in the documentation, its call, and the server that it needs.
CALLS = {
    "urllib": (call_urllib, "https"),
    "http.client": (call_http_client, "https"),
    "requests": (call_requests, "https"),
    "urllib3": (call_urllib3, "https"),
    "httpx": (call_httpx, "https"),
    "aiohttp": (call_aiohttp, "https"),
    "pycurl": (call_pycurl, "https"),
    "pycurl, CAINFO": (call_pycurl_cainfo, "https"),
    "boto3": (call_boto3, "https"),
    "grpcio": (call_grpcio, "grpc"),
    "websocket-client": (call_websocket_client, "database"),
    "pyexasol": (call_pyexasol, "database"),
    "psycopg": (call_psycopg, "postgres"),
    "ldap3": (call_ldap3, "ldap"),
    "smtplib": (call_smtplib, "smtp"),
}


def call_all(ports, prepare=None, late=None):
    """[client, CA, None or the error] of every client and server; in a process of its own, which
    `prepare` gets ready, and `late` once more when everything is imported and has been used."""
    readable, writable = os.pipe()
    child = os.fork()
    if not child:
        try:
            answer = json.dumps(_in_child(ports, prepare, late))
        except BaseException as error:
            answer = json.dumps(repr(error))
        with os.fdopen(writable, "w") as out:
            out.write(answer)
        os._exit(0)
    os.close(writable)
    with os.fdopen(readable) as source:
        found = json.load(source)
    os.waitpid(child, 0)
    if isinstance(found, str):
        raise RuntimeError(found)
    return found


def _in_child(ports, prepare, late):
    if prepare:
        prepare()
    if late:
        _outcomes({"company": ports["company"]})
        late()
    return _outcomes(ports)


def _outcomes(ports):
    return [
        [client, authority, _outcome(call, by_server[server])]
        for authority, by_server in ports.items()
        for client, (call, server) in CALLS.items()
        if server in by_server
    ]


def _outcome(call, port):
    try:
        call("localhost", port)
    except BaseException as error:
        return f"{type(error).__name__}: {error}"[:1000] or "no text"
    return None
