"""exatrust for analysts: make this UDF trust what the release's bundle trusts, and nothing else.

    import exatrust_udf
    exatrust_udf.activate()              # requests, botocore, urllib, grpc … from here on
    context = exatrust_udf.ssl_context() # or one context for your own sockets

The bundle belongs to the release from which this package was loaded. Nothing heavy is imported
before it is needed: a UDF's virtual machine starts for every query.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

__all__ = ["ENVIRONMENT", "activate", "bundle_path", "release", "ssl_context", "use_pin"]

# Which library reads which: OpenSSL (ssl, urllib, websocket-client), requests, libcurl and pycurl,
# botocore, websocket-client's own, grpc.
ENVIRONMENT = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "WEBSOCKET_CLIENT_CA_BUNDLE",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
)
_BUNDLE_PREFIX = "ca-bundle-"
_BUNDLE_SUFFIX = ".pem"
_pin: dict[str, str] = {}


def use_pin(pin: Mapping[str, str]) -> None:
    """Tell the package which release a script pins; its bundle is then checked by SHA-256."""
    _pin.update(pin)


def release() -> str:
    """Return the release this package belongs to: the pinned one, else its directory's name.

    Raises RuntimeError where the package was not loaded from a release.
    """
    return _pin.get("release") or os.path.basename(_directory())  # noqa: PTH119


def bundle_path() -> str:
    """Return the path of the release's CA bundle, PEM, below /buckets.

    Raises RuntimeError where the file is missing, is not the pinned one, or holds no certificate:
    OpenSSL would silently trust nothing.
    """
    return _verified_bundle()[0]


def ssl_context() -> ssl.SSLContext:
    """Return a client context that verifies chain and host name against the bundle alone.

    Raises RuntimeError as `bundle_path` does.
    """
    import ssl

    # The bytes that were checked, not the path: the file could change in between.
    return ssl.create_default_context(cadata=_verified_bundle()[1].decode("ascii", "replace"))


def activate() -> str:
    """Make the TLS libraries of this process trust the bundle alone; return a line that says so.

    Call it before the first connection: libraries read these variables when they open one, some
    when they are imported. Raises RuntimeError as `bundle_path` does; then nothing is changed.
    """
    path = bundle_path()
    os.environ.update(dict.fromkeys(ENVIRONMENT, path))
    # OpenSSL searches its default directory besides SSL_CERT_FILE, unless told another one: here
    # something that is no directory, so that nobody can put certificates into it.
    os.environ["SSL_CERT_DIR"] = os.devnull
    return f"exatrust release {release()}: trusting {path}"


def _directory() -> str:
    """Return the directory of the archive from which this package was imported."""
    archive = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    if not archive.endswith(".pyz") or archive.startswith("/proc/"):
        raise RuntimeError(f"exatrust: {archive} is not a release; install with `exatrust install`")
    return os.path.dirname(archive)  # noqa: PTH120


def _only_bundle(directory: str) -> str:
    names = [
        name
        for name in os.listdir(directory)  # noqa: PTH208
        if name.startswith(_BUNDLE_PREFIX) and name.endswith(_BUNDLE_SUFFIX)
    ]
    if len(names) != 1:
        raise RuntimeError(
            f"exatrust: {directory} holds {len(names)} bundles where one is expected. "
            "Run `exatrust status`, then `exatrust install`."
        )
    return f"{directory}/{names[0]}"


def _verified_bundle() -> tuple[str, bytes]:
    """Return (path, content) of the bundle, which holds at least one certificate."""
    from exatrust_udf import stores
    from exatrust_udf.pinned import pinned_bytes

    if _pin:
        path, data = f"{_pin['directory']}/{_pin['bundle']}", pinned_bytes(_pin, "bundle")
    else:
        path = _only_bundle(_directory())
        with open(path, "rb") as file:  # noqa: PTH123
            data = file.read()
    store = stores.parse_store(data, "shared-bundle", path, "the release")
    if not store.certificates:
        raise RuntimeError(f"exatrust: {path}: {'; '.join(store.problems)}")
    return path, data
