"""A double of the calls that Exasol SaaS's REST API offers for files, and of its object store.

What is asked and answered is as exasol-saas-api's models (2.10, made from the API's openapi.json)
have it: one tree per listing, without pages; presigned addresses for contents; ApiError for what
went wrong. Inferred, since no SaaS could be asked: that a key is decoded once, that folders are
there as long as something is in them, and who says that a file is missing (`missing`).
"""

from __future__ import annotations

import contextlib
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import trustme

ACCOUNT, DATABASE, NAME = "org_0a1b2c3d", "7fXs0eJHQp2kVY2TTzgFAw", "analytics"
AT = "2026-11-02T10:00:00Z"


@dataclass
class Faults:
    """What goes wrong. `missing`: who refuses a file that is not there, and how."""

    missing: tuple[str, int] = ("store", 404)
    api_statuses: list[int] = field(default_factory=list)  # instead of the next answers
    store_statuses: list[int] = field(default_factory=list)
    slow_seconds: float = 0.0
    expired: bool = False
    scheme: str = "https"
    empty_folders: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """What came in: the path as sent."""

    method: str
    path: str
    headers: dict[str, str]


class SaasDouble:
    """Both servers on loopback, with certificates of `authority`."""

    def __init__(self, authority: trustme.CA, token: str) -> None:
        self.token, self.faults = token, Faults()
        self.files: dict[str, bytes] = {}
        self.signatures: dict[str, tuple[str, str]] = {}  # to the method and key they are for
        self.api_requests: list[Request] = []
        self.store_requests: list[Request] = []
        self.changed: Callable[[str, bytes | None], None] = lambda path, content: None
        certificate = authority.issue_cert("localhost")
        self._api = _server(_handler(self.api_requests, self._api_answer, self.faults), certificate)
        self._store = _server(
            _handler(self.store_requests, self._store_answer, self.faults), certificate
        )

    @property
    def url(self) -> str:
        return f"https://localhost:{self._api.server_port}"

    @property
    def store_url(self) -> str:
        return f"{self.faults.scheme}://localhost:{self._store.server_port}"

    def close(self) -> None:
        for server in (self._api, self._store):
            server.shutdown()
            server.server_close()

    def _api_answer(self, request: Request, body: bytes) -> tuple[int, Any]:
        if self.faults.api_statuses and (status := self.faults.api_statuses.pop(0)):
            return status, "<html>a load balancer's words</html>"
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return 401, _error(401, "unauthorized")
        parts = request.path.removeprefix("/api/v1/").split("/")
        inside = parts[0] == "internal"
        match request.method, *parts[inside:]:
            case "GET", "accounts", account, "databases" if account == ACCOUNT:
                return 200, _databases()
            case method, "accounts", account, "databases", database, "files", *key if (
                account,
                database,
            ) == (ACCOUNT, DATABASE) and len(key) < 2:
                return self._on_files(method, unquote(key[0]) if key else "", inside=inside)
        return 404, _error(404, f"no route for {request.method}")

    def _on_files(self, method: str, key: str, *, inside: bool) -> tuple[int, Any]:
        match method, bool(key), inside:
            case "GET", False, False:
                return 200, _tree(self.files, self.faults.empty_folders)
            case "POST", True, False:
                return 200, {"url": self._presigned("PUT", key)}
            case "GET", True, True:
                if key not in self.files and self.faults.missing[0] == "api":
                    return self.faults.missing[1], _error(404, "no such file")
                return 200, {"url": self._presigned("GET", key)}
            case "DELETE", True, False:
                there = self.files.pop(key, None) is not None
                self.changed(key, None)
                gone = there or self.faults.missing[0] == "store"
                return (204, None) if gone else (404, _error(404, "no such file"))
        return 405, _error(405, "not so")

    def _presigned(self, method: str, key: str) -> str:
        signature = secrets.token_hex(32)
        self.signatures[signature] = method, key
        query = f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=600&X-Amz-Signature={signature}"
        # Escaped twice, as clients of the real one report.
        return f"{self.store_url}/uploads/{quote(key)}?{query}".replace("&", r"\u0026")

    def _store_answer(self, request: Request, body: bytes) -> tuple[int, Any]:
        if self.faults.store_statuses and (status := self.faults.store_statuses.pop(0)):
            return status, "<Error/>"
        if "authorization" in request.headers:
            return 400, "<Error><Code>InvalidArgument</Code>only one auth mechanism</Error>"
        parts = urlsplit(request.path)
        signature = parse_qs(parts.query).get("X-Amz-Signature", [""])[0]
        key = unquote(parts.path.removeprefix("/uploads/"))
        if self.signatures.get(signature) != (request.method, key) or self.faults.expired:
            return 403, "<Error><Code>AccessDenied</Code></Error>"
        if request.method == "GET":
            found = self.files.get(key)
            return (self.faults.missing[1], "<Error/>") if found is None else (200, found)
        if "content-length" not in request.headers:
            return 411, "<Error><Code>MissingContentLength</Code></Error>"
        self.files[key] = body
        self.changed(key, body)
        return 200, b""


