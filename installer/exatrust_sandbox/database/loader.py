"""EXALoader's HTTPS client: the node itself fetches a file, and its own truststore decides.

The node's truststore is the operating system's, neither a container's nor the bucket's: what UDFs
trust says nothing about IMPORT. Errors read as libcurl's do inside ETL-5105 (seen in the wild:
`[URL failed after 0 bytes. [transfer closed with outstanding read data remaining],[18],[Transferred
a partial file]]`, and `[URL failed with error code=404 after 285 bytes. ...]`). *Inferred*: the
texts for certificates, which are libcurl's own, and which node fetches.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from .errors import unsupported
from .model import SqlError
from .statements import Source
from .transport import ETL_CODE, READ_FAILED, pin_matches

TIMEOUT = 10.0
_HOST_MISMATCH = 62  # X509_V_ERR_HOSTNAME_MISMATCH
CLAUSES_SINCE = (8, 32)
VERIFIED_SINCE = (2025, 1)


@dataclass(frozen=True)
class CurlFailed(Exception):
    """libcurl's error buffer, its code, and what it calls that code."""

    text: str
    code: int
    name: str


def version_of(text: str) -> tuple[int, int]:
    """The first two numbers of a database version."""
    major, minor, *_ = (*text.split("."), "0")
    return int(major), int(minor)


@dataclass(frozen=True)
class Loader:
    """Fetches for nodes. `stores` gives the path of a node's truststore, PEM."""

    stores: Callable[[int], Path]
    version: str

    def fetch(self, source: Source, node: int) -> bytes:
        """GET a file as `node`; raises SqlError (ETL-5105)."""
        parts = urlsplit(source.url)
        if parts.scheme != "https":
            raise unsupported("IMPORT of a file over http from a server that is no client")
        url = f"{source.url.rstrip('/')}/{source.file}"
        try:
            return self._get(source, parts.hostname or "", parts.port or 443, url, node)
        except CurlFailed as error:
            raise SqlError(
                f"{READ_FAILED} [{url} failed after 0 bytes. "
                f"[{error.text}],[{error.code}],[{error.name}]]",
                ETL_CODE,
            ) from error

    def _get(self, source: Source, host: str, port: int, url: str, node: int) -> bytes:
        with _connected(host, port) as sock, self._shaken(source, sock, host, node) as tls:
            _check_pin(source, tls)
            path = quote(f"{urlsplit(source.url).path.rstrip('/')}/{source.file}")
            head = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: EXASolution\r\n"
            try:
                tls.sendall(f"{head}Connection: close\r\n\r\n".encode())
                response = http.client.HTTPResponse(tls)
                response.begin()
                body = response.read()
            except http.client.RemoteDisconnected as error:
                name = "Server returned nothing (no headers, no data)"
                raise CurlFailed("Empty reply from server", 52, name) from error
            except (OSError, http.client.HTTPException) as error:
                name = "Failure when receiving data from the peer"
                raise CurlFailed(f"Recv failure: {error}", 56, name) from error
        if response.status >= 400:
            raise SqlError(
                f"{READ_FAILED} [{url} failed with error code={response.status} after "
                f"{len(body)} bytes. {response.reason}]",
                ETL_CODE,
            )
        return body

    def _shaken(self, source: Source, sock: socket.socket, host: str, node: int) -> ssl.SSLSocket:
        context = self._context(source, node)
        try:
            return context.wrap_socket(sock, server_hostname=host)
        except ssl.SSLCertVerificationError as error:
            text = f"SSL certificate problem: {error.verify_message}"
            if error.verify_code == _HOST_MISMATCH:
                text = (
                    "SSL: no alternative certificate subject name matches target host name "
                    f"'{host}'"
                )
            raise CurlFailed(
                text, 60, "SSL peer certificate or SSH remote key was not OK"
            ) from error
        except TimeoutError as error:
            raise CurlFailed("SSL connection timeout", 28, "Timeout was reached") from error
        except OSError as error:
            raise CurlFailed(str(error), 35, "SSL connect error") from error

    def _context(self, source: Source, node: int) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        verify = source.verification == "VERIFY" or (
            source.verification is None and version_of(self.version) >= VERIFIED_SINCE
        )
        # A pin stands for the chain; IGNORE, and no clause before 2025.1, for no check at all.
        if source.public_key is not None or not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            context.load_verify_locations(self.stores(node))
        return context


def _connected(host: str, port: int) -> socket.socket:
    try:
        return socket.create_connection((host, port), TIMEOUT)
    except socket.gaierror as error:
        text = f"Could not resolve host: {host}"
        raise CurlFailed(text, 6, "Couldn't resolve host name") from error
    except TimeoutError as error:
        text = f"Connection timed out after {TIMEOUT * 1000:.0f} milliseconds"
        raise CurlFailed(text, 28, "Timeout was reached") from error
    except OSError as error:
        text = f"Failed to connect to {host} port {port}: {error.strerror}"
        raise CurlFailed(text, 7, "Couldn't connect to server") from error


def _check_pin(source: Source, tls: ssl.SSLSocket) -> None:
    leaf = tls.getpeercert(binary_form=True)
    if source.public_key is not None and (leaf is None or not pin_matches(source.public_key, leaf)):
        raise CurlFailed(
            "SSL: public key does not match pinned public key",
            90,
            "SSL public key does not match pinned public key",
        )
