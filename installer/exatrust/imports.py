"""Does IMPORT trust an endpoint? EXALoader has truststores of its own, on the nodes.

A guarded IMPORT asks for a file that does not exist, names no table, and is rolled back: nothing is
imported, and the error says how far it came. Reading that error is pure.
"""

from __future__ import annotations

import base64
import re
import secrets
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from exatrust.check import Endpoint
from exatrust.database import Database
from exatrust.errors import SqlFailed
from exatrust.observe import Installed
from exatrust.statements import Statements, identifier, literal, script_name
from exatrust_udf.certificate import Certificate, parse
from exatrust_udf.endpoint import joined

TRUSTED = "TRUSTED"
NOT_TRUSTED = "NOT_TRUSTED"
UNREACHABLE = "UNREACHABLE"
NO_HANDSHAKE = "NO_HANDSHAKE"
NOT_SUPPORTED = "NOT_SUPPORTED"
UNKNOWN = "UNKNOWN"
SEVERITY = (NOT_TRUSTED, NO_HANDSHAKE, UNREACHABLE, UNKNOWN, NOT_SUPPORTED, TRUSTED)

# libcurl's codes (libcurl-errors(3)): what each says of the handshake.
_CURL = re.compile(r"\[([^\[\]]*)\],\[(\d+)\],\[")
_BEFORE: dict[int, tuple[str, str]] = {
    5: (UNREACHABLE, "DNS"), 6: (UNREACHABLE, "DNS"), 7: (UNREACHABLE, "REFUSED"),
    28: (UNREACHABLE, "TIMEOUT"), 35: (NO_HANDSHAKE, "HANDSHAKE_FAILED"),
    51: (NOT_TRUSTED, "HOST_MISMATCH"), 58: (NO_HANDSHAKE, "CLIENT_CERT_REQUIRED"),
    60: (NOT_TRUSTED, "VERIFY_ERROR"), 77: (NOT_TRUSTED, "TRUST_STORE_EMPTY"),
}  # fmt: skip
_AFTER = frozenset((1, 8, 16, 18, 22, 52, 56, 61, 78, 92))
_TEXTS = (
    (r"self[- ]signed certificate in certificate chain", "CA_NOT_IN_TRUSTSTORE"),
    (r"self[- ]signed certificate", "SELF_SIGNED"),
    (r"unable to get (?:local )?issuer certificate", "CA_NOT_IN_TRUSTSTORE"),
    (r"certificate has expired", "EXPIRED"),
    (r"certificate is not yet valid", "NOT_YET_VALID"),
    (r"subject name .*match", "HOST_MISMATCH"),
    (r"wrong version number", "NOT_TLS"),
    (r"alert protocol version|unsupported protocol", "PROTOCOL_VERSION"),
    (r"[Nn]o route to host|[Nn]etwork is unreachable", "UNREACHABLE"),
)
# A file that came, or that the server refused by HTTP: the handshake was over, and verified.
_ANSWERED = re.compile(r"failed with error code=\d{3}|ETL-(?:2\d{3}|3050)")


@dataclass(frozen=True)
class Answer:
    """What one guarded IMPORT said; `text` is libcurl's, or the database's."""

    verdict: str
    finding: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class ImportVerdict:
    """What all tries say together: the worst of them. The database chooses the nodes, so that
    `agreeing` of `tries` is no number of nodes."""

    endpoint: str
    verdict: str
    finding: str | None
    text: str | None
    agreeing: int
    tries: int

    @property
    def trusted(self) -> bool:
        return self.verdict == TRUSTED


def read_error(code: str, text: str) -> Answer:
    """The verdict in an error of IMPORT: its SQL state and its text."""
    if code == "42000" and "syntax error" in text.lower():
        return Answer(NOT_SUPPORTED, None, "this version knows no VERIFY CERTIFICATE")
    if _ANSWERED.search(text):
        return Answer(TRUSTED)
    curl = _CURL.search(text)
    if curl is None:
        # Other versions may word it without the codes.
        told = re.search(r"SSL certificate problem: [^\]\[(]+|SSL: no alternative [^\]\[(]+", text)
        if told is None:
            return Answer(UNKNOWN, None, text)
        return Answer(NOT_TRUSTED, _finding(told[0], "VERIFY_ERROR"), told[0].strip())
    if int(curl[2]) in _AFTER:
        return Answer(TRUSTED)
    verdict, finding = _BEFORE.get(int(curl[2]), (UNKNOWN, None))
    return Answer(verdict, _finding(curl[1], finding), curl[1])


def _finding(text: str, otherwise: str | None) -> str | None:
    for pattern, finding in _TEXTS:
        if re.search(pattern, text):
            return finding
    return otherwise


def together(endpoint: str, answers: Sequence[Answer]) -> ImportVerdict:
    """One verdict: a node that does not trust it makes imports fail now and then."""
    worst = min(answers, key=lambda item: SEVERITY.index(item.verdict))
    agreeing = sum(item.verdict == worst.verdict for item in answers)
    return ImportVerdict(endpoint, worst.verdict, worst.finding, worst.text, agreeing, len(answers))


def probe(
    database: Database, statements: Statements, endpoints: Iterable[Endpoint], tries: int
) -> tuple[ImportVerdict, ...]:
    """Try each endpoint `tries` times, so that several nodes get a turn. Raises SqlFailed where the
    privilege IMPORT is missing."""
    return tuple(
        together(str(item), [_try(database, statements, item) for _ in range(tries)])
        for item in endpoints
    )


def _try(database: Database, statements: Statements, endpoint: Endpoint) -> Answer:
    name = f"exatrust-probe-{secrets.token_hex(8)}.csv"
    sql = statements.query("probe_import", url=literal(url(endpoint)), file=literal(name))

    def ask() -> Answer:
        try:
            database.rows(sql.strip())
        except SqlFailed as error:
            if error.forbidden:
                raise
            return read_error(error.code, error.text)
        return Answer(TRUSTED)

    return database.rolled_back(ask)


def url(endpoint: Endpoint) -> str:
    return f"https://{joined(endpoint.host, endpoint.port)}"


def version(database: Database, statements: Statements) -> str:
    """Such as 8.34.0."""
    rows = database.rows(statements.query("database_version"))
    return str(rows[0][0]) if rows else ""


def leaf(
    database: Database, statements: Statements, current: Installed, endpoint: Endpoint
) -> Certificate | None:
    """The certificate that a UDF gets from the server, None where it gets none."""
    query = statements.query(
        "leaf",
        script=identifier(script_name("fetch_chain", current.aliases[0], current.aliases)),
        host=literal(endpoint.host),
        port=str(endpoint.port),
    )
    rows = database.rows(query)
    return parse(ssl.PEM_cert_to_DER_cert(rows[0][0])) if rows else None


def pin(certificate: Certificate) -> str:
    """The text of PUBLIC KEY: SHA-256 over the key, Base64 (curl's CURLOPT_PINNEDPUBLICKEY)."""
    return f"sha256//{base64.b64encode(bytes.fromhex(certificate.spki_sha256)).decode()}"


def pinned_statement(statements: Statements, endpoint: Endpoint, text: str) -> str:
    """An IMPORT that accepts this key and no other, to be filled in."""
    return statements.query("pinned_import", url=literal(url(endpoint)), pin=literal(text)).strip()
