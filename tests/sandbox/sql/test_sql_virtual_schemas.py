"""Virtual schemas: the adapter really runs, what it says can be looked at, and nothing be read."""

from __future__ import annotations

import pytest

from exatrust_sandbox.database.model import SqlError

ADAPTER = """
import json

def adapter_call(request_json):
    request = json.loads(request_json)
    info = request["schemaMetadataInfo"]
    properties = info["properties"]
    if properties.get("FAIL") == request["type"]:
        raise ValueError("no way to " + request["type"])
    if "REPLY" in properties:
        return properties["REPLY"]
    reply = {"type": request["type"]}
    if request["type"] in ("createVirtualSchema", "refresh"):
        notes = info.get("adapterNotes", "") + "+" + request["type"]
        columns = [
            {"name": "ID", "dataType": {"type": "DECIMAL", "precision": 18, "scale": 0}},
            {"name": "text", "dataType": {"type": "VARCHAR", "size": 20, "characterSet": "ASCII"},
             "isNullable": False, "comment": "a text"},
            {"name": "AT", "dataType": {"type": "TIMESTAMP"}},
        ]
        tables = [{"type": "table", "name": name, "columns": columns}
                  for name in properties.get("TABLES", "A").split(",")]
        reply["schemaMetadata"] = {"tables": tables, "adapterNotes": notes}
    return json.dumps(reply)
"""
PROPERTIES = (
    "SELECT PROPERTY_NAME, PROPERTY_VALUE FROM EXA_DBA_VIRTUAL_SCHEMA_PROPERTIES ORDER BY 1"
)
TABLES = "SELECT TABLE_NAME FROM EXA_ALL_TABLES WHERE TABLE_SCHEMA = 'V' ORDER BY 1"


@pytest.fixture
def adapted(session):
    """The session, with the adapter script S.ADAPTER."""
    session.execute(f"CREATE PYTHON3 ADAPTER SCRIPT S.ADAPTER AS{ADAPTER}")
    return session


def test_an_adapter_script_is_listed_as_one(adapted):
    assert adapted.execute(
        "SELECT SCRIPT_TYPE, SCRIPT_LANGUAGE, SCRIPT_INPUT_TYPE, SCRIPT_RESULT_TYPE"
        " FROM EXA_ALL_SCRIPTS WHERE SCRIPT_NAME = 'ADAPTER'"
    ).rows == [("ADAPTER", "PYTHON3", None, None)]


def test_an_adapter_script_cannot_be_called_in_a_query(adapted):
    with pytest.raises(SqlError, match=r"function or script S\.ADAPTER not found"):
        adapted.execute("SELECT S.ADAPTER('{}')")


def test_a_virtual_schema_is_what_its_adapter_says(adapted):
    adapted.execute(
        "CREATE VIRTUAL SCHEMA V USING S.ADAPTER WITH TABLES = 'A,b' \"lower\" = 'x' EMPTY_ONE = ''"
    )
    assert adapted.execute("SELECT CURRENT_SCHEMA").rows == [("V",)]
    assert adapted.execute(PROPERTIES).rows == [("TABLES", "A,b"), ("lower", "x")]
    assert adapted.execute(TABLES).rows == [("A",), ("b",)]
    assert adapted.execute(
        "SELECT SCHEMA_OWNER, ADAPTER_SCRIPT_SCHEMA, ADAPTER_SCRIPT_NAME, LAST_REFRESH_BY,"
        " ADAPTER_NOTES, ABS(SECONDS_BETWEEN(LAST_REFRESH, SYSTIMESTAMP)) < 60"
        " FROM EXA_DBA_VIRTUAL_SCHEMAS"
    ).rows == [("SYS", "S", "ADAPTER", "SYS", "+createVirtualSchema", True)]
    assert adapted.execute(
        "SELECT SCHEMA_NAME, SCHEMA_IS_VIRTUAL FROM EXA_SCHEMAS ORDER BY 1"
    ).rows == [("S", False), ("V", True)]
    assert adapted.execute(
        "SELECT COLUMN_NAME, COLUMN_TYPE, COLUMN_IS_NULLABLE, COLUMN_OBJECT_TYPE"
        " FROM EXA_ALL_COLUMNS WHERE COLUMN_TABLE = 'b' ORDER BY COLUMN_ORDINAL_POSITION"
    ).rows == [
        ("ID", "DECIMAL(18,0)", True, "TABLE"),
        ("text", "VARCHAR(20) ASCII", False, "TABLE"),
        ("AT", "TIMESTAMP", True, "TABLE"),
    ]


