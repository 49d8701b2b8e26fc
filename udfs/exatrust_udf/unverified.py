"""Text to places where certificate verification is switched off. Pure, and linear in the text.

Patterns know spellings, not programs: what is built at run time is not seen, and a spelling inside
a text or behind code in a comment counts as well. Whole lines that are comments are skipped in
scripts and views. What a line contains never leaves this module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from exatrust_udf.source_text import Lines, without_comments

ERROR, WARNING = "ERROR", "WARNING"
PROGRAMS = ("SCRIPT", "VIEW")  # where text is a program, and lines may be comments
MAX_LINES = 100  # of one kind in one object
_BUNDLE = (
    "Take it out; call exatrust_udf.activate() instead, so that the shared bundle verifies the "
    "server. Add its CA with `exatrust install --ca FILE` if it is not in."
)
_DRIVER = (
    "Let the driver verify: add the server's CA to the truststore that the driver reads, then "
    "switch verification on."
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to switch verification off. `words`: one of them is in every text that matches."""

    id: str
    severity: str
    cause: str
    action: str
    words: tuple[str, ...]
    pattern: re.Pattern[str]


def _kind(kind: str, severity: str, cause: str, action: str, words: str, pattern: str) -> Kind:
    return Kind(kind, severity, cause, action, tuple(words.split()), re.compile(pattern))


# `=`, `:` or `,` between a name and its value, however quoted: arguments, dictionaries, setopt().
_SET = r"['\"\]]{0,3}\s{0,8}(?:<-|[=:,])\s{0,8}['\"]?"
_FALSE = r"(?i:false|off|no|0L?|F)\b"
_TRUE = r"(?i:true|yes|on|1)\b"
_SAME = r"['\"\]]{0,3}\s{0,8}[=:]\s{0,8}['\"]?"

