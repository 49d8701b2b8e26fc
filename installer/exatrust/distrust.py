"""Roots that nobody should trust any more, whatever a truststore says. Pure.

The curated list is data, distrusted_roots.csv, and the one place to change. A DBA's own entries are
rows of the table OWN_DISTRUST. The view DISTRUSTED_ROOT shows both.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exatrust.errors import SettingsError
from exatrust_udf.certificate import Certificate
from exatrust_udf.gone import Gone

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class DistrustedRoot:
    """SHA-256 of the certificate and, if known, of its public key, lower-case hex.

    `confirmed` says whether the primary source of the reason was seen; None in a DBA's own entry.
    """

    sha256: str
    spki_sha256: str | None
    subject: str | None
    reason: str
    distrusted_on: dt.date | None
    source: str | None
    confirmed: bool | None


@dataclass(frozen=True)
class Distrust:
    """The list that comes with exatrust, and the DBA's own."""

    curated: tuple[DistrustedRoot, ...] = ()
    own: tuple[DistrustedRoot, ...] = ()

    @property
    def roots(self) -> tuple[DistrustedRoot, ...]:
        return (*self.curated, *self.own)

    def of(self, certificate: Certificate) -> DistrustedRoot | None:
        """The entry about a certificate: itself, or another one with the same key."""
        digests = (certificate.sha256, certificate.spki_sha256)
        return next(
            (r for r in self.roots if r.sha256 in digests or r.spki_sha256 in digests), None
        )

    @property
    def reasons(self) -> Mapping[str, str]:
        """Why, by SHA-256 of the certificate."""
        return {root.sha256: _why(root) for root in self.roots}

    @property
    def gone(self) -> tuple[Gone, ...]:
        """The same, by the name that stands in the certificates below."""
        return tuple(Gone(root.subject, None, _why(root)) for root in self.roots if root.subject)


def said(root: DistrustedRoot) -> str:
    """One sentence for people, with the subject: a digest tells nobody anything."""
    return f"{root.subject or root.sha256} is distrusted: {_why(root)}"


def _why(root: DistrustedRoot) -> str:
    return f"{root.reason} (unconfirmed)" if root.confirmed is False else root.reason


def curated(text: str) -> tuple[DistrustedRoot, ...]:
    """The entries of distrusted_roots.csv. Raises SettingsError, naming the line."""
    rows = csv.DictReader(text.splitlines())
    return tuple(_curated(row, f"distrusted_roots.csv, line {rows.line_num}") for row in rows)


def _curated(row: Mapping[str, str], where: str) -> DistrustedRoot:
    return DistrustedRoot(
        sha256=_digest(row["sha256"], where),
        spki_sha256=_digest(row["spki_sha256"], where) if row["spki_sha256"] else None,
        subject=row["subject"],
        reason=row["reason"],
        distrusted_on=dt.date.fromisoformat(row["distrusted_on"]),
        source=row["source"],
        confirmed={"yes": True, "no": False}[row["confirmed"]],
    )


def own(rows: Iterable[Sequence[Any]]) -> tuple[DistrustedRoot, ...]:
    """The rows of OWN_DISTRUST. Raises SettingsError for what is no SHA-256."""
    return tuple(
        DistrustedRoot(
            _digest(sha256, "table OWN_DISTRUST"), None, subject, reason, on, source, None
        )
        for sha256, subject, reason, on, source in rows
    )


def _digest(text: str, where: str) -> str:
    found = text.replace(":", "").strip().lower()
    if not _DIGEST.fullmatch(found):
        raise SettingsError(
            f"{where}: {text!r} is no SHA-256",
            "write the SHA-256 of the certificate, 64 hexadecimal digits",
        )
    return found
