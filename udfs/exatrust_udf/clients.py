"""Which truststore each TLS client of a UDF reads: what their sources say, as values (pure).

Read in the sources of the versions in tests/clients/requirements.txt, and tried there with the real
libraries, each against a server of a company's CA: which variable reaches which, alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

OPENSSL = "OpenSSL's default"
CERTIFI = "certifi"
GRPC = "grpc's own"
LIBPQ = "~/.postgresql/root.crt"
LIBCURL = "compiled into libcurl"
NOWHERE = "/dev/null"  # no directory, so that nobody can put certificates into it


@dataclass(frozen=True)
class Client:
    """A library and how it finds its truststore.

    `distribution` is its name on PyPI, None for the standard library. The first of `variables` that
    is set decides, else it is `otherwise`. `needs` is what a UDF has to write besides, NULL-like
    empty where nothing is.
    """

    name: str
    distribution: str | None
    variables: tuple[str, ...]
    otherwise: str
    needs: str = ""


_VERIFY = "verifies nothing without context=ssl.create_default_context()"
CLIENTS = (
    Client("urllib", None, ("SSL_CERT_FILE",), OPENSSL),
    Client("http.client", None, ("SSL_CERT_FILE",), OPENSSL),
    Client("smtplib", None, ("SSL_CERT_FILE",), OPENSSL, _VERIFY),
    Client("requests", "requests", ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), CERTIFI),
    Client("urllib3", "urllib3", ("SSL_CERT_FILE",), OPENSSL),
    Client("httpx", "httpx", ("SSL_CERT_FILE",), CERTIFI),
    Client("aiohttp", "aiohttp", ("SSL_CERT_FILE",), OPENSSL),
    Client(
        "pycurl",
        "pycurl",
        (),
        LIBCURL,
        "reads no variable: curl.setopt(pycurl.CAINFO, exatrust_udf.bundle_path())",
    ),
    Client("boto3", "boto3", ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"), CERTIFI),
    Client("grpcio", "grpcio", ("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",), GRPC),
    Client(
        "websocket-client",
        "websocket-client",
        ("WEBSOCKET_CLIENT_CA_BUNDLE", "SSL_CERT_FILE"),
        OPENSSL,
    ),
    Client(
        "pyexasol",
        "pyexasol",
        ("WEBSOCKET_CLIENT_CA_BUNDLE", "SSL_CERT_FILE"),
        OPENSSL,
        "a fingerprint in the DSN takes the place of any truststore",
    ),
    Client(
        "psycopg",
        "psycopg",
        ("PGSSLROOTCERT",),
        LIBPQ,
        'verifies chain and name with sslmode="verify-full" alone',
    ),
    Client(
        "ldap3",
        "ldap3",
        ("SSL_CERT_FILE",),
        OPENSSL,
        "verifies nothing without tls=ldap3.Tls(validate=ssl.CERT_REQUIRED)",
    ),
)
# CURL_CA_BUNDLE is also what R's curl packages read, and the programs that a UDF starts.
VARIABLES = tuple(dict.fromkeys(name for client in CLIENTS for name in client.variables))


def environment(bundle: str) -> dict[str, str]:
    """What is set so that all of them trust the bundle alone.

    OpenSSL searches its default directory besides SSL_CERT_FILE, unless told another one.
    """
    return {**dict.fromkeys(VARIABLES, bundle), "SSL_CERT_DIR": NOWHERE}


def decision(client: Client, environ: Mapping[str, str]) -> tuple[str, str | None]:
    """What decides for a client: a variable and its value, or its default and None."""
    for variable in client.variables:
        if environ.get(variable):
            return variable, environ[variable]
    return client.otherwise, None