def test_refresh_asks_the_adapter_again_with_its_notes(adapted):
    adapted.execute("CREATE VIRTUAL SCHEMA V USING S.ADAPTER WITH TABLES = 'A'")
    adapted.execute("ALTER VIRTUAL SCHEMA V SET TABLES = 'B,C' EXTRA = 'e'")
    assert adapted.execute(PROPERTIES).rows == [("EXTRA", "e"), ("TABLES", "B,C")]
    assert adapted.execute(TABLES).rows == [("A",)]
    adapted.execute("ALTER VIRTUAL SCHEMA V REFRESH")
    assert adapted.execute(TABLES).rows == [("B",), ("C",)]
    notes = "SELECT ADAPTER_NOTES FROM EXA_DBA_VIRTUAL_SCHEMAS"
    assert adapted.execute(notes).rows == [("+createVirtualSchema+refresh",)]
    adapted.execute("ALTER VIRTUAL SCHEMA V SET EXTRA = NULL TABLES = ''")
    assert adapted.execute(PROPERTIES).rows == []


def test_a_virtual_schema_is_dropped_with_its_tables(adapted):
    adapted.execute("CREATE VIRTUAL SCHEMA V USING S.ADAPTER")
    with pytest.raises(SqlError, match="not empty"):
        adapted.execute("DROP VIRTUAL SCHEMA V RESTRICT")
    with pytest.raises(SqlError, match="is a virtual schema"):
        adapted.execute("DROP SCHEMA V CASCADE")
    adapted.execute("DROP VIRTUAL SCHEMA V CASCADE")
    assert adapted.execute("SELECT COUNT(*) FROM EXA_DBA_VIRTUAL_SCHEMAS").rows == [(0,)]
    assert adapted.execute(TABLES).rows == []
    adapted.execute("DROP VIRTUAL SCHEMA IF EXISTS V")
    with pytest.raises(SqlError, match="schema V not found"):
        adapted.execute("DROP VIRTUAL SCHEMA V")
    with pytest.raises(SqlError, match="schema S is not a virtual schema"):
        adapted.execute("DROP VIRTUAL SCHEMA S CASCADE")


def test_an_adapter_that_fails_while_dropping_is_ignored(adapted):
    adapted.execute("CREATE VIRTUAL SCHEMA V USING S.ADAPTER WITH FAIL = 'dropVirtualSchema'")
    adapted.execute("DROP VIRTUAL SCHEMA V CASCADE")
    assert adapted.execute(TABLES).rows == []


def test_force_drops_without_the_adapter(adapted):
    adapted.execute("CREATE VIRTUAL SCHEMA V USING S.ADAPTER")
    adapted.execute("DROP SCRIPT S.ADAPTER")
    with pytest.raises(SqlError, match=r"script S\.ADAPTER not found"):
        adapted.execute("DROP VIRTUAL SCHEMA V CASCADE")
    adapted.execute("DROP FORCE VIRTUAL SCHEMA IF EXISTS V CASCADE")
    assert adapted.execute("SELECT COUNT(*) FROM EXA_DBA_VIRTUAL_SCHEMAS").rows == [(0,)]


