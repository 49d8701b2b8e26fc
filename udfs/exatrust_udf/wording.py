"""How findings name things to a person. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from exatrust_udf.certificate import Certificate
from exatrust_udf.endpoint import is_address
from exatrust_udf.stores import Store

_SHOWN_NAMES = 5
_COMPARED_NAMES = 500
_COMPARED_EXACTLY = 16
_LONGEST_NAME = 253  # RFC 1035 2.3.4
_MAX_SUBJECT = 200


def certificate(cert: Certificate) -> str:
    """`CN=a,O=b (SHA-256 0123...)`, the digest in full so that it can be compared."""
    return f"{subject(cert)} (SHA-256 {cert.sha256})"


def subject(cert: Certificate) -> str:
    """The subject, or what stands for an empty one."""
    return shortened(cert.subject) or "a certificate without subject"


def shortened(text: str) -> str:
    """A server decides how long its names are; a row does not have to repeat all of it."""
    return text if len(text) <= _MAX_SUBJECT else text[:_MAX_SUBJECT] + "…"


def printable(text: str) -> str:
    """Free text of a table or file on one line, without what a terminal would obey."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def sentence(text: str) -> str:
    """`text` with a full stop, unless it has one: a server's own words may end in any way."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def store(found: Store) -> str:
    """`truststore shared-bundle /path (SHA-256 0123456789ab, 118 certificates)`."""
    digest = f"SHA-256 {found.sha256[:12]}, " if found.sha256 else ""
    count = len(found.certificates)
    noun = "certificate" if count == 1 else "certificates"
    # A truststore of store= is named by its path already.
    name = "" if found.found_by == "store=" else f"{found.name} "
    return f"truststore {name}{found.path} ({digest}{count} {noun})"


def issuer(cert: Certificate) -> str:
    """The issuer of a certificate that is not at hand: its name, and its key identifier."""
    key = f" (key identifier {cert.aki})" if cert.aki else ""
    return f"{shortened(cert.issuer) or 'an issuer without name'}{key}"


def day(time: datetime) -> str:
    """A date and time, in UTC, to the minute."""
    return f"{time:%Y-%m-%d %H:%M} UTC"


def span(earlier: datetime, later: datetime) -> str:
    """The time between two moments, in the unit a person would use."""
    seconds = int((later - earlier).total_seconds())
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"


def names(cert: Certificate) -> str:
    """What a leaf is issued for, the first few."""
    found = [*cert.dns_names, *cert.ip_addresses]
    shown = ", ".join(shortened(name) for name in found[:_SHOWN_NAMES])
    more = len(found) - _SHOWN_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def nearest(asked: str, offered: Sequence[str]) -> str | None:
    """The offered name most like the one asked for."""
    if not offered:
        return None
    from difflib import SequenceMatcher  # slow to load, and rarely needed

    matcher = SequenceMatcher(None, b=asked.lower(), autojunk=False)

    def likeness(name: str, exact: bool = True) -> float:
        matcher.set_seq1(name.lower())
        return matcher.ratio() if exact else matcher.quick_ratio()

    # A server chooses its names, and an exact comparison is quadratic: few get that far.
    possible = [name for name in offered if len(name) <= _LONGEST_NAME][:_COMPARED_NAMES]
    promising = sorted(possible, key=lambda name: -likeness(name, exact=False))
    return max(promising[:_COMPARED_EXACTLY], key=likeness, default=None)


_PLAIN_NAME = re.compile(r"(?!.*\.[0-9]+\.?$)[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?\.?", re.IGNORECASE)


def is_plain_name(name: str) -> bool:
    """Whether a server's name can be connected by: no pattern, no address, nothing hidden."""
    return len(name) <= _LONGEST_NAME and _PLAIN_NAME.fullmatch(name) is not None


def mismatch(asked: str, cert: Certificate) -> str:
    """Why a certificate is not for the name asked for."""
    if is_address(asked):
        return _address_mismatch(asked, cert)
    if not cert.dns_names and not cert.ip_addresses:
        name = f"only the CN {cert.common_name!r}" if cert.common_name else "not even a CN"
        return f"it has no subjectAltName, {name}"
    close = nearest(asked, cert.dns_names)
    text = f"it is for {names(cert)}"
    if not cert.dns_names:
        return f"{text}: addresses, but no DNS name"
    if close is None:
        return text
    if _too_deep(asked, close):
        return f"{text}; {close} stands for one label only, not for two"
    return text if len(cert.dns_names) == 1 else f"{text}; the nearest is {close}"


def _too_deep(asked: str, pattern: str) -> bool:
    """Whether `*.example.com` would match if '*' could stand for more than one label."""
    return pattern.startswith("*.") and asked.lower().endswith(pattern[1:].lower())


def _address_mismatch(asked: str, cert: Certificate) -> str:
    if cert.ip_addresses:
        return f"it is for {names(cert)}, not for this address"
    if cert.dns_names:
        return f"an IP address was asked for, but it has only DNS names: {names(cert)}"
    return "an IP address was asked for, and it has no subjectAltName"
