"""The body of every database script but PROBE_NODE: load the pinned code, then run it.

The code is read once, and the bytes that were compared with the pinned SHA-256 are the bytes that
are imported: they lie in sealed memory of this process, so whoever can write to the bucket cannot
exchange them in between. `PIN` (dict) and `exa` are globals of the script.
"""

import fcntl
import hashlib
import importlib
import os
import sys
import types

PIN: dict[str, str]
exa: types.SimpleNamespace
_loaded: list[types.ModuleType] = []


def run(ctx: types.SimpleNamespace) -> None:
    """Run the pinned script; the code is loaded once in this virtual machine."""
    if not _loaded:
        _loaded.append(load())
    _loaded[0].run(ctx, exa, PIN)


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
    """Return the archive's bytes; RuntimeError where they are missing or not the pinned ones."""
    path = PIN["directory"] + "/" + PIN["pyz"]
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (pathlib is slow to load)
            data = file.read()
    except OSError as error:
        raise RuntimeError(complaint(path, "is missing", error.strerror or "no reason")) from None
    found = hashlib.sha256(data).hexdigest()
    if found != PIN["pyz_sha256"]:
        raise RuntimeError(complaint(path, "was altered", "SHA-256 " + found))
    return data


def complaint(path: str, what: str, found: str) -> str:
    """Say what is wrong, where, and what to do."""
    return (
        f"exatrust: node {exa.meta.node_id}: {path} {what}. "
        f"Expected SHA-256 {PIN['pyz_sha256']}, found: {found}. "
        "Run `exatrust status`, then `exatrust install`."
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
