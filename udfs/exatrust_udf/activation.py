"""Make this process trust the release's bundle, whatever was imported before.

Most libraries read a variable when they open a connection. Two keep what they read earlier:
aiohttp makes its context when it is imported, which is made once more here, by aiohttp's own
function; and what cannot be renewed without reaching into somebody's objects is said instead.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType

from exatrust_udf.clients import environment
from exatrust_udf.own_release import release, verified_bundle

_OPENER = "urllib: urlopen() was used before and keeps the truststore of then"
_GRPC = "grpcio: imported before; if it opened a channel, it keeps the truststore of then"
_AIOHTTP = "aiohttp: imported before, and keeps the truststore of then"


def activate() -> str:
    """Set the environment, renew what can be renewed; return a line that says what was done.

    Raises RuntimeError where the bundle is missing, altered or empty; then nothing is changed.
    """
    path, _ = verified_bundle()
    os.environ.update(environment(path))
    _renew_aiohttp(sys.modules)
    return "; ".join([f"exatrust release {release()}: trusting {path}", *remaining(sys.modules)])


def remaining(modules: Mapping[str, ModuleType]) -> Iterator[str]:
    """Say which of the imported libraries may keep a truststore that they read earlier."""
    opener = getattr(modules.get("urllib.request"), "_opener", None)
    # Since Python 3.12 the handler of https makes its context when the opener is made.
    if any(getattr(handler, "_context", None) for handler in getattr(opener, "handlers", ())):
        yield _OPENER
    if "grpc" in modules:
        yield _GRPC
    if "aiohttp.connector" in modules and not _can_renew(modules["aiohttp.connector"]):
        yield _AIOHTTP


def _renew_aiohttp(modules: Mapping[str, ModuleType]) -> None:
    connector = modules.get("aiohttp.connector")
    if connector is not None and _can_renew(connector):
        connector.__dict__["_SSL_CONTEXT_VERIFIED"] = connector._make_ssl_context(True)


def _can_renew(connector: ModuleType) -> bool:
    """Whether aiohttp keeps its context where 3.10 and later do."""
    return hasattr(connector, "_SSL_CONTEXT_VERIFIED") and hasattr(connector, "_make_ssl_context")
