"""CA files that a human wants in the bundle: read, judged, and vouched for by fingerprint."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from exatrust.bundle import Anchor, Bundle
from exatrust.distrust import Distrust, said
from exatrust.dsn import fingerprint
from exatrust.envelopes import Password
from exatrust.errors import BundleRejected, NotConfirmed
from exatrust.fitness import doubts, refuse_expired, refuse_unfit, warnings
from exatrust.intake import read_certificates
from exatrust.report import Report
from exatrust_udf import regular_file
from exatrust_udf.certificate import Certificate

_MAX_FILE = 16 << 20  # bytes; all public CAs together take a quarter of a megabyte


def read_file(path: Path) -> bytes:
    """Raises BundleRejected, naming the file, for what is no file of certificates by its size."""
    try:
        return regular_file.read(str(path), _MAX_FILE)
    except OSError as error:
        raise BundleRejected(
            f"{path}: {error.strerror or error}", "name a readable file of CA certificates"
        ) from error


def read_additions(paths: Iterable[Path], password: Password | None = None) -> tuple[Anchor, ...]:
    """The certificates in the files. `password` asks for that of a PKCS#12 file.

    Raises BundleRejected for a file that cannot be read, or holds anything else.
    """
    found: dict[str, Anchor] = {}
    for path in paths:
        for certificate in read_certificates(read_file(path), str(path), password):
            found.setdefault(certificate.sha256, Anchor(certificate, "added", path.name))
    return tuple(found.values())


def refuse(additions: Iterable[Anchor], distrust: Distrust) -> None:
    """Raise BundleRejected for what must not be trusted. Expiry is for `examine_new`."""
    for anchor in additions:
        if root := distrust.of(anchor.certificate):
            raise BundleRejected(
                f"{anchor.source}: {said(root)}", "do not trust it; ask who gave you the file"
            )
        refuse_unfit(anchor.certificate, anchor.source)


def examine_new(
    additions: Iterable[Anchor],
    known: Collection[str],
    bundle: Bundle,
    now: dt.datetime,
    force: bool,
    report: Report,
) -> None:
    """Tell what a human should know before trusting a CA that is not `known` (SHA-256) yet.

    Raises BundleRejected for an expired one unless forced. A known one that expires must not keep
    anybody from installing: `exatrust check` speaks of it.
    """
    for anchor in additions:
        certificate, name = anchor.certificate, anchor.source
        if certificate.sha256 in known:
            continue
        if not force:
            refuse_expired(certificate, name, now)
        for text in warnings(certificate, name, now):
            report.warn(text)
        for other in _namesakes(certificate, bundle):
            report.say(
                f"{name}: the bundle already has a CA of this name, SHA-256 {other.sha256}, valid "
                f"until {other.not_after:%Y-%m-%d}. Both stay, until you run "
                f"`exatrust ca remove {other.sha256[:16]}`"
            )


def doubt_roots(bundle: Bundle, now: dt.datetime, report: Report) -> None:
    """Warn of default roots that nobody could add by hand; they came in as a set."""
    for anchor in bundle.anchors:
        if anchor.origin == "default" and (why := doubts(anchor.certificate, anchor.source, now)):
            report.warn(f"{why}; it is in the bundle as one of the default roots")


def _namesakes(certificate: Certificate, bundle: Bundle) -> tuple[Certificate, ...]:
    """A rotated CA has its old name and another key or certificate."""
    anchors = (anchor.certificate for anchor in bundle.anchors)
    return tuple(
        other
        for other in anchors
        if other.subject_der == certificate.subject_der and other.sha256 != certificate.sha256
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
    new = [anchor for anchor in additions if anchor.certificate.sha256 not in known]
    open_ones = [anchor for anchor in new if anchor.certificate.sha256 not in given]
    for anchor in new:
        for line in describe(anchor.certificate):
            say(line)
        if ask is not None and anchor in open_ones:
            _ask_for(anchor, ask)
    if ask is None and open_ones:  # all of them have been shown by now
        raise _nobody_vouched(open_ones[0])


def _nobody_vouched(anchor: Anchor) -> NotConfirmed:
    return NotConfirmed(
        f"nobody vouched for {anchor.certificate.subject} from {anchor.source}",
        f"its SHA-256 is {anchor.certificate.sha256}: "
        "if the CA's owner published the same, give the published one with --confirm",
    )


def _ask_for(anchor: Anchor, ask: Callable[[str], str]) -> None:
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