@contextlib.contextmanager
def saas_double(authority: trustme.CA, token: str) -> Iterator[SaasDouble]:
    double = SaasDouble(authority, token)
    try:
        yield double
    finally:
        double.close()


def _databases() -> list[dict[str, Any]]:
    common = {
        "status": "running", "clusters": {"total": 1, "running": 1}, "provider": "aws",
        "region": "eu-central-1", "createdAt": AT, "createdBy": "somebody",
    }  # fmt: skip
    return [
        common | {"id": "oldDatabase0000000000A", "name": NAME, "status": "deleted",
                  "deletedAt": AT, "deletedBy": "somebody"},
        common | {"id": DATABASE, "name": NAME},
        common | {"id": "otherDatabase000000000", "name": "other"},
    ]  # fmt: skip


def _tree(files: dict[str, bytes], empty_folders: tuple[str, ...]) -> list[dict[str, Any]]:
    root: list[dict[str, Any]] = []
    for path in [*files, *(f"{folder}/" for folder in empty_folders)]:
        nodes, *folders = root, *path.split("/")[:-1]
        for depth, name in enumerate(folders):
            where = "/".join(folders[: depth + 1])
            known = [node for node in nodes if node["path"] == where]
            if not known:
                known = [{"name": name, "type": "folder", "path": where, "lastModified": AT,
                          "children": []}]  # fmt: skip
                nodes += known
            nodes = known[0]["children"]
        if name := path.split("/")[-1]:
            nodes.append({"name": name, "type": "file", "path": path, "lastModified": AT,
                          "size": len(files[path])})  # fmt: skip
    return root


def _error(status: int, message: str) -> dict[str, Any]:
    return {"status": status, "message": message, "requestId": "1", "path": "/", "method": "GET",
            "logId": "1", "handler": "files", "timestamp": AT, "causes": {}}  # fmt: skip


Answer = Callable[[Request, bytes], tuple[int, Any]]


def _handler(
    requests: list[Request], answer: Answer, faults: Faults
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def _serve(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", "0")))
            request = Request(self.command, self.path, headers)
            requests.append(request)
            time.sleep(faults.slow_seconds)
            status, content = answer(request, body)
            if not isinstance(content, bytes):
                content = b"" if content is None else _text(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815

        def log_message(self, format: str, *arguments: Any) -> None:
            """Quiet."""

    return Handler


def _text(content: Any) -> str:
    return content if isinstance(content, str) else json.dumps(content)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that refuses the certificate, or went away, is what some tests want."""


def _server(
    handler: type[BaseHTTPRequestHandler], certificate: trustme.LeafCert
) -> ThreadingHTTPServer:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    server = _Server(("127.0.0.1", 0), handler)
    # The handshake is left to the thread of the connection.
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server
