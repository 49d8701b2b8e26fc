"""Language aliases out of SCRIPT_LANGUAGES."""

from __future__ import annotations

import pytest

from exatrust.errors import AliasBroken, AliasError
from exatrust.languages import GONE, Alias, Choice, broken_reasons, check_aliases, choose, languages

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


def test_a_java_alias_may_be_named_but_never_as_the_default_one() -> None:
    with pytest.raises(AliasError, match="JAVA17 is java, and the default one must be Python"):
        check_aliases(["JAVA17", "PYTHON3"], PARAMETER)
    check_aliases(["PYTHON3", "JAVA17"], PARAMETER)
    check_aliases([], PARAMETER)


def test_a_java_alias_runs_its_own_scripts_once_one_was_tried() -> None:
    untried, works = Alias("JAVA", "java"), Alias("JAVA17", "java", tried=True)
    broken = Alias("R", "r", "gone", tried=True)
    choice = choose((), [Alias("PYTHON3", "python"), untried, works, broken], ())
    assert (choice.aliases, choice.native) == (("PYTHON3",), {"JAVA17": "java"})
    named = choose(("PYTHON3", "JAVA17"), [Alias("PYTHON3", "python"), works], ())
    assert (named.aliases, named.native) == (("PYTHON3",), {"JAVA17": "java"})
    assert works.sentence == "JAVA17 is Java, and runs scripts in Java"
    assert broken.sentence.endswith("truststore files serve it (no script runs in it: gone)")
    with pytest.raises(AliasBroken):
        choose(("PYTHON3", "R"), [Alias("PYTHON3", "python"), broken], ())


@pytest.mark.parametrize("parameter", ["", "garbage", "=x", "A="])
def test_a_strange_parameter_is_no_crash(parameter: str) -> None:
    with pytest.raises(AliasError):
        check_aliases(["PYTHON3"], parameter)


THREE = (Alias("ZEBRA", "python"), Alias("JAVA", "java"), Alias("PYTHON3", "python"))
BROKEN = Alias("ZEBRA", "python", "its container is gone")


def test_discovery_takes_all_python_aliases_the_builtin_one_first() -> None:
    assert choose((), THREE, ()) == Choice(("PYTHON3", "ZEBRA"), {})


def test_discovery_does_not_depend_on_the_order_of_the_parameter() -> None:
    others = (Alias("B", "python"), Alias("A", "python"))
    assert choose((), others, ()).aliases == choose((), others[::-1], ()).aliases == ("A", "B")


def test_the_default_of_the_last_install_stays_the_default() -> None:
    assert choose((), THREE, ("ZEBRA",)).aliases == ("ZEBRA", "PYTHON3")


def test_a_broken_alias_is_left_out_when_discovered_and_an_error_when_named() -> None:
    found = (BROKEN, Alias("PYTHON3", "python"))
    assert choose((), found, ()) == Choice(("PYTHON3",), {})
    with pytest.raises(AliasBroken, match=r"ZEBRA is broken.*its container is gone"):
        choose(("PYTHON3", "ZEBRA"), found, ())
    assert choose(("PYTHON3",), found, ()).aliases == ("PYTHON3",)


def test_an_installed_alias_that_broke_or_vanished_keeps_its_scripts() -> None:
    found = (BROKEN, Alias("PYTHON3", "python"))
    kept = choose((), found, ("PYTHON3", "ZEBRA", "OLD")).kept
    assert kept == {"ZEBRA": "its container is gone", "OLD": GONE}


def test_a_default_alias_that_broke_is_an_error_since_scripts_would_change_hands() -> None:
    with pytest.raises(AliasError, match=r"default language alias ZEBRA.*container is gone"):
        choose((), (BROKEN, Alias("PYTHON3", "python")), ("ZEBRA", "PYTHON3"))


def test_no_working_alias_is_an_error_that_says_what_each_one_is() -> None:
    with pytest.raises(AliasError, match=r"ZEBRA is broken: its .* gone; R is R: it gets no"):
        choose((), (BROKEN, Alias("R", "r")), ())


def test_the_reason_of_a_broken_alias_stays_the_same_from_install_to_install() -> None:
    first, second = (
        broken_reasons([Alias("X", "python", f"VM crashed, pid {pid} (Session: 17790000{pid})")])
        for pid in (123456, 654321)
    )
    assert first == second
    assert "VM crashed, pid" in first["X"]
    assert broken_reasons([Alias("Y", "python"), Alias("J", "java")]) == {}
