"""`exa.import_script`: what Exasol's own tests of it say, and who may import what."""

from __future__ import annotations

import pytest

from exatrust_sandbox.database.model import SqlError

IMPORTS = "def run(ctx):\n    return str(exa.import_script(ctx.name).f())"


@pytest.fixture
def imported(define, rows):
    """What the function f of a script gives to one in schema S that imports it by `name`."""

    def ask(name: str) -> str:
        define("SCALAR USES(name VARCHAR(99)) RETURNS VARCHAR(999)", IMPORTS)
        return rows(f"SELECT USES('{name}')")[0][0]

    return ask


def test_names_fold_unless_they_are_quoted(define, imported):
    for name in ("bar", "Bar", "BAR"):
        define(f'SCALAR "{name}"() RETURNS INT', f"def f(): return '{name}'")
    assert imported("bar") == "BAR"
    assert imported('"Bar"') == "Bar"
    assert imported('S."bar"') == "bar"


@pytest.mark.parametrize("name", ["lib", "s.lib", "exa_db.s.lib", 'EXA_DB."S".lib'])
def test_names_may_be_qualified(name, define, imported):
    define("SCALAR LIB() RETURNS INT", "def f(): return 42")
    assert imported(name) == "42"


@pytest.mark.parametrize("name", ["none", "other.lib", "db.s.lib", "a.exa_db.s.lib", "", "s.", "'"])
def test_an_unknown_name_is_an_import_error(name, define, imported):
    define("SCALAR LIB() RETURNS INT", "def f(): return 42")
    with pytest.raises(SqlError, match=r"ImportError: F-UDF-CL-SL-PYTHON-1119: .*not found"):
        imported(name.replace("'", "''"))


def test_a_script_of_another_language_is_refused(session, imported):
    session.execute("CREATE R SCALAR SCRIPT S.LIB() RETURNS INT AS\nf <- function() { 42 }")
    with pytest.raises(SqlError, match=r"ImportError:.* wrong language R"):
        imported("LIB")


def test_a_module_knows_of_exa_alone_and_is_the_same_for_the_same_text(define, imported):
    body = "def f(): return sorted(n for n in globals() if not n.startswith('__'))"
    define("SCALAR LIB() RETURNS INT", body)
    define("SCALAR TWIN() RETURNS INT", body)
    assert imported("LIB") == "['exa', 'f']"
    same = "SAME = exa.import_script('LIB') is exa.import_script('TWIN')\ndef f(): return SAME"
    define("SCALAR ASK() RETURNS INT", same)
    assert imported("ASK") == "True"


def test_scripts_may_import_each_other(define, imported):
    define(
        "SCALAR PING() RETURNS INT",
        "pong = exa.import_script('PONG')\ndef f(): return pong.g()\ndef h(): return 7",
    )
    define(
        "SCALAR PONG() RETURNS INT", "ping = exa.import_script('PING')\ndef g(): return ping.h()"
    )
    assert imported("PING") == "7"


def test_a_text_that_fails_says_where(define, imported):
    define("SCALAR LIB() RETURNS INT", "\nboom = {}['none']")
    with pytest.raises(SqlError) as caught:
        imported("LIB")
    assert "ExaUDFError: F-UDF-CL-SL-PYTHON-1120: Importing module LIB failed" in caught.value.text
    assert "LIB:2 <module>\nKeyError: 'none'" in caught.value.text


def test_importing_takes_execute(session, engine, define):
    define("SCALAR LIB() RETURNS INT", "def f(): return 42")
    define("SCALAR USES(name VARCHAR(99)) RETURNS VARCHAR(999)", IMPORTS)
    session.execute('CREATE USER BOB IDENTIFIED BY "Secret"')
    session.execute("GRANT CREATE SESSION TO BOB")
    session.execute("GRANT EXECUTE ON SCRIPT S.USES TO BOB")
    bob = engine.open_session("bob", "tests")
    with pytest.raises(SqlError, match="insufficient privileges for executing script LIB"):
        bob.execute("SELECT S.USES('LIB')")
    session.execute("GRANT EXECUTE ON SCHEMA S TO BOB")
    assert bob.execute("SELECT S.USES('LIB')").rows == [("42",)]


def test_the_text_is_that_of_the_transaction(session, define, rows):
    define("SCALAR LIB() RETURNS INT", "def f(): return 1")
    define("SCALAR USES(name VARCHAR(99)) RETURNS VARCHAR(999)", IMPORTS)
    session.autocommit = False
    define("SCALAR LIB() RETURNS INT", "def f(): return 2")
    assert rows("SELECT USES('LIB')") == [("2",)]
    session.execute("ROLLBACK")
    assert rows("SELECT USES('LIB')") == [("1",)]
