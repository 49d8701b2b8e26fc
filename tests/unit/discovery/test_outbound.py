"""Endpoints in texts: every form that Exasol's users write, and nothing else."""

from __future__ import annotations

import re
import resource
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exatrust_udf import outbound
from exatrust_udf.endpoint import Endpoint
from exatrust_udf.outbound_schemes import DRIVERS, SCHEMES

FINGERPRINT = "135A1D2DCE102DE866F58267521F4232153545A075DC85F8F7596F57E588A181"
PG, SQL, TDS, EXA = "protocol=postgres", "protocol=mysql", "protocol=tds", "protocol=exasol"
KINDS = ("CONNECTION", "VIRTUAL_SCHEMA", "SCRIPT", "VIEW", "PARAMETER")

Row = tuple[str | None, str, int | None, bool | None, str | None]


def rows(text: str, kind: str = "CONNECTION") -> list[Row]:
    return [
        (item.scheme, item.host, item.port, item.encrypted, item.options)
        for item in outbound.find(kind, text)
    ]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("https://api.example/v1", ("https", "api.example", 443, True, None)),
        ("http://API.example:8080", ("http", "api.example", 8080, False, None)),
        ("https://b.s3.eu-west-1.amazonaws.com", (
            "https", "b.s3.eu-west-1.amazonaws.com", 443, True, None)),
        ("https://[2001:DB8::1]:8443/x", ("https", "2001:db8::1", 8443, True, None)),
        ("https://bücher.example/", ("https", "xn--bcher-kva.example", 443, True, None)),
        ("ftp://f.example", ("ftp", "f.example", 21, False, "protocol=ftp")),
        ("ftps://f.example/dir", ("ftps", "f.example", 990, True, None)),
        ("sftp://f.example", ("sftp", "f.example", 22, True, None)),
        ("ldap://ad.example", ("ldap", "ad.example", 389, False, "protocol=ldap")),
        ("ldaps://ad.example", ("ldaps", "ad.example", 636, True, None)),
        ("smtp://m.example:587", ("smtp", "m.example", 587, False, "protocol=smtp")),
        ("smtps://m.example", ("smtps", "m.example", 465, True, None)),
        ("imap://m.example", ("imap", "m.example", 143, False, "protocol=imap")),
        ("imaps://m.example", ("imaps", "m.example", 993, True, None)),
        ("pop3://m.example", ("pop3", "m.example", 110, False, "protocol=pop3")),
        ("pop3s://m.example", ("pop3s", "m.example", 995, True, None)),
        ("ws://w.example", ("ws", "w.example", 80, False, None)),
        ("wss://w.example", ("wss", "w.example", 443, True, None)),
        ("amqp://q.example", ("amqp", "q.example", 5672, False, None)),
        ("amqps://q.example", ("amqps", "q.example", 5671, True, None)),
        ("mqtt://q.example", ("mqtt", "q.example", 1883, False, None)),
        ("mqtts://q.example", ("mqtts", "q.example", 8883, True, None)),
        ("redis://r.example", ("redis", "r.example", 6379, False, None)),
        ("rediss://r.example", ("rediss", "r.example", 6379, True, None)),
        ("mongodb://m.example/db", ("mongodb", "m.example", 27017, False, None)),
        ("mongodb://m.example/db?tls=true", ("mongodb", "m.example", 27017, True, None)),
        ("mongodb+srv://c.example/db", ("mongodb+srv", "c.example", None, True, None)),
        ("postgres://p.example/db", ("postgres", "p.example", 5432, None, PG)),
        ("postgresql+psycopg2://p.example/db?sslmode=require", (
            "postgresql", "p.example", 5432, True, PG)),
        ("mysql://m.example/db", ("mysql", "m.example", 3306, None, SQL)),
        ("exa+websocket://e.example:8563/x", ("exa", "e.example", 8563, True, EXA)),
        ("abfss://box@acct.dfs.core.windows.net/x", (
            "abfss", "acct.dfs.core.windows.net", 443, True, None)),
        ("jdbc:postgresql://p.example/x", ("jdbc:postgresql", "p.example", 5432, None, PG)),
        ("jdbc:postgresql://p.example/x?sslmode=disable", (
            "jdbc:postgresql", "p.example", 5432, False, PG)),
        ("jdbc:postgresql://p.example/x?sslmode=prefer", (
            "jdbc:postgresql", "p.example", 5432, None, PG)),
        ("jdbc:postgresql://p.example/x?ssl=true", (
            "jdbc:postgresql", "p.example", 5432, True, PG)),
        ("jdbc:postgresql://p.example/x?ssl=false", (
            "jdbc:postgresql", "p.example", 5432, None, PG)),
        ("jdbc:postgresql://p.example/x?password=p&sslmode=require", (
            "jdbc:postgresql", "p.example", 5432, True, PG)),
        ("jdbc:aws-wrapper:postgresql://p.example/x", (
            "jdbc:postgresql", "p.example", 5432, None, PG)),
        ("jdbc:redshift://r.example:5440/x?ssl=true", (
            "jdbc:redshift", "r.example", 5440, True, PG)),
        ("jdbc:mysql://m.example/x", ("jdbc:mysql", "m.example", 3306, None, SQL)),
        ("jdbc:mysql://m.example/x?useSSL=false", ("jdbc:mysql", "m.example", 3306, False, SQL)),
        ("jdbc:mysql://m.example/x?useSSL=true&requireSSL=true", (
            "jdbc:mysql", "m.example", 3306, True, SQL)),
        ("jdbc:mysql://m.example/x?sslMode=VERIFY_IDENTITY", (
            "jdbc:mysql", "m.example", 3306, True, SQL)),
        ("jdbc:mysql://address=(host=m.example)(port=3307)/x", (
            "jdbc:mysql", "m.example", 3307, None, SQL)),
        ("jdbc:mariadb://m.example/x", ("jdbc:mariadb", "m.example", 3306, False, SQL)),
        ("jdbc:mariadb://m.example/x?sslMode=verify-full", (
            "jdbc:mariadb", "m.example", 3306, True, SQL)),
        ("jdbc:sqlserver://s.example", ("jdbc:sqlserver", "s.example", 1433, None, TDS)),
        ("jdbc:sqlserver://s.example\\INST:1434;encrypt=true;trustServerCertificate=true", (
            "jdbc:sqlserver", "s.example", 1434, True, TDS)),
        ("jdbc:sqlserver://s.example;encrypt=false", (
            "jdbc:sqlserver", "s.example", 1433, False, TDS)),
        ("jdbc:sqlserver://;serverName=s.example;portNumber=1500;encrypt=strict", (
            "jdbc:sqlserver", "s.example", 1500, True, None)),
        ("jdbc:jtds:sqlserver://s.example/x;ssl=require", (
            "jdbc:jtds", "s.example", 1433, True, TDS)),
        ("jdbc:oracle:thin:@o.example:1521:orcl", ("jdbc:oracle", "o.example", 1521, False, None)),
        ("jdbc:oracle:thin:scott/tiger@o.example:1521:orcl", (
            "jdbc:oracle", "o.example", 1521, False, None)),
        ("jdbc:oracle:thin:@//o.example:1522/svc", (
            "jdbc:oracle", "o.example", 1522, False, None)),
        ("jdbc:oracle:thin:@tcps://o.example:2484/svc", (
            "jdbc:oracle", "o.example", 2484, True, None)),
        ("jdbc:oracle:thin:@(DESCRIPTION=(ADDRESS=(PROTOCOL=TCPS)(HOST=o.example)(PORT=2484)))", (
            "tcps", "o.example", 2484, True, None)),
        ("(DESCRIPTION =\n (ADDRESS = (PROTOCOL = TCP)(HOST = o.example)(PORT = 1521)))", (
            "oracle", "o.example", 1521, False, None)),
        ("jdbc:db2://d.example:50001/db:sslConnection=true;", (
            "jdbc:db2", "d.example", 50001, True, None)),
        ("jdbc:db2://d.example/db", ("jdbc:db2", "d.example", 50000, False, None)),
        ("jdbc:snowflake://acme.snowflakecomputing.com/?db=x", (
            "jdbc:snowflake", "acme.snowflakecomputing.com", 443, True, None)),
        ("jdbc:hive2://h.example/;ssl=true", ("jdbc:hive2", "h.example", 10000, True, None)),
        ("jdbc:impala://i.example:21050/x", ("jdbc:impala", "i.example", 21050, False, None)),
        ("jdbc:impala://i.example:21050/x;SSL=1", ("jdbc:impala", "i.example", 21050, True, None)),
        ("jdbc:teradata://t.example/DATABASE=x", ("jdbc:teradata", "t.example", 443, None, None)),
        ("jdbc:teradata://t.example/SSLMODE=DISABLE,DBS_PORT=1026", (
            "jdbc:teradata", "t.example", 1026, False, None)),
        ("jdbc:sap://h.example:30015/", ("jdbc:sap", "h.example", 30015, False, None)),
        ("jdbc:sap://h.example:443/", ("jdbc:sap", "h.example", 443, True, None)),
        ("jdbc:sap://h.example:30015/?encrypt=true", ("jdbc:sap", "h.example", 30015, True, None)),
        ("jdbc:trino://t.example/x?SSL=true", ("jdbc:trino", "t.example", 443, True, None)),
        ("jdbc:bigquery:https://www.googleapis.com/bigquery/v2:443;X=1", (
            "https", "www.googleapis.com", 443, True, None)),
        ("jdbc:sybase:Tds:s.example:5000", ("jdbc:sybase", "s.example", 5000, None, None)),
        ("jdbc:dremio:direct=d.example:31010;ssl=true", (
            "jdbc:dremio", "d.example", 31010, True, None)),
        ("jdbc:exa:e.example", ("jdbc:exa", "e.example", 8563, True, EXA)),
        (f"jdbc:exa:e.example/{FINGERPRINT}:8564;schema=S", (
            "jdbc:exa", "e.example", 8564, True, EXA)),
        (f"jdbc:exa:e.example:8564/{FINGERPRINT};schema=S", (
            "jdbc:exa", "e.example", 8564, True, EXA)),
        ("jdbc:exa:e.example:8563;encryption=0", ("jdbc:exa", "e.example", 8563, False, EXA)),
        (f"e.example/{FINGERPRINT}:8563", ("exa", "e.example", 8563, True, EXA)),
        (f"e.example:8563/{FINGERPRINT}", ("exa", "e.example", 8563, True, EXA)),
        ("exahost:8563", ("exa", "exahost", 8563, True, EXA)),
        ("10.0.0.9:1521/xepdb1", ("oracle", "10.0.0.9", 1521, False, None)),
        ("10.0.0.9:7777", (None, "10.0.0.9", 7777, None, None)),
    ],
)  # fmt: skip
def test_a_connection_string_is_one_endpoint(text: str, row: Row) -> None:
    assert rows(text) == [row]
    assert rows(text, "VIRTUAL_SCHEMA")[:1] in ([row], [])


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("jdbc:exa:10.0.0.1..4:8563", [f"10.0.0.{n}:8563" for n in (1, 2, 3, 4)]),
        (f"10.0.0.11..12/{FINGERPRINT}:8563", ["10.0.0.11:8563", "10.0.0.12:8563"]),
        ("n08..10.example", ["n08.example:8563", "n09.example:8563", "n10.example:8563"]),
        ("jdbc:exa:n1,n2:8564", ["n1:8564", "n2:8564"]),
        ("jdbc:postgresql://a.example,b.example:5433/x", ["a.example:5432", "b.example:5433"]),
        ("jdbc:hive2://a.example:1,b.example:2/;ssl=true", ["a.example:1", "b.example:2"]),
        ("mongodb://u:p@a.example,b.example:27018/x", ["a.example:27017", "b.example:27018"]),
        ("BOOTSTRAP_SERVERS=a.example:9092,b.example:9093;X=1",
         ["a.example:9092", "b.example:9093"]),
        ("jdbc:snowflake://a.snowflakecomputing.com/?authenticator=https://okta.example",
         ["a.snowflakecomputing.com:443", "okta.example:443"]),
    ],
)  # fmt: skip
def test_lists_and_ranges_are_written_out(text: str, hosts: list[str]) -> None:
    assert [f"{host}:{port}" for _, host, port, _, _ in rows(text)] == hosts