TABLE: tuple[Kind, ...] = (
    _kind(
        "VERIFY_FALSE", ERROR, "verify=False: any certificate is accepted (requests, httpx, boto3)",
        _BUNDLE, "verify", rf"(?<![A-Za-z_])verify{_SAME}(?:False|FALSE|false|0)\b",
    ),
    _kind(
        "CERT_NONE", ERROR, "CERT_NONE: any certificate is accepted", _BUNDLE,
        "cert_none cert_reqs verify_none verify_mode",
        rf"(?<![A-Za-z_])(?:CERT|VERIFY)_NONE\b"
        rf"|(?:(?:ssl_)?cert_reqs|verify_mode){_SAME}(?:None|none|NONE|0)\b",
    ),
    _kind(
        "CHECK_HOSTNAME_OFF", ERROR, "a certificate for any other name is accepted",
        _BUNDLE, "hostname",
        rf"(?:check_hostname|assert_hostname|ssl_check_hostname|tls_check_hostname){_SET}{_FALSE}"
        rf"|(?i:checkServerIdentity){_SAME}(?i:false)\b",
    ),
    _kind(
        "UNVERIFIED_CONTEXT", ERROR, "an ssl context that accepts any certificate", _BUNDLE,
        "_create_unverified_context _create_default_https_context",
        r"_create_unverified_context\b|_create_default_https_context\s{0,8}=(?!=)",
    ),
    _kind(
        "SSL_FALSE", ERROR,
        "verification is switched off by an argument (aiohttp, Elasticsearch, MongoDB, and others)",
        _BUNDLE, "ssl verify_certs validate_certs tls ssl_verify_cert ssl_verify_identity",
        rf"(?<![A-Za-z_])ssl\s{{0,8}}=\s{{0,8}}False\b"
        rf"|(?:verify_ssl|ssl_verify|ssl_verify_cert|ssl_verify_identity|verify_certs|validate_certs|verify_tls|tls_verify){_SAME}{_FALSE}"
        rf"|(?:tlsInsecure|tlsAllowInvalidCertificates|tlsAllowInvalidHostnames){_SAME}{_TRUE}",
    ),
    _kind(
        "CURL_INSECURE", ERROR, "curl or wget is told to accept any certificate",
        "Take -k, --insecure or --no-check-certificate out; give curl --cacert with the path of "
        "the shared bundle, exatrust_udf.bundle_path().",
        "curl wget --insecure",
        r"\bcurl\b[^\n]{0,200}?[\s\"'](?:-[a-zA-Z]{0,6}k[a-zA-Z]{0,6}|--insecure)(?=[\s\"']|$)"
        r"|['\"]--insecure['\"]|--no-check-certificate\b",
    ),
    _kind(
        "CURL_VERIFY_OFF", ERROR, "libcurl is told to accept any certificate or any name",
        "Take it out; set CURLOPT_CAINFO (cainfo) to the path of the shared bundle.",
        "verifypeer verifyhost",
        rf"(?i:ssl[._]?verify_?(?:peer|host)){_SET}{_FALSE}",
    ),
    _kind(
        "IGNORE_CERTIFICATE", ERROR, "IGNORE CERTIFICATE: IMPORT or EXPORT accepts any certificate",
        "Write VERIFY CERTIFICATE, after the server's CA was added to the hosts' truststores; or "
        "pin the server's key with PUBLIC KEY 'sha256//...'.",
        "certificate", r"(?i:\bIGNORE\s{1,64}CERTIFICATE\b)",
    ),
    _kind(
        "NOCERTCHECK", ERROR, "nocertcheck: Exasol's driver accepts any certificate",
        "Write the SHA-256 fingerprint of the certificate in its place, or add the CA.",
        "nocertcheck", r"(?i:\bnocertcheck\b)",
    ),
    _kind(
        "EXASOL_DRIVER_OFF", ERROR, "Exasol's driver accepts any certificate",
        "Write the SHA-256 fingerprint of the certificate into the host, HOST/FINGERPRINT:8563, "
        "or add the CA.",
        "validateservercertificate ssl_verify_none verifynone",
        rf"(?i:validateservercertificate){_SAME}{_FALSE}|\b(?i:SSL_VERIFY_NONE|VERIFYNONE)\b",
    ),
    _kind(
        "NO_ENCRYPTION", ERROR, "the driver is told not to use TLS at all",
        "Switch TLS on, with verification: sslmode=verify-full, sslMode=VERIFY_IDENTITY, "
        "encrypt=true, or what the driver calls it.",
        "sslmode ssl-mode usessl encrypt",
        rf"(?i:ssl-?mode){_SAME}(?i:disabled?)\b|(?i:useSSL){_SAME}{_FALSE}"
        rf"|(?<![A-Za-z_])(?i:encrypt|encryption){_SAME}(?i:false|0|optional)\b",
    ),
    _kind(
        "DRIVER_TRUSTS_ALL", ERROR, "the driver accepts any certificate", _DRIVER,
        "trustservercertificate verifyservercertificate sslmode nonvalidatingfactory"
        " validatecertificate selfsigned certnamesmismatch sslverification ssl_server_dn_match"
        " endpoint.identification",
        rf"(?i:trustServerCertificate|allowSelfSigned(?:ServerCert|Certs)?"
        rf"|CAIssuedCertNamesMismatch){_SAME}{_TRUE}"
        rf"|(?i:verifyServerCertificate|(?:ssl)?validateCertificate){_SAME}{_FALSE}"
        rf"|(?i:sslmode){_SAME}(?i:trust)\b|(?i:NonValidatingFactory)\b"
        rf"|(?i:SSLVerification){_SAME}(?i:none|ca)\b|(?i:SSL_SERVER_DN_MATCH){_SAME}{_FALSE}"
        r"|ssl\.endpoint\.identification\.algorithm['\"]?\s{0,8}[=:,]\s{0,8}(?:''|\"\"|;|\n|$)",
    ),
    _kind(
        "DRIVER_DOES_NOT_VERIFY", WARNING,
        "TLS is used or may be, and the certificate is not verified: whoever is on the way can "
        "present any other",
        "Write sslmode=verify-full, or sslMode=VERIFY_IDENTITY, after the CA was added to the "
        "truststore that the driver reads.",
        "sslmode ssl-mode requiressl",
        rf"(?i:ssl-?mode){_SAME}(?i:allow|prefer|preferred|require|required)\b(?!-)"
        rf"|(?i:requireSSL){_SAME}{_FALSE}",
    ),
    _kind(
        "JAVA_TRUSTS_ALL", ERROR, "Java code that accepts any certificate or any name",
        "Take it out; start Java with the shared truststore: %jvmoption "
        "-Djavax.net.ssl.trustStore and the .p12 file of the release.",
        "hostnameverifier truststrategy insecuretrustmanagerfactory checkservertrusted"
        " loadtrustmaterial trustselfsignedstrategy trustallstrategy allow_all_hostname_verifier",
        r"AllowAllHostnameVerifier|ALLOW_ALL_HOSTNAME_VERIFIER|NoopHostnameVerifier"
        r"|TrustAllStrategy|TrustSelfSignedStrategy|InsecureTrustManagerFactory"
        r"|checkServerTrusted\s{0,8}\([^)]{0,200}\)\s{0,8}"
        r"(?:throws\s[\w., ]{1,100})?\s{0,64}\{\s{0,64}\}"
        r"|HostnameVerifier\s{0,8}\(\s{0,8}\(?[\w\s,]{0,60}\)?\s{0,8}->\s{0,8}"
        r"(?:\{\s{0,64}return\s)?\s{0,8}true\b"
        r"|loadTrustMaterial\s{0,8}\([^)\n]{0,60}\)?\s{0,8}->\s{0,8}true\b"
        r"|HostnameVerifier\(\)\s{0,64}\{[^{}]{0,200}verify\s{0,8}\([^)]{0,200}\)\s{0,64}\{\s{0,64}"
        r"return\s{1,8}true\b",
    ),
    _kind(
        "OTHER_LANGUAGE_OFF", ERROR, "verification is switched off in Go, Node.js or git",
        "Take it out; let the program read the shared bundle (SSL_CERT_FILE, NODE_EXTRA_CA_CERTS, "
        "GIT_SSL_CAINFO).",
        "insecureskipverify node_tls_reject_unauthorized rejectunauthorized sslverify"
        " git_ssl_no_verify",
        rf"InsecureSkipVerify{_SET}true\b|NODE_TLS_REJECT_UNAUTHORIZED{_SET}0"
        rf"|rejectUnauthorized{_SAME}false\b|(?i:sslVerify){_SAME}{_FALSE}|GIT_SSL_NO_VERIFY\b",
    ),
    _kind(
        "ENVIRONMENT_OFF", ERROR, "an environment variable switches verification off",
        _BUNDLE, "pythonhttpsverify ca_bundle",
        rf"PYTHONHTTPSVERIFY{_SET}0\b"
        r"|(?:REQUESTS|CURL)_CA_BUNDLE['\"\]]{0,3}\s{0,8}[=:,]\s{0,8}(?:''|\"\"|;)",
    ),
    _kind(
        "LDAP_OFF", ERROR, "LDAP accepts any certificate",
        "Write demand in its place, and give TLS_CACERT the path of the shared bundle.",
        "require_cert reqcert",
        r"OPT_X_TLS_REQUIRE_CERT\s{0,8},\s{0,8}(?:\w{1,32}\.)?OPT_X_TLS_(?:NEVER|ALLOW)\b"
        r"|(?i:TLS_?REQCERT)['\"\]]{0,3}[\s=:,]{1,8}['\"]?(?i:never|allow)\b",
    ),
    _kind(
        "NO_CONTEXT", WARNING,
        "starttls() without a context: Python's smtplib, imaplib and ftplib do not verify then",
        "Write starttls(context=exatrust_udf.ssl_context()).",
        "starttls", r"\.starttls\(\s{0,8}\)",
    ),
    _kind(
        "BARE_CONTEXT", WARNING,
        "an ssl context that verifies nothing unless it is told to",
        "Write exatrust_udf.ssl_context(), or ssl.create_default_context().",
        "sslcontext wrap_socket",
        r"\bssl\.wrap_socket\s{0,8}\("
        r"|\bSSLContext\(\s{0,8}(?:(?:ssl\.)?PROTOCOL_(?:TLS|SSLv23|TLSv1(?:_[12])?)\s{0,8})?\)",
    ),
    _kind(
        "WARNINGS_OFF", WARNING,
        "the warning about unverified requests is silenced, so that there are some",
        "Take it out together with what causes the warning.",
        "insecurerequestwarning disable_warnings",
        r"\bInsecureRequestWarning\b|\burllib3\.disable_warnings\b",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unverified:
    """A line, from 1, and what is switched off there."""

    line: int
    kind: str
    severity: str
    cause: str
    action: str


def find(kind: str, text: str) -> tuple[Unverified, ...]:
    """What one object's text switches off, by line; each kind once a line, at most 100 lines."""
    if kind in PROGRAMS:
        text = without_comments(text)
    lowered = text.lower()
    lines = Lines(text)
    found = [
        Unverified(line, item.id, item.severity, item.cause, item.action)
        for item in TABLE
        if any(word in lowered for word in item.words)
        for line in islice(_lines(item, text, lines), MAX_LINES)
    ]
    return tuple(sorted(found, key=lambda item: item.line))


def _lines(item: Kind, text: str, lines: Lines) -> Iterator[int]:
    last = 0
    for match in item.pattern.finditer(text):
        line = lines.number(match.start())
        if line != last:
            yield line
        last = line
