"""The bucket of an Exasol SaaS database: the only module that imports exasol.saas and httpx.

Facts this relies on (exasol-saas-api's models of the REST API, and exasol-bucketfs where they are
silent): a listing is one tree of folders and files; a file is written and read through presigned
addresses of an object store, which the API gives and which expire; a key's '/' is percent-encoded.
exasol-bucketfs' own SaaSBucket is not used: it takes no CA and no timeout, takes refused requests
for answers, and encodes keys once more than the API client below it, which does so since 2.9.

The token goes to the API alone. Presigned addresses are secrets as well: whoever has one may use
it; nothing here says or logs more of them than their host.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from ssl import SSLCertVerificationError
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from exasol.saas.client.openapi import AuthenticatedClient
from exasol.saas.client.openapi.api.databases import list_databases
from exasol.saas.client.openapi.api.files import delete_file, download_file, list_files, upload_file
from exasol.saas.client.openapi.models import DownloadFile, ExasolDatabase, File, UploadFile

from exatrust.bucket import BACK_OFF
from exatrust.cause import innermost, reason
from exatrust.credentials import Secret
from exatrust.errors import (
    BucketFSFailed,
    BucketFSUnreachable,
    CertificateRefused,
    ExatrustError,
    MissingBucket,
    WrongPassword,
)
from exatrust.log import logger
from exatrust.pinning import context_for_ca
from exatrust.progress import Body, meter
from exatrust.settings import BucketFSSettings

TIMEOUT = httpx.Timeout(60.0, connect=10.0)  # seconds between two answers, and to connect
_FORBIDDEN, _MISSING, _TOO_MANY = (401, 403), 404, 429  # HTTP
_FOLDERS = ("folder", "directory")
_Result = TypeVar("_Result")


@dataclass(eq=False)
class _Refused(Exception):
    """An answer without success. `server` is its address and no more: the rest may be a secret."""

    status: int
    server: str
    is_store: bool

    @property
    def passing(self) -> bool:
        return self.status >= 500 or self.status == _TOO_MANY

    def explained(self, task: str) -> ExatrustError:
        text = f"Exasol SaaS ({self.server}) could not {task}: HTTP {self.status}"
        if self.status in _FORBIDDEN and not self.is_store:
            return WrongPassword(
                f"Exasol SaaS ({self.server}) refused to {task} (HTTP {self.status})",
                "check bucketfs.saas_account_id, and that the personal access token (in "
                "EXATRUST_BUCKETFS_PASSWORD or bucketfs.password_file) is valid",
            )
        if self.status in _FORBIDDEN:  # what was presigned expires
            return BucketFSFailed(text, "run the command again")
        return BucketFSFailed(
            text, "check bucketfs.saas_account_id and that the database runs, then run it again"
        )


class SaasBucket:
    """The Bucket of an Exasol SaaS database."""

    def __init__(
        self,
        settings: BucketFSSettings,
        token: Secret,
        *,
        timeout: httpx.Timeout = TIMEOUT,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        # httpx logs every address, and a presigned one is a secret.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._settings, self._sleep = settings, sleep
        options: dict[str, Any] = {
            "timeout": timeout,
            "trust_env": False,  # as with a BucketFS service: no say in proxies and trust
        }
        context = context_for_ca(settings.ca_file, "bucketfs.ca_file")
        self._store = httpx.Client(
            verify=context, event_hooks={"response": [_store_answered]}, **options
        )
        self._api = AuthenticatedClient(
            base_url=settings.saas_url,
            token=token.reveal(),
            verify_ssl=context,
            timeout=options.pop("timeout"),
            httpx_args={"event_hooks": {"response": [_api_answered]}, **options},
        )

    def close(self) -> None:
        self._api.get_httpx_client().close()
        self._store.close()

    def list(self) -> tuple[str, ...]:
        """All files of the tree, sorted. Raises MissingBucket, naming the databases there are."""
        ids = self._ids
        tree = self._must(
            "list the files",
            lambda: _items(list_files.sync_detailed(*ids, client=self._api).parsed, File),
        )
        return tuple(sorted(_files(tree)))

    def read(self, path: str) -> bytes | None:
        """A file's bytes, None when it is not there."""
        task, ids = f"read {path}", self._ids
        url = self._may(
            task,
            lambda: _presigned(download_file.sync_detailed(*ids, path, client=self._api).parsed),
            gone=(_MISSING,),
        )
        if url is None:
            return None
        # An object store tells not everybody that a file is missing.
        gone = (_MISSING, *_FORBIDDEN)
        content = self._may(task, lambda: self._store.get(url).content, gone)
        if content is None and path in self.list():
            raise BucketFSFailed(
                f"{self._name} lists {path}, and its object store does not give it",
                "run the command again",
            )
        return content

    def write(self, path: str, content: bytes) -> None:
        """Put a file, as a whole."""
        task, ids = f"write {path}", self._ids
        url = self._must(
            task,
            lambda: _presigned(upload_file.sync_detailed(*ids, path, client=self._api).parsed),
        )
        self._must(task, lambda: self._put(url, path, content))

    def delete(self, path: str) -> None:
        """Delete a file; one that is not there is no error."""
        ids = self._ids
        self._may(
            f"delete {path}",
            lambda: delete_file.sync_detailed(*ids, path, client=self._api),
            gone=(_MISSING,),
        )

    def _put(self, url: str, path: str, content: bytes) -> None:
        with meter(path.rpartition("/")[2], len(content), "bytes") as bar:
            self._store.put(url, content=Body(content, bar))
        logger.info("%d bytes sent of %s", len(content), path)

    @property
    def _name(self) -> str:
        return f"Exasol SaaS ({self._settings.saas_url})"

    @cached_property
    def _ids(self) -> tuple[str, str]:
        """Those of account and database, asked for once: the settings may name the database."""
        account, wanted = self._settings.saas_account_id, self._settings.saas_database
        known = self._must(
            "list the databases",
            lambda: _items(
                list_databases.sync_detailed(account, client=self._api).parsed, ExasolDatabase
            ),
        )
        there = [item for item in known if not item.deleted_at]
        found = [item for item in there if wanted == item.id] or [
            item for item in there if wanted == item.name
        ]
        if len(found) != 1:
            names = ", ".join(f"{item.name} ({item.id})" for item in there) or "none"
            raise MissingBucket(
                f"{self._name}: account {account} has not exactly one database {wanted}; it has: "
                f"{names}",
                "set bucketfs.saas_database to the id of one",
            )
        return account, found[0].id

    def _must(self, task: str, request: Callable[[], _Result]) -> _Result:
        """The result of a request that has to succeed."""
        try:
            return self._ask(task, request)
        except _Refused as refused:
            raise refused.explained(task) from None

    def _may(
        self, task: str, request: Callable[[], _Result], gone: Sequence[int]
    ) -> _Result | None:
        """The result of a request, None where the answer is one of the states in `gone`."""
        try:
            return self._ask(task, request)
        except _Refused as refused:
            if refused.status not in gone:
                raise refused.explained(task) from None
            return None

    def _ask(self, task: str, request: Callable[[], _Result]) -> _Result:
        """Send, and again after connection errors and 5xx: every request here is idempotent.

        Raises _Refused, and ExatrustError for everything else.
        """
        for pause in (*BACK_OFF, None):
            try:
                return request()
            except httpx.RequestError as error:
                self._note(error, final=pause is None)
            except _Refused as refused:
                if pause is None or not refused.passing:
                    raise
            except (ValueError, KeyError, TypeError, AttributeError, httpx.InvalidURL) as error:
                raise BucketFSFailed(
                    f"{self._name}: what it answers when asked to {task} is not understood",
                    "check bucketfs.saas_url; pip install --upgrade exasol-saas-api",
                ) from error
            assert pause is not None
            self._sleep(pause)
        raise AssertionError("the last attempt returns or raises")

    def _note(self, error: httpx.RequestError, *, final: bool) -> None:
        """Raises an ExatrustError where it makes no sense to try again."""
        server = _address(error.request.url)
        logger.warning("%s %s: %s", error.request.method, server, reason(error))
        if isinstance(innermost(error), SSLCertVerificationError):
            raise CertificateRefused(
                f"the certificate of {server} is not accepted: {reason(error)}; nothing was sent",
                "where a proxy of your company stands in between, set bucketfs.ca_file to a PEM "
                "file of the CA that it signs with",
            ) from error
        if final:
            raise BucketFSUnreachable(
                f"Exasol SaaS does not answer at {server}: {reason(error)}",
                "check bucketfs.saas_url and the firewall; proxies are not used",
            ) from error