def test_a_range_is_bounded() -> None:
    assert len(rows("jdbc:exa:n1..99999:8563")) == 256
    assert rows("jdbc:exa:10.0.0.9..1:8563") == []


@pytest.mark.parametrize(
    ("protocol", "encrypted"),
    [("SSL", True), ("SASL_SSL", True), ("PLAINTEXT", False), (None, False)],
)
def test_kafka_says_itself_whether_it_is_encrypted(protocol: str | None, encrypted: bool) -> None:
    text = "KafkaConsumer(bootstrap_servers=['k1.example:9092', 'k2.example:9092']"
    text += f", security_protocol='{protocol}')" if protocol else ")"
    assert [(scheme, host, secure) for scheme, host, _, secure, _ in rows(text, "SCRIPT")] == [
        ("kafka", "k1.example", encrypted), ("kafka", "k2.example", encrypted),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "bucketfs:bfsdefault/default",
        "s3://bucket/key",
        "file:///etc/passwd",
        "https://%s/",
        "https://{host}/x",
        "https://${HOST}/x",
        "https://<host>/",
        "https://HOST:PORT/",
        "'https://' || host",
        '"https://api." + domain',
        '"https://api" + n + ".example"',
        "'jdbc:postgresql://' || host || '/x'",
        "https://",
        "https:///path",
        "https://-x.example/",
        "https://1.2.3/",
        "https://999.1.1.1/",
        "https://a..example/",
        "https://[::g]/",
        "https://" + "a" * 64 + ".example/",
        "https://a.example:0/",
        "https://a.example:65536/",
        "https://*.example.com/",
        "http://www.w3.org/2001/XMLSchema",
        "open('module.py:123')",
        "t = '10:30:00'",
        "jdbc:unknown:thing",
        "jdbc:h2:mem:x",
        "jdbc:oracle:thin:@tnsname_without_at",
        "# https://comment.example/",
        "  -- https://comment.example/",
        "// https://comment.example/",
    ],
)
def test_what_names_no_host_is_left_out(text: str) -> None:
    assert [row for row in rows(text, "SCRIPT") if row[1] != "tnsname_without_at"] == []


