"""Strict intake: certificates and nothing else, and errors that name the place."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exatrust.errors import BundleRejected
from exatrust.intake import read_certificates

Make = Callable[..., bytes]


def test_pem_blocks_are_read_in_order_and_text_between_them_is_a_comment(pem: Make) -> None:
    text = b"# ours\n" + pem("A") + b"\r\nnot a block \xff\n" + pem("B").replace(b"\n", b"\r\n")
    assert [item.subject for item in read_certificates(text, "x")] == ["CN=A", "CN=B"]


def test_one_der_certificate_is_read(der: Make) -> None:
    assert read_certificates(der("A"), "a.der")[0].subject == "CN=A"


def test_a_private_key_refuses_the_file_naming_block_line_and_type(
    pem: Make, private_key_pem: bytes
) -> None:
    data = pem("A") + pem("B") + private_key_pem
    line = (pem("A") + pem("B")).count(b"\n") + 1
    with pytest.raises(BundleRejected) as refused:
        read_certificates(data, "corp.pem")
    assert refused.value.message == f"corp.pem, block 3 (line {line}) is EC PRIVATE KEY"
    assert refused.value.action == "give certificates only"


@pytest.mark.parametrize("label", ["TRUSTED CERTIFICATE", "CERTIFICATE REQUEST", "X509 CRL", ""])
def test_any_other_block_is_refused(pem: Make, label: str) -> None:
    block = f"-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n".encode()
    with pytest.raises(BundleRejected, match=rf"block 2 .* is {label or 'of no type'}"):
        read_certificates(pem("A") + block, "x.pem")


def test_a_label_with_control_characters_is_shown_harmless() -> None:
    with pytest.raises(BundleRejected) as refused:
        read_certificates(b"-----BEGIN \x1b[31mKEY-----\n", "x.pem")
    assert "\x1b" not in refused.value.message


def test_a_broken_block_is_named_though_the_others_are_fine(pem: Make) -> None:
    broken = pem("B").replace(b"MII", b"M*I", 1)
    with pytest.raises(BundleRejected, match=r"corp\.pem, block 2 \(line \d+\) is not valid base"):
        read_certificates(pem("A") + broken + pem("C"), "corp.pem")


def test_base64_that_is_no_certificate_is_named(pem: Make) -> None:
    block = b"-----BEGIN CERTIFICATE-----\nMAMCAQA=\n-----END CERTIFICATE-----\n"
    with pytest.raises(BundleRejected, match=r"block 2 .* is no X\.509 certificate"):
        read_certificates(pem("A") + block, "corp.pem")


@pytest.mark.parametrize(
    ("cut", "missing"), [(b"-----END CERTIFICATE-----", "END"), (b"-----BEGIN CERT", "BEGIN")]
)
def test_a_block_without_one_of_its_lines_is_not_passed_over(
    pem: Make, cut: bytes, missing: str
) -> None:
    damaged = pem("B").replace(cut, cut[1:] if missing == "BEGIN" else b"")
    with pytest.raises(BundleRejected, match=f"has no {missing} line"):
        read_certificates(pem("A") + damaged + pem("C"), "corp.pem")


@pytest.mark.parametrize(
    "data", [b"", b"  \n", b"hello", b"PK\x03\x04", "\ufeffx".encode("utf-16")]
)
def test_a_file_without_certificates_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(BundleRejected, match=r"corp\.pem"):
        read_certificates(data, "corp.pem")


@given(st.binary(max_size=300))
def test_random_bytes_are_refused_and_never_crash(data: bytes) -> None:
    with pytest.raises(BundleRejected):
        read_certificates(data, "x")


@given(st.binary(max_size=200), st.integers(0, 700), st.binary(max_size=3))
def test_a_damaged_file_is_read_or_refused(tail: bytes, at: int, piece: bytes) -> None:
    text = (
        b"-----BEGIN CERTIFICATE-----\nMAMCAQA=\n-----END CERTIFICATE-----\n"
        b"-----BEGIN CERTIFICATE-----\nMAMCAQA=\n-----END CERTIFICATE-----\n"
    )
    damaged = text[:at] + piece + text[at + len(piece) :] + tail
    with pytest.raises(BundleRejected):
        read_certificates(damaged, "x")
