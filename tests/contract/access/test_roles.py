"""Least privilege: an installer's user with exactly the documented privileges, and the roles."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exatrust.credentials import Secret
from exatrust.database import Database
from exatrust.dsn import parse_dsn
from exatrust.errors import SqlFailed
from exatrust.settings import DatabaseSettings
from exatrust_sandbox.cluster import Sandbox

PASSWORD = "Planted_Password_1"
DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "privileges.md").read_text()
pytestmark = pytest.mark.usefixtures("languages", "one_alias")
RunSql = Callable[..., None]


def documented(role: str) -> list[str]:
    """The GRANT statements of the document for a role, without the user."""
    (block,) = re.findall(rf"<!-- grants: {role} -->\n```sql\n(.*?)```", DOCUMENT, re.DOTALL)
    return [line for line in block.splitlines() if line.startswith("GRANT")]


INSTALLER = re.findall(r"GRANT (.*) TO INSTALLER;", "\n".join(documented("installer")))
NEEDED = [name.strip() for line in INSTALLER for name in line.split(",")]


@pytest.fixture
def user(schema: str) -> str:
    return f"USER_{schema}"


@pytest.fixture
def dedicated(user: str, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes a user with these system privileges, and exatrust work as that user."""

    def make(*privileges: str) -> None:
        run_sql(f'CREATE USER {user} IDENTIFIED BY "{PASSWORD}"',
                *(f"GRANT {privilege} TO {user}" for privilege in privileges))  # fmt: skip
        monkeypatch.setenv("EXATRUST_DATABASE_USER", user)
        monkeypatch.setenv("EXATRUST_DATABASE_PASSWORD", PASSWORD)

    return make


@pytest.fixture
def session(sandbox: Sandbox, run_sql: RunSql, schema: str) -> Iterator[Callable[[str], Database]]:
    """Sessions of new users that have one role."""
    opened: list[Database] = []

    def open_session(role: str) -> Database:
        name = f"{role}_{len(opened)}"
        run_sql(f'CREATE USER {name} IDENTIFIED BY "{PASSWORD}"',
                f"GRANT CREATE SESSION TO {name}", f"GRANT {role} TO {name}")  # fmt: skip
        settings = DatabaseSettings(parse_dsn(sandbox.dsn), name)
        opened.append(Database(settings, Secret(PASSWORD)))
        return opened[-1]

    yield open_session
    for database in opened:
        database.close()


def test_a_user_with_exactly_the_documented_privileges_does_it_all(
    exatrust, dedicated, sandbox: Sandbox
) -> None:
    dedicated(*NEEDED)
    assert exatrust("doctor").status == 0
    assert exatrust("plan").status == 1
    installed = exatrust("install", "--yes")
    assert installed.status == 0, installed.text
    assert exatrust("status").status == 0
    assert exatrust("plan").status == 0
    assert exatrust("check", sandbox.endpoint("public")).status == 0
    assert exatrust("snapshot").status == 0
    assert exatrust("check", "--only", "VERIFICATION_OFF_CONNECTION").status == 0
    assert exatrust("doctor").status == 0
    assert exatrust("uninstall", "--yes").status == 0


@pytest.mark.parametrize("missing", [name for name in NEEDED if name != "CREATE SESSION"])
def test_each_missing_privilege_is_a_finding_and_a_clear_error(
    exatrust, dedicated, query, schema: str, user: str, missing: str
) -> None:
    dedicated(*(name for name in NEEDED if name != missing))
    examined = exatrust("doctor", "--json")
    assert examined.status == 1
    findings = {item["name"]: item for item in json.loads(examined.out)["findings"]}
    assert findings[f"privilege {missing}"]["state"] == "FAILED"
    assert f"GRANT {missing} TO {user}" in findings[f"privilege {missing}"]["action"]
    assert findings["aliases"]["found"] == "depends on: privileges"
    refused = exatrust("install", "--yes")
    assert refused.status == 1
    assert "SQL state 42500" in refused.err
    assert "grant the missing privilege to database.user" in refused.err
    rows = query(f"SELECT COUNT(*) FROM SYS.EXA_SCHEMAS WHERE SCHEMA_NAME = '{schema}'")
    assert rows == [(0,)]