@pytest.mark.parametrize("text", ["EUROPE/BERLIN", "HH24:MI:SS", "ENGLISH", "YYYY-MM-DD", "0"])
def test_ordinary_parameters_are_no_endpoints(text: str) -> None:
    assert rows(text, "PARAMETER") == []


def test_a_port_that_the_program_fills_in_is_unknown() -> None:
    assert rows("f'https://svc.example:{port}/x'", "SCRIPT") == [
        ("https", "svc.example", None, True, None)
    ]


def test_the_end_of_a_sentence_is_no_part_of_the_name() -> None:
    assert rows("x = 1  # see (https://a.example), or https://b.example.", "SCRIPT") == [
        ("https", "a.example", 443, True, None), ("https", "b.example", 443, True, None),
    ]  # fmt: skip


def test_the_first_line_that_names_an_endpoint_counts() -> None:
    text = "CREATE SCRIPT\n\n u = 'https://a.example'\n v = 'https://a.example/v'\n w = 'ftp://b'"
    found = outbound.find("SCRIPT", text)
    assert [(item.line, item.host) for item in found] == [(3, "a.example"), (5, "b")]


@pytest.mark.parametrize(
    "text",
    [
        "IMPORT INTO T FROM CSV AT 'https://f.example:8443/x' USER 'u' IDENTIFIED BY 'p' FILE 'f'",
        "IMPORT FROM EXA AT '10.0.0.1..2:8563' USER 'u' IDENTIFIED BY 'p' TABLE T",
        f"C = pyexasol.connect(dsn='10.0.0.1/{FINGERPRINT}:8563', user='u')",
        "IMPORT FROM ORA AT '192.168.1.9:1521/xepdb1' USER 'u' IDENTIFIED BY 'p' TABLE T",
        'fromJSON(getURL("https://r.example/data"))',
        'String u = "jdbc:postgresql://j.example/x";',
    ],
)
def test_statements_and_string_literals_are_read(text: str) -> None:
    assert rows(text, "VIEW")
    assert rows(text, "SCRIPT")


