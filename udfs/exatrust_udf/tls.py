"""One TLS handshake as a conversation, with everything it leaves behind.

The handshake runs over memory (ssl.MemoryBIO), so that it fits into any carrier (a socket, TDS
packets), every byte can be counted, and the received chain outlives a failure.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Generator
from dataclasses import dataclass, field

from exatrust_udf import wire
from exatrust_udf.evidence import HANDSHAKE, VERIFY, Problem
from exatrust_udf.talk import Closed, Talk, escaped

# OpenSSL itself stops at 100 kB of certificates; this is for what it would go on reading.
MAX_BYTES = 1 << 20
# What is kept of the raw bytes, to read the ServerHello from.
_KEPT = 1 << 16

# Python 3.13 made the chains public; 3.10 to 3.12 keep them on the inner object.
_DER = 2


@dataclass(slots=True)
class Record:
    """What a handshake leaves behind, filled while it runs, so that a time-out loses nothing."""

    sent: bytearray = field(default_factory=bytearray)
    raw: bytearray = field(default_factory=bytearray)
    total: int = 0
    problem: Problem | None = None
    verify_code: int | None = None
    verify_text: str | None = None
    received: tuple[bytes, ...] = ()
    verified: tuple[bytes, ...] = ()
    version: str | None = None
    cipher: str | None = None
    done: bool = False

    def keep(self, data: bytes) -> None:
        """Note received bytes; only the first ones are kept."""
        self.total += len(data)
        if len(self.raw) < _KEPT:
            self.raw += data


class TooMuch(Exception):
    """The server sends more than any handshake needs."""


def handshake(context: ssl.SSLContext, server_name: str, record: Record) -> Talk[None]:
    """Shake hands; never raises: what goes wrong is noted in `record`.

    `server_name` is announced and verified, as the context says. In TLS 1.3 a refused client
    learns of it only after its own last message, so the last step waits for the server's next
    word; what drives the conversation bounds that wait and may end it by closing the generator.
    """
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    # bytes, because a str would load the IDNA codec: milliseconds of every query.
    name: str = server_name.encode("ascii")  # type: ignore[assignment]
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        yield from _pump(tls.do_handshake, incoming, outgoing, record)
        record.verify_code = 0
        record.done = True
        record.version = tls.version()
        record.cipher = (tls.cipher() or (None,))[0]
        _keep_chains(tls, record)
        yield from _last_word(tls, incoming, outgoing, record)
    except GeneratorExit:  # out of time; what has come so far is worth keeping
        _keep_arrived(tls, context, record)
        raise
    except Exception as error:
        _keep_failure(tls, context, record, error)
        yield from _farewell(outgoing)


def _pump(
    step: object, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, record: Record
) -> Generator[bytes, bytes, None]:
    while True:
        try:
            step()  # type: ignore[operator]
        except ssl.SSLWantReadError:
            pass
        else:
            return
        out = outgoing.read()
        if len(record.sent) < 1024:
            record.sent += out
        data = yield out
        if not data:
            raise Closed
        record.keep(data)
        if record.total > MAX_BYTES:
            raise TooMuch(f"it sends more than {MAX_BYTES} bytes before the handshake is over")
        incoming.write(data)


def _last_word(
    tls: ssl.SSLObject, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, record: Record
) -> Generator[bytes, bytes, None]:
    if record.version != "TLSv1.3":
        yield from _farewell(outgoing)
        return
    data = yield outgoing.read()
    if data:
        incoming.write(data)
        try:
            tls.read(1)
        except ssl.SSLWantReadError:
            return


def _farewell(outgoing: ssl.MemoryBIO) -> Generator[bytes, bytes, None]:
    """Send what is left: our last flight, or the alert that says why we leave."""
    out = outgoing.read()
    if out:
        yield out


def _keep_chains(tls: ssl.SSLObject, record: Record) -> None:
    record.received = _chain(tls, "get_unverified_chain")
    if record.verify_code == 0:
        record.verified = _chain(tls, "get_verified_chain")


def _chain(tls: ssl.SSLObject, method: str) -> tuple[bytes, ...]:
    inner = getattr(tls, "_sslobj", None)
    read = getattr(inner, method, None)
    if read is None:
        return ()
    return tuple(_der(certificate) for certificate in read() or ())


def _der(certificate: object) -> bytes:
    if isinstance(certificate, bytes):
        return certificate
    der: bytes = certificate.public_bytes(_DER)  # type: ignore[attr-defined]
    return der


def _keep_failure(
    tls: ssl.SSLObject, context: ssl.SSLContext, record: Record, error: Exception
) -> None:
    if isinstance(error, ssl.SSLCertVerificationError):
        record.verify_code = error.verify_code
        record.verify_text = error.verify_message
    _keep_arrived(tls, context, record)
    record.problem = classify(error, record)


def _keep_arrived(tls: ssl.SSLObject, context: ssl.SSLContext, record: Record) -> None:
    if not record.received:
        _keep_chains(tls, record)
    hello = wire.server_hello(bytes(record.raw))
    if hello is not None and record.version is None:
        record.version = hello.version
        record.cipher = _suite(context, hello.suite)


def _suite(context: ssl.SSLContext, number: int) -> str:
    for cipher in context.get_ciphers():
        if cipher["id"] & 0xFFFF == number:
            return str(cipher["name"])
    return f"0x{number:04x}"


_BY_REASON = {
    "UNSUPPORTED_PROTOCOL": "PROTOCOL_VERSION",
    "UNSUPPORTED_SSL_VERSION": "PROTOCOL_VERSION",
    "TLSV1_ALERT_PROTOCOL_VERSION": "PROTOCOL_VERSION",
    "NO_PROTOCOLS_AVAILABLE": "PROTOCOL_VERSION",
    "VERSION_TOO_LOW": "PROTOCOL_VERSION",
    "INAPPROPRIATE_FALLBACK": "PROTOCOL_VERSION",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "NO_CIPHER",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY": "NO_CIPHER",
    "DH_KEY_TOO_SMALL": "NO_CIPHER",
    "WRONG_CIPHER_RETURNED": "NO_CIPHER",
    "UNKNOWN_CIPHER_RETURNED": "NO_CIPHER",
    "NO_SHARED_CIPHER": "NO_CIPHER",
    "WRONG_CURVE": "NO_CIPHER",
    "WRONG_SIGNATURE_TYPE": "NO_CIPHER",
    "NO_SUITABLE_SIGNATURE_ALGORITHM": "NO_CIPHER",
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": "NO_CIPHER",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "CLIENT_CERT_REQUIRED",
    "TLSV1_UNRECOGNIZED_NAME": "UNRECOGNIZED_NAME",
    "TLSV1_ALERT_UNRECOGNIZED_NAME": "UNRECOGNIZED_NAME",
    "BAD_SIGNATURE": "WRONG_KEY",
    "CERT_LENGTH_MISMATCH": "BAD_CERTIFICATE",
    "UNEXPECTED_EOF_WHILE_READING": "CLOSED",
    # Of all messages of a server only its certificates get near OpenSSL's limits.
    "EXCESSIVE_MESSAGE_SIZE": "CHAIN_TOO_LARGE",
}
# All that Python passes on of an error of OpenSSL's ASN.1 parser.
_ASN1 = "ASN1_LIB"
# Alerts with which servers answer a client that has sent no certificate.
_REFUSALS = ("HANDSHAKE_FAILURE", "BAD_CERTIFICATE", "CERTIFICATE_UNKNOWN", "ACCESS_DENIED",
             "UNKNOWN_CA")  # fmt: skip


def classify(error: Exception, record: Record) -> Problem:
    """Say which finding an exception of the handshake is; VERIFY for errors of trust."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Problem(VERIFY, HANDSHAKE, error.verify_message)
    raw = bytes(record.raw)
    if isinstance(error, (Closed, ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return Problem("CLOSED", HANDSHAKE, _where(raw))
    if raw and raw[:64] == bytes(record.sent[: len(raw[:64])]):
        return Problem("NOT_TLS", HANDSHAKE, "it sends back what it receives (echo)")
    if raw and not wire.looks_like_tls(raw):
        return Problem("NOT_TLS", HANDSHAKE, f"first bytes: {escaped(raw)}")
    return Problem(_finding(error, record), HANDSHAKE, _words(error))


def _where(raw: bytes) -> str:
    if not raw:
        return "closed without an answer to our ClientHello"
    if wire.server_hello(raw) is None:
        return f"closed after {len(raw)} bytes"
    return f"closed in the middle, {len(raw)} bytes after its ServerHello began"


def _finding(error: Exception, record: Record) -> str:
    reason = _reason(error)
    refused = "ALERT" in reason and any(refusal in reason for refusal in _REFUSALS)
    # TLS 1.3 hides whether it was asked for; after our last message nothing else can be refused.
    if refused and (record.done or wire.asks_for_certificate(bytes(record.raw))):
        return "CLIENT_CERT_REQUIRED"
    if reason == _ASN1:
        return "BAD_CERTIFICATE"
    if reason in _BY_REASON:
        return _BY_REASON[reason]
    if reason == "WRONG_VERSION_NUMBER":
        return "PROTOCOL_VERSION"
    # OpenSSL's names of received alerts; the later ones lack the word.
    received = "ALERT" in reason or reason.startswith("TLSV1_")
    return "ALERT" if received else "HANDSHAKE_FAILED"


def _reason(error: Exception) -> str:
    """OpenSSL's reason; where Python does not know its name, made from OpenSSL's words."""
    if not isinstance(error, ssl.SSLError):
        return ""
    if error.reason:
        return str(error.reason)
    words = re.sub(r"^\[\w+\] | \(_ssl\.c:\d+\)$", "", str(error.args[-1] if error.args else ""))
    return words.replace(" ", "_").upper()


def _words(error: Exception) -> str:
    reason = _reason(error)
    if reason == _ASN1:
        return "what it sends as a certificate cannot be read"
    return reason.replace("_", " ").lower() or str(error)
