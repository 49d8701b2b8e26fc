"""Users, roles and grants: what is enforced for users other than SYS."""

from __future__ import annotations

import pytest

from exatrust_sandbox.database.model import SqlError

from .conftest import PASSWORD


@pytest.fixture
def bob(session, engine):
    """A user with no rights but to log in."""
    session.execute('CREATE USER BOB IDENTIFIED BY "Secret"')
    session.execute("GRANT CREATE SESSION TO BOB")
    session.execute("CREATE ROLE READER")
    return engine.open_session("bob", "tests")


def refused(session, sql):
    with pytest.raises(SqlError) as caught:
        session.execute(sql)
    return caught.value.sql_code == "42500"


def test_passwords_keep_their_case_and_are_not_stored(session, bob, engine, tmp_path):
    assert engine.authenticate("bob", "Secret")
    assert engine.authenticate("BOB", "Secret")
    assert not engine.authenticate("bob", "secret")
    assert not engine.authenticate("nobody", "Secret")
    assert engine.authenticate("sys", PASSWORD)
    session.execute('ALTER USER BOB IDENTIFIED BY "Other"')
    assert not engine.authenticate("bob", "Secret")
    engine.close()
    assert b"Other" not in (tmp_path / "exasol.duckdb").read_bytes()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM S.T",
        "INSERT INTO S.T VALUES (1, NULL, NULL)",
        "UPDATE S.T SET X = 1",
        "DELETE FROM S.T",
        "TRUNCATE TABLE S.T",
        "MERGE INTO S.T USING (SELECT 1 A) Q ON ID = A WHEN MATCHED THEN UPDATE SET X = 1",
        "DROP TABLE S.T",
        "ALTER TABLE S.T DROP COLUMN X",
        "COMMENT ON TABLE S.T IS 'x'",
        "CREATE SCHEMA MINE",
        "CREATE TABLE S.MINE (A INT)",
        "CREATE VIEW S.MINE AS SELECT 1 A",
        "CREATE PYTHON3 SCALAR SCRIPT S.MINE() RETURNS INT AS\ndef run(ctx): return 1",
        "CREATE CONNECTION C TO 'x'",
        "CREATE ROLE R",
        "DROP ROLE READER",
        "CREATE USER U IDENTIFIED BY x",
        "GRANT READER TO BOB",
        "GRANT SELECT ON S.T TO BOB",
        "ALTER SYSTEM SET QUERY_TIMEOUT = 5",
        "SELECT * FROM EXA_DBA_SCRIPTS",
        "SELECT * FROM EXA_DBA_CONNECTIONS",
        "DROP SCHEMA S CASCADE",
    ],
)
def test_without_rights_nothing_is_allowed(bob, sql):
    assert refused(bob, sql)


def test_rights_come_through_roles_and_go_with_them(session, bob):
    session.execute("CREATE ROLE OUTER_ROLE")
    session.execute("GRANT SELECT ON S.T TO READER")
    session.execute("GRANT READER TO OUTER_ROLE")
    session.execute("GRANT OUTER_ROLE TO BOB")
    assert len(bob.execute("SELECT * FROM S.T").rows) == 4
    assert refused(bob, "DELETE FROM S.T")
    session.execute("REVOKE READER FROM OUTER_ROLE")
    assert refused(bob, "SELECT * FROM S.T")


def test_a_grant_on_a_schema_counts_for_all_in_it(session, bob):
    session.execute("GRANT SELECT, INSERT ON SCHEMA S TO BOB")
    bob.execute("INSERT INTO S.T VALUES (9, NULL, NULL)")
    assert len(bob.execute("SELECT * FROM S.T").rows) == 5
    session.execute("REVOKE SELECT ON SCHEMA S FROM BOB")
    assert refused(bob, "SELECT * FROM S.T")


