"""Which protocol a server speaks that does not begin with TLS, by its first bytes. Pure."""

from __future__ import annotations

from exatrust_udf.endpoint import SPOKEN, USUAL_PORTS

# What servers say first: RFC 3501 7.1 (IMAP), RFC 1939 4 (POP3).
_GREETINGS = ((b"* OK", "imap"), (b"* PREAUTH", "imap"), (b"* BYE", "imap"), (b"+OK", "pop3"))
_MYSQL_VERSIONS = (10, 0xFF)  # the protocol's number, or an error instead of it


def protocol(first_bytes: bytes, port: int) -> str | None:
    """The value of protocol= for a server that greets like this; None where it is not known."""
    for greeting, name in _GREETINGS:
        if first_bytes.startswith(greeting):
            return name
    if first_bytes.startswith((b"220 ", b"220-")):
        return _mail_or_files(first_bytes.upper(), port)
    if len(first_bytes) > 4 and first_bytes[2:4] == b"\0\0" and first_bytes[4] in _MYSQL_VERSIONS:
        return "mysql"
    return None


def _mail_or_files(greeting: bytes, port: int) -> str | None:
    """SMTP and FTP greet alike (RFC 5321 4.2, RFC 959 5.4); most servers add what they are."""
    if b"SMTP" in greeting:
        return "smtp"
    if b"FTP" in greeting:
        return "ftp"
    usual = USUAL_PORTS.get(port)
    return usual if usual in ("smtp", "ftp") else None


def hint(first_bytes: bytes, port: int) -> str | None:
    """What to do about a server that greets like this; None where it is not known."""
    name = protocol(first_bytes, port)
    if name is not None:
        return (
            f"The server greets in {SPOKEN[name]}, which begins without TLS: give protocol={name}."
        )
    if first_bytes.startswith((b"220 ", b"220-")):
        return "Give protocol=smtp for a mail server, protocol=ftp for a file server."
    if first_bytes.startswith(b"HTTP/"):
        return "This is HTTP without TLS: use the service's port for HTTPS."
    if first_bytes.startswith(b"SSH-"):
        return "This is SSH, which knows no TLS: check the port."
    return None
