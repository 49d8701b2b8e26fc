"""What LIST_TRUSTSTORES and LIST_CERTIFICATES say about a container's stores."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from exatrust_udf import rows, truststore
from exatrust_udf.certificate import Certificate, strict_problems
from exatrust_udf.pinned import pinned_bytes
from exatrust_udf.stores import Store


@dataclass(frozen=True)
class Survey:
    """The stores of one moment."""

    checked_at: dt.datetime
    stores: tuple[Store, ...]


@dataclass(frozen=True)
class StoreRow:
    """A row of LIST_TRUSTSTORES; `problem` has one line per problem, None if there is none."""

    store: str
    path: str
    found_by: str
    format: str | None
    size_bytes: int | None
    sha256: str | None
    certificates: int
    duplicates: int
    non_ca: int
    expired: int
    unreadable: int
    problem: tuple[str, ...] | None


@dataclass(frozen=True)
class CertificateRow:
    """A row of LIST_CERTIFICATES. `position` counts from 1 within the store, `serial` is hex.

    `in_shared_bundle` and `in_default_set` are None where that is not known: `problem` says why.
    `self_signed` means self-issued with agreeing key identifiers: the signature is not checked.
    """

    store: str
    path: str
    position: int
    subject: str
    issuer: str
    serial: str
    sha256: str
    spki_sha256: str
    ski: str | None
    aki: str | None
    not_before: dt.datetime
    not_after: dt.datetime
    days_left: int
    key_type: str
    key_bits: int | None
    signature_algorithm: str
    is_ca: bool
    path_length: int | None
    self_signed: bool
    strict_problems: tuple[str, ...] | None
    in_shared_bundle: bool | None
    in_default_set: bool | None
    problem: str | None = None


def survey(pin: Mapping[str, str], paths: str | None) -> Survey:
    """Read every store; `paths` holds further ones, one a line."""
    given = [line.strip() for line in (paths or "").splitlines() if line.strip()]
    bundle = f"{pin['directory']}/{pin['bundle']}"
    found = truststore.find(bundle, given)
    stores = tuple(
        _compared(store, pin["bundle_sha256"]) if store.path == bundle else store for store in found
    )
    return Survey(rows.utc_now(), stores)


def _compared(bundle: Store, expected: str) -> Store:
    """Return the shared bundle with a problem where it is there but not the release's."""
    if bundle.sha256 in (None, expected):
        return bundle
    problem = f"altered: the release has SHA-256 {expected}"
    return replace(bundle, problems=(problem, *bundle.problems))


def origins(pin: Mapping[str, str]) -> dict[str, str]:
    """Return SHA-256 to origin, `default` or `added`, for each certificate of the release.

    The manifest is compared with its pin: RuntimeError where it is missing or altered.
    """
    manifest = json.loads(pinned_bytes(pin, "manifest"))
    return {entry["sha256"]: entry["origin"] for entry in manifest["certificates"]}


def store_row(store: Store, now: dt.datetime) -> StoreRow:
    """Return the row of a store as of `now` (aware)."""
    return StoreRow(
        store=store.name,
        path=store.path,
        found_by=store.found_by,
        format=store.format,
        size_bytes=store.size,
        sha256=store.sha256,
        certificates=len(store.certificates),
        duplicates=store.duplicates,
        non_ca=store.non_ca,
        expired=store.expired(now),
        unreadable=store.unreadable,
        problem=store.problems or None,
    )


def certificate_rows(found: Survey, pin: Mapping[str, str]) -> Iterator[CertificateRow]:
    """Yield a row for each certificate of each store, with what the manifest says of it."""
    try:
        origin, problem = origins(pin), None
    except RuntimeError as error:
        origin, problem = {}, str(error)
    for store in found.stores:
        for position, certificate in enumerate(store.certificates, 1):
            row = certificate_row(
                store, position, certificate, found.checked_at, origin.get(certificate.sha256)
            )
            yield (
                replace(row, in_shared_bundle=None, in_default_set=None, problem=problem)
                if problem
                else row
            )


def certificate_row(
    store: Store, position: int, certificate: Certificate, now: dt.datetime, origin: str | None
) -> CertificateRow:
    """Return the row of one certificate as of `now` (aware); `origin` None: not in the bundle."""
    return CertificateRow(
        store=store.name,
        path=store.path,
        position=position,
        subject=certificate.subject,
        issuer=certificate.issuer,
        serial=f"{certificate.serial:x}",
        sha256=certificate.sha256,
        spki_sha256=certificate.spki_sha256,
        ski=certificate.ski,
        aki=certificate.aki,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        days_left=certificate.days_left(now),
        key_type=certificate.key_type,
        key_bits=certificate.key_bits,
        signature_algorithm=certificate.signature_algorithm,
        is_ca=certificate.is_ca,
        path_length=certificate.path_length,
        self_signed=_self_signed(certificate),
        strict_problems=strict_problems(certificate) or None,
        in_shared_bundle=origin is not None,
        in_default_set=origin == "default",
    )


def _self_signed(certificate: Certificate) -> bool:
    agreeing = None in (certificate.aki, certificate.ski) or certificate.aki == certificate.ski
    return certificate.self_issued and agreeing
