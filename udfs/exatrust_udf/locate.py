"""Where the truststores of a language container are (pure: the environment is passed in).

Packages are looked for along the module search path and never imported: importing botocore or grpc
takes longer than everything else this code does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

# Which variable is read by what: the sources of requests, botocore, pip, websocket-client, grpc.
ENVIRONMENT = {
    "SSL_CERT_FILE": "openssl-file",
    "SSL_CERT_DIR": "openssl-directory",
    "REQUESTS_CA_BUNDLE": "requests",
    "CURL_CA_BUNDLE": "curl",
    "AWS_CA_BUNDLE": "botocore",
    "WEBSOCKET_CLIENT_CA_BUNDLE": "websocket-client",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": "grpc",
    "PGSSLROOTCERT": "libpq",
    "PIP_CERT": "pip",
}
# Debian and Ubuntu, Red Hat, SUSE, Alpine.
SYSTEM = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
JAVA = ("/etc/ssl/certs/java/cacerts", "/etc/pki/ca-trust/extracted/java/cacerts")
JAVA_HOME_STORE = "lib/security/cacerts"
CONDA = ("ssl/cacert.pem", "ssl/cert.pem")
PACKAGES = {
    "certifi": "certifi/cacert.pem",
    "requests": "requests/cacert.pem",
    "botocore": "botocore/cacert.pem",
    "grpc": "grpc/_cython/_credentials/roots.pem",
    "pip": "pip/_vendor/certifi/cacert.pem",
    "httplib2": "httplib2/cacerts.txt",
}


@dataclass(frozen=True)
class Candidate:
    """A place to look at; `required` ones are reported even where nothing is there."""

    name: str
    path: str
    found_by: str
    required: bool = False


@dataclass(frozen=True)
class Surroundings:
    """What decides where stores are.

    `openssl_file` and `openssl_directory` are the defaults compiled into OpenSSL, `search_path` is
    `sys.path`, `prefixes` are directories that may hold a conda environment, `java_homes` are
    installed Javas. `bundle` is the path of the release's bundle, `given` are the caller's paths.
    """

    environ: Mapping[str, str]
    openssl_file: str | None = None
    openssl_directory: str | None = None
    search_path: Sequence[str] = ()
    prefixes: Sequence[str] = ()
    java_homes: Sequence[str] = ()
    bundle: str | None = None
    given: Sequence[str] = ()


def locate(around: Surroundings, exists: Callable[[str], bool]) -> list[Candidate]:
    """Return the candidates in a stable order; those not required exist."""
    found = [*_asked_for(around), *_openssl(around), *_fixed(around), *_packages(around)]
    return [candidate for candidate in found if candidate.required or exists(candidate.path)]


def _asked_for(around: Surroundings) -> Iterable[Candidate]:
    if around.bundle:
        yield Candidate("shared-bundle", around.bundle, "the release", required=True)
    for path in around.given:
        yield Candidate("given", path, "argument", required=True)
    for variable, name in ENVIRONMENT.items():
        value = around.environ.get(variable, "")
        # SSL_CERT_DIR may name several directories.
        for path in value.split(":") if variable == "SSL_CERT_DIR" else [value]:
            if path:
                yield Candidate(name, path, variable, required=True)


def _openssl(around: Surroundings) -> Iterable[Candidate]:
    """Yield OpenSSL's defaults; a variable replaces its default."""
    if around.openssl_file and not around.environ.get("SSL_CERT_FILE"):
        yield Candidate("openssl-file", around.openssl_file, "OpenSSL default")
    if around.openssl_directory and not around.environ.get("SSL_CERT_DIR"):
        yield Candidate("openssl-directory", around.openssl_directory, "OpenSSL default")


def _fixed(around: Surroundings) -> Iterable[Candidate]:
    yield from (Candidate("system", path, "operating system") for path in SYSTEM)
    yield from (Candidate("java", path, "operating system") for path in JAVA)
    for home in around.java_homes:
        yield Candidate("java", f"{home}/{JAVA_HOME_STORE}", "installed Java")
        yield Candidate("java", f"{home}/jre/{JAVA_HOME_STORE}", "installed Java")
    for prefix in around.prefixes:
        yield from (Candidate("conda", f"{prefix}/{file}", "conda") for file in CONDA)


def _packages(around: Surroundings) -> Iterable[Candidate]:
    for name, file in PACKAGES.items():
        for entry in around.search_path:
            if entry and not entry.endswith(".zip"):
                yield Candidate(name, f"{entry}/{file}", "Python package")
