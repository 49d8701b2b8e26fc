"""TRUSTED takes more than trusted certificates: the handshake has to complete, with their key."""

from __future__ import annotations

import os
import socket
import ssl
import struct
import time
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tls_lab import (
    HOST,
    Made,
    Manner,
    chain_context,
    examine,
    family,
    ids,
    make,
    serving,
    store,
    tls_manner,
)

from exatrust.judgement import status
from exatrust_udf.tls import Record, classify
from exatrust_udf.together import anchors

ROOT, MIDDLE = family()
OTHER, _ = family("Other")
LEAF = make("leaf", MIDDLE)
CHAIN = (LEAF, MIDDLE)
ANOTHER_KEY = ec.generate_private_key(ec.SECP256R1())


def record(kind: int, body: bytes) -> bytes:
    return bytes([kind, 3, 3]) + struct.pack(">H", len(body)) + body


def message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def with_length(body: bytes) -> bytes:
    return len(body).to_bytes(3, "big") + body


def flight(*more: bytes) -> bytes:
    """A TLS 1.2 server's words with a chain that anybody can have, then `more`."""
    hello = b"\x03\x03" + os.urandom(32) + b"\0\xc0\x2b\0\0\x05\xff\x01\0\x01\0"
    chain = with_length(b"".join(with_length(made.der) for made in CHAIN))
    return record(22, b"".join((message(2, hello), message(11, chain), *more)))


def signed_by_another_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    signature = key.sign(b"x", ec.ECDSA(hashes.SHA256()))
    body = b"\x03\0\x17" + bytes([len(point)]) + point + b"\x04\x03"
    return message(12, body + struct.pack(">H", len(signature)) + signature) + message(14, b"")


def answering(data: Callable[[], bytes], linger: float = 0.0) -> Manner:
    def manner(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(data())
        time.sleep(linger)

    return manner


def wanting_certificate(version: ssl.TLSVersion) -> Manner:
    context = chain_context(CHAIN)
    context.minimum_version = context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    return tls_manner(context)


MANNERS: dict[str, tuple[Manner, str]] = {
    "replays the chain": (
        answering(lambda: flight(signed_by_another_key()), 1), "WRONG_KEY",
    ),
    "replays and closes": (answering(flight), "CLOSED"),
    "replays and falls silent": (answering(flight, 5), "TIMEOUT"),
    "wants a certificate, 1.2": (
        wanting_certificate(ssl.TLSVersion.TLSv1_2), "CLIENT_CERT_REQUIRED",
    ),
    "wants a certificate, 1.3": (
        wanting_certificate(ssl.TLSVersion.TLSv1_3), "CLIENT_CERT_REQUIRED",
    ),
}  # fmt: skip


@pytest.mark.parametrize("first", [ROOT, OTHER], ids=["own", "other first"])
@pytest.mark.parametrize("case", MANNERS, ids=list(MANNERS))
def test_trusted_certificates_without_a_handshake_are_not_trusted(case: str, first: Made) -> None:
    manner, finding = MANNERS[case]
    others = [] if first is ROOT else [store(ROOT)]
    with serving(manner) as port:
        found = examine(port, store(first), others=others)
    examined = found[-1]
    assert examined.trusted is False
    assert examined.findings[0].id == finding
    assert "trusts the certificates" in examined.findings[0].cause
    assert examined.case.leaf is not None
    assert status(found) == 1


def test_one_handshake_proves_the_key_for_every_store() -> None:
    accepted: list[int] = []
    inner = tls_manner(chain_context(CHAIN))

    def counting(connection: socket.socket) -> None:
        accepted.append(1)
        inner(connection)

    with serving(counting) as port:
        own, empty, right = examine(port, store(OTHER), others=[store(), store(ROOT)])
    assert [own.trusted, empty.trusted, right.trusted] == [False, False, True]
    assert ids(right) == set()
    assert accepted == [1]


def test_a_first_error_is_the_stores_own_whatever_the_others_trust() -> None:
    late = make("late leaf", MIDDLE, days=(-90, -30))
    with serving(tls_manner(chain_context([late, MIDDLE]))) as port:
        own, right = examine(port, store(OTHER), others=[store(ROOT)])
    assert own.findings[0].id == "CA_NOT_IN_TRUSTSTORE"
    assert (right.trusted, right.findings[0].id) == (False, "EXPIRED")


def test_a_ca_made_anew_is_proved_beside_its_namesake() -> None:
    namesake = make("Lab Root", ca=True, days=(-1000, 3000), key=ANOTHER_KEY)
    with serving(tls_manner(chain_context(CHAIN))) as port:
        old, new = examine(port, store(namesake), others=[store(ROOT)])
    assert (old.trusted, new.trusted) == (False, True)


def test_what_openssl_could_mix_up_is_left_out_and_said_to_be_unproved() -> None:
    bare = make("Lab Root", ca=True, days=(-1000, 3000), ski=False, key=ANOTHER_KEY)
    assert anchors([store(bare), store(ROOT)], partial_chain=False) == (bare.der,)
    with serving(tls_manner(chain_context(CHAIN))) as port:
        _, right = examine(port, store(bare), others=[store(ROOT)])
    assert right.trusted is None
    assert [(f.id, f.severity) for f in right.findings] == [("KEY_UNPROVED", "ERROR")]


def test_an_intermediate_that_leads_nowhere_is_left_out() -> None:
    assert anchors([store(OTHER), store(MIDDLE)], partial_chain=False) == (OTHER.der,)
    assert anchors([store(OTHER), store(MIDDLE)], partial_chain=True) == (OTHER.der, MIDDLE.der)
    assert len(anchors([store(OTHER), store(MIDDLE, ROOT)], partial_chain=False)) == 3


def test_a_name_of_its_own_proves_nothing_without_the_key() -> None:
    replaying = answering(lambda: flight(signed_by_another_key()), 1)
    with serving(replaying) as port:
        (examined,) = examine(port, store(ROOT), "127.0.0.1", f"name={HOST}")
    assert (examined.trusted, examined.findings[0].id) == (False, "WRONG_KEY")


def test_a_name_of_its_own_is_verified_and_its_key_proved() -> None:
    named = make("named", MIDDLE, san=("db.example",))
    with serving(tls_manner(chain_context([named, MIDDLE]))) as port:
        (right,) = examine(port, store(ROOT), HOST, "name=db.example")
        (announced,) = examine(port, store(ROOT), HOST, "name=db.example sni=other.example")
        (wrong,) = examine(port, store(ROOT), HOST, "name=other.example")
        own, other = examine(port, store(OTHER), HOST, "name=db.example", others=[store(ROOT)])
    assert [(right.trusted, ids(right)), (announced.trusted, ids(announced))] == [(True, set())] * 2
    assert (wrong.trusted, ids(wrong)) == (False, {"HOST_MISMATCH"})
    assert (own.trusted, other.trusted) == (False, True)


@pytest.mark.parametrize(("done", "finding"), [(True, "CLIENT_CERT_REQUIRED"), (False, "ALERT")])
def test_a_certificate_refused_after_our_last_message_can_only_be_the_clients(
    done: bool, finding: str
) -> None:
    # As Java 17 answers in TLS 1.3.
    error = ssl.SSLError(1, "[SSL: SSLV3_ALERT_BAD_CERTIFICATE] sslv3 alert bad certificate")
    error.reason = "SSLV3_ALERT_BAD_CERTIFICATE"
    record = Record(raw=bytearray(b"\x15\x03\x03\0\x02\x02\x2a"), done=done)
    assert classify(error, record).finding == finding
