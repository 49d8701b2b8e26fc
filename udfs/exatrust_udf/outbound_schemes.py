"""What a URL's scheme or a JDBC driver says: usual port, whether TLS is used, how it begins. Pure.

Ports are IANA's or the products' defaults. Where parameters decide about TLS, and none is written,
the driver's default holds. Sources: pgjdbc, SslMode.java (`prefer`; ssl=true is verify-full);
MySQL Connector/J, "sslMode" (PREFERRED; useSSL=false is DISABLED); MariaDB Connector/J,
Configuration.java (DISABLE); mssql-jdbc, SQLServerDriver.java (encrypt=true since 10.2, false
before: unknown here); the other products' documentation. None says: it depends on the server, on
the driver's version, or on the program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_ON = frozenset(("true", "1", "yes", "on"))
_OFF = frozenset(("false", "0", "no", "off"))


@dataclass(frozen=True, slots=True)
class Switch:
    """A parameter that decides whether TLS is used; values in neither set leave it open."""

    key: str
    on: frozenset[str] = _ON
    off: frozenset[str] = _OFF


@dataclass(frozen=True, slots=True)
class Scheme:
    """`encrypted` without parameters; `options` for ENDPOINT where TLS does not begin at once.

    `tls` is False where encryption is another protocol's (SSH), so that no certificate is sent.
    """

    port: int | None
    encrypted: bool | None
    options: str | None = None
    switches: tuple[Switch, ...] = ()
    tls: bool = True

    def decide(self, parameters: Mapping[str, str]) -> bool | None:
        """Whether TLS is used with these parameters; the first switch that says so wins."""
        for switch in self.switches:
            value = parameters.get(switch.key)
            if value is not None and value in switch.on:
                return True
            if value is not None and value in switch.off:
                return False
        return self.encrypted


_REQUIRED = ("require", "required", "verify-ca", "verify_ca", "verify-full", "verify_identity")
_MODES = frozenset((*_REQUIRED, "verify_full", "trust"))
_NO_MODE = frozenset(("disable", "disabled"))
_NONE: frozenset[str] = frozenset()
_SSLMODE = Switch("sslmode", _MODES, _NO_MODE)
_SSL = Switch("ssl")
_TLS = Switch("tls")
# pgjdbc: ssl=false without sslmode is still `prefer`.
_POSTGRES = (_SSLMODE, Switch("ssl", _ON, _NONE))
_MYSQL = (
    _SSLMODE, Switch("ssl-mode", _MODES, _NO_MODE), Switch("usessl", _NONE, _OFF),
    Switch("requiressl", _ON, _NONE), Switch("verifyservercertificate", _ON, _NONE),
)  # fmt: skip
_MARIADB = (_SSLMODE, Switch("usessl"), Switch("ssl"))
_ENCRYPT = Switch(
    "encrypt", frozenset((*_ON, "mandatory", "strict")), frozenset((*_OFF, "optional"))
)
_JTDS = Switch("ssl", frozenset(("require", "authenticate")), frozenset(("off",)))
_TDS, _PG, _SQL = "protocol=tds", "protocol=postgres", "protocol=mysql"
_EXASOL = Scheme(8563, True, "protocol=exasol", (Switch("encryption"),))
_SSH = Scheme(22, True, tls=False)

SCHEMES: Mapping[str, Scheme] = {
    "http": Scheme(80, False), "https": Scheme(443, True),
    "ws": Scheme(80, False), "wss": Scheme(443, True),
    "ftp": Scheme(21, False, "protocol=ftp"), "ftps": Scheme(990, True),
    "ftpes": Scheme(21, True, "protocol=ftp"),
    "sftp": _SSH, "ssh": _SSH, "scp": _SSH,
    "ldap": Scheme(389, False, "protocol=ldap"), "ldaps": Scheme(636, True),
    "smtp": Scheme(25, False, "protocol=smtp"), "smtps": Scheme(465, True),
    "imap": Scheme(143, False, "protocol=imap"), "imaps": Scheme(993, True),
    "pop3": Scheme(110, False, "protocol=pop3"), "pop3s": Scheme(995, True),
    # HDFS protects its RPC with SASL (hadoop.rpc.protection): there is no certificate.
    "hdfs": Scheme(8020, None, tls=False),
    "webhdfs": Scheme(9870, False), "swebhdfs": Scheme(9871, True),
    "amqp": Scheme(5672, False), "amqps": Scheme(5671, True),
    "mqtt": Scheme(1883, False), "mqtts": Scheme(8883, True),
    "redis": Scheme(6379, False), "rediss": Scheme(6379, True),
    # The name of mongodb+srv is looked up in DNS, and the answer has the port; TLS is its default.
    "mongodb": Scheme(27017, False, switches=(_TLS, _SSL)),
    "mongodb+srv": Scheme(None, True, switches=(_TLS, _SSL)),
    "postgres": Scheme(5432, None, _PG, _POSTGRES),
    "postgresql": Scheme(5432, None, _PG, _POSTGRES),
    "redshift": Scheme(5439, None, _PG, (_SSLMODE, _SSL)),
    "mysql": Scheme(3306, None, _SQL, _MYSQL), "mariadb": Scheme(3306, None, _SQL, _MARIADB),
    "mssql": Scheme(1433, None, _TDS, (_ENCRYPT,)),
    "sqlserver": Scheme(1433, None, _TDS, (_ENCRYPT,)),
    "oracle": Scheme(1521, False), "tcps": Scheme(2484, True),
    "exa": _EXASOL, "exasol": _EXASOL,
    "clickhouse": Scheme(9000, False, switches=(Switch("secure"),)),
    "nats": Scheme(4222, None), "ssl": Scheme(None, True), "tls": Scheme(None, True),
    "grpc": Scheme(None, None), "grpcs": Scheme(443, True),
    # Azure storage: container@account, and the account's name is the host.
    "abfss": Scheme(443, True), "abfs": Scheme(80, False),
    "wasbs": Scheme(443, True), "wasb": Scheme(80, False),
}  # fmt: skip

DRIVERS: Mapping[str, Scheme] = {
    "exa": _EXASOL, "exa-debug": _EXASOL, "exa-worker": _EXASOL,
    "postgresql": SCHEMES["postgresql"], "redshift": SCHEMES["redshift"],
    "mysql": SCHEMES["mysql"],
    "mariadb": Scheme(3306, False, _SQL, _MARIADB),
    "sqlserver": SCHEMES["sqlserver"],
    "jtds": Scheme(1433, False, _TDS, (_JTDS,)),
    "oracle": SCHEMES["oracle"],
    "db2": Scheme(50000, False, switches=(Switch("sslconnection"),)),
    "as400": Scheme(None, False, switches=(Switch("secure"),)),
    "snowflake": Scheme(443, True, switches=(_SSL,)),
    "hive2": Scheme(10000, False, switches=(_SSL,)),
    "impala": Scheme(21050, False, switches=(_SSL,)),
    "spark": Scheme(443, True, switches=(_SSL,)), "databricks": Scheme(443, True, switches=(_SSL,)),
    "trino": Scheme(80, False, switches=(_SSL,)), "presto": Scheme(80, False, switches=(_SSL,)),
    # Teradata speaks TLS on HTTPS_PORT, plaintext on DBS_PORT; its default is PREFER.
    "teradata": Scheme(443, None, switches=(_SSLMODE,)),
    "sap": Scheme(30015, False, switches=(Switch("encrypt"),)),
    "vertica": Scheme(5433, None, switches=(Switch("tlsmode", _MODES, _NO_MODE), _SSL)),
    "netezza": Scheme(5480, None), "informix-sqli": Scheme(
        None, False, switches=(Switch("sslconnection"),)
    ),
    "clickhouse": Scheme(8123, False, switches=(_SSL,)), "ch": Scheme(
        8123, False, switches=(_SSL,)
    ),
    "denodo": Scheme(9999, False, switches=(_SSL,)), "dremio": Scheme(
        31010, False, switches=(_SSL,)
    ),
    "sybase": Scheme(5000, None), "bigquery": Scheme(443, True),
}  # fmt: skip

# Ports that tell what an address without scheme is.
USUAL: Mapping[int, str] = {
    443: "https", 1433: "sqlserver", 1521: "oracle", 2484: "tcps", 3306: "mysql",
    5432: "postgresql", 8563: "exa", 27017: "mongodb",
}  # fmt: skip


def scheme_of(name: str) -> tuple[str, Scheme] | None:
    """The scheme of a URL, in lower case. `postgresql+psycopg2` and `git+https` count as well."""
    name = name.lower()
    before, _, after = name.partition("+")
    for known in (name, before, after):
        if known in SCHEMES:
            return known, SCHEMES[known]
    return None
