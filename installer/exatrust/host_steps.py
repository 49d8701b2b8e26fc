"""How a CA gets into the truststores of the nodes themselves, by version of the database. Pure.

Exasol documents the Java part alone (exasol/tutorials, tls_with_exasol.md); what is inferred says
so.
"""

from __future__ import annotations

import re

VERIFIES_ON_REQUEST = (8, 32)
VERIFIES_BY_DEFAULT = (2025, 1)
_NOT_BY_PROGRAM = (
    "exatrust does not do this: it has no access to the nodes. ConfD's job cert_update replaces "
    "the database's own certificate, and is not documented to make imports trust anything.",
)
_SHELL = (
    "On every data node, also on those that are added later, in a shell (c4 connect -t <DEPLOYMENT>"
    "/cos), as root:",
    "  1. copy the CA as PEM to /etc/pki/ca-trust/source/anchors/<name>.pem and run "
    "`update-ca-trust`: for files over HTTPS (inferred: the OS's own bundle)",
    "  2. keytool -importcert -noprompt -alias <name> -file <name>.pem -storepass changeit "
    "-keystore /etc/pki/ca-trust/extracted/java/cacerts: for JDBC sources (documented); step 1 may "
    "have done it already",
    "  3. run this command again, also after each update of the nodes' system: neither step is "
    "documented to last",
)


def numbers(version: str) -> tuple[int, int]:
    """The first two numbers of a version, (0, 0) where there are none."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def rule(version: str) -> str:
    """Whether IMPORT verifies certificates in this version."""
    known = numbers(version)
    if known < VERIFIES_ON_REQUEST:
        return (
            f"Exasol {version} has no VERIFY CERTIFICATE (since 8.32): IMPORT verifies no "
            "certificate of a file server, whatever the truststores hold"
        )
    if known < VERIFIES_BY_DEFAULT:
        return f"Exasol {version} verifies in IMPORT where the statement says VERIFY CERTIFICATE"
    return f"Exasol {version} verifies in IMPORT unless the statement says IGNORE CERTIFICATE"


def steps(version: str) -> tuple[str, ...]:
    """Lines to follow, for a version in which a truststore matters."""
    if numbers(version) < VERIFIES_ON_REQUEST:
        return ("Update the database to 8.32 or later; until then import through a UDF.",)
    return (*_SHELL, *_NOT_BY_PROGRAM, "On Exasol SaaS there is no shell: use the pin.")
