"""The client libraries of requirements.txt, installed by pip for a container's Python, once."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest

from exatrust_sandbox.containers import interpreters
from exatrust_sandbox.containers.image import Image

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
CACHE = ROOT / ".clients"
SECONDS = 300


def installed(version: str) -> Path:
    """The directory with the packages for that Python. Skips where they cannot be had."""
    python, note = interpreters.find(version)
    if note:
        pytest.skip(f"the clients are tried on Python {version}: {note}")
    digest = hashlib.sha256(REQUIREMENTS.read_bytes() + python.version.encode()).hexdigest()
    directory = CACHE / f"{version}-{digest[:12]}"
    CACHE.mkdir(exist_ok=True)
    with _alone(CACHE / "lock"):
        if not directory.exists():
            _install(version, python.executable, directory)
    return directory


def _install(version: str, python: Path, directory: Path) -> None:
    draft = directory.with_suffix(".draft")
    shutil.rmtree(draft, ignore_errors=True)
    # By the container's own Python: pip chooses dependencies by the one that it runs in.
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-input"]
    pip += ["--disable-pip-version-check", "--only-binary=:all:"]
    pip += ["--target", str(draft), "--requirement", str(REQUIREMENTS)]
    try:
        subprocess.run(pip, check=True, capture_output=True, text=True, timeout=SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1:]
        pytest.skip(f"pip cannot install the clients for Python {version}: {said}")
    draft.rename(directory)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Of several test workers one installs, and the others wait."""
    with lock.open("w") as file:
        flock(file, LOCK_EX)
        yield


def put_into(image: Image, packages: Path) -> None:
    """Give a container the packages, but its own certifi stays: it has the container's roots."""
    target = image.root / "usr_local" / Path(image.packages_path).relative_to("/usr/local")
    for item in packages.iterdir():
        if item.name.startswith(("certifi", "bin")) or (target / item.name).exists():
            continue
        if item.is_dir():
            shutil.copytree(item, target / item.name, copy_function=os.link)
        else:
            os.link(item, target / item.name)