def test_a_view_works_with_its_owners_rights(session, bob, define):
    define("SCALAR F(x DOUBLE) RETURNS DOUBLE", "def run(ctx): return ctx.x")
    session.execute("CREATE VIEW V AS SELECT F(X) AS Y FROM T")
    assert refused(bob, "SELECT * FROM S.V")
    session.execute("GRANT SELECT ON S.V TO READER")
    session.execute("GRANT READER TO BOB")
    assert len(bob.execute("SELECT * FROM S.V").rows) == 4
    assert refused(bob, "SELECT S.F(1)")
    session.execute("GRANT EXECUTE ON SCRIPT S.F TO BOB")
    assert bob.execute("SELECT S.F(1)").rows == [(1.0,)]


def test_the_dictionary_needs_a_right_of_its_own(session, bob):
    session.execute("GRANT SELECT ANY DICTIONARY TO READER")
    session.execute("GRANT READER TO BOB")
    assert bob.execute("SELECT COUNT(*) FROM EXA_DBA_TABLES").rows == [(1,)]
    assert bob.execute("SELECT COUNT(*) FROM EXA_ALL_TABLES").rows == [(0,)]


def test_who_owns_a_schema_may_do_everything_in_it(session, bob):
    for privilege in ("CREATE SCHEMA", "CREATE TABLE", "CREATE VIEW", "CREATE SCRIPT"):
        session.execute(f"GRANT {privilege} TO BOB")
    bob.execute("CREATE SCHEMA MINE")
    bob.execute("CREATE TABLE A (B INT)")
    bob.execute("CREATE PYTHON3 SCALAR SCRIPT F() RETURNS INT AS\ndef run(ctx): return 5")
    bob.execute("CREATE VIEW V AS SELECT F() AS C FROM DUAL")
    assert bob.execute("SELECT * FROM V").rows == [(5,)]
    bob.execute("DROP SCHEMA MINE CASCADE")


SECRET = "def run(ctx):\n    return exa.get_connection('C').password"


def test_a_connections_secret_needs_access_for_the_script_or_its_schema(session, bob, define):
    session.execute("CREATE CONNECTION C TO 'h' USER 'u' IDENTIFIED BY 'pw'")
    define("SCALAR F() RETURNS VARCHAR(9)", SECRET)
    session.execute("GRANT EXECUTE ON S.F TO BOB")
    session.execute("GRANT CONNECTION C TO BOB")
    with pytest.raises(SqlError, match="access is not granted"):
        bob.execute("SELECT S.F()")
    session.execute("GRANT ACCESS ON CONNECTION C FOR SCRIPT S.F TO BOB")
    assert bob.execute("SELECT S.F()").rows == [("pw",)]
    define("SCALAR F() RETURNS VARCHAR(9)", SECRET)
    session.execute("GRANT EXECUTE ON S.F TO BOB")
    with pytest.raises(SqlError, match="access is not granted"):
        bob.execute("SELECT S.F()")
    session.execute("GRANT ACCESS ON CONNECTION C FOR SCHEMA S TO BOB")
    assert bob.execute("SELECT S.F()").rows == [("pw",)]


def test_grants_are_listed(session, bob, rows):
    session.execute("CREATE CONNECTION C TO 'h'")
    session.execute("GRANT SELECT ON S.T TO READER")
    session.execute("GRANT READER TO BOB")
    session.execute("GRANT ACCESS ON CONNECTION C FOR SCHEMA S TO BOB")
    assert rows("SELECT GRANTEE, PRIVILEGE FROM EXA_DBA_SYS_PRIVS") == [("BOB", "CREATE SESSION")]
    assert rows("SELECT GRANTEE, GRANTED_ROLE FROM EXA_DBA_ROLE_PRIVS") == [("BOB", "READER")]
    assert rows("SELECT OBJECT_SCHEMA, OBJECT_NAME, PRIVILEGE, GRANTEE FROM EXA_DBA_OBJ_PRIVS") == [
        ("S", "T", "SELECT", "READER")
    ]
    session.execute("DROP ROLE READER")
    assert rows("SELECT * FROM EXA_DBA_ROLE_PRIVS") == []
    with pytest.raises(SqlError, match="BOBBY does not exist"):
        session.execute("GRANT SELECT ON S.T TO BOBBY")
