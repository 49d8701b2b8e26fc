"""Language aliases out of SCRIPT_LANGUAGES."""

from __future__ import annotations

import pytest

from exatrust.errors import AliasError
from exatrust.languages import check_aliases, languages

PARAMETER = (
    "PYTHON3=builtin_python3 R=builtin_r JAVA=builtin_java "
    "PYTHON312=localzmq+protobuf:///bfsdefault/default/slc/python312?lang=python"
    "#buckets/bfsdefault/default/slc/python312/exaudf/exaudfclient "
    "JAVA17=localzmq+protobuf:///b/c?lang=java&scriptOptionsParserVersion=2#buckets/x"
)


def test_builtin_and_own_containers_are_told_apart_by_language() -> None:
    assert languages(PARAMETER) == {
        "PYTHON3": "python",
        "R": "r",
        "JAVA": "java",
        "PYTHON312": "python",
        "JAVA17": "java",
    }


def test_python_aliases_are_accepted() -> None:
    check_aliases(["PYTHON3", "PYTHON312"], PARAMETER)


def test_an_unknown_alias_is_named_with_those_that_exist() -> None:
    with pytest.raises(AliasError, match=r"no language alias PYTHON4.*has: PYTHON3, R") as refused:
        check_aliases(["PYTHON3", "PYTHON4"], PARAMETER)
    assert refused.value.action.endswith("PYTHON3, PYTHON312")


def test_a_java_alias_is_refused_as_java() -> None:
    with pytest.raises(AliasError, match="JAVA17 is java, and the scripts are Python"):
        check_aliases(["JAVA17"], PARAMETER)


@pytest.mark.parametrize("parameter", ["", "garbage", "=x", "A="])
def test_a_strange_parameter_is_no_crash(parameter: str) -> None:
    with pytest.raises(AliasError):
        check_aliases(["PYTHON3"], parameter)
