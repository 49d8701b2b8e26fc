"""Facts about a certificate's public key: SubjectPublicKeyInfo, RFC 5280 4.1.2.7."""

from __future__ import annotations

from typing import NamedTuple

from exatrust_udf import oids
from exatrust_udf.der import (
    BIT_STRING,
    INTEGER,
    OBJECT_IDENTIFIER,
    SEQUENCE,
    CertificateError,
    bit_string,
    expect,
    integer,
    oid,
    read,
)


class PublicKey(NamedTuple):
    """`bits` is None where the key's size cannot be told; `curve` is None except for EC keys.

    An EC key with explicit parameters, which RFC 5480 2.1.1 forbids, has the curve `explicit`.
    """

    type: str
    bits: int | None
    curve: str | None
    problem: str | None


def public_key(data: bytes, start: int, end: int) -> PublicKey:
    """Read the SubjectPublicKeyInfo whose content lies between `start` and `end`.

    Raises CertificateError where its structure is broken; a key that is broken inside is described
    as far as it goes, with `problem` set.
    """
    inner, stop = expect(data, start, end, SEQUENCE, "the public key's algorithm")
    kind_start, kind_end = expect(data, inner, stop, OBJECT_IDENTIFIER, "the public key's type")
    bits_start, bits_end = expect(data, stop, end, BIT_STRING, "the public key")
    if bits_end != end:
        raise CertificateError(bits_end, "bytes after the public key")
    _, key = bit_string(data, bits_start, bits_end)
    kind = oid(data, kind_start, kind_end)
    name = oids.KEY_TYPES.get(kind, kind)
    try:
        return _details(name, data, (kind_end, stop), (key, bits_end))
    except CertificateError as error:
        return PublicKey(name, None, None, f"public key: {error}")


def _details(
    name: str, data: bytes, parameters: tuple[int, int], key: tuple[int, int]
) -> PublicKey:
    bits, curve = oids.FIXED_KEY_BITS.get(name), None
    if name in ("RSA", "RSA-PSS"):
        bits = _first_integer_bits(data, *key)
    elif name == "EC":
        curve, bits = _named_curve(data, *parameters)
    elif name == "DSA" and parameters[0] < parameters[1] and data[parameters[0]] == SEQUENCE:
        bits = _first_integer_bits(data, *parameters)
    return PublicKey(name, bits, curve, None)


def _first_integer_bits(data: bytes, start: int, end: int) -> int:
    """Return the bit length of the first INTEGER of a SEQUENCE: RSA's modulus, DSA's prime."""
    inner, stop = expect(data, start, end, SEQUENCE, "the numbers of the key")
    number, number_end = expect(data, inner, stop, INTEGER, "the first number of the key")
    if number_end - number > 0x10000:
        raise CertificateError(number, "a key of more than 524288 bits")
    return integer(data, number, number_end).bit_length()


def _named_curve(data: bytes, start: int, end: int) -> tuple[str, int | None]:
    tag, inner, stop = read(data, start, end)
    if tag != OBJECT_IDENTIFIER:
        return "explicit", None
    kind = oid(data, inner, stop)
    return oids.CURVES.get(kind, (kind, None))