def test_an_error_of_the_adapter_fails_the_statement_and_nothing_stays(adapted):
    with pytest.raises(
        SqlError, match=r"(?s)PYTHON-1036: .*ValueError: no way to create"
    ) as caught:
        adapted.execute("CREATE VIRTUAL SCHEMA V USING S.ADAPTER WITH FAIL = 'createVirtualSchema'")
    assert caught.value.sql_code == "22002"
    assert "ADAPTER:" in caught.value.text
    assert adapted.execute("SELECT SCHEMA_NAME FROM EXA_SCHEMAS").rows == [("S",)]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("nothing", "no JSON"),
        ("[]", "no object of the type createVirtualSchema"),
        ('{"type": "refresh"}', "no object of the type createVirtualSchema"),
        ('{"type": "createVirtualSchema"}', "schemaMetadata is missing"),
        ('{"type": "createVirtualSchema", "schemaMetadata": {}}', "incomplete"),
        (
            '{"type": "createVirtualSchema", "schemaMetadata": {"tables": [{"name": "A"}]}}',
            "columns",
        ),
        (
            '{"type": "createVirtualSchema", "schemaMetadata": {"tables": [{"name": "A",'
            ' "columns": [{"name": "X", "dataType": {"type": "TEXT"}}]}]}}',
            "unknown type TEXT",
        ),
    ],
)
def test_a_reply_that_is_none_fails_the_statement(adapted, reply, said):
    with pytest.raises(SqlError, match=f"S.ADAPTER gave an invalid reply: .*{said}"):
        adapted.execute(f"CREATE VIRTUAL SCHEMA V USING S.ADAPTER WITH REPLY = '{reply}'")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("def run(ctx): pass", "function 'adapter_call' is not defined"),
        ("def adapter_call(request): return 1", "PYTHON-1037.*did not return string type"),
        ("import nowhere", "No module named 'nowhere'"),
        ("def adapter_call(request): return", "did not return string type"),
    ],
)
def test_a_script_that_is_no_adapter_fails(session, body, said):
    session.execute(f"CREATE PYTHON3 ADAPTER SCRIPT S.ADAPTER AS\n{body}\n")
    with pytest.raises(SqlError, match=f"(?s)VM error: .*{said}"):
        session.execute("CREATE VIRTUAL SCHEMA V USING S.ADAPTER")


def test_an_adapter_reads_a_connection_and_its_environment(session):
    session.execute("CREATE CONNECTION C TO 'https://erp' USER 'u' IDENTIFIED BY 'p'")
    session.execute(
        "CREATE PYTHON3 ADAPTER SCRIPT S.ADAPTER AS\n%env MODE=quick;\n"
        "import json, os\ndef adapter_call(request):\n"
        "    connection = exa.get_connection('C')\n"
        "    notes = os.environ['MODE'] + ' ' + connection.address\n"
        "    metadata = {'tables': [], 'adapterNotes': notes}\n"
        "    return json.dumps({'type': 'createVirtualSchema', 'schemaMetadata': metadata})\n"
    )
    session.execute("CREATE VIRTUAL SCHEMA V USING S.ADAPTER")
    notes = session.execute("SELECT ADAPTER_NOTES FROM EXA_VIRTUAL_SCHEMAS").rows
    assert notes == [("quick https://erp",)]
    session.execute("DROP VIRTUAL SCHEMA V")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM V.A",
        "CREATE VIEW S.X AS SELECT * FROM V.A",
        "INSERT INTO V.A VALUES (1, 'a', NULL)",
        "TRUNCATE TABLE V.A",
        "ALTER VIRTUAL SCHEMA V CHANGE OWNER SYS",
        "ALTER VIRTUAL SCHEMA V REFRESH TABLES A",
    ],
)
def test_virtual_tables_are_not_read(adapted, sql):
    adapted.execute("CREATE VIRTUAL SCHEMA V USING S.ADAPTER")
    with pytest.raises(SqlError, match="the stand-in does not support") as caught:
        adapted.execute(sql)
    assert caught.value.sql_code == "0A000"


def test_nothing_is_created_in_a_virtual_schema(adapted):
    adapted.execute("CREATE VIRTUAL SCHEMA V USING S.ADAPTER")
    with pytest.raises(SqlError, match="nothing can be created in it"):
        adapted.execute("CREATE TABLE V.B (X INT)")


