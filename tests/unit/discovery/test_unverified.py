"""Verification that is switched off: every spelling, and none that switches it on."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exatrust_udf import unverified

DOCUMENTATION = Path(__file__).resolve().parents[3] / "docs" / "outbound.md"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("requests.get(u, verify=False)", "VERIFY_FALSE"),
        ("s.verify = False", "VERIFY_FALSE"),
        ('{"verify": False}', "VERIFY_FALSE"),
        ("ctx.verify_mode = ssl.CERT_NONE", "CERT_NONE"),
        ("urllib3.PoolManager(cert_reqs='CERT_NONE')", "CERT_NONE"),
        ("redis.Redis(ssl_cert_reqs=None)", "CERT_NONE"),
        ("ctx.check_hostname = False", "CHECK_HOSTNAME_OFF"),
        ("PoolManager(assert_hostname=False)", "CHECK_HOSTNAME_OFF"),
        ("ctx = ssl._create_unverified_context()", "UNVERIFIED_CONTEXT"),
        ("ssl._create_default_https_context = x", "UNVERIFIED_CONTEXT"),
        ("urllib3.disable_warnings(InsecureRequestWarning)", "WARNINGS_OFF"),
        ('os.system("curl -k https://x")', "CURL_INSECURE"),
        ("curl -sSk https://x", "CURL_INSECURE"),
        ('["curl", "--insecure", u]', "CURL_INSECURE"),
        ('["curl", "-k", u]', "CURL_INSECURE"),
        ("wget --no-check-certificate u", "CURL_INSECURE"),
        ("curl_setopt(c, CURLOPT_SSL_VERIFYPEER, 0)", "CURL_VERIFY_OFF"),
        ("c.setopt(pycurl.SSL_VERIFYPEER, 0)", "CURL_VERIFY_OFF"),
        ("c.setopt(pycurl.SSL_VERIFYHOST, False)", "CURL_VERIFY_OFF"),
        ("httr::config(ssl_verifypeer = 0L)", "CURL_VERIFY_OFF"),
        ("getURL(u, ssl.verifypeer = FALSE)", "CURL_VERIFY_OFF"),
        ("session.get(u, ssl=False)", "SSL_FALSE"),
        ("TCPConnector(verify_ssl=False)", "SSL_FALSE"),
        ("ssl_verify=false", "SSL_FALSE"),
        ("Elasticsearch(verify_certs=False)", "SSL_FALSE"),
        ("IMPORT FROM CSV AT 'https://x' IGNORE CERTIFICATE FILE 'x'", "IGNORE_CERTIFICATE"),
        ("10.0.0.1/nocertcheck:8563", "NOCERTCHECK"),
        ("jdbc:exa:h:8563;validateservercertificate=0", "EXASOL_DRIVER_OFF"),
        ("SSLCertificate=SSL_VERIFY_NONE", "EXASOL_DRIVER_OFF"),
        ("SSLCertificate=VERIFYNONE", "EXASOL_DRIVER_OFF"),
        ("jdbc:postgresql://h/x?sslmode=disable", "NO_ENCRYPTION"),
        ("jdbc:postgresql://h/x?sslmode=require", "DRIVER_DOES_NOT_VERIFY"),
        ("sslmode='prefer'", "DRIVER_DOES_NOT_VERIFY"),
        ('"sslmode": "allow"', "DRIVER_DOES_NOT_VERIFY"),
        ("jdbc:sqlserver://h;encrypt=true;trustServerCertificate=true", "DRIVER_TRUSTS_ALL"),
        ("jdbc:mysql://h/x?useSSL=false", "NO_ENCRYPTION"),
        ("jdbc:mysql://h/x?verifyServerCertificate=false", "DRIVER_TRUSTS_ALL"),
        ("jdbc:mysql://h/x?requireSSL=false", "DRIVER_DOES_NOT_VERIFY"),
        ("sslMode=DISABLED", "NO_ENCRYPTION"),
        ("sslMode=PREFERRED", "DRIVER_DOES_NOT_VERIFY"),
        ("sslMode=REQUIRED", "DRIVER_DOES_NOT_VERIFY"),
        ("new AllowAllHostnameVerifier()", "JAVA_TRUSTS_ALL"),
        ("NoopHostnameVerifier.INSTANCE", "JAVA_TRUSTS_ALL"),
        ("new TrustAllStrategy()", "JAVA_TRUSTS_ALL"),
        ("void checkServerTrusted(X509Certificate[] c, String a) throws CertificateException {}",
         "JAVA_TRUSTS_ALL"),
        ("public void checkServerTrusted(X509Certificate[] c, String a) { }", "JAVA_TRUSTS_ALL"),
        ("conn.setHostnameVerifier((h, s) -> true);", "JAVA_TRUSTS_ALL"),
        ("setDefaultHostnameVerifier((hostname, session) -> { return true; })", "JAVA_TRUSTS_ALL"),
        ("new HostnameVerifier() { public boolean verify(String h, Session s) { return true; } }",
         "JAVA_TRUSTS_ALL"),
        ("&tls.Config{InsecureSkipVerify: true}", "OTHER_LANGUAGE_OFF"),
        ('process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0"', "OTHER_LANGUAGE_OFF"),
        ("NODE_TLS_REJECT_UNAUTHORIZED=0", "OTHER_LANGUAGE_OFF"),
        ("{rejectUnauthorized: false}", "OTHER_LANGUAGE_OFF"),
        ("git -c http.sslVerify=false", "OTHER_LANGUAGE_OFF"),
        ("SSLVerify=0", "OTHER_LANGUAGE_OFF"),
        ("%env PYTHONHTTPSVERIFY=0;", "ENVIRONMENT_OFF"),
        ('os.environ["PYTHONHTTPSVERIFY"] = "0"', "ENVIRONMENT_OFF"),
        ("os.environ['CURL_CA_BUNDLE'] = ''", "ENVIRONMENT_OFF"),
        ("%env REQUESTS_CA_BUNDLE=;", "ENVIRONMENT_OFF"),
        ("l.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_NEVER)", "LDAP_OFF"),
        ("TLS_REQCERT never", "LDAP_OFF"),
        ("LDAPTLS_REQCERT=allow", "LDAP_OFF"),
        ("server.starttls()", "NO_CONTEXT"),
        ("ctx = ssl.SSLContext()", "BARE_CONTEXT"),
        ("ctx = ssl.SSLContext(ssl.PROTOCOL_TLS)", "BARE_CONTEXT"),
        ("s = ssl.wrap_socket(sock)", "BARE_CONTEXT"),
        ("ctx.set_verify(SSL.VERIFY_NONE, f)", "CERT_NONE"),
        ("ctx.verify_mode = 0", "CERT_NONE"),
        ("pymysql.connect(ssl_verify_cert=False)", "SSL_FALSE"),
        ("jdbc:trino://h:8443?SSLVerification=NONE", "DRIVER_TRUSTS_ALL"),
        ("(SECURITY=(SSL_SERVER_DN_MATCH=NO))", "DRIVER_TRUSTS_ALL"),
        ("ssl.endpoint.identification.algorithm=", "DRIVER_TRUSTS_ALL"),
    ],
)  # fmt: skip
def test_a_spelling_is_recognised_with_its_line(line: str, kind: str) -> None:
    found = unverified.find("SCRIPT", f"CREATE SCRIPT\n{line}\n")
    assert [(item.line, item.kind) for item in found] == [(2, kind)]
    assert line not in found[0].cause + found[0].action
    assert unverified.find("CONNECTION", line)


@pytest.mark.parametrize(
    "line",
    [
        "requests.get(u, verify=True)",
        "verify=bundle",
        "# requests.get(verify=False)",
        "  -- IGNORE CERTIFICATE",
        "// CERT_NONE",
        "VERIFY CERTIFICATE",
        "sslmode=verify-full",
        "sslMode=VERIFY_IDENTITY",
        "curl -o k https://x",
        "curl https://x -K config",
        "curl --cacert x https://x -o out",
        "encrypt=true;trustServerCertificate=false",
        "ssl_verifypeer = 1",
        "ssl.verifyhost = 2",
        "ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)",
        "starttls(context=c)",
        "conn.starttls(context=c)",
        "no_verify = False0",
        "REQUESTS_CA_BUNDLE=/x;",
        "verify_mode = ssl.CERT_REQUIRED",
        "public void checkServerTrusted(X509Certificate[] c, String a) { delegate.check(c); }",
        "if ssl._create_default_https_context == x:",
        "cert_reqs=ssl.CERT_REQUIRED",
        "useSSL=true",
        "checksum_encrypt_verify: Falsehood",
    ],
)  # fmt: skip
def test_what_verifies_and_what_is_a_comment_is_left_alone(line: str) -> None:
    assert unverified.find("SCRIPT", line) == ()


def test_a_connection_string_has_no_comments() -> None:
    assert unverified.find("CONNECTION", "//h:8563/nocertcheck")
    assert not unverified.find("VIEW", "//h:8563/nocertcheck")


def test_a_kind_is_said_once_a_line_and_at_most_a_hundred_times() -> None:
    assert len(unverified.find("SCRIPT", "CERT_NONE or CERT_NONE")) == 1
    assert len(unverified.find("SCRIPT", "CERT_NONE\n" * 1000)) == unverified.MAX_LINES


@pytest.mark.parametrize("kind", unverified.TABLE, ids=lambda kind: kind.id)
def test_every_kind_is_in_the_documentation_as_it_is(kind: unverified.Kind) -> None:
    row = f"| `{kind.id}` | {kind.severity} | {kind.cause} | {kind.action} |"
    assert row in DOCUMENTATION.read_text(encoding="utf-8")
    assert kind.severity in ("ERROR", "WARNING")
    assert len(kind.id) <= 40


@given(st.text(max_size=300), st.sampled_from(("SCRIPT", "CONNECTION")))
def test_any_text_can_be_searched(text: str, kind: str) -> None:
    for item in unverified.find(kind, text):
        assert 1 <= item.line <= text.count("\n") + 1
