"""The text of a script: where options count, and when mistakes in it show."""

from __future__ import annotations

import pytest

from exatrust_sandbox.database.model import SqlError

from .conftest import PASSWORD

INSIDE = '''\
# a comment may come first

%env A=1;
import os
TEXT = """
%env B=2;
%env without semicolon
"""
def run(ctx):
    return f"{os.environ.get('A')} {os.environ.get('B')} {TEXT}"'''


def test_an_env_line_inside_the_code_is_left_as_it_is(define, rows):
    define("SCALAR F() RETURNS VARCHAR(200)", INSIDE)
    assert rows("SELECT F()") == [("1 None \n%env B=2;\n%env without semicolon\n",)]


def test_an_env_line_behind_code_is_a_syntax_error_at_the_first_run(define, rows):
    define("SCALAR F() RETURNS INT", "import os\n%env A=1;\ndef run(ctx): return 1")
    with pytest.raises(SqlError, match=r"F, line 2\n%env A=1;\nSyntaxError"):
        rows("SELECT F()")


@pytest.mark.parametrize("line", ["%env A=1", "%env A", "%env A=1; import os", "%env =1;"])
def test_an_env_line_that_is_not_whole_is_refused_and_creates_nothing(define, rows, line):
    with pytest.raises(SqlError, match="Error while parsing %env option line"):
        define("SCALAR F() RETURNS INT", f"{line}\ndef run(ctx): return 1")
    assert rows("SELECT * FROM EXA_ALL_SCRIPTS") == []


def test_a_refused_replacement_leaves_the_old_script(define, rows):
    define("SCALAR F() RETURNS INT", "def run(ctx): return 1")
    with pytest.raises(SqlError, match="%env"):
        define("SCALAR F() RETURNS INT", "%env A=1\ndef run(ctx): return 2")
    assert rows("SELECT F()") == [(1,)]


@pytest.mark.parametrize(
    "body", ["def run(ctx) return 1", "def run(ctx): return 1\n/", "def run(ctx):\nreturn 1"]
)
def test_a_syntax_error_shows_at_the_first_run_and_not_before(session, define, rows, body):
    define("SCALAR F() RETURNS INT", body)
    session.execute("CREATE VIEW V AS SELECT F() AS A FROM DUAL")
    for query in ("SELECT F()", "SELECT * FROM V"):
        with pytest.raises(SqlError, match=r"(Syntax|Indentation)Error") as caught:
            rows(query)
        assert caught.value.sql_code == "22002"


DOCUMENTED = (
    "database_name database_version script_name script_schema current_user scope_user"
    " current_schema script_code script_language session_id statement_id node_count node_id"
    " memory_limit vm_id input_type input_column_count input_columns output_type"
    " output_column_count output_columns"
)


def test_every_documented_attribute_of_meta_is_there(define, rows):
    body = f"def run(ctx):\n    for n in {DOCUMENTED.split()}:\n        getattr(exa.meta, n)\n"
    define("SCALAR F() RETURNS INT", f"{body}    return 1")
    assert rows("SELECT F()") == [(1,)]
    define("SCALAR F() RETURNS INT", "def run(ctx): return exa.meta.connection")
    with pytest.raises(SqlError, match="AttributeError"):
        rows("SELECT F()")


def test_parameters_keep_their_case_and_the_empty_string_reaches_a_script_as_none(define, rows):
    define("SCALAR F(oneName VARCHAR(3)) RETURNS VARCHAR(99)", "def run(c): return repr(c.oneName)")
    assert rows("SELECT F(''), F('a')") == [("None", "'a'")]
    define("SCALAR G(oneName INT) RETURNS INT", "def run(c): return c.ONENAME")
    with pytest.raises(SqlError, match="Column with name 'ONENAME' does not exist"):
        rows("SELECT G(1)")
    with pytest.raises(SqlError, match="right truncation"):
        rows("SELECT F('abcd')")


def test_no_system_table_shows_a_connections_password(session, rows):
    session.execute("CREATE CONNECTION C TO 'https://h' USER 'u' IDENTIFIED BY 'sehr-geheim'")
    shown = rows("SELECT CONNECTION_STRING, USER_NAME FROM EXA_DBA_CONNECTIONS")
    assert shown == [("https://h", "u")]
    for table in ("EXA_DBA_CONNECTIONS", "EXA_ALL_CONNECTIONS", "EXA_PARAMETERS", "EXA_METADATA",
                  "EXA_DBA_CONNECTION_PRIVS", "EXA_DBA_OBJECTS", "EXA_DBA_USERS"):  # fmt: skip
        text = repr(rows(f"SELECT * FROM {table}"))
        assert "sehr-geheim" not in text
        assert repr(PASSWORD) not in text
