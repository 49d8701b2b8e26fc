"""One finding about an endpoint, and the table of all kinds for the documentation. Pure."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exatrust_udf.kinds import BY_CODE, ERROR, INFO, KINDS, WARNING, Kind

if TYPE_CHECKING:
    from exatrust_udf.certificate import Certificate

__all__ = [
    "BY_CODE",
    "ERROR",
    "INFO",
    "KINDS",
    "WARNING",
    "Finding",
    "Kind",
    "document",
    "make",
    "markdown",
]

_RANK = {ERROR: 0, WARNING: 1, INFO: 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found, said for a person.

    `depth` counts from the leaf (0) as OpenSSL does; None where no certificate is concerned.
    `code` and `text` are OpenSSL's, None where the finding is our own. `certain` is False where
    the evidence only makes it likely.
    """

    id: str
    severity: str
    cause: str
    action: str
    depth: int | None = None
    subject: str | None = None
    sha256: str | None = None
    code: int | None = None
    text: str | None = None
    certain: bool = True

    @property
    def rank(self) -> tuple[int, int]:
        """The order of findings: errors first, then from the leaf upwards."""
        return _RANK[self.severity], -1 if self.depth is None else self.depth


def make(
    kind: str, cause: str = "", cert: Certificate | None = None, depth: int | None = None
) -> Finding:
    """A finding of `kind` with its declared texts; `cause` is the particular one."""
    declared = KINDS[kind]
    return Finding(
        id=kind,
        severity=declared.severity,
        cause=f"{declared.cause} {cause}".rstrip(),
        action=declared.action,
        depth=depth,
        subject=cert.subject if cert else None,
        sha256=cert.sha256 if cert else None,
    )


_INTRODUCTION = """\
# Findings

What `exatrust check`, `probe` and `diagnose`, the scripts `CHECK_ENDPOINT` and `DIAGNOSE_ENDPOINT`
and the views `ENDPOINT_STATUS` and `ENDPOINT_FINDINGS` report about an endpoint. `HTTPS_GET`,
`HTTPS_REQUEST` and `HTTPS_JSON` report the same where TLS fails, and those that begin with `HTTP_`
about everything else. The id is stable: SQL may compare with it. Each row adds the particular:
which certificate, which truststore, and by how much something is missed; its action may be more
precise than the general one here, and its severity lower where the evidence only makes a finding
likely. OpenSSL's verify codes are those of OpenSSL 3 that lead to this finding and no other.

Generated from `exatrust_udf/kinds.py`: `make docs` writes it again.

"""


def document() -> str:
    """docs/findings.md."""
    return _INTRODUCTION + markdown()


def markdown() -> str:
    """The table of findings for the documentation."""
    lines = ["| finding | severity | cause | action | OpenSSL codes |", "|---|---|---|---|---|"]
    for kind in KINDS.values():
        codes = ", ".join(map(str, kind.codes))
        cause = f"{kind.cause} {kind.certainty}".rstrip()
        lines.append(f"| {kind.id} | {kind.severity} | {cause} | {kind.action} | {codes} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
