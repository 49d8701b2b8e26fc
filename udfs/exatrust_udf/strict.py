"""Which CA certificates X509_V_FLAG_X509_STRICT rejects (OpenSSL 3.0 to 3.5, RFC 5280)."""

from __future__ import annotations

from collections.abc import Callable

from exatrust_udf import oids
from exatrust_udf.certificate import Certificate


def _critical(cert: Certificate, kind: str) -> bool | None:
    """Whether the extension is critical; None where it is absent."""
    return dict(cert.extensions).get(kind)


def _signs_certificates(cert: Certificate) -> bool:
    return cert.key_usage is None or "keyCertSign" in cert.key_usage


def _needs_authority_key(cert: Certificate) -> bool:
    return cert.version == 3 and cert.aki is None and not cert.self_issued


# Text, code, and the condition; in the order of OpenSSL's check_extensions and check_ca.
_RULES: tuple[tuple[str, int, Callable[[Certificate], bool]], ...] = (
    ("EC key with explicit parameters", 94, lambda c: c.key_curve == "explicit"),
    ("no basicConstraints with CA:TRUE", 79, lambda c: not c.is_ca),
    ("path length without CA:TRUE", 80, lambda c: c.path_length is not None and not c.is_ca),
    (
        "path length without key usage keyCertSign",
        81,
        lambda c: c.path_length is not None and "keyCertSign" not in (c.key_usage or ()),
    ),
    (
        "basicConstraints not critical",
        89,
        lambda c: c.is_ca and _critical(c, oids.BASIC_CONSTRAINTS) is False,
    ),
    ("no key usage", 92, lambda c: c.is_ca and c.key_usage is None),
    ("key usage without keyCertSign", 32, lambda c: c.is_ca and not _signs_certificates(c)),
    ("empty issuer name", 83, lambda c: c.issuer == ""),
    ("empty subject name", 84, lambda c: c.subject == ""),
    (
        "authorityKeyIdentifier critical",
        90,
        lambda c: _critical(c, oids.AUTHORITY_KEY_IDENTIFIER) is True,
    ),
    (
        "subjectKeyIdentifier critical",
        91,
        lambda c: _critical(c, oids.SUBJECT_KEY_IDENTIFIER) is True,
    ),
    ("no authorityKeyIdentifier", 85, _needs_authority_key),
    (
        "no subjectKeyIdentifier",
        86,
        lambda c: c.version == 3 and c.is_ca and c.ski is None,
    ),
    (
        "extensions need version 3",
        93,
        lambda c: c.version < 3 and bool(c.extensions),
    ),
)


def problems(cert: Certificate) -> tuple[str, ...]:
    """Return the broken rules as `text (code)`, in the order OpenSSL meets them."""
    return tuple(f"{text} ({code})" for text, code, broken in _RULES if broken(cert))
