"""The libcrypto that this Python's ssl module uses, reached through ctypes.

Only functions that OpenSSL 1.1.1 and 3.x share are bound; where a name is missing (LibreSSL, a
statically linked interpreter) the library counts as out of reach.
"""

from __future__ import annotations

import ctypes
import ssl
from collections.abc import Iterator
from ctypes import c_char_p, c_int, c_long, c_size_t, c_uint, c_ulong, c_void_p

VERIFY_CALLBACK = ctypes.CFUNCTYPE(c_int, c_int, c_void_p)

_SIGNATURES: dict[str, tuple[object, tuple[object, ...]]] = {
    "OpenSSL_version_num": (c_ulong, ()),
    "ERR_clear_error": (None, ()),
    "ERR_peek_last_error": (c_ulong, ()),
    "ERR_reason_error_string": (c_char_p, (c_ulong,)),
    "BIO_new_mem_buf": (c_void_p, (c_char_p, c_int)),
    "BIO_free": (c_int, (c_void_p,)),
    "PEM_X509_INFO_read_bio": (c_void_p, (c_void_p, c_void_p, c_void_p, c_void_p)),
    "X509_INFO_free": (None, (c_void_p,)),
    "d2i_X509_AUX": (c_void_p, (c_void_p, c_void_p, c_long)),
    "i2d_X509_AUX": (c_int, (c_void_p, c_void_p)),
    "d2i_X509": (c_void_p, (c_void_p, c_void_p, c_long)),
    "i2d_X509": (c_int, (c_void_p, c_void_p)),
    "X509_free": (None, (c_void_p,)),
    "X509_get0_pubkey": (c_void_p, (c_void_p,)),
    "X509_verify": (c_int, (c_void_p, c_void_p)),
    "d2i_X509_CRL": (c_void_p, (c_void_p, c_void_p, c_long)),
    "X509_CRL_free": (None, (c_void_p,)),
    "OPENSSL_sk_new_null": (c_void_p, ()),
    "OPENSSL_sk_push": (c_int, (c_void_p, c_void_p)),
    "OPENSSL_sk_num": (c_int, (c_void_p,)),
    "OPENSSL_sk_value": (c_void_p, (c_void_p, c_int)),
    "OPENSSL_sk_free": (None, (c_void_p,)),
    "X509_STORE_new": (c_void_p, ()),
    "X509_STORE_free": (None, (c_void_p,)),
    "X509_STORE_add_cert": (c_int, (c_void_p, c_void_p)),
    "X509_STORE_CTX_new": (c_void_p, ()),
    "X509_STORE_CTX_free": (None, (c_void_p,)),
    "X509_STORE_CTX_init": (c_int, (c_void_p, c_void_p, c_void_p, c_void_p)),
    "X509_STORE_CTX_set_default": (c_int, (c_void_p, c_char_p)),
    "X509_STORE_CTX_get0_param": (c_void_p, (c_void_p,)),
    "X509_STORE_CTX_set_verify_cb": (None, (c_void_p, VERIFY_CALLBACK)),
    "X509_STORE_CTX_get_error": (c_int, (c_void_p,)),
    "X509_STORE_CTX_set_error": (None, (c_void_p, c_int)),
    "X509_STORE_CTX_get_error_depth": (c_int, (c_void_p,)),
    "X509_STORE_CTX_get0_chain": (c_void_p, (c_void_p,)),
    "X509_STORE_CTX_set0_crls": (None, (c_void_p, c_void_p)),
    "X509_VERIFY_PARAM_set_flags": (c_int, (c_void_p, c_ulong)),
    "X509_VERIFY_PARAM_set_time": (None, (c_void_p, c_long)),
    "X509_VERIFY_PARAM_set_auth_level": (None, (c_void_p, c_int)),
    "X509_VERIFY_PARAM_set_hostflags": (None, (c_void_p, c_uint)),
    "X509_VERIFY_PARAM_set1_host": (c_int, (c_void_p, c_char_p, c_size_t)),
    "X509_VERIFY_PARAM_set1_ip_asc": (c_int, (c_void_p, c_char_p)),
    "X509_verify_cert": (c_int, (c_void_p,)),
    "X509_verify_cert_error_string": (c_char_p, (c_long,)),
}


class LibcryptoOutOfReach(RuntimeError):
    """libcrypto cannot be called from here; the message says what was tried."""


_loaded: list[ctypes.CDLL] = []


def library() -> ctypes.CDLL:
    """The library, bound once. Raises LibcryptoOutOfReach."""
    if not _loaded:
        _loaded.append(_find(_candidates()))
    return _loaded[0]


def _candidates() -> Iterator[str | None]:
    """Paths to try: what is mapped into this process, then what _ssl itself links to."""
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:  # noqa: PTH123
            lines = maps.read().splitlines()
    except OSError:
        lines = []
    yield from dict.fromkeys(
        line.split(maxsplit=5)[5] for line in lines if "libcrypto" in line.rpartition("/")[2]
    )
    import _ssl

    yield getattr(_ssl, "__file__", None)


def _find(candidates: Iterator[str | None]) -> ctypes.CDLL:
    tried = []
    for path in candidates:
        try:
            return _bind(ctypes.CDLL(path))
        except (OSError, AttributeError) as error:
            tried.append(f"{path or 'the interpreter itself'}: {error}")
        except LibcryptoOutOfReach as error:
            tried.append(f"{path or 'the interpreter itself'}: {error}")
    raise LibcryptoOutOfReach("; ".join(tried) or "no libcrypto in this process")


def _bind(library: ctypes.CDLL) -> ctypes.CDLL:
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    found = library.OpenSSL_version_num()
    if found != ssl.OPENSSL_VERSION_NUMBER:
        raise LibcryptoOutOfReach(f"is OpenSSL {found:#x}, not {ssl.OPENSSL_VERSION_NUMBER:#x}")
    return library


def security_level() -> int:
    """The security level of this Python's contexts (1 to 5).

    CPython writes its own default cipher string, with the level in it; a Python built with the
    system's string (--with-ssl-default-suites=openssl) has the level of the system's OpenSSL.
    """
    import _ssl

    string = str(getattr(_ssl, "_DEFAULT_CIPHERS", ""))
    _, found, level = string.partition("@SECLEVEL=")
    return int(level[0]) if found and level[:1].isdigit() else _system_level()


def _system_level() -> int:
    import _ssl

    try:
        libssl = ctypes.CDLL(getattr(_ssl, "__file__", None))
        for name, result, arguments in (
            ("TLS_client_method", c_void_p, ()),
            ("SSL_CTX_new", c_void_p, (c_void_p,)),
            ("SSL_CTX_get_security_level", c_int, (c_void_p,)),
            ("SSL_CTX_free", None, (c_void_p,)),
        ):
            function = getattr(libssl, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError):
        return 1  # OpenSSL's own default until 3.1
    context = libssl.SSL_CTX_new(libssl.TLS_client_method())
    try:
        return int(libssl.SSL_CTX_get_security_level(context))
    finally:
        libssl.SSL_CTX_free(context)
