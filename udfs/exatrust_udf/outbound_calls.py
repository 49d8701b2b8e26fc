"""Hosts that Python code hands to a class or function, without a URL. Pure, linear in the text.

The standard library's http.client, smtplib, ftplib, imaplib and poplib; grpc.insecure_channel and
grpc.secure_channel (gRPC Python, "Channel Object").
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from exatrust_udf.outbound_hosts import Address, NoAddress, addresses
from exatrust_udf.outbound_schemes import SCHEMES, Scheme

_CLASSES = {
    "HTTPConnection": "http", "HTTPSConnection": "https", "SMTP": "smtp", "SMTP_SSL": "smtps",
    "FTP": "ftp", "FTP_TLS": "ftpes", "IMAP4": "imap", "IMAP4_SSL": "imaps",
    "POP3": "pop3", "POP3_SSL": "pop3s",
    "insecure_channel": "grpc", "secure_channel": "grpcs",
}  # fmt: skip
_STARTTLS = re.compile(r"\.(?:starttls|stls|auth_tls)\s{0,4}\(")
CALL = re.compile(
    rf"(?<![\w])({'|'.join(_CLASSES)})\s{{0,4}}\(\s{{0,80}}(?:(?:host|target)\s{{0,4}}=\s{{0,4}})?"
    r"(['\"])(?:dns:/{0,3})?([\w.:\[\]-]{1,255})\2"
    r"(?:\s{0,80},\s{0,80}(?:port\s{0,4}=\s{0,4})?(\d{1,5})(?![\w.]))?"
)

Call = tuple[int, str, Scheme, "bool | None", "tuple[Address, ...]"]


def find(text: str) -> Iterator[Call]:
    """Position, name of the scheme, scheme, whether it is encrypted, and hosts of each call.

    A call without TLS in a program that upgrades one somewhere may be the one: None.
    """
    upgrades = _STARTTLS.search(text) is not None
    for match in CALL.finditer(text):
        name = _CLASSES[match[1]]
        scheme = SCHEMES[name]
        encrypted = False if match[1] == "insecure_channel" else scheme.encrypted
        if upgrades and encrypted is False and scheme.options:
            encrypted = None
        try:
            hosts = addresses(match[3], int(match[4]) if match[4] else scheme.port)
        except NoAddress:
            continue
        if all(address.port is None or 0 < address.port < 65536 for address in hosts):
            yield match.start(), name, scheme, encrypted, hosts
