"""Judging a chain in memory, with OpenSSL's own verification and every error it finds.

`judge` runs X509_verify_cert with a callback that notes each error and goes on, so that one error
does not mask the others. Chain, truststore, name, time and flags are the caller's: the same chain
can be judged against another store, under Python 3.13's flags, or for another day.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from types import TracebackType
from typing import Any

from exatrust_udf.endpoint import is_address
from exatrust_udf.libcrypto import (
    VERIFY_CALLBACK,
    LibcryptoOutOfReach,
    library,
    security_level,
)
from exatrust_udf.verdict import Failure, Verdict

__all__ = [
    "Anchors",
    "Chain",
    "Failure",
    "LibcryptoOutOfReach",
    "Revocations",
    "Verdict",
    "judge",
    "security_level",
    "signed_by",
]

_CRL_CHECK = 0x4
_CRL_CHECK_ALL = 0x8
_STRICT = 0x20
_EXTENDED_CRL = 0x1000
_USE_DELTAS = 0x2000
_TRUSTED_FIRST = 0x8000
_PARTIAL_CHAIN = 0x80000
# What Python's contexts set: '*' does not match a part of a label.
_NO_PARTIAL_WILDCARDS = 0x4
_MAX_FAILURES = 256

UNREADABLE = 1  # X509_V_ERR_UNSPECIFIED


class _Owned:
    """The C objects of one piece of work; freed in reverse order, whatever happens."""

    def __init__(self) -> None:
        self.library = library()
        self._frees: list[tuple[Callable[[int], object], int]] = []

    def own(self, pointer: int | None, free: Callable[[int], object]) -> int:
        """Take over a C object. Raises MemoryError for NULL."""
        if not pointer:
            raise MemoryError("OpenSSL could not make an object")
        self._frees.append((free, pointer))
        return pointer

    def certificate(self, der: bytes) -> int | None:
        """Parse a certificate; None where OpenSSL cannot."""
        return self._certificate(self.library.d2i_X509, der)

    def anchor(self, der: bytes) -> int | None:
        """Parse a certificate and the trust settings after it; None where OpenSSL cannot."""
        return self._certificate(self.library.d2i_X509_AUX, der)

    def _certificate(self, function: Any, der: bytes) -> int | None:
        pointer = _parse(function, der)
        self.library.ERR_clear_error()
        return self.own(pointer, self.library.X509_free) if pointer else None

    def crl(self, der: bytes) -> int | None:
        """Parse a revocation list; None where OpenSSL cannot."""
        pointer = _parse(self.library.d2i_X509_CRL, der)
        self.library.ERR_clear_error()
        return self.own(pointer, self.library.X509_CRL_free) if pointer else None

    def stack(self, members: Sequence[int]) -> int:
        """A STACK_OF() that borrows its members."""
        pointer = self.own(self.library.OPENSSL_sk_new_null(), self.library.OPENSSL_sk_free)
        for member in members:
            self.library.OPENSSL_sk_push(pointer, member)
        return pointer

    def __enter__(self) -> _Owned:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free everything; may be called twice."""
        while self._frees:
            free, pointer = self._frees.pop()
            free(pointer)


def _parse(function: Any, der: bytes) -> int | None:
    buffer = ctypes.c_char_p(der)
    pointer: int | None = function(None, ctypes.byref(buffer), len(der))
    return pointer


class Anchors:
    """A truststore inside OpenSSL, built once and used for many chains.

    Each anchor is DER, with OpenSSL's trust settings (X509_CERT_AUX) after it where it has some.
    `unreadable` counts certificates that OpenSSL could not parse. Close it, or use it in `with`.
    """

    def __init__(self, ders: Sequence[bytes]) -> None:
        self._owned = _Owned()
        self.unreadable = 0
        lib = self._owned.library
        self.store = self._owned.own(lib.X509_STORE_new(), lib.X509_STORE_free)
        for der in ders:
            self._add(der)

    def _add(self, der: bytes) -> None:
        with _Owned() as temporary:
            pointer = temporary.anchor(der)
            if pointer is None:
                self.unreadable += 1
            else:  # the store takes a reference of its own
                temporary.library.X509_STORE_add_cert(self.store, pointer)
                temporary.library.ERR_clear_error()

    def close(self) -> None:
        """Free the store."""
        self._owned.close()

    def __enter__(self) -> Anchors:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Chain:
    """A received chain inside OpenSSL, for several judgements: reading it costs as much as one.

    Close it, or use it in `with`; not while a judgement runs.
    """

    def __init__(self, ders: Sequence[bytes]) -> None:
        self._owned = _Owned()
        self.certificates = [self._owned.certificate(der) for der in ders]

    def close(self) -> None:
        """Free the certificates."""
        self._owned.close()
        self.certificates = []

    def __enter__(self) -> Chain:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Revocations:
    """Revocation lists inside OpenSSL, for many judgements; the unreadable ones are left out.

    Where lists are `asked` for, every certificate has to be answered for, even if not one of them
    could be read. Close it, or use it in `with`; not while a judgement runs.
    """

    def __init__(self, ders: Sequence[bytes], asked: bool = True) -> None:
        self._owned = _Owned()
        self.asked = asked
        self.pointers = [pointer for der in ders if (pointer := self._owned.crl(der))]

    def close(self) -> None:
        """Free the lists."""
        self._owned.close()
        self.pointers = []

    def __enter__(self) -> Revocations:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def signed_by(der: bytes, issuer: bytes) -> bool:
    """Whether a certificate's signature is of the issuer's key. Raises LibcryptoOutOfReach."""
    with _Owned() as owned:
        lib = owned.library
        child, parent = owned.certificate(der), owned.certificate(issuer)
        key = lib.X509_get0_pubkey(parent) if parent else None
        good = bool(child and key) and lib.X509_verify(child, key) == 1
        lib.ERR_clear_error()
        return good


