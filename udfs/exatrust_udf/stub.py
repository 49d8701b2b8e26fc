"""The body of every database script but PROBE_NODE: load the pinned code, then run it.

The code is read once, and the bytes that were compared with the pinned SHA-256 are the bytes that
are imported: they lie in sealed memory of this process, so whoever can write to the bucket cannot
exchange them in between. `PIN` (dict) and `exa` are globals of the script.

A node that has not got the archive says so in a row, where the script has a column for that: the
views show all nodes, and one that lags behind must not silence the others.
"""

import datetime as dt
import fcntl
import hashlib
import importlib
import os
import sys
import types

PIN: dict[str, str]
exa: types.SimpleNamespace
_loaded: list[types.ModuleType] = []
ACTION = "Run `exatrust status`, then `exatrust install`."


class Damaged(RuntimeError):
    """The archive is missing, or is not the pinned one."""


def run(ctx: types.SimpleNamespace) -> None:
    """Run the pinned script; the code is loaded once in this virtual machine."""
    try:
        if not _loaded:
            _loaded.append(load())
    except Damaged as error:
        if not {"PROBLEM", "FINDING"} & {column.name for column in exa.meta.output_columns}:
            raise
        tell(ctx, str(error))
    else:
        _loaded[0].run(ctx, exa, PIN)


def tell(ctx: types.SimpleNamespace, problem: str) -> None:
    """Emit one row for each input row: what it was asked, and why there is no answer."""
    asked = True
    while asked:
        row = {**report(problem), **question(ctx)}
        ctx.emit(*(row.get(column.name) for column in exa.meta.output_columns))
        asked = ctx.next()


def report(problem: str) -> dict[str, object]:
    """Return what every script's row says of a node without the archive, by column."""
    return {
        "NODE_ID": int(exa.meta.node_id),
        "LANGUAGE_ALIAS": PIN["alias"],
        "RELEASE": PIN["release"],
        "CHECKED_AT": dt.datetime.now(dt.timezone.utc).replace(tzinfo=None),
        "POSITION": 1 if PIN["script"] == "diagnose_endpoint" else None,
        "IS_PRIMARY": True,
        "FINDING": "RELEASE_DAMAGED",
        "SEVERITY": "ERROR",
        "CAUSE": problem,
        "PROBLEM": problem,
        "ACTION": ACTION,
    }


def question(ctx: types.SimpleNamespace) -> dict[str, object]:
    """Return the input row by the columns that repeat it; what fits in none is left out."""
    given = list(map(ctx.__getitem__, range(exa.meta.input_column_count)))
    if PIN["script"].startswith("list_"):
        return {"SAMPLE": int(given[0])}
    if PIN["script"].startswith("https_"):
        place = {"https_get": 1, "https_json": 3}.get(PIN["script"], 5)
        known = [str(value)[:2000] for value in given[place : place + 1] if value is not None]
        return {"ID": known[0] if known else None}
    host, port, options = [*given, None, None, None][:3]
    return {
        "HOST": host[:2000] if type(host) is str else None,
        "PORT": int(port) if type(port) is not str and port and 0 < port < 65536 else None,
        "OPTIONS": options[:2000] if type(options) is str else None,
    }


def load() -> types.ModuleType:
    """Import the script's module out of the pinned archive, ahead of anything else on the path."""
    path = keep(verified_archive())
    # Bytecode, where the release has some for this Python; the sources lie beside it.
    sys.path[:0] = [f"{path}/{sys.implementation.cache_tag}", path]
    importlib.import_module("exatrust_udf").use_pin(PIN)
    module = importlib.import_module("exatrust_udf.scripts." + PIN["script"])
    if not str(module.__file__).startswith(path):
        raise RuntimeError(f"exatrust: the code came from {module.__file__}, not from the release")
    return module


def verified_archive() -> bytes:
    """Return the archive's bytes; Damaged where they are missing or not the pinned ones."""
    path = PIN["directory"] + "/" + PIN["pyz"]
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (pathlib is slow to load)
            data = file.read()
    except OSError as error:
        raise Damaged(complaint(path, "is missing", error.strerror or "no reason")) from None
    found = hashlib.sha256(data).hexdigest()
    if found != PIN["pyz_sha256"]:
        raise Damaged(complaint(path, "was altered", "SHA-256 " + found))
    return data


def complaint(path: str, what: str, found: str) -> str:
    """Say what is wrong, where, and what to do."""
    return (
        f"exatrust: node {exa.meta.node_id}: {path} {what}. "
        f"Expected SHA-256 {PIN['pyz_sha256']}, found: {found}. "
        f"{ACTION}"
    )


def keep(data: bytes) -> str:
    """Put the bytes where nobody else can change them and return a path to import from."""
    descriptor = sealed_memory(data) if hasattr(os, "memfd_create") else unlinked_file(data)
    return f"/proc/self/fd/{descriptor}"


def sealed_memory(data: bytes) -> int:
    """Return a descriptor of memory that can no longer be written, memfd_create(2)."""
    try:
        descriptor = os.memfd_create("exatrust", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except OSError:  # an old kernel or a filter on system calls
        return unlinked_file(data)
    write_all(descriptor, data)
    seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor


def unlinked_file(data: bytes) -> int:
    """Return a descriptor of a private temporary file which no longer has a name."""
    import tempfile  # slow to load, and rarely needed

    descriptor, path = tempfile.mkstemp()
    os.unlink(path)  # noqa: PTH108
    write_all(descriptor, data)
    return descriptor


def write_all(descriptor: int, data: bytes) -> None:
    """Write everything; one write(2) may take less."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
