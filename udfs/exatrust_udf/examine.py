"""Endpoints against truststores: one handshake each, then every store judged in memory.

The rim of the diagnosis: stores are read here, contexts and OpenSSL's stores are built here, once
in the life of a virtual machine.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from exatrust_udf import alternatives, crls, diagnosis, handshake, loading, together, truststore
from exatrust_udf.case import (
    BY_OPTION,
    CERTIFI,
    CONTAINER,
    GIVEN,
    ISSUER_MISSING,
    SHARED_BUNDLE,
    Case,
    given_name,
)
from exatrust_udf.causes import continuation
from exatrust_udf.certificate import Certificate, CertificateError, parse
from exatrust_udf.der import SEQUENCE, expect
from exatrust_udf.endpoint import Endpoint
from exatrust_udf.evidence import Evidence
from exatrust_udf.findings import Finding
from exatrust_udf.gone import Gone
from exatrust_udf.resolver import Resolve, system
from exatrust_udf.stores import Store
from exatrust_udf.verdict import Verdict

if TYPE_CHECKING:
    from exatrust_udf.openssl import Anchors, Chain, Revocations

__all__ = [
    "CERTIFI", "CONTAINER", "GIVEN", "SHARED_BUNDLE", "Background", "Examined", "Examiner",
    "container_store", "usual_stores",
]  # fmt: skip


_MAX_CONTEXTS = 64
_MAX_OTHERS = 5


@dataclass(frozen=True, slots=True)
class Examined:
    """One endpoint against one truststore. `trusted` is None where nobody could judge."""

    case: Case
    findings: tuple[Finding, ...]

    @property
    def trusted(self) -> bool | None:
        return self.case.trusted()


@dataclass(frozen=True, slots=True)
class Background:
    """What the release's manifest says about CAs, see Case."""

    removed: Mapping[str, str] = field(default_factory=dict)
    public_roots: frozenset[str] | None = None
    gone: tuple[Gone, ...] = ()


