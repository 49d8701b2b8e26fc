"""What a command changes about the bundle: CAs added, CAs removed. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from exatrust.bundle import Anchor, Bundle, Removal, compose
from exatrust.carry import Carried
from exatrust.distrust import Distrust
from exatrust.errors import BundleRejected
from exatrust_udf.certificate import Certificate

_DIGITS = re.compile(r"[0-9a-f]{8,64}")
_LIST = "`exatrust ca list` shows all CAs with their SHA-256"


@dataclass(frozen=True)
class Change:
    """`standing` are the additions that the settings name: they were there before a removal, so a
    removal is stronger. `additions` and `removals` are what a human wants now; the latter are given
    as SHA-256, its beginning, or subject. `reason` is why.
    """

    additions: tuple[Anchor, ...] = ()
    standing: tuple[Anchor, ...] = ()
    removals: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def wanted(self) -> tuple[Anchor, ...]:
        return (*self.additions, *self.standing)


def changed(
    roots: Sequence[Certificate],
    roots_name: str,
    carried: Carried,
    change: Change,
    distrust: Distrust,
    warn: Callable[[str], None],
) -> tuple[Bundle, tuple[Removal, ...]]:
    """The next bundle, and the CAs that go now. Raises BundleRejected."""
    before = compose(roots, roots_name, carried.added, distrust, carried.removed)
    known = (*before.removed, *carried.forgotten)
    going = tuple(
        dict.fromkeys(
            item for text in change.removals for item in _going(before, text, known, warn)
        )
    )
    back = {anchor.certificate.sha256 for anchor in change.additions}
    removed = (*(item for item in carried.removed if item.sha256 not in back), *going)
    gone = {item.sha256 for item in removed}
    for anchor in change.standing:
        if anchor.certificate.sha256 in gone:
            warn(
                f"bundle.ca_files still names {anchor.certificate.subject} ({anchor.source}), "
                "which was removed: it stays out. Take it out of the settings, or run "
                "`exatrust ca add` to have it back"
            )
    wanted = (*carried.added, *change.wanted)
    added = [anchor for anchor in wanted if anchor.certificate.sha256 not in gone]
    bundle = compose(roots, roots_name, added, distrust, removed)
    if not bundle.anchors:
        raise BundleRejected(
            "the bundle would hold no CA at all", "UDFs would trust nobody: leave at least one in"
        )
    return bundle, going


def _going(
    bundle: Bundle, text: str, known: Sequence[Removal], warn: Callable[[str], None]
) -> tuple[Removal, ...]:
    """What a text means; nothing where that was removed before: a command may be repeated."""
    past = {item.subject for item in known if _meant(text, item.sha256, item.subject)}
    if _matches(bundle, text) or not past:
        return (removal(pick(bundle, text)),)
    warn(f"{', '.join(sorted(past))} was removed before")
    return ()


def removal(anchor: Anchor) -> Removal:
    return Removal(anchor.certificate.sha256, anchor.certificate.subject, anchor.certificate)


def pick(bundle: Bundle, text: str) -> Anchor:
    """The one CA that a human means by a SHA-256, its beginning, or a subject."""
    found = _matches(bundle, text)
    if len(found) == 1:
        return found[0]
    if found:
        names = "; ".join(f"{a.certificate.sha256} {a.certificate.subject}" for a in found)
        raise BundleRejected(
            f"{text!r} may mean any of {len(found)} CAs: {names}", "give a SHA-256"
        )
    raise BundleRejected(_why_absent(bundle, text), _LIST)


def _digits(text: str) -> str:
    return text.replace(":", "").replace(" ", "").lower()


def _matches(bundle: Bundle, text: str) -> list[Anchor]:
    return _by_digest(bundle, _digits(text)) or _by_subject(bundle, text.strip())


def _by_digest(bundle: Bundle, digits: str) -> list[Anchor]:
    if not _DIGITS.fullmatch(digits):
        return []
    return [a for a in bundle.anchors if a.certificate.sha256.startswith(digits)]


def _by_subject(bundle: Bundle, text: str) -> list[Anchor]:
    return [
        anchor
        for anchor in bundle.anchors
        if text.casefold() in _names(anchor.certificate.subject, anchor.certificate.common_name)
    ]


def _names(*names: str | None) -> tuple[str, ...]:
    return tuple(name.casefold() for name in names if name)


def _meant(text: str, sha256: str, subject: str) -> bool:
    digits = _digits(text)
    by_digest = bool(_DIGITS.fullmatch(digits)) and sha256.startswith(digits)
    return by_digest or text.strip().casefold() in _names(subject)


def _why_absent(bundle: Bundle, text: str) -> str:
    for item in bundle.removed:
        if _meant(text, item.sha256, item.subject):
            return f"{item.subject} was removed before"
    for left in bundle.left_out:
        if _meant(text, left.certificate.sha256, left.certificate.subject):
            return f"the bundle leaves it out already: {left.reason}"
    digits = _digits(text)
    short = " (a SHA-256 needs at least 8 digits)" if re.fullmatch(r"[0-9a-f]{1,7}", digits) else ""
    return f"no CA of the bundle is {text!r}{short}"
