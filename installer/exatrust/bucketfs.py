"""BucketFS over HTTP(S): the only module that imports requests.

Facts this relies on (Exasol documentation, and bucketfs-java where it is silent): a service is a
port; GET /bucket lists all paths of the bucket, one a line; PUT replaces a file as a whole; what
was written is replicated later; and for about 30 seconds after a DELETE a PUT to the same path
can be answered 403. URLs hold no credentials, and redirects are not followed, since the password
would follow them.
"""

from __future__ import annotations

import ssl
import time
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth

from exatrust.bucket import BACK_OFF
from exatrust.cause import innermost, reason
from exatrust.credentials import Secret
from exatrust.errors import (
    BucketFSFailed,
    BucketFSUnreachable,
    CertificateRefused,
    MissingBucket,
    WrongPassword,
)
from exatrust.log import logger
from exatrust.pinning import context_for_ca, pinned_context, received, unknown
from exatrust.progress import Body, meter
from exatrust.settings import BucketFSSettings

TIMEOUT = (10.0, 60.0)  # seconds to connect, and between two answers
AFTER_DELETE_SECONDS = 40.0
_AFTER_DELETE_STEP = 2.0


class _VerifyingAdapter(HTTPAdapter):
    """HTTPS with one given context. requests would add certifi's roots to it otherwise."""

    def __init__(self, context: ssl.SSLContext, fingerprint: str | None) -> None:
        self._tls: dict[str, Any] = {"ssl_context": context}
        if fingerprint is not None:
            self._tls |= {"assert_fingerprint": fingerprint}
        super().__init__()

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **kwargs: Any
    ) -> None:
        super().init_poolmanager(connections, maxsize, block, **kwargs, **self._tls)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        conn.cert_reqs = "CERT_REQUIRED"


class BucketFS:
    """The Bucket of a BucketFS service."""

    def __init__(
        self,
        settings: BucketFSSettings,
        password: Secret,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        self._session = requests.Session()
        self._session.trust_env = False  # no .netrc, no REQUESTS_CA_BUNDLE, no proxy
        self._session.auth = HTTPBasicAuth(settings.user.encode(), password.reveal().encode())
        if settings.encrypted:
            self._session.mount("https://", self._adapter())

    def close(self) -> None:
        self._session.close()

    def list(self) -> tuple[str, ...]:
        """All paths of the bucket, sorted. Raises MissingBucket, naming those that exist."""
        answer = self._ask("GET", "")
        if answer.status_code == 404:
            raise MissingBucket(
                f"BucketFS {self._settings.url} has no bucket {self._settings.bucket}; "
                f"it has: {', '.join(self.buckets()) or 'none that it shows'}",
                "set bucketfs.bucket, or create the bucket",
            )
        text = self._good(answer, "list the bucket").content.decode("utf-8")
        return tuple(sorted(line.rstrip("\r") for line in text.split("\n") if line.strip()))

    def buckets(self) -> tuple[str, ...]:
        """The names of the service's buckets."""
        answer = self._good(self._send("GET", f"{self._settings.url}/"), "list the buckets")
        return tuple(answer.text.split())

    def read(self, path: str) -> bytes | None:
        """A file's bytes, None when it is not there."""
        answer = self._ask("GET", path)
        if answer.status_code == 404:
            return None
        return self._good(answer, f"read {path}").content

    def write(self, path: str, content: bytes) -> None:
        """Put a file. Waits out the half minute in which a deleted path cannot be written."""
        answer = self._ask("PUT", path, content)
        if answer.status_code in (401, 403) and self.may_write():
            answer = self._after_delete(path, content)
        self._good(answer, f"write {path}")

    def delete(self, path: str) -> None:
        """Delete a file; one that is not there is no error."""
        answer = self._ask("DELETE", path)
        if answer.status_code != 404:
            self._good(answer, f"delete {path}")

    def may_write(self) -> bool:
        """Whether a path that never was can be written: the password is right, then."""
        path = f"{self._settings.prefix}/write-check-{uuid.uuid4().hex}.txt"
        allowed = self._ask("PUT", path, b"written to see whether the password is right\n").ok
        if allowed:
            self._ask("DELETE", path)
        return allowed

    def _after_delete(self, path: str, content: bytes) -> requests.Response:
        waited = 0.0
        while True:
            answer = self._ask("PUT", path, content)
            if answer.ok or waited >= AFTER_DELETE_SECONDS:
                return answer
            self._sleep(_AFTER_DELETE_STEP)
            waited += _AFTER_DELETE_STEP

    def _adapter(self) -> HTTPAdapter:
        settings = self._settings
        if settings.fingerprint is None:
            return _VerifyingAdapter(context_for_ca(settings.ca_file, "bucketfs.ca_file"), None)
        try:
            context = pinned_context([self._address()], settings.fingerprint, "bucketfs")
        except OSError as error:
            raise self._unreachable(error) from error
        return _VerifyingAdapter(context, settings.fingerprint)

    def _address(self) -> tuple[str, int]:
        parts = urlsplit(self._settings.url)
        return parts.hostname or "", parts.port or (443 if self._settings.encrypted else 80)

    def _ask(self, method: str, path: str, content: bytes | None = None) -> requests.Response:
        bucket = f"{self._settings.url}/{self._settings.bucket}"
        return self._send(method, f"{bucket}/{quote(path)}" if path else bucket, content)

    def _send(self, method: str, url: str, content: bytes | None = None) -> requests.Response:
        """Send, and again after connection errors and 5xx: every request here is idempotent."""
        for pause in (*BACK_OFF, None):
            try:
                answer = self._send_once(method, url, content)
            except requests.exceptions.RequestException as error:
                logger.warning("%s %s: %s", method, urlsplit(url).path, reason(error))
                if isinstance(innermost(error), ssl.SSLCertVerificationError):
                    raise self._refused(error) from error
                if pause is None:
                    raise self._unreachable(error) from error
            else:
                if answer.status_code < 500 or pause is None:
                    return answer
            self._sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _send_once(self, method: str, url: str, content: bytes | None) -> requests.Response:
        path, size = urlsplit(url).path, len(content or b"")
        with meter(path.rpartition("/")[2], size, "bytes") as bar:
            body = Body(content, bar) if content else content
            answer = self._session.request(
                method, url, data=body, timeout=TIMEOUT, allow_redirects=False
            )
        sent = f", {size} bytes sent" if content else ""
        logger.info("%s %s: %d%s", method, path, answer.status_code, sent)
        return answer

    def _good(self, answer: requests.Response, task: str) -> requests.Response:
        settings = self._settings
        if answer.status_code in (401, 403):
            raise WrongPassword(
                f"BucketFS {settings.url} refused to {task} as user {settings.user} "
                f"(HTTP {answer.status_code})",
                f"check bucketfs.user and the password of bucket {settings.bucket}",
            )
        if not answer.ok or answer.is_redirect:
            raise BucketFSFailed(
                f"BucketFS {settings.url} could not {task}: HTTP {answer.status_code} "
                f"{answer.reason}",
                "see whether BucketFS's disk is full and look into its log on the node, then run "
                "the command again",
            )
        return answer

    def _unreachable(self, error: Exception) -> BucketFSUnreachable:
        return BucketFSUnreachable(
            f"BucketFS {self._settings.url} does not answer: {reason(error)}",
            "check bucketfs.url (2581 is the usual HTTPS port), the service and the firewall",
        )

    def _refused(self, error: Exception) -> CertificateRefused:
        return unknown(
            received([self._address()]),
            "bucketfs",
            self._settings.ca_file,
            f"BucketFS {self._settings.url}",
            reason(error),
        )
