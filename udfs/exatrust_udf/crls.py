"""Revocation lists in files: what can be judged by, and why the rest cannot.

A list that was asked for and cannot be read stays a list that was asked for: nothing counts as
answered by it, and the diagnosis says why.
"""

from __future__ import annotations

from dataclasses import dataclass

from exatrust_udf import regular_file
from exatrust_udf.pem import Block, pem_blocks

LABEL = "X509 CRL"  # RFC 7468 section 7
# The largest lists of public CAs are some ten megabytes.
MAX_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Lists:
    """The revocation lists of one file, DER; `problems` says what of it cannot be used."""

    path: str
    ders: tuple[bytes, ...] = ()
    problems: tuple[str, ...] = ()


def read(path: str) -> Lists:
    """Read a file, PEM or DER; never raises, whatever is there."""
    try:
        return parsed(path, regular_file.read(path, MAX_BYTES))
    except (OSError, ValueError) as error:
        return Lists(path, problems=(str(getattr(error, "strerror", None) or error),))


def parsed(path: str, data: bytes) -> Lists:
    """The lists in the content of a file."""
    if data.startswith(b"\x30"):
        found = {"the file": data}
        problems: list[str] = []
    else:
        blocks = list(pem_blocks(data))
        problems = [f"block {b.position}: {_complaint(b)}" for b in blocks if _complaint(b)]
        found = {f"block {b.position}": b.data for b in blocks if b.data and not _complaint(b)}
    usable = {where: der for where, der in found.items() if _is_list(der)}
    problems += [f"{where} is no revocation list" for where in found if where not in usable]
    if not usable and not problems:
        problems.append("no revocation list in it, neither PEM nor DER")
    return Lists(path, tuple(usable.values()), tuple(problems))


def _complaint(block: Block) -> str | None:
    return block.problem if block.label == LABEL else f"{block.label}, not {LABEL}"


def _is_list(der: bytes) -> bool:
    """Whether OpenSSL takes it; where OpenSSL is out of reach, nothing is judged by it anyway."""
    from exatrust_udf import openssl  # ctypes, only when there are lists

    try:
        with openssl.Revocations([der]) as lists:
            return bool(lists.pointers)
    except openssl.LibcryptoOutOfReach:
        return True
