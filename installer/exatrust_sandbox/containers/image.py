"""Language containers as images: a language and a generated file system with its own truststores.

Only what matters for TLS is generated (/etc, /usr/local, /build_info); libraries come from this
machine's /usr. Building is deterministic: the same recipe and roots give the same bytes, so that
nothing looks changed after a restart. An image already built from the same inputs is kept.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import certifi
import trustme

from exatrust_sandbox.containers import installations, interpreters, jdk
from exatrust_sandbox.containers.java_store import jks
from exatrust_sandbox.containers.recipes import RECIPES, Recipe

_BLOCK = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
PIP_SECONDS = 120
_LAYOUT_VERSION = 2  # raise it when what is generated changes
_OPENSSL_CNF = """\
openssl_conf = default_conf
[default_conf]
ssl_conf = ssl_sect
[ssl_sect]
system_default = system_default_sect
[system_default_sect]
MinProtocol = TLSv1.2
CipherString = DEFAULT:@SECLEVEL=2
"""


class ImageError(Exception):
    """An image cannot be built; the text says why."""


@dataclass(frozen=True)
class Image:
    """A built image. `note` tells when another version of the language plays the wanted one."""

    name: str
    language: str
    program: Path
    version: str
    prefix: Path
    root: Path
    packages: tuple[str, ...]
    note: str

    @property
    def packages_path(self) -> str:
        """Where its packages are inside the container."""
        minor = ".".join(self.version.split(".")[:2])
        return f"/usr/local/lib/python{minor}/dist-packages"


def available() -> tuple[str, ...]:
    """Names of the images that can be asked for."""
    return tuple(RECIPES)


def build(
    name: str,
    images_dir: Path,
    extra_roots: Sequence[bytes] = (),
    planted: Sequence[bytes] = (),
) -> Image:
    """The image of that name, trusting Mozilla's roots and `extra_roots` (PEM).

    With `planted` roots it is a variant of the image, kept beside it. Raises ImageError for an
    unknown name, and where a part of the recipe cannot be had.
    """
    recipe = RECIPES.get(name)
    if recipe is None:
        raise ImageError(f"no image {name}; there are {', '.join(RECIPES)}")
    interpreter, note = _interpreter(name, recipe)
    image = Image(
        name, recipe.language, interpreter.executable, interpreter.version, interpreter.prefix,
        images_dir / (name + _variant(planted)), _packages(recipe), note,
    )  # fmt: skip
    retired = _retired_roots(images_dir) if recipe.older_roots else b""
    roots = _split(b"".join([Path(certifi.where()).read_bytes(), *extra_roots, *planted, retired]))
    _ensure_built(image, recipe, roots)
    return image


def _interpreter(name: str, recipe: Recipe) -> tuple[interpreters.Interpreter, str]:
    if recipe.language == "python":
        return interpreters.find(recipe.version)
    try:
        return installations.find(recipe.language, recipe.version)
    except installations.NotInstalled as error:
        raise ImageError(f"image {name} cannot be built: {error}") from error


def _variant(planted: Sequence[bytes]) -> str:
    return f"-planted-{_sha256(b''.join(planted))[:12]}" if planted else ""


def _packages(recipe: Recipe) -> tuple[str, ...]:
    return (("certifi",) if recipe.certifi else ()) + recipe.packages


def _retired_roots(images_dir: Path) -> bytes:
    """Roots that later sets have lost: made once, kept, and the same in all images."""
    file = images_dir / "retired-roots.pem"
    if not file.exists():
        images_dir.mkdir(parents=True, exist_ok=True)
        made = [
            trustme.CA(organization_name="Sandbox Retired Trust", organization_unit_name=unit)
            for unit in ("Retired Root G1", "Retired Root G2", "Retired Root C1")
        ]
        file.write_bytes(b"".join(authority.cert_pem.bytes() for authority in made))
    return file.read_bytes()


def _split(pem: bytes) -> list[bytes]:
    """The DER of each certificate, once, in an order that depends on nothing else."""
    blocks = _BLOCK.findall(pem.decode("utf-8", "replace"))
    ders = {ssl.PEM_cert_to_DER_cert(block) for block in blocks}
    return sorted(ders, key=_sha256)


def _sha256(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest()


def _ensure_built(image: Image, recipe: Recipe, roots: list[bytes]) -> None:
    stamp = _stamp(image, recipe, roots)
    stamp_file = image.root / "stamp"
    if stamp_file.exists() and stamp_file.read_text() == stamp:
        return
    draft = image.root.with_name(image.root.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    _write_files(draft, image, recipe, roots)
    (draft / "stamp").write_text(stamp)
    shutil.rmtree(image.root, ignore_errors=True)
    draft.rename(image.root)


def _stamp(image: Image, recipe: Recipe, roots: list[bytes]) -> str:
    inputs = [
        _LAYOUT_VERSION, asdict(recipe), image.version, str(image.program), jdk.client_digest(),
        certifi.__version__,
        [_sha256(root) for root in roots],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()


def _write_files(root: Path, image: Image, recipe: Recipe, roots: list[bytes]) -> None:
    packages = root / "usr_local" / Path(image.packages_path).relative_to("/usr/local")
    packages.mkdir(parents=True)
    _write_language(root, image)
    for name, text in _etc(recipe).items():
        _write(root / "etc" / name, text)
    _write_build_info(root / "build_info", image, recipe)
    _write_certificates(root / "etc/ssl/certs", roots)
    if recipe.certifi:
        bundle = "".join(map(ssl.DER_cert_to_PEM_cert, roots))
        _write_certifi(packages / "certifi", recipe.certifi, bundle)
    if recipe.packages:
        _install_packages(recipe.packages, packages, image)
    if recipe.java_store:
        store = root / "etc/ssl/certs/java/cacerts"
        store.parent.mkdir()
        store.write_bytes(jks(roots))
    if recipe.conda_store:
        _write_conda_store(root / "opt/conda/ssl", roots)


def _write_language(root: Path, image: Image) -> None:
    """What the language needs below /etc, and the client that was compiled for it."""
    if image.language == "python":
        return
    for directory in installations.configuration(image.prefix):
        shutil.copytree(directory, root / "etc" / directory.relative_to("/etc"), symlinks=True)
    for link in installations.alternatives() if image.language == "r" else ():
        copy = root / "etc" / link.relative_to("/etc")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.symlink_to(link.readlink())
    if image.language == "java":
        try:
            jdk.compile_client(image.prefix, root / "exaudf")
        except jdk.CannotCompile as error:
            raise ImageError(f"image {image.name} cannot be built: {error}") from error


def _etc(recipe: Recipe) -> dict[str, str]:
    return {
        "os-release": f'PRETTY_NAME="{recipe.system}"\nNAME="Ubuntu"\n',
        "passwd": "root:x:0:0:root:/root:/bin/sh\nexasolution:x:500:500::/tmp:/bin/sh\n",
        "group": "root:x:0:\nexasolution:x:500:\n",
        "hosts": "127.0.0.1 localhost\n::1 localhost\n",
        "resolv.conf": "",
        "nsswitch.conf": "hosts: files dns\n",
        "ssl/openssl.cnf": _OPENSSL_CNF,
    }


def _write_build_info(directory: Path, image: Image, recipe: Recipe) -> None:
    packages = [f"{image.language}: {image.version}", f"build: {recipe.build}"]
    packages += [f"certifi: {recipe.certifi}"] if recipe.certifi else []
    listing = "\n".join(packages) + "\n"
    _write(directory / "actual_installed_packages/release/packages.yml", listing)


def _write_certificates(directory: Path, roots: list[bytes]) -> None:
    """Debian's layout: one bundle file, and a directory OpenSSL looks up by subject hash."""
    directory.mkdir(parents=True)
    for root in roots:
        _write(directory / f"{_sha256(root)[:16]}.pem", ssl.DER_cert_to_PEM_cert(root))
    try:
        subprocess.run(["openssl", "rehash", str(directory)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ImageError(f"`openssl rehash` is needed to build images: {error}") from error
    _write(directory / "ca-certificates.crt", "".join(map(ssl.DER_cert_to_PEM_cert, roots)))


def _write_certifi(package: Path, version: str, bundle: str) -> None:
    """The environment's own certifi, with this image's version and roots."""
    source = Path(certifi.__file__).parent
    package.mkdir()
    for file in source.glob("*.py"):
        text = file.read_text().replace(certifi.__version__, version)
        (package / file.name).write_text(text)
    _write(package / "cacert.pem", bundle)
    metadata = package.parent / f"certifi-{version}.dist-info"
    _write(metadata / "METADATA", f"Metadata-Version: 2.1\nName: certifi\nVersion: {version}\n")


def _write_conda_store(directory: Path, roots: list[bytes]) -> None:
    """As the package ca-certificates of conda-forge lays it out: a file, and a link to it."""
    _write(directory / "cacert.pem", "".join(map(ssl.DER_cert_to_PEM_cert, roots)))
    (directory / "cert.pem").symlink_to("cacert.pem")


def _install_packages(names: Sequence[str], packages: Path, image: Image) -> None:
    """Compiled packages must fit the container's Python, so pip chooses them for that one."""
    minor = ".".join(image.version.split(".")[:2])
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-compile"]
    command += ["--disable-pip-version-check", "--only-binary=:all:", "--python-version", minor]
    try:
        subprocess.run(
            [*command, "--target", str(packages), *names],
            check=True, capture_output=True, text=True, timeout=PIP_SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        raise ImageError(
            f"image {image.name} needs {', '.join(names)} for Python {minor}, "
            f"and pip cannot install them: {said[-1] if said else error}"
        ) from error


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