def judge(
    chain: Chain | Sequence[bytes],
    anchors: Anchors | Sequence[bytes],
    *,
    name: str | None = None,
    at: datetime | None = None,
    strict: bool = False,
    partial_chain: bool = False,
    security_level: int = 2,
    crls: Revocations | Sequence[bytes] = (),
) -> Verdict:
    """Verify `chain` (DER, leaf first, the rest in any order) as a TLS client would.

    `name` is a DNS name or an IP address, None to leave it out; `at` an aware time, None for now.
    With `crls` every certificate of the chain must be answered for. Raises LibcryptoOutOfReach.
    """
    with ExitStack() as stack:
        if not isinstance(anchors, Anchors):
            anchors = stack.enter_context(Anchors(anchors))
        if not isinstance(chain, Chain):
            chain = stack.enter_context(Chain(chain))
        if not isinstance(crls, Revocations):
            crls = stack.enter_context(Revocations(crls, bool(crls)))
        flags = _flags(strict, partial_chain, crls.asked)
        return _judge(chain.certificates, anchors, name, at, flags, security_level, crls)


def _flags(strict: bool, partial_chain: bool, revocation: bool) -> int:
    return (
        _TRUSTED_FIRST
        | (_STRICT if strict else 0)
        | (_PARTIAL_CHAIN if partial_chain else 0)
        | (_CRL_CHECK | _CRL_CHECK_ALL | _EXTENDED_CRL | _USE_DELTAS if revocation else 0)
    )


def _judge(
    parsed: Sequence[int | None],
    anchors: Anchors,
    name: str | None,
    at: datetime | None,
    flags: int,
    level: int,
    crls: Revocations,
) -> Verdict:
    with _Owned() as owned:
        lib = owned.library
        if not parsed or parsed[0] is None:
            return Verdict((Failure(UNREADABLE, 0, "OpenSSL cannot read the certificate"),), ())
        rest = owned.stack([pointer for pointer in parsed[1:] if pointer])
        context = owned.own(lib.X509_STORE_CTX_new(), lib.X509_STORE_CTX_free)
        if not lib.X509_STORE_CTX_init(context, anchors.store, parsed[0], rest):
            raise MemoryError("X509_STORE_CTX_init failed")
        lib.X509_STORE_CTX_set_default(context, b"ssl_server")
        if crls.asked:
            lib.X509_STORE_CTX_set0_crls(context, owned.stack(crls.pointers))
        _set_parameters(lib, context, name, at, flags, level)
        return _verify(lib, context)


def _set_parameters(
    lib: ctypes.CDLL, context: int, name: str | None, at: datetime | None, flags: int, level: int
) -> None:
    parameters = lib.X509_STORE_CTX_get0_param(context)
    lib.X509_VERIFY_PARAM_set_flags(parameters, flags)
    lib.X509_VERIFY_PARAM_set_auth_level(parameters, level)
    lib.X509_VERIFY_PARAM_set_hostflags(parameters, _NO_PARTIAL_WILDCARDS)
    if at is not None:
        lib.X509_VERIFY_PARAM_set_time(parameters, int(at.timestamp()))
    if name is not None and not _set_name(lib, parameters, name):
        raise ValueError(f"OpenSSL refuses the name {name!a}")


def _set_name(lib: ctypes.CDLL, parameters: int, name: str) -> bool:
    if is_address(name):
        return bool(lib.X509_VERIFY_PARAM_set1_ip_asc(parameters, name.encode("ascii")))
    encoded = name.encode("ascii" if name.isascii() else "idna")
    return bool(lib.X509_VERIFY_PARAM_set1_host(parameters, encoded, len(encoded)))


def _verify(lib: ctypes.CDLL, context: int) -> Verdict:
    found: dict[tuple[int, int], None] = {}

    def note(ok: int, at: int) -> int:
        if not ok and len(found) < _MAX_FAILURES:
            code = lib.X509_STORE_CTX_get_error(at)
            found[code, lib.X509_STORE_CTX_get_error_depth(at)] = None
            # OpenSSL repeats an old error instead of a missing issuer's, unless it is cleared.
            lib.X509_STORE_CTX_set_error(at, 0)
        return 1

    callback = VERIFY_CALLBACK(note)
    lib.X509_STORE_CTX_set_verify_cb(context, callback)
    if lib.X509_verify_cert(context) != 1 and not found:
        found[lib.X509_STORE_CTX_get_error(context) or UNREADABLE, 0] = None
    lib.ERR_clear_error()
    failures = tuple(Failure(code, depth, _text(lib, code)) for code, depth in found)
    return Verdict(failures, _path(lib, context))


def _text(lib: ctypes.CDLL, code: int) -> str:
    words: bytes = lib.X509_verify_cert_error_string(code) or b"unknown"
    return words.decode("ascii", "replace")


def _path(lib: ctypes.CDLL, context: int) -> tuple[bytes, ...]:
    stack = lib.X509_STORE_CTX_get0_chain(context)
    if not stack:
        return ()
    count = lib.OPENSSL_sk_num(stack)
    return tuple(encode(lib.i2d_X509, lib.OPENSSL_sk_value(stack, i)) for i in range(count))


def encode(function: Any, certificate: int) -> bytes:
    """The DER that `function`, an i2d_..., makes of a certificate."""
    size = function(certificate, None)
    buffer = ctypes.create_string_buffer(size)
    at = ctypes.c_void_p(ctypes.addressof(buffer))
    function(certificate, ctypes.byref(at))
    return buffer.raw