def test_an_existing_schema_of_the_user_needs_no_privilege_to_create_one(
    exatrust, dedicated, run_sql: RunSql, schema: str, user: str
) -> None:
    dedicated(*(name for name in NEEDED if name != "CREATE SCHEMA"))
    run_sql(f"GRANT CREATE SCHEMA TO {user}")
    assert exatrust("install", "--yes").status == 0
    run_sql(f"REVOKE CREATE SCHEMA FROM {user}")
    examined = exatrust("doctor", "--json")
    assert "privilege CREATE SCHEMA" not in examined.out
    assert exatrust("plan").status == 0


def grants_of(query, role: str) -> set[tuple[str, str, str]]:
    rows = query(
        "SELECT OBJECT_TYPE, OBJECT_NAME, PRIVILEGE FROM SYS.EXA_DBA_OBJ_PRIVS"
        f" WHERE GRANTEE = '{role}'"
    )
    return {(kind, name, privilege) for kind, name, privilege in rows}


def test_roles_are_made_with_the_documented_grants_and_a_second_run_changes_nothing(
    exatrust, query, schema: str
) -> None:
    assert exatrust("roles").status == 1
    assert exatrust("install", "--yes").status == 0
    made = exatrust("roles", "--json")
    reader, operator = f"{schema}_READER", f"{schema}_OPERATOR"
    assert json.loads(made.out) == {"roles": {reader: "made", operator: "made"}}
    read = {("SCHEMA", schema, "SELECT"), ("SCHEMA", schema, "EXECUTE")}
    assert grants_of(query, reader) == read
    written = grants_of(query, operator) - read
    assert len(written) == 13
    again = exatrust("roles", "--json")
    assert json.loads(again.out) == json.loads(made.out)
    assert grants_of(query, operator) - read == written
    for role, kind in ((reader, "reader"), (operator, "operator")):
        there = {(name, privilege) for _, name, privilege in grants_of(query, role)}
        assert there == in_document(kind, schema)
    found = exatrust("check", "--only", "GRANTS_TOO_WIDE")
    assert found.status == 0, found.text


def in_document(kind: str, schema: str) -> set[tuple[str, str]]:
    found = set()
    for line in documented(kind):
        match = re.match(r"GRANT ([\w, ]+) ON (?:SCHEMA|TABLE) (?:EXATRUST\.)?(\w+) TO", line)
        assert match, line
        name = match[2].replace("EXATRUST", schema)
        found |= {(name, privilege.strip()) for privilege in match[1].split(",")}
    return {item for item in found if item[1] != "USAGE"}


def test_a_reader_reads_and_runs_and_changes_nothing(
    exatrust, schema: str, session: Callable[[str], Database]
) -> None:
    assert exatrust("install", "--yes").status == 0
    assert exatrust("roles").status == 0
    reader = session(f"{schema}_READER")
    assert len(reader.rows(f"SELECT NODE_ID FROM {schema}.NODE_STATUS")) == 2
    assert reader.rows(f"SELECT COUNT(*) FROM {schema}.RELEASE_HISTORY") == [(1,)]
    assert reader.rows(f"SELECT {schema}.CHECK_ENDPOINT('localhost', 1)")
    for statement in (
        f"INSERT INTO {schema}.ENDPOINT VALUES ('a', 1, NULL, NULL)",
        f"DELETE FROM {schema}.RELEASE_HISTORY",
        f"DROP VIEW {schema}.NODE_STATUS",
    ):
        with pytest.raises(SqlFailed, match="42500"):
            reader.execute(statement)