def test_what_can_be_watched_has_a_certificate() -> None:
    texts = (
        "https://a",
        "http://a",
        "ldap://a",
        "sftp://a",
        "jdbc:postgresql://a/x?sslmode=disable",
    )
    found = [outbound.find("CONNECTION", text)[0].can_be_tls for text in texts]
    assert found == [True, False, True, False, True]


@pytest.mark.parametrize("name", [*SCHEMES, *DRIVERS])
def test_the_options_of_every_scheme_are_those_of_endpoints(name: str) -> None:
    scheme = SCHEMES.get(name) or DRIVERS[name]
    assert Endpoint.parse("host.example", scheme.port or 443, scheme.options)


SECRET = "Gk7xQz"  # the part of each planted password that must not come back
TEMPLATES = (
    "https://{user}:{secret}@host.example/x",
    "https://{secret}@host.example/x",
    "ftps://{user}:{secret}@host.example:990/x",
    "mongodb://{user}:{secret}@a.example,b.example/x",
    "postgresql://{user}:{secret}@host.example/x?password={secret}",
    "jdbc:postgresql://host.example/x?user={user}&password={secret}&sslmode=require",
    "jdbc:mysql://{user}:{secret}@host.example/x",
    "jdbc:sqlserver://host.example;user={user};password={{{secret}}};encrypt=true",
    "jdbc:oracle:thin:{user}/{secret}@host.example:1521:x",
    "jdbc:exa:host.example:8563;user={user};password={secret}",
    "jdbc:snowflake://a.example/?token={secret}",
    "jdbc:db2://host.example:50000/x:user={user};password={secret};",
    "BOOTSTRAP_SERVERS=k.example:9092;SASL_PASSWORD={secret}",
    "USER '{user}' IDENTIFIED BY '{secret}'",
    "password = '{secret}'",
    "pwd: \"https://{secret}.example\"",
    "secret={secret}.example:8563",
)  # fmt: skip
_LETTERS = st.text(alphabet=st.characters(categories=["L", "N"]), max_size=4)
_ANY_SIGNS = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=8)