class Examiner:
    """Examines endpoints against `stores`.

    Each endpoint gets one handshake, which trusts what any of its stores trusts, and a verdict of
    each store. Where libcrypto is out of reach, the handshake trusts the first store alone, and
    judges for it.

    With `lists` every certificate of a chain must be answered for by one of them, or by one of the
    endpoint's own (crl=).
    """

    def __init__(
        self,
        stores: Sequence[Store],
        background: Background | None = None,
        lists: Sequence[crls.Lists] = (),
    ) -> None:
        self._stores = tuple(map(loading.loaded, stores))
        self._lists = tuple(lists)
        self._background = background or Background()
        self._context = handshake.client_context(self._anchors_alone())
        self._anchors: dict[tuple[str, str, str | None], Anchors] = {}
        self._contexts: dict[tuple[bool, tuple[str, ...]], ssl.SSLContext] = {}
        self._given: dict[str, Store] = {}
        self._read: dict[str, crls.Lists] = {}
        self._revocations: dict[tuple[str, ...], Revocations] = {}
        self._parsed: dict[bytes, Certificate | None] = {}
        self._signatures: dict[tuple[str, str], bool] = {}

    def examine(
        self,
        endpoints: Iterable[Endpoint],
        now: datetime,
        limits: handshake.Limits | None = None,
        resolve: Resolve = system,
    ) -> Iterator[Examined]:
        """One handshake for each different endpoint; results in the order of the endpoints."""
        self._forget_lists()
        wanted = list(dict.fromkeys(endpoints))
        attempts = handshake.collect(wanted, self._context_for, limits, resolve=resolve)
        found = {e.endpoint: e for e in attempts}
        pool = self.pool(found.values())
        for endpoint in wanted:
            yield from self.judge(found[endpoint], now, pool)

    def _context_for(self, endpoint: Endpoint) -> ssl.SSLContext:
        """What the endpoint's handshake trusts: all that its stores trust, see together.py."""
        stores = tuple(self._all_stores(endpoint))
        alone = self._is_alone(stores)
        # Only where another name can be verified in memory may the handshake leave it open.
        names_agree = endpoint.names_agree or not _reachable()
        if alone and names_agree:
            return self._context
        key = (names_agree, () if alone else endpoint.stores)
        if key not in self._contexts:
            if len(self._contexts) > _MAX_CONTEXTS:
                self._contexts.clear()
            anchors = self._anchors_alone() if alone else self._anchors_together(stores)
            self._contexts[key] = handshake.client_context(anchors, names_agree)
        return self._contexts[key]

    def _anchors_alone(self) -> Iterable[bytes]:
        return map(_without_settings, self._stores[0].trusted)

    def _anchors_together(self, stores: Sequence[Store]) -> Iterable[bytes]:
        return together.anchors(stores, partial_chain=self._flags()[1])

    def _is_alone(self, stores: Sequence[Store]) -> bool:
        """Whether the handshake trusts the first store only; else each is judged in memory."""
        known = {c.sha256 for c in stores[0].certificates}
        added = any(c.sha256 not in known for store in stores[1:] for c in store.certificates)
        return not added or not _reachable()

    def judge(
        self, evidence: Evidence, now: datetime, pool: Sequence[Certificate] = ()
    ) -> Iterator[Examined]:
        """Judge the evidence against every store; `pool` are certificates seen elsewhere."""
        chain = _inside(evidence.received)
        try:
            stores = tuple(self._all_stores(evidence.endpoint))
            alone = self._is_alone(stores)
            for position, store in enumerate(stores):
                case = self._case(evidence, store, now, own=position == 0)
                case = replace(case, alone=alone)
                if chain is not None:
                    case = self._judged(case, self._opened(store), chain, tuple(pool))
                    case = replace(case, other_anchors=self._others(case, chain))
                yield Examined(case, diagnosis.diagnose(case))
        finally:
            if chain is not None:
                chain.close()

    def _all_stores(self, endpoint: Endpoint) -> Iterator[Store]:
        yield from self._stores
        for path in endpoint.stores:
            if path not in self._given:
                self._given[path] = loading.loaded(
                    truststore.read(path, given_name(path), BY_OPTION)
                )
            yield self._given[path]

    def _all_lists(self, endpoint: Endpoint) -> tuple[crls.Lists, ...]:
        for path in endpoint.crls:
            if path not in self._read:
                self._read[path] = crls.read(path)
        return (*self._lists, *(self._read[path] for path in endpoint.crls))

    def _forget_lists(self) -> None:
        """Lists are renewed every few days or hours: what was read serves one statement only."""
        for opened in self._revocations.values():
            opened.close()
        self._revocations.clear()
        self._read.clear()

    def pool(self, found: Iterable[Evidence]) -> tuple[Certificate, ...]:
        """CA certificates sent by other servers, or held by a store: they may close a gap."""
        seen = tuple(found)
        sent = (self._parse(der) for evidence in seen for der in evidence.received[1:])
        stores = {s.path: s for evidence in seen for s in self._all_stores(evidence.endpoint)}
        held = (cert for store in stores.values() for cert in store.certificates)
        return tuple(dict.fromkeys(c for c in (*sent, *held) if c is not None and c.is_ca))

    def _parse(self, der: bytes) -> Certificate | None:
        if der not in self._parsed:
            if len(self._parsed) > 4096:
                self._parsed.clear()
            try:
                self._parsed[der] = parse(der)
            except CertificateError:
                self._parsed[der] = None
        return self._parsed[der]

    def _path(self, chain: Iterable[bytes]) -> tuple[Certificate, ...]:
        return tuple(c for c in map(self._parse, chain) if c is not None)

    def _case(self, evidence: Evidence, store: Store, now: datetime, own: bool) -> Case:
        return Case(
            evidence=evidence,
            received=tuple(map(self._parse, evidence.received)),
            store=store,
            now=now,
            own=own,
            chain=self._path(evidence.verified) if own else (),
            removed=self._background.removed,
            public_roots=self._background.public_roots,
            gone=self._background.gone,
            lists=self._all_lists(evidence.endpoint),
        )

    def _asked(self, lists: Sequence[crls.Lists]) -> Revocations:
        """The revocation lists inside OpenSSL, kept for further endpoints."""
        from exatrust_udf import openssl

        key = tuple(found.path for found in lists)
        if key not in self._revocations:
            ders = [der for found in lists for der in found.ders]
            self._revocations[key] = openssl.Revocations(ders, asked=bool(lists))
        return self._revocations[key]

    def _opened(self, store: Store) -> Anchors:
        """The store inside OpenSSL, kept for further endpoints."""
        from exatrust_udf import openssl

        key = (store.name, store.path, store.sha256)
        if key not in self._anchors:
            self._anchors[key] = openssl.Anchors(store.trusted)
        return self._anchors[key]

    def _judged(
        self, case: Case, anchors: Anchors, chain: Chain, pool: tuple[Certificate, ...]
    ) -> Case:
        from exatrust_udf.openssl import security_level

        case = replace(case, level=security_level())
        today = self._flags()
        verdict = self._ask(case, anchors, chain, today)
        case = replace(
            case,
            verdict=verdict,
            future=None if all(today) else self._ask(case, anchors, chain, (True, True)),
            chain=self._path(verdict.chain),
        )
        return self._closed(case, anchors, pool)

    def _others(self, case: Case, chain: Chain) -> tuple[Certificate, ...]:
        """Where else the chain would end, if its anchor were gone from the first store."""
        from exatrust_udf.openssl import Anchors

        if not case.own or not case.vouched() or not case.chain:
            return ()
        loaded = {_without_settings(der): der for der in case.store.trusted}
        gone = [case.chain[-1]]
        while len(gone) <= _MAX_OTHERS:
            left = alternatives.candidates(case.received, case.store.certificates, gone)
            with Anchors([loaded[c.der] for c in left if c.der in loaded]) as anchors:
                verdict = self._ask(case, anchors, chain, self._flags())
            path = self._path(verdict.chain)
            if not left or verdict.failures or not path or path[-1] in gone:
                break
            gone.append(path[-1])
        return tuple(gone[1:])

    def _flags(self) -> tuple[bool, bool]:
        """Whether this Python's contexts are strict, and whether any anchor will do."""
        flags = self._context.verify_flags
        return bool(flags & ssl.VERIFY_X509_STRICT), bool(flags & handshake.PARTIAL_CHAIN)

    def _closed(self, case: Case, anchors: Anchors, pool: tuple[Certificate, ...]) -> Case:
        """Try to continue a chain without an issuer with certificates known from elsewhere."""
        verdict = case.verdict
        if verdict is None or not {f.code for f in verdict.failures} & set(ISSUER_MISSING):
            return case
        if not case.chain or not case.store.certificates:
            return case
        # What the server itself sent is not missing, but may lie above what is.
        known = (*pool, *(c for c in case.received if c is not None))
        closing = continuation(case.chain[-1], known, case.store.certificates, self._signed)
        if all(c in case.received for c in closing):
            return case
        longer = (*case.evidence.received, *(c.der for c in closing))
        closed = self._ask(case, anchors, longer, self._flags())
        path = self._path(closed.chain)
        # A namesake with another key continues nothing.
        if not all(c in path for c in closing):
            return case
        return replace(case, closing=closing, closed=closed, closed_chain=path)

    def _signed(self, cert: Certificate, issuer: Certificate) -> bool:
        """Whether the issuer's key signed the certificate; kept, as every store asks it."""
        from exatrust_udf import openssl

        pair = (cert.sha256, issuer.sha256)
        if pair not in self._signatures:
            if len(self._signatures) > 4096:
                self._signatures.clear()
            self._signatures[pair] = openssl.signed_by(cert.der, issuer.der)
        return self._signatures[pair]

    def _ask(
        self,
        case: Case,
        anchors: Anchors,
        chain: Chain | Sequence[bytes],
        flags: tuple[bool, bool],
    ) -> Verdict:
        from exatrust_udf.openssl import judge

        return judge(
            chain,
            anchors,
            name=case.evidence.endpoint.expected,
            at=case.now,
            strict=flags[0],
            partial_chain=flags[1],
            security_level=case.level,
            crls=self._asked(case.lists),
        )


