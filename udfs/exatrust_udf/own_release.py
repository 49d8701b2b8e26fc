"""The release that this package belongs to, and its CA bundle, checked before it is handed out."""

from __future__ import annotations

import os
from collections.abc import Mapping

_BUNDLE_PREFIX = "ca-bundle-"
_BUNDLE_SUFFIX = ".pem"
_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
_pin: dict[str, str] = {}


def use_pin(pin: Mapping[str, str]) -> None:
    """Tell the package which release a script pins; its bundle is then checked by SHA-256."""
    _pin.update(pin)


def release() -> str:
    """Return the release this package belongs to: the pinned one, else its directory's name.

    Raises RuntimeError where the package was not loaded from a release.
    """
    return _pin.get("release") or os.path.basename(_directory())  # noqa: PTH119


def verified_bundle() -> tuple[str, bytes]:
    """Return (path, content) of the bundle, which holds at least one certificate.

    Raises RuntimeError where it is missing, is not the pinned one, or holds no certificate.
    """
    from exatrust_udf.pinned import complaint, pinned_bytes

    if _pin:
        # What was installed, byte for byte: reading every certificate would only cost time.
        path, data = f"{_pin['directory']}/{_pin['bundle']}", pinned_bytes(_pin, "bundle")
        problem = None if _CERTIFICATE in data else "no certificate in it: nothing is trusted"
    else:
        path = _only_bundle(_directory())
        with open(path, "rb") as file:  # noqa: PTH123
            data = file.read()
        problem = _problem(data)
    if problem:
        raise RuntimeError(complaint(_pin, path, f"cannot be used: {problem}"))
    return path, data


def _problem(data: bytes) -> str | None:
    """Say why OpenSSL would trust nothing of a bundle, None where it holds a certificate."""
    from exatrust_udf import stores

    store = stores.parse_store(data, "shared-bundle", "", "the release")
    return None if store.certificates else "; ".join(store.problems)


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