@pytest.mark.parametrize("template", TEMPLATES)
@given(before=_LETTERS, after=_ANY_SIGNS, kind=st.sampled_from(KINDS))
def test_nothing_of_a_planted_password_comes_back(
    template: str, before: str, after: str, kind: str
) -> None:
    # A dot and then a slash is a host and a path to every client; quotes end a program's text.
    after = (
        after.replace(".", "")
        if kind in ("CONNECTION", "PARAMETER", "VIRTUAL_SCHEMA")
        else (re.sub(r"[.'\"\s`<>|\\]", "", after))
    )
    text = template.format(user="alice", secret=before + SECRET + after)
    for item in outbound.find(kind, text):
        shown = f"{item.scheme} {item.host} {item.port} {item.options}".lower()
        assert SECRET.lower() not in shown
        assert "alice" not in shown


PIECES = st.sampled_from((
    "jdbc:", "://", "https", "exa", "postgresql", "oracle:thin:", "@", "//", ":", ",", "..", "/",
    "'", '"', "{", "}", "[", "]", "(ADDRESS=", "(HOST=", ")", "host.example", "10.0.0.1", "8563",
    "password=", "bootstrap.servers=", "\n", "#", " ", ";", "=", "?", FINGERPRINT, "\0", "\ud800",
    "ü", "a" * 70, "1" * 12,
))  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=3), max_size=40).map("".join), st.sampled_from(KINDS))
def test_any_text_gives_endpoints_that_can_be_checked(text: str, kind: str) -> None:
    for item in outbound.find(kind, text):
        assert 1 <= item.line <= text.count("\n") + 1
        assert item.host.isascii()
        assert Endpoint.parse(item.host, item.port or 443, item.options)


FRAGMENTS = (
    "jdbc:", "jdbc:exa:", "jdbc:exa:1.1.1.1..999:1 ", "jdbc:postgresql://", "://", "https://",
    "https://a.example ", "https://a@", "a", "a.", "a:", "a,", "'", "''", "'a,", "'a.b:80,", "(",
    "(ADDRESS=", "(ADDRESS=(A=b)", "bootstrap.servers=", "bootstrap.servers=a:1,", "password=",
    "password='", "identified by ", "curl ", "curl -", "checkServerTrusted(", "HostnameVerifier()",
    "verify=", "CERT_NONE\n", " ", "\t", "\n", "# ", "{", "[", "@", "1..", "=", "-",
)  # fmt: skip


