"""Block ciphers for encrypted PKCS#12 truststores: Python's standard library has none.

The libcrypto that `ssl` has already loaded is asked through ctypes; where it cannot be reached,
`cryptography`. RC2, which OpenSSL 3 no longer offers by default, is our own.
"""

from __future__ import annotations

import ctypes
import re
import ssl
from functools import lru_cache

from exatrust_udf import rc2

_BLOCK_BYTES = 16


def decrypt(name: str, key: bytes, iv: bytes, data: bytes) -> bytes:
    """Decrypt CBC with PKCS#7 padding; `name` is OpenSSL's. Raises ValueError with the reason."""
    if name.startswith("RC2"):
        return _unpadded(rc2.decrypt_cbc(key, iv, data))
    library = _libcrypto()
    if library is not None:
        plain = _with_libcrypto(library, name.encode(), key, iv, data)
        if plain is not None:
            return plain
    return _with_cryptography(name, key, iv, data)


@lru_cache(maxsize=1)
def _libcrypto() -> ctypes.CDLL | None:
    """Return the libcrypto of this process; None where it cannot be found.

    Its path stands in the memory map. Another copy of the library is never loaded.
    """
    assert ssl.OPENSSL_VERSION
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
            found = re.search(r"(/\S*libcrypto[^\s/]*\.so[^\s/]*)$", file.read(), re.M)
        library = ctypes.CDLL(found.group(1)) if found else None
    except OSError:
        return None
    return _declared(library) if library is not None else None


def _declared(library: ctypes.CDLL) -> ctypes.CDLL | None:
    pointer, text, integer = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    count = ctypes.POINTER(ctypes.c_int)
    signatures = {
        "EVP_get_cipherbyname": (pointer, [text]),
        "EVP_CIPHER_CTX_new": (pointer, []),
        "EVP_CIPHER_CTX_free": (None, [pointer]),
        "EVP_DecryptInit_ex": (integer, [pointer, pointer, pointer, text, text]),
        "EVP_DecryptUpdate": (integer, [pointer, pointer, count, text, integer]),
        "EVP_DecryptFinal_ex": (integer, [pointer, pointer, count]),
        "ERR_clear_error": (None, []),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name, None)
        if function is None:
            return None
        function.restype, function.argtypes = result, arguments
    return library


def _with_libcrypto(
    library: ctypes.CDLL, name: bytes, key: bytes, iv: bytes, data: bytes
) -> bytes | None:
    """Return the plaintext; None where this libcrypto does not offer the cipher."""
    method = library.EVP_get_cipherbyname(name)
    context = library.EVP_CIPHER_CTX_new()
    try:
        if not method or not library.EVP_DecryptInit_ex(context, method, None, key, iv):
            return None
        out = ctypes.create_string_buffer(len(data) + _BLOCK_BYTES)
        done, rest = ctypes.c_int(), ctypes.c_int()
        fine = library.EVP_DecryptUpdate(context, out, done, data, len(data))
        end = ctypes.byref(out, done.value)
        if not fine or not library.EVP_DecryptFinal_ex(context, end, rest):
            raise ValueError("the padding is wrong: another password, or the file was altered")
        return out.raw[: done.value + rest.value]
    finally:
        library.EVP_CIPHER_CTX_free(context)
        # An error left in the queue would be reported by the next TLS call of this thread.
        library.ERR_clear_error()


def _with_cryptography(name: str, key: bytes, iv: bytes, data: bytes) -> bytes:
    try:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    except ImportError:
        raise ValueError("encrypted PKCS#12; needs cryptography") from None
    if not name.startswith("AES-"):
        raise ValueError(f"{name} is too old for the libraries of this container")
    reader = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    plain = reader.update(data) + reader.finalize()
    return _unpadded(plain)


def _unpadded(plain: bytes) -> bytes:
    size = plain[-1] if plain else 0
    if not 1 <= size <= _BLOCK_BYTES or plain[-size:] != bytes((size,)) * size:
        raise ValueError("the padding is wrong: another password, or the file was altered")
    return plain[:-size]
