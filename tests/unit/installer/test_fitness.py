"""Which CAs may be distributed, and what is said of those that may."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pytest

from exatrust import resources
from exatrust.errors import BundleRejected
from exatrust.fitness import refuse_expired, refuse_unfit, warnings
from exatrust.intake import read_certificates
from exatrust_udf.certificate import Certificate

Make = Callable[..., bytes]


@pytest.fixture
def ca(pem: Make) -> Certificate:
    return read_certificates(pem("Corp CA"), "x")[0]


@pytest.fixture
def intermediate(pem: Make) -> Certificate:
    return read_certificates(pem("Middle", issuer="Root"), "x")[0]


def test_a_leaf_is_refused_and_its_issuer_named(pem: Make) -> None:
    leaf = read_certificates(pem("leaf", ca=False, issuer="Corp CA"), "x")[0]
    with pytest.raises(BundleRejected, match="CN=leaf is not a CA") as refused:
        refuse_unfit(leaf, "leaf.pem")
    assert "CN=Corp CA" in refused.value.action


def test_a_ca_that_may_not_sign_is_refused(ca: Certificate) -> None:
    with pytest.raises(BundleRejected, match="may not sign certificates"):
        refuse_unfit(replace(ca, key_usage=frozenset({"digitalSignature"})), "x")


@pytest.mark.parametrize(
    ("kind", "bits", "said"),
    [
        ("RSA", 2047, "a weak key: RSA with 2047 bits, 2048 are the least"),
        ("RSA-PSS", 1024, "a weak key: RSA-PSS with 1024 bits, 2048 are the least"),
        ("EC", 192, "a weak key: EC with 192 bits, 224 are the least"),
        ("DSA", 3072, "a DSA key"),
        ("EC", None, "a key of type EC whose size cannot be told"),
    ],
)
def test_a_weak_key_is_refused(ca: Certificate, kind: str, bits: int | None, said: str) -> None:
    with pytest.raises(BundleRejected, match=rf"corp\.pem: CN=Corp CA has {said}"):
        refuse_unfit(replace(ca, key_type=kind, key_bits=bits), "corp.pem")


@pytest.mark.parametrize(
    ("kind", "bits"),
    [("RSA", 2048), ("EC", 224), ("Ed25519", 256), ("ML-DSA-65", None), ("1.2.3", None)],
)
def test_a_strong_or_unknown_key_is_taken(ca: Certificate, kind: str, bits: int | None) -> None:
    refuse_unfit(replace(ca, key_type=kind, key_bits=bits), "x")


@pytest.mark.parametrize(
    "algorithm", ["md5WithRSAEncryption", "sha1WithRSAEncryption", "ecdsa-with-SHA1", "sha1WithRSA"]
)
def test_a_signature_that_can_be_forged_counts_where_somebody_relies_on_it(
    ca: Certificate, intermediate: Certificate, algorithm: str
) -> None:
    refuse_unfit(replace(ca, signature_algorithm=algorithm), "x")
    with pytest.raises(BundleRejected, match=f"a signature that can be forged: {algorithm}"):
        refuse_unfit(replace(intermediate, signature_algorithm=algorithm), "x")


def test_every_public_root_would_be_taken() -> None:
    for root in read_certificates(*resources.certifi_roots()):
        refuse_unfit(root, "certifi")


def test_an_expired_ca_is_refused_and_the_way_round_named(pem: Make, now: dt.datetime) -> None:
    old = read_certificates(pem("Old", days=-1), "x")[0]
    with pytest.raises(BundleRejected, match="CN=Old expired on 2026-11-23"):
        refuse_expired(old, "x", now)
    refuse_expired(old, "x", now - dt.timedelta(days=2))


def test_a_human_is_told_what_makes_a_ca_special(
    ca: Certificate, intermediate: Certificate, pem: Make, now: dt.datetime
) -> None:
    limited = replace(ca, name_constraints=True)
    assert warnings(limited, "x", now) == ()
    assert "any name in the world" in warnings(ca, "x", now)[0]
    old = read_certificates(pem("Old", days=-1), "x")[0]
    assert "expired on 2026-11-23" in warnings(old, "x", now)[0]
    early = now - dt.timedelta(days=1000)
    assert "is valid from 2024-11-24 only" in warnings(limited, "x", early)[0]
    assert "is an intermediate" in warnings(intermediate, "x", now)[0]
    assert "CN=Root" in warnings(intermediate, "x", now)[0]
