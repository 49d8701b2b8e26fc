"""The certificate reader on what real stores hardly hold: odd names, times, keys, and garbage."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from exatrust_udf import der as reader
from exatrust_udf.certificate import Certificate, CertificateError, parse, strict_problems
from exatrust_udf.names import escape, read_name
from exatrust_udf.pem import pem_blocks

UTC = dt.timezone.utc
KEY = ec.generate_private_key(ec.SECP256R1())
ROOTS = [block.data or b"" for block in pem_blocks(Path(certifi.where()).read_bytes())]


def tlv(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    size = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + content


def attribute(kind: bytes, tag: int, value: bytes) -> bytes:
    return tlv(0x31, tlv(0x30, tlv(0x06, kind), tlv(tag, value)))


def text_of(*parts: bytes) -> str:
    data = b"".join(parts)
    return read_name(data, 0, len(data)).text


def built(
    *extensions: tuple[x509.ExtensionType, bool],
    subject: str = "Test CA",
    issuer: str | None = None,
) -> Certificate:
    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [])

    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(subject if issuer is None else issuer))
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(dt.datetime(2027, 1, 1, tzinfo=UTC))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return parse(builder.sign(KEY, hashes.SHA256()).public_bytes(_DER))


_DER = Encoding.DER
CN, O_, OU = b"\x55\x04\x03", b"\x55\x04\x0a", b"\x55\x04\x0b"


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (0x0C, "Grüße €".encode()),
        (0x14, "Grüße".encode("latin-1")),
        (0x1E, "Grüße €".encode("utf-16-be")),
        (0x1C, "Grüße €".encode("utf-32-be")),
    ],
)
def test_every_string_type_is_read(tag: int, value: bytes) -> None:
    assert text_of(attribute(CN, tag, value)) in ("CN=Grüße €", "CN=Grüße")


def test_a_name_is_written_most_specific_part_first() -> None:
    parts = (
        attribute(b"\x55\x04\x06", 0x13, b"DE"),
        attribute(O_, 0x13, b"Acme"),
        attribute(CN, 0x13, b"x"),
    )
    assert text_of(*parts) == "CN=x,O=Acme,C=DE"


def test_an_empty_name_is_an_empty_text() -> None:
    assert text_of() == ""


def test_the_parts_of_a_multi_valued_part_are_joined_by_plus() -> None:
    pair = [tlv(0x30, tlv(0x06, kind), tlv(0x0C, b"v")) for kind in (OU, CN)]
    assert text_of(tlv(0x31, *pair)) == "OU=v+CN=v"


def test_an_unknown_type_is_dotted_and_a_value_that_is_no_string_is_hex() -> None:
    assert text_of(attribute(b"\x2a\x03\x04", 0x0C, b"v")) == "1.2.3.4=v"
    assert text_of(attribute(CN, 0x02, b"\x05")) == "CN=#020105"
    assert text_of(attribute(CN, 0x0C, b"\xff\xfe")) == "CN=#0c02fffe"


@pytest.mark.parametrize(
    ("plain", "escaped"),
    [
        ("a,b+c", "a\\,b\\+c"),
        ('say "x"', 'say \\"x\\"'),
        ("<a>;\\", "\\<a\\>\\;\\\\"),
        ("#1", "\\#1"),
        (" x ", "\\ x\\ "),
        (" ", "\\ "),
        ("a\\ ", "a\\\\\\ "),
        ("", ""),
        ("a\nb\0", "a\\0Ab\\00"),
        ("\x1b[31mred", "\\1B[31mred"),
        ("pay\u202elap", "pay\\E2\\80\\AElap"),
        ("\u2028", "\\E2\\80\\A8"),
        ("Ünï €", "Ünï €"),
    ],
)
def test_what_would_break_a_line_or_deceive_a_reader_is_escaped(plain: str, escaped: str) -> None:
    assert escape(plain) == escaped


def unescaped(text: str) -> str:
    """Read a value back by RFC 4514 section 3: hex pairs are octets of UTF-8."""
    octets = re.sub(
        rb"\\([0-9A-F]{2}|.)",
        lambda match: bytes.fromhex(match[1].decode()) if len(match[1]) == 2 else match[1],
        text.encode(),
    )
    return octets.decode()


@given(st.text(max_size=40))
def test_an_escaped_value_can_be_read_back_and_shows_nothing_hidden(text: str) -> None:
    assert unescaped(escape(text)) == text
    assert escape(text).isprintable()


UTC_TIME, GENERALIZED = reader.UTC_TIME, reader.GENERALIZED_TIME


@pytest.mark.parametrize(
    ("tag", "text", "expected"),
    [
        (UTC_TIME, b"491231235959Z", dt.datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (UTC_TIME, b"500101000000Z", dt.datetime(1950, 1, 1, tzinfo=UTC)),
        (UTC_TIME, b"2601011230Z", dt.datetime(2026, 1, 1, 12, 30, tzinfo=UTC)),
        (UTC_TIME, b"260101123000+0130", dt.datetime(2026, 1, 1, 11, tzinfo=UTC)),
        (UTC_TIME, b"2601011230-0100", dt.datetime(2026, 1, 1, 13, 30, tzinfo=UTC)),
        (GENERALIZED, b"20500101000000Z", dt.datetime(2050, 1, 1, tzinfo=UTC)),
        (GENERALIZED, b"99991231235959Z", dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_every_form_that_exists(
    tag: int, text: bytes, expected: dt.datetime
) -> None:
    assert reader.time(text, tag, 0, len(text)) == expected


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        (UTC_TIME, b""),
        (UTC_TIME, b"260101123000"),
        (UTC_TIME, b"261301000000Z"),
        (UTC_TIME, b"26+101000000Z"),
        (UTC_TIME, b"260101123000+2400"),
        (UTC_TIME, b"260101 12300Z"),
        (GENERALIZED, b"20260101000000.5Z"),
        (GENERALIZED, b"00000101000000Z"),
        (GENERALIZED, b"99991231235959-0100"),
        (0x13, b"260101123000Z"),
    ],
)
def test_what_is_no_time_is_refused(tag: int, text: bytes) -> None:
    with pytest.raises(CertificateError, match="offset 0: "):
        reader.time(text, tag, 0, len(text))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "ends where an element should begin"),
        (b"\x30\x80\x00\x00", "indefinite length"),
        (b"\x30\x81\x01\x00", "shortest form"),
        (b"\x30\x82\x00\x81" + b"\0" * 0x81, "shortest form"),
        (b"\x30\x85\x01\x00\x00\x00\x00", "a length of 5 octets is refused"),
        (b"\x30\x84\x7f\xff\xff\xff", "claims 2147483647 bytes"),
        (b"\x3f\x01\x00", "tag numbers above 30"),
        (ROOTS[0] + b"\0", "1 bytes after the certificate"),
    ],
)
def test_broken_framing_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(CertificateError, match=reason):
        parse(data)


def test_days_left_are_rounded_down() -> None:
    cert = built()
    assert cert.days_left(dt.datetime(2026, 12, 30, 12, tzinfo=UTC)) == 1
    assert cert.days_left(dt.datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC)) == -1


def test_an_ec_key_is_named_by_its_curve() -> None:
    cert = built()
    assert (cert.key_type, cert.key_bits, cert.key_curve) == ("EC", 256, "prime256v1")
    assert cert.signature_algorithm == "ecdsa-with-SHA256"


def test_alternative_names_keep_their_kinds_and_order() -> None:
    import ipaddress

    names = [
        x509.DNSName("b.example"),
        x509.IPAddress(ipaddress.ip_address("10.0.0.1")),
        x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
        x509.DNSName("*.a.example"),
    ]
    cert = built((x509.SubjectAlternativeName(names), False))
    assert cert.dns_names == ("b.example", "*.a.example")
    assert cert.ip_addresses == ("10.0.0.1", "2001:db8::1")


CA = (x509.BasicConstraints(ca=True, path_length=None), True)
SKI = (x509.SubjectKeyIdentifier.from_public_key(KEY.public_key()), False)
AKI = (x509.AuthorityKeyIdentifier.from_issuer_public_key(KEY.public_key()), False)


def usage(*, sign: bool) -> tuple[x509.KeyUsage, bool]:
    off = dict.fromkeys(
        ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
         "key_agreement", "crl_sign", "encipher_only", "decipher_only"], False,
    )  # fmt: skip
    return x509.KeyUsage(**{**off, "crl_sign": True}, key_cert_sign=sign), True


@pytest.mark.parametrize(
    ("extensions", "names", "expected"),
    [
        ([CA, usage(sign=True), SKI], {}, ()),
        ([CA, usage(sign=True), SKI, AKI], {"issuer": "Root"}, ()),
        ([CA, usage(sign=True), SKI], {"issuer": "Root"}, ("no authorityKeyIdentifier (85)",)),
        ([CA, usage(sign=True)], {}, ("no subjectKeyIdentifier (86)",)),
        ([CA, SKI], {}, ("no key usage (92)",)),
        ([CA, usage(sign=False), SKI], {}, ("key usage without keyCertSign (32)",)),
        (
            [(CA[0], False), usage(sign=True), SKI],
            {},
            ("basicConstraints not critical (89)",),
        ),
        ([usage(sign=True), SKI], {}, ("no basicConstraints with CA:TRUE (79)",)),
        ([CA, usage(sign=True), (SKI[0], True)], {}, ("subjectKeyIdentifier critical (91)",)),
        (
            [CA, usage(sign=True), SKI],
            {"subject": ""},
            ("empty issuer name (83)", "empty subject name (84)"),
        ),
    ],
)
def test_strict_problems_name_the_rule_and_openssls_code(
    extensions: list[tuple[x509.ExtensionType, bool]],
    names: dict[str, str],
    expected: tuple[str, ...],
) -> None:
    assert strict_problems(built(*extensions, **names)) == expected


@given(st.binary(max_size=400))
def test_random_bytes_end_in_a_certificate_error(data: bytes) -> None:
    with pytest.raises(CertificateError, match=r"^offset \d+: "):
        parse(data)


@given(st.sampled_from(ROOTS), st.data())
@settings(max_examples=300)
def test_a_truncated_certificate_is_refused(root: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(root) - 1))
    with pytest.raises(CertificateError):
        parse(root[:cut])


@given(st.sampled_from(ROOTS), st.data())
@settings(max_examples=1000)
def test_a_mutated_certificate_is_read_or_refused_and_nothing_else(
    root: bytes, data: st.DataObject
) -> None:
    changed = bytearray(root)
    places = st.tuples(st.integers(0, len(root) - 1), st.integers(0, 255))
    for at, byte in data.draw(st.lists(places, min_size=1, max_size=6)):
        changed[at] = byte
    with contextlib.suppress(CertificateError):
        use(parse(bytes(changed)))


def use(cert: Certificate) -> None:
    repr(cert).encode()
    strict_problems(cert)
    assert cert.subject.isprintable()


def certificate_with(name: bytes = b"", serial: bytes = b"\x01", extensions: bytes = b"") -> bytes:
    root = parse(ROOTS[0])
    algorithm = tlv(0x30, tlv(0x06, b"\x2a\x86\x48\xce\x3d\x04\x03\x02"))
    times = tlv(0x30, tlv(0x17, b"260101000000Z"), tlv(0x17, b"270101000000Z"))
    key = tlv(0x30, tlv(0x30, tlv(0x06, b"\x2b\x65\x70")), tlv(0x03, b"\0" + b"k" * 32))
    names = tlv(0x30, name)
    tail = tlv(0xA3, tlv(0x30, extensions)) if extensions else b""
    version = tlv(0xA0, tlv(0x02, b"\x02"))
    body = tlv(0x30, version, tlv(0x02, serial), algorithm, names, times, names, key, tail)
    assert root.version == 3
    return tlv(0x30, body, algorithm, tlv(0x03, b"\0sig"))


@pytest.mark.parametrize(
    ("serial", "value"), [(b"\0", 0), (b"\xff", -1), (b"\x80\x00", -32768), (b"\x7f", 127)]
)
def test_zero_and_negative_serial_numbers_are_read(serial: bytes, value: int) -> None:
    assert parse(certificate_with(serial=serial)).serial == value


def test_a_giant_serial_number_is_refused() -> None:
    with pytest.raises(CertificateError, match="a serial number of 2000 bytes"):
        parse(certificate_with(serial=b"\x11" * 2000))


def test_a_repeated_extension_is_named_and_the_first_one_counts() -> None:
    constraint = tlv(0x30, tlv(0x06, b"\x55\x1d\x13"), tlv(0x04, tlv(0x30, tlv(0x01, b"\xff"))))
    other = tlv(0x30, tlv(0x06, b"\x55\x1d\x13"), tlv(0x04, tlv(0x30)))
    cert = parse(certificate_with(extensions=constraint + other))
    assert cert.is_ca
    assert cert.malformed == ("2.5.29.19 occurs more than once",)


@pytest.mark.parametrize("kind", ["names", "extensions", "alternative names", "nesting"])
def test_a_megabyte_of_hostile_content_is_read_to_its_end(kind: str) -> None:
    """Were the reader quadratic in its input, this would take minutes."""
    unit = {
        "names": tlv(0x31, tlv(0x30, tlv(0x06, CN), tlv(0x0C, b"\n"))),
        "extensions": tlv(0x30, tlv(0x06, b"\x55\x1d\x13"), tlv(0x04, b"")),
        "alternative names": tlv(0x82, b"\n"),
        "nesting": b"\x30\x80",
    }[kind]
    many = unit * (1_000_000 // len(unit))
    if kind == "alternative names":
        many = tlv(0x30, tlv(0x06, b"\x55\x1d\x11"), tlv(0x04, tlv(0x30, many)))
    data = certificate_with(many) if kind == "names" else certificate_with(extensions=many)
    if kind == "nesting":
        with pytest.raises(CertificateError):
            parse(data)
    else:
        assert parse(data).der == data
