"""FIND_ENDPOINTS and FIND_UNVERIFIED, run as the text the database would run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from udf_harness import release, render
from udf_interpreters import VERSIONS, run_script

TEXTS = [
    ["CONNECTION", "ERP", "jdbc:postgresql://u:Gk7xQz@pg.example/x?sslmode=disable"],
    ["CONNECTION", "NODES", "10.0.0.1..2:8563"],
    ["SCRIPT", "APP.F", "x\nrequests.get('https://api.example', verify=False)"],
    ["VIEW", "APP.V", "SELECT '\ud800\0 http://plain.example:8080/'"],
    ["PARAMETER", "NLS_DATE_FORMAT", "YYYY-MM-DD"],
    ["CONNECTION", "EMPTY", None],
]


def rows(version: str, script: str, directory: Path) -> list[dict[str, Any]]:
    pin = release(directory, script, b"", {})
    answer = run_script(version, render(script, pin), [TEXTS[:2], TEXTS[2:]], node_id=1)
    assert "error" not in answer, answer
    found = answer["rows"]
    assert isinstance(found, list)
    assert {(row["NODE_ID"], row["LANGUAGE_ALIAS"], row["RELEASE"]) for row in found} == {
        (1, "PYTHON3", "0.1.0-test")
    }
    assert "Gk7xQz" not in str(found)
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_each_endpoint_is_one_row(version: str, tmp_path: Path) -> None:
    names = ("FOUND_IN", "OBJECT_NAME", "LINE", "SCHEME", "HOST", "PORT", "OPTIONS")
    found = rows(version, "find_endpoints", tmp_path)
    assert [tuple(row[name] for name in names) for row in found] == [
        ("CONNECTION", "ERP", 1, "jdbc:postgresql", "pg.example", 5432, "protocol=postgres"),
        ("CONNECTION", "NODES", 1, "exa", "10.0.0.1", 8563, "protocol=exasol"),
        ("CONNECTION", "NODES", 1, "exa", "10.0.0.2", 8563, "protocol=exasol"),
        ("SCRIPT", "APP.F", 2, "https", "api.example", 443, None),
        ("VIEW", "APP.V", 1, "http", "plain.example", 8080, None),
    ]
    assert [row["IS_ENCRYPTED"] for row in found] == [False, True, True, True, False]
    assert [row["CAN_BE_TLS"] for row in found] == [True, True, True, True, False]


@pytest.mark.parametrize("version", VERSIONS)
def test_each_line_that_switches_verification_off_is_one_row(version: str, tmp_path: Path) -> None:
    found = rows(version, "find_unverified", tmp_path)
    assert [(row["OBJECT_NAME"], row["LINE"], row["KIND"], row["SEVERITY"]) for row in found] == [
        ("ERP", 1, "NO_ENCRYPTION", "ERROR"),
        ("APP.F", 2, "VERIFY_FALSE", "ERROR"),
    ]
    assert all(row["CAUSE"] and row["ACTION"] for row in found)
