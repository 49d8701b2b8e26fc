"""Truststores as values: bytes in, certificates and problems out (pure)."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from exatrust_udf.certificate import Certificate, CertificateError, parse
from exatrust_udf.der import SEQUENCE, expect
from exatrust_udf.hashlinks import subject_hash
from exatrust_udf.pem import CERTIFICATE_LABELS, Block, pem_blocks

# The Java formats are loaded where one is met: in a container without Java they would only cost
# time, and a script starts for every query.
if TYPE_CHECKING:
    from exatrust_udf.jks import Entries

Cipher = Callable[[str, bytes, bytes, bytes], bytes]
"""(OpenSSL's name of a CBC cipher, key, IV, ciphertext) -> plaintext; ValueError with a reason."""

_JAVA_MAGIC = {b"\xfe\xed\xfe\xed": "JKS", b"\xce\xce\xce\xce": "JCEKS"}

# The same roots are in nearly every store of a container: each is read once.
_parse = lru_cache(maxsize=4096)(parse)

# OpenSSL looks certificates up under the hash of their subject (X509_LOOKUP_hash_dir(3)).
HASHED_NAME = re.compile(r"[0-9a-f]{8}\.[0-9]{1,9}")
CERTIFICATE_FILE = re.compile(r".+\.(?:pem|crt|cer)", re.IGNORECASE)


@dataclass(frozen=True)
class Store:
    """A truststore as found.

    `name` is the kind (`certifi`, `openssl-directory` …), `found_by` why it was looked at.
    `format` is PEM, DER, JKS, JCEKS, PKCS12, HASHED_DIRECTORY, DIRECTORY, or None where nothing
    could be read. `sha256` is over the file, or over the names and digests of a directory's files.
    `unreadable` counts entries which should be certificates and could not be read; `problems` says
    why, and what else is wrong with the store.

    `sources` are what OpenSSL would read: the content of a PEM file, or those under the hash links
    of a directory, each with its link. `anchors` are what it loaded (see `loading`), DER and the
    trust settings after it; None where nobody has asked it.
    """

    name: str
    path: str
    found_by: str
    format: str | None = None
    sha256: str | None = None
    size: int | None = None
    certificates: tuple[Certificate, ...] = field(default=(), repr=False)
    unreadable: int = 0
    problems: tuple[str, ...] = ()
    sources: tuple[tuple[str | None, bytes], ...] = field(default=(), repr=False, compare=False)
    anchors: tuple[bytes, ...] | None = field(default=None, repr=False)

    @property
    def trusted(self) -> tuple[bytes, ...]:
        """The anchors, DER and settings; all certificates where OpenSSL was not asked."""
        return tuple(c.der for c in self.certificates) if self.anchors is None else self.anchors

    @property
    def has_settings(self) -> bool:
        """Whether an anchor says itself what it is (not) trusted for."""
        return self.anchors is not None and bool(
            set(self.anchors) - {c.der for c in self.certificates}
        )

    @property
    def duplicates(self) -> int:
        """How many certificates occur again after their first time."""
        return len(self.certificates) - len({c.sha256 for c in self.certificates})

    @property
    def non_ca(self) -> int:
        """How many are not marked as CA; version 1 roots, which have no marks, do not count."""
        return sum(not c.is_ca and not is_version_1_root(c) for c in self.certificates)

    def expired(self, now: dt.datetime) -> int:
        """How many are past their validity at `now` (aware)."""
        return sum(c.not_after < now for c in self.certificates)


def is_version_1_root(cert: Certificate) -> bool:
    """Whether OpenSSL takes a certificate without basicConstraints for a root (check_ca, V1_ROOT).

    Version 1 has no extensions, so a self-issued one cannot say that it is a CA.
    """
    return cert.version == 1 and cert.self_issued


@dataclass(slots=True)
class _Reading:
    """Collects what a file or directory holds while it is read."""

    format: str
    certificates: list[Certificate] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unreadable: int = 0

    def add(self, where: str, der: bytes) -> None:
        try:
            self.certificates.append(_parse(der))
        except CertificateError as error:
            self.fail(where, str(error))

    def fail(self, where: str, reason: str) -> None:
        self.unreadable += 1
        self.problems.append(f"{where}: {reason}")


def parse_store(
    data: bytes, name: str, path: str, found_by: str, cipher: Cipher | None = None
) -> Store:
    """Read a truststore file of any known format; never raises, whatever the bytes.

    `cipher` decrypts PKCS#12; without it encrypted certificates are a problem of the store.
    """
    try:
        reading = _read(data, cipher or _no_cipher)
    except CertificateError as error:
        reading = _Reading("UNKNOWN", problems=[str(error)])
    return Store(
        name=name,
        path=path,
        found_by=found_by,
        format=None if reading.format == "UNKNOWN" else reading.format,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        certificates=tuple(reading.certificates),
        unreadable=reading.unreadable,
        problems=_with_emptiness(reading),
        sources=((None, data),) if reading.format == "PEM" else (),
    )


def _with_emptiness(reading: _Reading) -> tuple[str, ...]:
    if reading.certificates or reading.unreadable:
        return tuple(reading.problems)
    return (*reading.problems, "no certificate in it: nothing is trusted")


def _no_cipher(name: str, key: bytes, iv: bytes, data: bytes) -> bytes:
    raise ValueError("no cipher at hand")


def _read(data: bytes, cipher: Cipher) -> _Reading:
    if data[:4] in _JAVA_MAGIC:
        from exatrust_udf.jks import read_jks

        return _from_entries(_JAVA_MAGIC[data[:4]], read_jks(data))
    if _looks_like_pkcs12(data):
        from exatrust_udf.pkcs12 import read_pkcs12

        return _from_entries("PKCS12", read_pkcs12(data, cipher))
    if b"-----BEGIN " in data or not data.strip():
        return _from_pem(data)
    if data[:1] == b"\x30":
        return _Reading("DER", [parse(data)])
    raise CertificateError(0, "neither PEM, DER, JKS nor PKCS#12")


def _looks_like_pkcs12(data: bytes) -> bool:
    """Whether `data` begins like a PFX (RFC 7292 4): a SEQUENCE that starts with version 3."""
    return data[:1] == b"\x30" and b"\x02\x01\x03\x30" in data[:10]


def _from_entries(kind: str, entries: Entries) -> _Reading:
    reading = _Reading(kind, problems=list(entries.problems))
    for alias, der in entries.certificates:
        reading.add(f"entry {alias!r}", der)
    return reading


def _from_pem(data: bytes) -> _Reading:
    reading = _Reading("PEM")
    for block in pem_blocks(data):
        _add_block(reading, block, f"block {block.position}")
    return reading


def _add_block(reading: _Reading, block: Block, where: str) -> None:
    if block.label not in CERTIFICATE_LABELS:
        reading.problems.append(f"{where} is {block.label}, not a certificate")
    elif block.data is None:
        reading.fail(where, block.problem or "")
    else:
        reading.add(where, _certificate_part(block))


def _certificate_part(block: Block) -> bytes:
    """Return the certificate of a block: OpenSSL's trusted form has settings after it."""
    data = block.data or b""
    if block.label != "TRUSTED CERTIFICATE":
        return data
    try:
        return data[: expect(data, 0, len(data), SEQUENCE, "a certificate")[1]]
    except CertificateError:
        return data


def choose_names(names: Iterable[str]) -> tuple[str, list[str]]:
    """Return (format, names to read, sorted) of a directory.

    Where hash links exist OpenSSL sees nothing else, so nothing else is read.
    """
    ordered = sorted(names)
    hashed = [name for name in ordered if HASHED_NAME.fullmatch(name)]
    if hashed:
        return "HASHED_DIRECTORY", hashed
    return "DIRECTORY", [name for name in ordered if CERTIFICATE_FILE.fullmatch(name)]


def parse_directory(
    kind: str,
    files: Sequence[tuple[str, bytes]],
    failures: Sequence[tuple[str, str]],
    store: Store,
    links: Sequence[tuple[str, bytes]] = (),
    unlinked: Sequence[tuple[str, bytes]] = (),
) -> Store:
    """Read a directory's files, `(name, content)` in sorted order, into a copy of `store`.

    `failures` are names which could not be opened, with the reason. `links` are all hash links
    with their content, where several lead to one file of `files`; `unlinked` are the files beside.
    """
    reading = _Reading(kind)
    digest = hashlib.sha256()
    for name, content in files:
        digest.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode(errors="replace"))
        before = len(reading.certificates)
        _add_file(reading, name, content)
        if kind == "HASHED_DIRECTORY":
            _check_link(reading, name, reading.certificates[before:])
    for name, reason in failures:
        reading.fail(name, reason)
    reading.problems += _without_link(reading, unlinked)
    if kind == "DIRECTORY":
        reading.problems.append("no hash links: OpenSSL finds nothing here (see `openssl rehash`)")
    return Store(
        name=store.name,
        path=store.path,
        found_by=store.found_by,
        format=kind,
        sha256=digest.hexdigest(),
        size=sum(len(content) for _, content in files),
        certificates=tuple(reading.certificates),
        unreadable=reading.unreadable,
        problems=_with_emptiness(reading),
        sources=tuple(_reached(links)),
    )


