"""System tables have the columns that Exasol documents."""

from __future__ import annotations

import pytest

COLUMNS = {
    "EXA_METADATA": "PARAM_NAME PARAM_VALUE IS_STATIC",
    "EXA_PARAMETERS": "PARAMETER_NAME SESSION_VALUE SYSTEM_VALUE",
    "EXA_DBA_SCRIPTS": "SCRIPT_SCHEMA SCRIPT_NAME SCRIPT_OWNER SCRIPT_OBJECT_ID SCRIPT_TYPE"
    " SCRIPT_LANGUAGE SCRIPT_INPUT_TYPE SCRIPT_RESULT_TYPE SCRIPT_TEXT SCRIPT_COMMENT",
    "EXA_DBA_CONNECTIONS": "CONNECTION_NAME CONNECTION_STRING USER_NAME CREATED CONNECTION_COMMENT",
    "EXA_ALL_CONNECTIONS": "CONNECTION_NAME CREATED CONNECTION_COMMENT",
    "EXA_DBA_VIRTUAL_SCHEMAS": "SCHEMA_NAME SCHEMA_OWNER SCHEMA_OBJECT_ID ADAPTER_SCRIPT_SCHEMA"
    " ADAPTER_SCRIPT_NAME LAST_REFRESH LAST_REFRESH_BY ADAPTER_NOTES",
    "EXA_DBA_VIRTUAL_SCHEMA_PROPERTIES": "SCHEMA_NAME SCHEMA_OBJECT_ID PROPERTY_NAME"
    " PROPERTY_VALUE",
    "EXA_ALL_VIEWS": "VIEW_SCHEMA VIEW_NAME SCOPE_SCHEMA VIEW_OWNER VIEW_OBJECT_ID VIEW_TEXT"
    " VIEW_COMMENT",
    "EXA_LOADAVG": "IPROC LAST_1MIN LAST_5MIN LAST_15MIN RUNNING",
    "EXA_SCHEMAS": "SCHEMA_NAME SCHEMA_OWNER SCHEMA_OBJECT_ID SCHEMA_IS_VIRTUAL SCHEMA_COMMENT",
}


@pytest.mark.parametrize(("table", "columns"), COLUMNS.items())
def test_a_system_table_has_the_documented_columns(session, table, columns):
    for name in (table, f"SYS.{table}", f'"SYS"."{table}"'):
        result = session.execute(f"SELECT * FROM {name}")
        assert [column.name for column in result.columns] == columns.split()


def test_all_dba_and_user_tables_agree_for_sys(session, rows, define):
    define("SCALAR F() RETURNS INT", "def run(ctx): return 1")
    for suffix in ("SCRIPTS", "TABLES", "VIEWS", "COLUMNS", "OBJECTS", "SCHEMAS"):
        expected = rows(f"SELECT * FROM EXA_DBA_{suffix}")
        assert rows(f"SELECT * FROM EXA_ALL_{suffix}") == expected
        assert rows(f"SELECT * FROM EXA_USER_{suffix}") == expected


def test_metadata_tell_the_version_and_whether_containers_are_isolated(rows, engine):
    values = dict(rows("SELECT PARAM_NAME, PARAM_VALUE FROM EXA_METADATA"))
    assert values["databaseProductVersion"] == "8.34.0"
    assert values["sandboxIsolation"] == engine.cluster.isolation


def test_parameters_have_a_value_for_the_session_and_one_for_the_system(session, rows, engine):
    session.execute("ALTER SYSTEM SET SCRIPT_LANGUAGES = 'PYTHON3=builtin_python3 X=y'")
    session.execute("ALTER SESSION SET SCRIPT_LANGUAGES = 'PYTHON3=z'")
    query = "SELECT SESSION_VALUE, SYSTEM_VALUE FROM EXA_PARAMETERS"
    query += " WHERE PARAMETER_NAME = 'SCRIPT_LANGUAGES'"
    assert rows(query) == [("PYTHON3=z", "PYTHON3=builtin_python3 X=y")]
    other = engine.open_session("sys", "tests")
    assert other.execute(query).rows == [("PYTHON3=builtin_python3 X=y",) * 2]


def test_sessions_are_listed_with_their_users(session, rows, engine):
    other = engine.open_session("sys", "another client")
    query = "SELECT SESSION_ID, USER_NAME, CLIENT FROM EXA_DBA_SESSIONS ORDER BY 1"
    assert rows(query) == [(session.id, "SYS", "tests"), (other.id, "SYS", "another client")]
    other.close()
    assert len(rows(query)) == 1


def test_system_tables_can_be_joined_and_filtered(session, rows):
    assert rows(
        "SELECT T.TABLE_NAME, COUNT(C.COLUMN_NAME) FROM EXA_ALL_TABLES T JOIN SYS.EXA_ALL_COLUMNS C"
        " ON C.COLUMN_OBJECT_ID = T.TABLE_OBJECT_ID WHERE T.TABLE_SCHEMA = 'S' GROUP BY 1"
    ) == [("T", 3)]
    assert rows("DESCRIBE S.T") == [
        ("ID", "DECIMAL(18,0)", True, False), ("G", "VARCHAR(10) UTF8", True, False),
        ("X", "DOUBLE", True, False),
    ]  # fmt: skip
