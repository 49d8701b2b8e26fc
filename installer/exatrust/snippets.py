"""Lines for the top of an analyst's script: no code, and the script trusts the bundle. Pure.

They are text of the script, so they stay with one release until `exatrust repin` exchanges it; in
Python `exa.import_script` follows by itself. Every option line ends with a semicolon: without it
CREATE SCRIPT fails (script-languages, test/python3/all/env_directive.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exatrust.pkcs12_writer import PASSWORD
from exatrust_udf.clients import environment

LANGUAGES = ("python", "java", "r")
# R itself reads the variable, the packages have to be told: docs/java-and-r.md, tried there.
_R_CODE = (
    'options(RCurlOptions = list(cainfo = Sys.getenv("CURL_CA_BUNDLE")))',
    'if (requireNamespace("httr", quietly = TRUE))',
    '    httr::set_config(httr::config(cainfo = Sys.getenv("CURL_CA_BUNDLE")))',
    '# curl: curl::new_handle(cainfo = Sys.getenv("CURL_CA_BUNDLE"))',
)


@dataclass(frozen=True)
class Paths:
    """Where UDFs see the bundle of a release, as PEM and as PKCS#12."""

    pem: str
    java: str


def paths(files: str) -> Paths:
    """From lines of SHA-256 and path (`Installed.files`); ValueError where one is missing."""
    found = [line.partition(" ")[2] for line in files.splitlines()]
    return Paths(_bundle(found, ".pem"), _bundle(found, ".p12"))


def _bundle(found: list[str], suffix: str) -> str:
    names = [p for p in found if "/ca-bundle-" in p and p.endswith(suffix)]
    if len(names) != 1:
        raise ValueError(f"{len(names)} files ca-bundle-*{suffix} where one is expected")
    return names[0]


def snippet(language: str, bundle: Paths) -> tuple[str, ...]:
    """The lines for a script in `python`, `java` or `r`."""
    if language == "java":
        return _java(bundle.java)
    if language == "r":
        return (*_env({"CURL_CA_BUNDLE": bundle.pem}), *_R_CODE)
    return _env(environment(bundle.pem))


def _env(variables: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"%env {name}={value};" for name, value in variables.items())


def _java(truststore: str) -> tuple[str, ...]:
    """It replaces Java's own store, whose public CAs the bundle has, too."""
    properties = {
        "trustStore": truststore,
        "trustStoreType": "PKCS12",
        "trustStorePassword": PASSWORD,
    }
    return tuple(f"%jvmoption -Djavax.net.ssl.{key}={text};" for key, text in properties.items())


def import_line(schema: str, script: str) -> str:
    """What follows every release without being touched."""
    return f'exatrust_udf = exa.import_script("{schema}.{script}")'
