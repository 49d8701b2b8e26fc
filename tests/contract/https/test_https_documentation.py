"""docs/https.md says what there is, and its SQL runs."""

from __future__ import annotations

import json
import re
import ssl
from dataclasses import fields
from pathlib import Path

import pytest

from exatrust import resources
from exatrust_udf import https_address, https_arguments, https_pool, https_rows
from exatrust_udf.https_arguments import BadRequest, Limits, limits

from ..running import Rows
from .conftest import COLUMNS, Serve
from .web import Asked, answer

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "https.md").read_text(encoding="utf-8")
API = "https://api.example.com"


def table(heading: str) -> list[list[str]]:
    part = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_arguments_of_the_scripts_are_those_of_the_code() -> None:
    for name, arguments in https_arguments.BY_SCRIPT.items():
        (line,) = re.findall(rf"^\| `{name.upper()}` \| (.*) \|$", TEXT, re.MULTILINE)
        needed, _, others = line.partition(", optionally ")
        assert re.findall(r"`(\w+)`", needed) == list(arguments.names[: arguments.needed])
        assert re.findall(r"`(\w+)`", others) == list(arguments.names[arguments.needed :])


def test_every_column_is_explained_and_declared_where_the_tests_have_it() -> None:
    cells = [row[0] for row in table("What a row says")]
    explained = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert explained == {name for names in COLUMNS.values() for name in names}
    for script, names in COLUMNS.items():
        sql = resources.sql(f"scripts/{script.lower()}.sql").partition("EMITS (")[2]
        assert re.findall(r'^    "(\w+)"', sql, re.MULTILINE) == names
        known = {field.name.upper() for field in fields(https_rows.Row)}
        assert set(names) <= known | set(COLUMNS["HTTPS_GET"][:4])


def test_the_options_are_complete_with_their_defaults_and_bounds() -> None:
    plain = Limits()
    rows = table("Options")
    assert [row[0].strip("`") for row in rows] == list(https_arguments.OPTIONS)
    for name, _, default, most in ([cell.strip("`| ") for cell in [*row, ""][:4]] for row in rows):
        assert limits(f"{name}={default}") == plain
        if most:
            limits(f"{name}={most}")
            with pytest.raises(BadRequest):
                limits(f"{name}={int(most) + 1}")


def test_the_ranges_are_those_of_the_code() -> None:
    part = TEXT.partition("| range |")[2]
    for scope in ("PRIVATE", "LOCAL"):
        (line,) = (line for line in part.splitlines() if line.endswith(f"| `{scope}` |"))
        for text in re.findall(r"[0-9a-f]*[.:][0-9a-f.:]+", line):
            assert https_address.reach(text).scope == scope, text
    (never,) = (line for line in part.splitlines() if line.endswith("| never |"))
    for text in re.findall(r"[0-9a-f]*[.:][0-9a-f.:]+", never):
        assert https_address.reach(text).scope == https_address.NEVER, text
    assert f"{https_rows.IN_FLIGHT} requests at the same time" in " ".join(TEXT.split())
    assert f"{https_pool.PER_HOST} of them" in TEXT


def service(asked: Asked, sock: ssl.SSLSocket) -> bool:
    """An API as the documentation has it."""
    documents = {"/rates": {"rates": {"USD": 1.1, "CHF": 0.9}}, "/orders": {"done": True}}
    body = json.dumps(documents.get(asked.target, {"target": asked.target}))
    sock.sendall(answer(200, body.encode(), {"Content-Type": "application/json"}))
    return True


def test_the_examples_run_as_written(rows: Rows, serve: Serve) -> None:
    for sql in (
        "CREATE SCHEMA SALES",
        "CREATE TABLE SALES.CUSTOMER AS"
        " SELECT n AS CUSTOMER_ID FROM VALUES BETWEEN 1 AND 5 AS v(n)",
        "CREATE TABLE SALES.CURRENCY AS SELECT 'USD' AS CODE UNION ALL SELECT 'CHF'",
        'CREATE USER ANALYST IDENTIFIED BY "secret"',
    ):
        rows(sql)
    blocks = re.findall(r"<!-- run -->\n```sql\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) == 4
    with serve(service) as web:
        for sql in (part.strip() for block in blocks for part in block.split(";\n")):
            if sql:
                found = rows(sql.replace(API, web.url("")))
                assert found or not sql.startswith("SELECT")
                assert not [row for row in found if "ERROR" in row], found
    assert rows("SELECT CUSTOMER_ID, STATUS, FINDING FROM SALES.CUSTOMER_CHECK ORDER BY 1") == [
        (n, 200, None) for n in range(1, 6)
    ]
    tokens = [a.headers.get("authorization") for a in web.asked]
    assert tokens.count("Bearer the-token") == 2
