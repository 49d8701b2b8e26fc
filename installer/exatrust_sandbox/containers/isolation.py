"""bubblewrap: a container of its own for every UDF process, where the machine allows it.

Not every machine does (macOS, Ubuntu 24.04's AppArmor profile, many containers), so it is tried
for real; without it UDFs are plain processes, and everything that depends on isolation says so.
"""

from __future__ import annotations

import enum
import functools
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

USER = "500"  # another user than the one who runs the sandbox
SECONDS = 10
_SEALED = ("--remount-ro", "/")  # the root itself is memory, and would be writable
_PROBE = "test $(id -u) = 500 && ! touch /usr/probe /probe 2>/dev/null && ! test -e /root"
# Of the machine's /usr, what could be taken for a part of the container.
_MASKED = ("/usr/share/ca-certificates", "/usr/lib/jvm", "/usr/lib/python3/dist-packages")


class Isolation(enum.Enum):
    """How a UDF process is kept from the rest of the machine."""

    BUBBLEWRAP = "bubblewrap"
    NONE = "none"


@functools.cache
def probe() -> tuple[Isolation, str]:
    """What this machine allows, and the reason when that is nothing."""
    if shutil.which("bwrap") is None:
        return Isolation.NONE, "bubblewrap is not installed"
    command = [*_base_arguments(), *_SEALED, "--", "/bin/sh", "-c", _PROBE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Isolation.NONE, f"bubblewrap does not run: {error}"
    if done.returncode:
        return Isolation.NONE, f"bubblewrap does not isolate here: {done.stderr.strip()[:200]}"
    return Isolation.BUBBLEWRAP, ""


def bubblewrap_command(
    *,
    root: Path,
    prefix: Path,
    buckets: Path,
    mounts: Sequence[tuple[Path, str, bool]],
    environment: Mapping[str, str],
    program: list[str],
) -> list[str]:
    """The command line that runs `program` in an image's file system on a node.

    root:     the image's generated part: etc, usr_local, build_info, perhaps opt
    prefix:   the interpreter's directory, mounted at its own path
    buckets:  the node's BucketFS replica, mounted read-only as /buckets
    mounts:   what else is mounted: source, target, and whether it may be written
    """
    return [
        *_base_arguments(),
        *_bind(root / "etc", "/etc"),
        *_bind(root / "usr_local", "/usr/local"),
        *_bind(root / "build_info", "/build_info"),
        *(_bind(root / "opt", "/opt") if (root / "opt").exists() else ()),
        *_bind(buckets, "/buckets"),
        *_interpreter(prefix),
        *_mounts(mounts),
        *_environment(environment),
        *_SEALED,
        "--chdir",
        "/tmp",
        "--",
        *program,
    ]


def _base_arguments() -> list[str]:
    arguments = ["bwrap", "--unshare-all", "--share-net", "--uid", USER, "--gid", USER]
    arguments += ["--die-with-parent", "--new-session", "--clearenv", "--hostname", "udf"]
    arguments += _bind(Path("/usr"), "/usr")
    for path in _MASKED:
        if Path(path).is_dir():
            arguments += ["--tmpfs", path]
    for name in ("bin", "sbin", "lib", "lib64", "lib32"):
        if Path("/usr", name).exists():
            arguments += ["--symlink", f"usr/{name}", f"/{name}"]
    return [*arguments, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]


def _interpreter(prefix: Path) -> list[str]:
    masked = any(Path(path) in prefix.parents for path in _MASKED)
    inside_usr = Path("/usr") in prefix.parents and prefix.parts[2] != "local"
    if prefix == Path("/usr") or (inside_usr and not masked):
        return []
    return _bind(prefix, str(prefix))


def _mounts(mounts: Sequence[tuple[Path, str, bool]]) -> Iterator[str]:
    for source, target, writable in mounts:
        yield from ("--bind" if writable else "--ro-bind", str(source), target)


def _bind(source: Path, target: str) -> list[str]:
    return ["--ro-bind", str(source), target]


def _environment(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        yield from ("--setenv", name, value)
