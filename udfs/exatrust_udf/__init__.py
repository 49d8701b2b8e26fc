"""exatrust for analysts: make this UDF trust what the release's bundle trusts, and nothing else.

    exatrust_udf = exa.import_script("EXATRUST.EXATRUST_UDF")
    exatrust_udf.activate()              # requests, botocore, urllib, grpc … from here on
    context = exatrust_udf.ssl_context() # or one context for your own sockets

The bundle belongs to the release from which this package was loaded. Nothing heavy is imported
before it is needed: a UDF's virtual machine starts for every query.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from exatrust_udf.own_release import release, use_pin

if TYPE_CHECKING:
    import ssl

    from exatrust_udf.trust_in_use import Trust

__all__ = ["activate", "bundle_path", "release", "ssl_context", "status", "use_pin"]


def bundle_path() -> str:
    """Return the path of the release's CA bundle, PEM, below /buckets.

    Raises RuntimeError where the file is missing, is not the pinned one, or holds no certificate:
    OpenSSL would silently trust nothing.
    """
    from exatrust_udf.own_release import verified_bundle

    return verified_bundle()[0]


def ssl_context() -> ssl.SSLContext:
    """Return a client context that verifies chain and host name against the bundle alone.

    Raises RuntimeError as `bundle_path` does.
    """
    import ssl

    from exatrust_udf.own_release import verified_bundle

    # The bytes that were checked, not the path: the file could change in between.
    return ssl.create_default_context(cadata=verified_bundle()[1].decode("ascii", "replace"))


def activate() -> str:
    """Make the TLS libraries of this process trust the bundle alone; return a line that says so.

    Call it before the first connection; the line names what has connected too early. Raises
    RuntimeError as `bundle_path` does; then nothing is changed.
    """
    from exatrust_udf import activation

    return activation.activate()


def status() -> tuple[Trust, ...]:
    """Return what each client library would trust if it connected now; each prints as a line."""
    from exatrust_udf import trust_in_use

    return trust_in_use.status()