def _address(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _api_answered(answer: httpx.Response) -> None:
    request = answer.request
    logger.info("%s %s: %d", request.method, request.url.path, answer.status_code)
    if not answer.is_success:
        raise _Refused(answer.status_code, _address(request.url), is_store=False)


def _store_answered(answer: httpx.Response) -> None:
    request = answer.request
    server = _address(request.url)
    logger.info("%s %s/(presigned): %d", request.method, server, answer.status_code)
    if not answer.is_success:
        raise _Refused(answer.status_code, server, is_store=True)


def _presigned(answer: object) -> str:
    """The address in an answer. Raises TypeError and ValueError where there is none to use."""
    if not isinstance(answer, (UploadFile, DownloadFile)):
        raise TypeError("no address")
    # The API escapes '&' twice, as its own clients know.
    url = answer.url.replace(r"\u0026", "&")
    if urlsplit(url).scheme != "https":
        raise ValueError("an address without TLS")
    return url


def _items(answer: object, kind: type[_Result]) -> list[_Result]:
    """The objects of a listing. Raises TypeError where it is none."""
    if not isinstance(answer, list):
        raise TypeError("no list")
    return [item for item in answer if isinstance(item, kind)]


def _files(nodes: Iterable[File]) -> Iterator[str]:
    """The paths of files. An empty folder has no children, as a file."""
    for node in nodes:
        if node.children:
            yield from _files(node.children)
        elif node.type_ not in _FOLDERS and not node.path.endswith("/"):
            yield node.path.lstrip("/")