def _reached(links: Sequence[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """The links that OpenSSL follows: it counts from HASH.0 up to the first that is missing."""
    found = dict(links)
    for name, content in found.items():
        stem, _, number = name.partition(".")
        # Names are counted without leading zeros, and no directory has as many links as it claims.
        reached = int(number) < len(found) and str(int(number)) == number
        if reached and all(f"{stem}.{lower}" in found for lower in range(int(number))):
            yield name, content


def _without_link(reading: _Reading, files: Sequence[tuple[str, bytes]]) -> list[str]:
    """Count the certificates that lie beside the links: OpenSSL finds none of them."""
    beside = _Reading("DIRECTORY")
    for name, content in files:
        _add_file(beside, name, content)
    count = len({c.sha256 for c in beside.certificates} - {c.sha256 for c in reading.certificates})
    if count == 1:
        return ["1 certificate has no hash link: OpenSSL does not find it"]
    return [f"{count} certificates have no hash link: OpenSSL does not find them"] if count else []


def _check_link(reading: _Reading, name: str, found: Sequence[Certificate]) -> None:
    """Note a link under whose name OpenSSL looks for other certificates than it leads to."""
    hashes = {subject_hash(certificate.subject_der) for certificate in found}
    if hashes and name.partition(".")[0] not in hashes:
        wanted = ", ".join(sorted(hashes))
        reading.problems.append(f"{name}: OpenSSL does not find it, the name's hash is {wanted}")


def _add_file(reading: _Reading, name: str, content: bytes) -> None:
    if b"-----BEGIN " not in content and content[:1] == b"\x30":
        reading.add(name, content)
        return
    for block in pem_blocks(content):
        _add_block(reading, block, f"{name} block {block.position}")
