"""CA files that a human wants in the bundle: read, judged, and vouched for by fingerprint."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from exatrust.bundle import Anchor
from exatrust.distrust import Distrust, said
from exatrust.dsn import fingerprint
from exatrust.errors import BundleRejected, NotConfirmed
from exatrust.intake import read_certificates, refuse_unfit, warnings
from exatrust_udf.certificate import Certificate


def read_file(path: Path) -> bytes:
    """Raises BundleRejected, naming the file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleRejected(
            f"{path}: {error.strerror}", "name a readable PEM or DER file of CA certificates"
        ) from error


def read_additions(
    paths: Iterable[Path], now: dt.datetime, distrust: Distrust, warn: Callable[[str], None]
) -> tuple[Anchor, ...]:
    """The CAs in the files. Raises BundleRejected for the first that must not be distributed."""
    found: dict[str, Anchor] = {}
    for path in paths:
        for certificate in read_certificates(read_file(path), str(path)):
            _refuse_distrusted(certificate, str(path), distrust)
            refuse_unfit(certificate, str(path))
            for text in warnings(certificate, str(path), now):
                warn(text)
            found.setdefault(certificate.sha256, Anchor(certificate, "added", path.name))
    return tuple(found.values())


def _refuse_distrusted(certificate: Certificate, name: str, distrust: Distrust) -> None:
    if root := distrust.of(certificate):
        raise BundleRejected(
            f"{name}: {said(root)}",
            "do not trust it; ask who gave you the file",
        )


def confirm(
    additions: Sequence[Anchor],
    known: Collection[str],
    confirmed: Sequence[str],
    ask: Callable[[str], str] | None,
    say: Callable[[str], None],
) -> None:
    """Have a human vouch for every CA that is not `known` (SHA-256) to the database yet.

    Raises NotConfirmed. `ask` is None where nobody can be asked; --yes is no confirmation.
    """
    given = {fingerprint(text, "--confirm") for text in confirmed}
    unmatched = given - {anchor.certificate.sha256 for anchor in additions}
    if unmatched:
        raise NotConfirmed(
            f"--confirm {sorted(unmatched)[0]} is not the SHA-256 of any given CA",
            "compare the file with what its owner published: it may not be the CA you mean",
        )
    for anchor in additions:
        if anchor.certificate.sha256 not in known and anchor.certificate.sha256 not in given:
            _ask_for(anchor, ask, say)


def _ask_for(anchor: Anchor, ask: Callable[[str], str] | None, say: Callable[[str], None]) -> None:
    for line in describe(anchor.certificate):
        say(line)
    if ask is None:
        raise NotConfirmed(
            f"nobody vouched for {anchor.certificate.subject} from {anchor.source}",
            f"its SHA-256 is {anchor.certificate.sha256}: "
            "if the CA's owner published the same, give the published one with --confirm",
        )
    typed = ask("Type the SHA-256 that the CA's owner published, to trust it")
    if fingerprint(typed, "what was typed") != anchor.certificate.sha256:
        raise NotConfirmed(
            f"what was typed is not the SHA-256 of {anchor.certificate.subject}",
            "do not trust this file before you know why it differs",
        )


def describe(certificate: Certificate) -> tuple[str, ...]:
    return (
        f"Subject   {certificate.subject}",
        f"Issuer    {'itself' if certificate.self_issued else certificate.issuer}",
        f"Valid     {certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}",
        f"SHA-256   {certificate.sha256}",
    )