def test_a_virtual_schema_rolls_back_and_survives_a_restart(make_engine):
    engine = make_engine()
    session = engine.open_session("sys", "tests")
    session.execute("CREATE SCHEMA S")
    session.execute(f"CREATE PYTHON3 ADAPTER SCRIPT S.ADAPTER AS{ADAPTER}")
    session.autocommit = False
    session.execute("CREATE VIRTUAL SCHEMA V USING S.ADAPTER")
    session.rollback()
    assert session.execute("SELECT SCHEMA_NAME FROM EXA_SCHEMAS").rows == [("S",)]
    session.execute("CREATE VIRTUAL SCHEMA V USING S.ADAPTER WITH P = 'x'")
    session.commit()
    engine.close()
    again = make_engine().open_session("sys", "tests")
    assert again.execute(PROPERTIES).rows == [("P", "x")]


def test_virtual_schemas_take_privileges_of_their_own(engine, adapted):
    adapted.execute('CREATE USER U IDENTIFIED BY "u"')
    user = engine.open_session("U", "tests")
    create = "CREATE VIRTUAL SCHEMA V USING S.ADAPTER"
    adapted.execute("GRANT CREATE SCHEMA TO U")
    with pytest.raises(SqlError, match="for creating a virtual schema"):
        user.execute(create)
    adapted.execute("GRANT CREATE VIRTUAL SCHEMA TO U")
    with pytest.raises(SqlError, match="EXECUTE on script ADAPTER"):
        user.execute(create)
    adapted.execute("GRANT EXECUTE ON S.ADAPTER TO U")
    user.execute(create)
    owned = "SELECT SCHEMA_NAME FROM EXA_USER_VIRTUAL_SCHEMAS"
    assert user.execute(owned).rows == [("V",)]
    assert adapted.execute(owned).rows == []
    adapted.execute("CREATE VIRTUAL SCHEMA W USING S.ADAPTER WITH P = 'x'")
    assert user.execute("SELECT SCHEMA_NAME FROM EXA_ALL_VIRTUAL_SCHEMAS").rows == [("V",)]
    for refused in (
        "ALTER VIRTUAL SCHEMA W REFRESH", "ALTER VIRTUAL SCHEMA W SET P = 'y'",
        "DROP VIRTUAL SCHEMA W CASCADE",
    ):  # fmt: skip
        with pytest.raises(SqlError) as caught:
            user.execute(refused)
        assert caught.value.sql_code == "42500"
    adapted.execute("GRANT REFRESH ON SCHEMA W TO U")
    user.execute("ALTER VIRTUAL SCHEMA W REFRESH")
    with pytest.raises(SqlError, match="for altering virtual schema W"):
        user.execute("ALTER VIRTUAL SCHEMA W SET P = 'y'")
    adapted.execute("GRANT ALTER ON SCHEMA W TO U")
    user.execute("ALTER VIRTUAL SCHEMA W SET P = 'y'")
    adapted.execute("GRANT DROP ANY VIRTUAL SCHEMA TO U")
    user.execute("DROP VIRTUAL SCHEMA W CASCADE")


def test_grants_name_the_objects_owner(engine, session):
    session.execute('CREATE USER U IDENTIFIED BY "u"')
    session.execute("GRANT CREATE SCHEMA, CREATE TABLE TO U")
    user = engine.open_session("U", "tests")
    user.execute("CREATE SCHEMA MINE")
    user.execute("CREATE TABLE MINE.A (X INT)")
    user.execute("GRANT SELECT ON MINE.A TO PUBLIC")
    user.execute("GRANT SELECT ON SCHEMA MINE TO PUBLIC")
    session.execute("GRANT SELECT ON S.T TO U")
    assert session.execute(
        "SELECT OBJECT_SCHEMA, OBJECT_NAME, OBJECT_TYPE, OWNER FROM EXA_DBA_OBJ_PRIVS ORDER BY 1, 2"
    ).rows == [
        ("MINE", "A", "TABLE", "U"), ("MINE", "MINE", "SCHEMA", "U"), ("S", "T", "TABLE", "SYS"),
    ]  # fmt: skip
