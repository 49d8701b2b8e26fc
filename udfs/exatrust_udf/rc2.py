"""RC2 in CBC mode, decryption only, RFC 2268 (pure).

Java up to version 15 encrypted the certificates of PKCS#12 files with 40 bits of it. It protects
nothing, and OpenSSL 3 no longer offers it by default; such truststores are still in use.
"""

from __future__ import annotations

import struct

BLOCK_BYTES = 8

_PITABLE = bytes.fromhex(
    "d978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2"
    "179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82"
    "54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626"
    "6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7"
    "08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec"
    "c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731"
    "2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9"
    "0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad"
)
_SHIFTS = (1, 2, 3, 5)
# Section 4.4: rounds of mixing before each mashing.
_ROUNDS = (5, 6, 5)


def decrypt_cbc(key: bytes, iv: bytes, data: bytes) -> bytes:
    """Return the plaintext with its padding; the effective key length is that of `key`."""
    if not key or len(iv) != BLOCK_BYTES or len(data) % BLOCK_BYTES:
        raise ValueError("not a multiple of the block size")
    schedule = _expand(key)
    out = []
    before = int.from_bytes(iv, "big")
    for at in range(0, len(data), BLOCK_BYTES):
        block = data[at : at + BLOCK_BYTES]
        plain = int.from_bytes(_decrypt_block(schedule, block), "big") ^ before
        out.append(plain.to_bytes(BLOCK_BYTES, "big"))
        before = int.from_bytes(block, "big")
    return b"".join(out)


def _expand(key: bytes) -> tuple[int, ...]:
    """Return the 64 words of section 2."""
    size = len(key)
    table = bytearray(key)
    for i in range(size, 128):
        table.append(_PITABLE[(table[i - 1] + table[i - size]) & 0xFF])
    table[128 - size] = _PITABLE[table[128 - size]]
    for i in range(127 - size, -1, -1):
        table[i] = _PITABLE[table[i + 1] ^ table[i + size]]
    return struct.unpack("<64H", table)


def _decrypt_block(schedule: tuple[int, ...], block: bytes) -> bytes:
    words = list(struct.unpack("<4H", block))
    at = 63
    for number, rounds in enumerate(_ROUNDS):
        if number:
            for i in (3, 2, 1, 0):
                words[i] = words[i] - schedule[words[i - 1] & 63] & 0xFFFF
        for _ in range(rounds):
            at = _unmix(schedule, words, at)
    return struct.pack("<4H", *words)


def _unmix(schedule: tuple[int, ...], words: list[int], at: int) -> int:
    for i in (3, 2, 1, 0):
        shift = _SHIFTS[i]
        word = (words[i] >> shift | words[i] << 16 - shift) & 0xFFFF
        a, b, c = words[i - 1], words[i - 2], words[i - 3]
        words[i] = word - schedule[at] - (a & b) - (~a & c) & 0xFFFF
        at -= 1
    return at
