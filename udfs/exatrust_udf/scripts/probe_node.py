"""PROBE_NODE: which files of a release this node sees, and what its language container is.

This text is the whole body of the database script: it must speak when BucketFS is empty, so it
imports nothing of exatrust. `PIN` (dict) and `exa` are globals of the script.
"""

import datetime as dt
import hashlib
import importlib.util
import os
import platform
import re
import ssl
import stat
import types

PIN: dict[str, str]
exa: types.SimpleNamespace
_memo: dict[tuple[str, ...], dict[str, object]] = {}


def run(ctx: types.SimpleNamespace) -> None:
    """Emit one row for the group; further groups of the same statement cost nothing."""
    meta = exa.meta
    key = (str(meta.session_id), str(meta.statement_id), ctx.release or "", ctx.files or "")
    if key not in _memo:
        _memo.clear()
        _memo[key] = observe(ctx.release, ctx.files or "")
    row = {**_memo[key], "sample": ctx.sample, "machine_time": utc_now()}
    ctx.emit(*(cut(row[c.name.lower()], c.length) for c in meta.output_columns))


def observe(release: str | None, files: str) -> dict[str, object]:
    """Return the row of this node; `files` holds lines of `<sha256> <absolute path>`."""
    expected = [line.strip().partition(" ") for line in files.splitlines() if line.strip()]
    problems = [text for sha256, _, path in expected if (text := problem(path.strip(), sha256))]
    return {
        "node_id": int(exa.meta.node_id),
        "node_count": int(exa.meta.node_count),
        "language_alias": PIN["alias"],
        "release": release,
        "checked_at": utc_now(),
        "files_expected": len(expected),
        "files_intact": len(expected) - len(problems),
        "problems": "\n".join(problems) or None,
        "database_version": exa.meta.database_version,
        "python_version": platform.python_version(),
        "openssl_version": ssl.OPENSSL_VERSION,
        "certifi_version": certifi_version(),
        "container_build": build_digest("/build_info"),
        "operating_system": operating_system("/etc/os-release"),
    }


def problem(path: str, expected: str) -> str | None:
    """Say what is wrong with a file; None where its SHA-256 is the expected one."""
    try:
        found = file_sha256(path)
    except FileNotFoundError:
        return f"missing: {path}"
    except (OSError, ValueError) as error:
        return f"unreadable: {path} {error}"
    if found != expected.lower():
        return f"altered: {path} expected {expected.lower()} found {found}"
    return None


def file_sha256(path: str) -> str:
    """Return a regular file's SHA-256; a device or pipe, which may never end, is an OSError."""
    if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 (pathlib is slow to load)
        raise OSError("not a regular file")
    digest = hashlib.sha256()
    with open(path, "rb") as file:  # noqa: PTH123
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def certifi_version() -> str | None:
    """Return the version of certifi without importing it; None where it is not installed."""
    spec = importlib.util.find_spec("certifi")
    if spec is None or not spec.origin:
        return None
    found = re.search(r"""^__version__\s*=\s*["']([^"']+)""", text_of(spec.origin) or "", re.M)
    return found.group(1) if found else None


def build_digest(directory: str) -> str | None:
    """Return one SHA-256 over the names and contents of a container's build info."""
    digest = hashlib.sha256()
    count = 0
    for folder, folders, names in os.walk(directory):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)  # noqa: PTH118
            if (content := digest_of(path)) is not None:
                digest.update(f"{path[len(directory) :]}\0{content}\n".encode(errors="replace"))
                count += 1
    return digest.hexdigest() if count else None


def digest_of(path: str) -> str | None:
    """Return a file's SHA-256; None where it cannot be read."""
    try:
        return file_sha256(path)
    except OSError:
        return None


def operating_system(path: str) -> str | None:
    """Return PRETTY_NAME of os-release (5)."""
    found = re.search(r"""^PRETTY_NAME=["']?([^"'\n]*)""", text_of(path) or "", re.M)
    return found.group(1) if found else None


def text_of(path: str) -> str | None:
    """Return a small text file; None where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read(1 << 20)
    except OSError:
        return None


def utc_now() -> dt.datetime:
    """Return the node's clock as the naive UTC that a TIMESTAMP column takes."""
    return dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)


def cut(value: object, length: int | None) -> object:
    """Keep a text within its column; undecodable bytes of a path are shown as `\\udcXX`."""
    if type(value) is not str:
        return value
    text = value.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")
    return text if not length or len(text) <= length else text[: length - 1] + "…"