def test_an_operator_watches_distrusts_and_takes_snapshots(
    exatrust, schema: str, session: Callable[[str], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert exatrust("install", "--yes").status == 0
    assert exatrust("roles").status == 0
    operator = session(f"{schema}_OPERATOR")

    def work() -> None:
        for statement in (
            f"INSERT INTO {schema}.ENDPOINT VALUES ('localhost', 1, NULL, NULL)",
            f"UPDATE {schema}.ENDPOINT SET NOTE = 'x'",
            f"INSERT INTO {schema}.OWN_DISTRUST (SHA256, REASON) VALUES ('ab', 'c')",
            f"DELETE FROM {schema}.OWN_DISTRUST",
        ):
            operator.execute(statement)

    operator.transaction(work)
    for table in ("RELEASE_HISTORY", "CA_DECISION"):
        with pytest.raises(SqlFailed, match="42500"):
            operator.execute(f"DELETE FROM {schema}.{table}")
    operator.close()
    monkeypatch.setenv("EXATRUST_DATABASE_USER", f"{schema}_OPERATOR_0")
    monkeypatch.setenv("EXATRUST_DATABASE_PASSWORD", PASSWORD)
    assert exatrust("status").status == 0
    taken = exatrust("snapshot")
    assert taken.status == 0, taken.text


def test_replacing_all_objects_costs_no_role_its_rights(
    exatrust, schema: str, session: Callable[[str], Database], run_sql: RunSql
) -> None:
    assert exatrust("install", "--yes").status == 0
    assert exatrust("roles").status == 0
    run_sql(f"DROP VIEW {schema}.NODE_STATUS", f"DROP TABLE {schema}.ENDPOINT_RESULT")
    assert exatrust("install", "--yes").status == 0
    operator = session(f"{schema}_OPERATOR")
    assert len(operator.rows(f"SELECT NODE_ID FROM {schema}.NODE_STATUS")) == 2
    operator.execute(f"INSERT INTO {schema}.ENDPOINT_RESULT (SNAPSHOT_AT, NODE_ID, LANGUAGE_ALIAS)"
                     " VALUES (CURRENT_TIMESTAMP, 0, 'X')")  # fmt: skip


def roles(query, schema: str) -> list[str]:
    names = [name for (name,) in query("SELECT ROLE_NAME FROM SYS.EXA_ALL_ROLES")]
    return sorted(name for name in names if name.startswith(f"{schema}_"))


def test_uninstall_drops_the_roles_that_exatrust_made_and_no_others(
    exatrust, query, run_sql: RunSql, schema: str
) -> None:
    run_sql(f"CREATE ROLE {schema}_READER")
    assert exatrust("install", "--yes").status == 0
    run_sql(f"COMMENT ON SCHEMA {schema} IS 'ours'")
    assert "it exists, all is granted" in exatrust("roles").out
    (comment,) = query(f"SELECT SCHEMA_COMMENT FROM SYS.EXA_SCHEMAS WHERE SCHEMA_NAME='{schema}'")
    assert comment == (f"ours; exatrust roles: {schema}_READER (found), {schema}_OPERATOR (made)",)
    removed = exatrust("uninstall", "--yes")
    assert removed.status == 0
    assert f"dropped role {schema}_OPERATOR" in removed.out
    assert roles(query, schema) == [f"{schema}_READER"]


def test_an_installer_without_create_role_gets_the_statements_for_a_dba(
    exatrust, dedicated, run_sql: RunSql, query, schema: str
) -> None:
    dedicated(*NEEDED)
    assert exatrust("install", "--yes").status == 0
    refused = exatrust("roles")
    assert (refused.status, "CREATE ROLE" in refused.err or "creating a role" in refused.err) == (
        1, True,
    ), refused.text  # fmt: skip
    assert roles(query, schema) == []
    printed = exatrust("roles", "--sql").out
    statements = [line.strip().rstrip(";") for line in printed.splitlines() if line.strip()]
    assert any("GRANT USAGE ON SCHEMA" in sql for sql in statements)
    run_sql(*(sql for sql in statements if "USAGE" not in sql))
    again = exatrust("roles")
    assert again.status == 0, again.text
    assert again.out.count("it exists, all is granted") == 2
    assert exatrust("uninstall", "--yes").status == 0
    assert len(roles(query, schema)) == 2
