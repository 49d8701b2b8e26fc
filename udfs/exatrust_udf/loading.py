"""Truststores as OpenSSL loads them: for a verdict nothing else counts.

A PEM file with one damaged block trusts nothing at all, a certificate behind an indented BEGIN line
is skipped, and a directory is what its hash links reach. So OpenSSL itself reads the bytes; our own
parser only says what is wrong with them.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

from exatrust_udf.certificate import Certificate, CertificateError, parse
from exatrust_udf.hashlinks import subject_hash
from exatrust_udf.libcrypto import LibcryptoOutOfReach, library
from exatrust_udf.openssl import encode
from exatrust_udf.pem import CERTIFICATE_LABELS, Block, pem_blocks
from exatrust_udf.stores import Store

_DIRECTORIES = ("DIRECTORY", "HASHED_DIRECTORY")
_LINES = "a BEGIN line has to start a line, and lines have to end in LF or CR LF"


def loaded(store: Store) -> Store:
    """`store` with what OpenSSL loads of it; Java's formats and bare DER stay as they are."""
    if store.anchors is not None:
        return store
    # Without sources only a directory is judged: that none of its files has a hash link.
    if not store.sources and (store.format not in _DIRECTORIES or not store.certificates):
        return store
    try:
        anchors, problems = _loaded(store)
    except LibcryptoOutOfReach:
        # Then the handshake alone judges, with what can be read.
        return store
    known = {c.der: c for c in store.certificates}
    certificates = [known.get(der) or _parsed(der) for der in anchors]
    return replace(
        store,
        certificates=tuple(c for c in certificates if c is not None),
        anchors=tuple(anchors.values()),
        problems=(*problems, *(p for p in store.problems if not any(p in q for q in problems))),
    )


def _loaded(store: Store) -> tuple[dict[bytes, bytes], list[str]]:
    """Each certificate (DER) with its settings (DER and what follows), and what is refused."""
    anchors: dict[bytes, bytes] = {}
    problems: list[str] = []
    for link, content in store.sources:
        try:
            found = read_pem(content)
        except ValueError as error:
            what = "the file" if link is None else link
            problems.append(f"OpenSSL refuses {what}: {_blamed(content) or error}")
            continue
        for der, full in found:
            if link is None or _is_under(link, der):
                anchors.setdefault(der, full)
    if store.format == "PEM" and not problems:
        problems += _skipped(store, anchors)
    return anchors, problems


def _is_under(link: str, der: bytes) -> bool:
    cert = _parsed(der)
    return cert is not None and link.startswith(subject_hash(cert.subject_der))


def _parsed(der: bytes) -> Certificate | None:
    try:
        return parse(der)
    except CertificateError:
        return None


def _skipped(store: Store, anchors: dict[bytes, bytes]) -> Iterator[str]:
    count = len({c.der for c in store.certificates} - set(anchors))
    if count:
        yield f"OpenSSL skips {count} of its certificates: {_LINES}"


def _blamed(content: bytes) -> str | None:
    """The first block that OpenSSL refuses on its own, in our parser's words where it has some."""
    blocks = list(pem_blocks(content))
    ends = [*(block.offset for block in blocks[1:]), len(content)]
    for block, end in zip(blocks, ends, strict=True):
        if block.problem is not None:
            return f"block {block.position}: {block.problem}"
        try:
            read_pem(content[block.offset : end])
        except ValueError as error:
            return f"block {block.position}: {_malformed(block) or error}"
    return None


def _malformed(block: Block) -> str | None:
    try:
        parse(block.data or b"")
    except CertificateError as error:
        return str(error) if block.label in CERTIFICATE_LABELS else None
    return None


def read_pem(content: bytes) -> list[tuple[bytes, bytes]]:
    """The certificates of a PEM file as X509_STORE_load_locations reads it, each with settings.

    Raises ValueError with OpenSSL's reason for a file that it refuses as a whole.
    """
    lib = library()
    content = _from_a_file(content)
    with ExitStack() as stack:
        bio = lib.BIO_new_mem_buf(content, len(content))
        stack.callback(lib.BIO_free, bio)
        stack.callback(lib.ERR_clear_error)
        lib.ERR_clear_error()
        infos = lib.PEM_X509_INFO_read_bio(bio, None, None, None)
        if not infos:
            raise ValueError(_reason(lib))
        stack.callback(lib.OPENSSL_sk_free, infos)
        members = [lib.OPENSSL_sk_value(infos, i) for i in range(lib.OPENSSL_sk_num(infos))]
        for member in members:
            stack.callback(lib.X509_INFO_free, member)
        # The certificate is the first member of X509_INFO; a list or a key has none.
        pointers = [ctypes.c_void_p.from_address(member).value for member in members]
        return [
            (encode(lib.i2d_X509, pointer), encode(lib.i2d_X509_AUX, pointer))
            for pointer in pointers
            if pointer
        ]


def _from_a_file(content: bytes) -> bytes:
    """What reading a file gives to OpenSSL: its fgets() stops a line at a zero byte.

    A line that begins with one is the end of the file.
    """
    if b"\0" not in content:
        return content
    lines = []
    for line in re.findall(rb"[^\n]{0,253}\n|[^\n]{1,254}", content):
        kept, zero, _ = line.partition(b"\0")
        if not kept:
            break
        lines.append(kept + b"\n" if zero else kept)
    return b"".join(lines)


def _reason(lib: ctypes.CDLL) -> str:
    words: bytes = lib.ERR_reason_error_string(lib.ERR_peek_last_error()) or b"unreadable"
    return words.decode("ascii", "replace")