def _without_settings(anchor: bytes) -> bytes:
    """The certificate alone; the settings of OpenSSL's TRUSTED CERTIFICATE stand after it."""
    try:
        return anchor[: expect(anchor, 0, len(anchor), SEQUENCE, "a certificate")[1]]
    except CertificateError:
        return anchor


def _reachable() -> bool:
    """Whether stores can be judged in memory at all."""
    from exatrust_udf import openssl

    try:
        openssl.Chain(()).close()
    except openssl.LibcryptoOutOfReach:
        return False
    return True


def _inside(received: Sequence[bytes]) -> Chain | None:
    """A chain inside OpenSSL; None where there is none, or libcrypto is out of reach."""
    if not received:
        return None
    from exatrust_udf import openssl  # ctypes, only when there is something to judge

    try:
        return openssl.Chain(received)
    except openssl.LibcryptoOutOfReach:
        return None


def usual_stores(bundle: Store) -> list[Store]:
    """The shared bundle, the container's default store, and certifi's where it is installed."""
    around = truststore.surroundings(os.environ, None, ())
    certifi = [c for c in truststore.locate(around, os.path.exists) if c.name == CERTIFI]
    found = [truststore.read(c.path, CERTIFI, c.found_by) for c in certifi[:1]]
    return [bundle, container_store(), *found]


def container_store() -> Store:
    """What `ssl.create_default_context()` trusts here: OpenSSL's file and directory together.

    SSL_CERT_FILE and SSL_CERT_DIR take the place of the compiled-in ones, as OpenSSL does it; one
    that names nothing leaves that half empty, silently.
    """
    defaults = ssl.get_default_verify_paths()
    file = os.environ.get(defaults.openssl_cafile_env) or defaults.openssl_cafile
    directory = os.environ.get(defaults.openssl_capath_env) or defaults.openssl_capath
    found = [truststore.read(path, CONTAINER, "OpenSSL") for path in (file, *directory.split(":"))]
    parts = [loading.loaded(part) for part in found]
    readable = [part for part in parts if part.sha256 is not None and part.certificates]
    if not readable:
        return parts[0]
    certificates = {c.sha256: c for part in readable for c in part.certificates}
    # The first to bring a certificate brings its settings, too.
    anchors = {_without_settings(der): der for part in readable[::-1] for der in part.trusted}
    return replace(
        readable[0],
        certificates=tuple(certificates.values()),
        anchors=tuple(anchors.values()),
        sources=(),
    )
