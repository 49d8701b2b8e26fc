"""Files of a release, compared with the SHA-256 that the script's text pins."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def pinned_bytes(pin: Mapping[str, str], name: str) -> bytes:
    """Return the content of the release's `name` (bundle, manifest).

    Raises RuntimeError, which the user of the database sees, where it is missing or altered.
    """
    path = f"{pin['directory']}/{pin[name]}"
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (pathlib is slow to load)
            data = file.read()
    except OSError as error:
        raise RuntimeError(complaint(pin, path, f"cannot be read: {error.strerror}")) from None
    found = hashlib.sha256(data).hexdigest()
    expected = pin[f"{name}_sha256"]
    if found != expected:
        reason = f"was altered: SHA-256 {found}, expected {expected}"
        raise RuntimeError(complaint(pin, path, reason))
    return data


def complaint(pin: Mapping[str, str], path: str, what: str) -> str:
    """Say what is wrong with a file, on which node where that is known, and what to do."""
    node = f"node {pin['node']}: " if "node" in pin else ""
    return f"exatrust: {node}{path} {what}. Run `exatrust status`, then `exatrust install`."