def test_two_megabytes_of_any_fragment_are_read_within_a_limit_of_work() -> None:
    """The limit is on processor time: one quadratic pattern would need hours of it."""
    code = (
        "from exatrust_udf import outbound, unverified\n"
        f"for fragment in {FRAGMENTS!r}:\n"
        "    for kind, size in (('SCRIPT', 2_000_000), ('CONNECTION', 200_000)):\n"
        "        text = (fragment * (size // len(fragment) + 1))[:size]\n"
        "        assert len(outbound.find(kind, text)) <= outbound.MAX_ENDPOINTS\n"
        "        assert len(unverified.find(kind, text)) <= 100 * len(unverified.TABLE)\n"
    )
    limit = (120, 120)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, limit),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("secret", ["pa/ss", "p#w", "a?b", "x/y#z?", "9/8a/7", "secret/1", "p/w:1"])
@pytest.mark.parametrize("kind", ["CONNECTION", "SCRIPT"])
def test_behind_a_password_with_a_sign_that_ends_a_host_the_host_is_found(
    secret: str, kind: str
) -> None:
    text = f"'https://first.last:x{secret}@api.example:8443/v1/users'"
    found = rows(text if kind == "SCRIPT" else text.strip("'"), kind)
    assert found == [("https", "api.example", 8443, True, None)]
    assert secret not in str(found)


@pytest.mark.parametrize(
    "text",
    [
        "https://user:123/45@internal/x",  # the password may as well be a port and a path
        "https://user:xa/b@not a host",
        "https://user:x/@",
    ],
)
def test_what_may_be_a_password_is_never_shown_as_a_host(text: str) -> None:
    assert rows(text) == []


def test_an_at_sign_in_a_path_hides_no_host() -> None:
    for host in ("api.example:8443", "api.example"):
        found = rows(f"https://{host}/users/@me/x@y.example")
        assert [row[1] for row in found] == ["api.example"]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("HTTPConnection('h', 80)", ("http", "h", 80, False, None)),
        ("http.client.HTTPSConnection('api.example')", ("https", "api.example", 443, True, None)),
        ("HTTPConnection('h:8080')", ("http", "h", 8080, False, None)),
        ("smtplib.SMTP('mail', 25)", ("smtp", "mail", 25, False, "protocol=smtp")),
        ('smtplib.SMTP(host="mail", port=2525)', ("smtp", "mail", 2525, False, "protocol=smtp")),
        ("s = SMTP('mail', 25)\ns.starttls()", ("smtp", "mail", 25, None, "protocol=smtp")),
        ("smtplib.SMTP_SSL('m.example')", ("smtps", "m.example", 465, True, None)),
        ("ftplib.FTP_TLS('f.example')", ("ftpes", "f.example", 21, True, "protocol=ftp")),
        ("imaplib.IMAP4_SSL('i.example')", ("imaps", "i.example", 993, True, None)),
        ("grpc.insecure_channel('s:50051')", ("grpc", "s", 50051, False, None)),
        ("grpc.insecure_channel('dns:///s.example:50051')",
            ("grpc", "s.example", 50051, False, None)),
        ("grpc.secure_channel(target='s.example:443', x=1)",
            ("grpcs", "s.example", 443, True, None)),
        ("x = 'hdfs://name.example:8020/data'", ("hdfs", "name.example", 8020, None, None)),
        ("x = 'swebhdfs://name.example/data'", ("swebhdfs", "name.example", 9871, True, None)),
    ],
)  # fmt: skip
def test_hosts_that_python_hands_to_a_class_are_found_once(text: str, row: Row) -> None:
    assert rows(text, "SCRIPT") == [row]


@pytest.mark.parametrize(
    "text", ["MySMTP('mail', 25)", "SMTP(host, 25)", "HTTPConnection(f'{h}', 80)", "SMTP('a b')"]
)
def test_calls_with_no_host_in_them_are_none(text: str) -> None:
    assert rows(text, "SCRIPT") == []


def test_a_fingerprint_pins_and_nocertcheck_does_not() -> None:
    texts = (f"h.example/{FINGERPRINT}:8563", "h.example/nocertcheck:8563", "h.example:8563",
             f"jdbc:exa:h.example/{FINGERPRINT}:8563")  # fmt: skip
    pinned = [[item.pinned for item in outbound.find("CONNECTION", text)] for text in texts]
    assert pinned == [[True], [False], [False], [True]]
    ranged = outbound.find("CONNECTION", f"10.0.0.1..2/{FINGERPRINT}:8563")
    assert [item.pinned for item in ranged] == [True, True]
