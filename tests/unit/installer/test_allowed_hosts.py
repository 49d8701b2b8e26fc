"""The table ALLOWED_HOST in the scripts' pins, and what a plan says when it changes."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exatrust import allowed_hosts, resources
from exatrust.bundle import compose
from exatrust.distrust import Distrust
from exatrust.errors import SettingsError
from exatrust.intake import read_certificates
from exatrust.plan import ALTERED, Action, DatabaseObject, Desired, Observed, plan
from exatrust.release import Release, build
from exatrust.statements import ALLOW_LISTED, Statements, pinned_hosts
from exatrust_udf.https_allowed import AllowList, Rule

STATEMENTS = Statements("exatrust", ("PYTHON3",), resources.sql, resources.udf_text)
ROWS = [
    ("erp.example", 443, None),
    ("*.corp.example", None, "private"),
    ("localhost", 8443, "LOCAL"),
]
TEXT = "*.corp.example * PRIVATE\nerp.example 443 PRIVATE\nlocalhost 8443 LOCAL"
NAMES = [stem.upper() for stem in ALLOW_LISTED]


@pytest.fixture(scope="module")
def release(pem: Callable[..., bytes]) -> Release:
    bundle = compose(read_certificates(pem("A"), "x"), "set", [], Distrust())
    return build("1.0", resources.udf_sources(), bundle, Distrust())


def texts(release: Release, hosts: str) -> dict[str, str]:
    statements = replace(STATEMENTS, allowed_hosts=hosts)
    found = statements.scripts(resources.script_names(), release, "/buckets/x")
    return {item.name: item.sql for item in found}


def test_rows_become_text_in_an_order_of_their_own() -> None:
    assert allowed_hosts.pinned(ROWS) == allowed_hosts.pinned(reversed(ROWS)) == TEXT
    assert allowed_hosts.pinned([]) == ""


@pytest.mark.parametrize(
    ("row", "named"),
    [
        (("https://erp.example", 443, None), "HOST https://erp.example, PORT 443"),
        (("*", None, "LOCAL"), r"HOST \*, PORT NULL"),
        (("erp.example", None, "all"), "ADDRESSES is 'all', and may be PUBLIC, PRIVATE, LOCAL"),
    ],
)
def test_a_bad_row_is_named_with_the_reason(row: tuple[object, ...], named: str) -> None:
    with pytest.raises(SettingsError, match=named) as refused:
        allowed_hosts.pinned([*ROWS, row])
    assert str(refused.value).startswith("table ALLOWED_HOST, row of HOST ")


def test_the_scripts_that_make_requests_pin_the_rows_and_no_other_does(release: Release) -> None:
    for name, text in texts(release, TEXT).items():
        expected = TEXT if name in NAMES else None
        assert pinned_hosts(text) == expected
        if expected is not None:
            pin = ast.literal_eval(text.partition("PIN = ")[2].partition("\n}\n")[0] + "\n}")
            assert pin["allowed_hosts"] == TEXT
    assert {name for name in texts(release, "") if name.startswith("HTTPS_")} == set(NAMES)


hosts = st.sampled_from(
    ["a.example", "*.b.example", "*", "10.0.0.1", "fd00::1", "xn--bcher-kva.ex"]
)
rules = st.builds(
    Rule, hosts, st.none() | st.integers(1, 65535), st.sampled_from(["PUBLIC", "PRIVATE"])
)


@given(st.lists(rules, max_size=4))
def test_what_is_pinned_is_read_from_the_text_of_a_script(listed: list[Rule]) -> None:
    text = AllowList(tuple(listed)).text()
    pin = f"PIN = {{\n    'allowed_hosts': {text!r},\n    'script': 'https_get',\n}}\n"
    assert pinned_hosts(pin) == text


def desired(hosts: str) -> Desired:
    scripts = tuple(DatabaseObject(name, f"{name} {hosts}", f"CREATE {name}") for name in NAMES)
    other = DatabaseObject("CHECK_ENDPOINT", "same", "CREATE")
    return Desired("1.0-a", "EXATRUST", ("PYTHON3",), {}, (), (*scripts, other), (), hosts)


def observed(hosts: str) -> Observed:
    scripts = {name: f"{name} {hosts}" for name in NAMES} | {"CHECK_ENDPOINT": "same"}
    there = Observed({}, True, {}, scripts, {}, ("1.0-a", ("PYTHON3",)), None)
    return replace(there, pinned_hosts=dict.fromkeys(NAMES, hosts))


def reasons(actions: tuple[Action, ...]) -> dict[str, str]:
    return {
        action.name: action.reason for action in actions if action.kind in ("script", "release")
    }


def test_a_changed_table_is_a_reason_of_its_own_and_the_history_gets_the_new_scripts() -> None:
    assert plan(desired(TEXT), observed(TEXT)) == ()
    changed = "the table ALLOWED_HOST has changed"
    found = reasons(plan(desired(TEXT), observed("")))
    assert found == {**dict.fromkeys(NAMES, changed), "1.0-a": changed}


def test_a_script_changed_by_hand_is_said_to_be_even_if_the_table_changed_too() -> None:
    there = observed("")
    there = replace(there, scripts={**there.scripts, NAMES[0]: ALTERED})
    found = reasons(plan(desired(TEXT), there))
    assert "by hand" in found[NAMES[0]]
    assert "ALLOWED_HOST" in found[NAMES[1]]


def test_another_release_is_said_to_be_another_release() -> None:
    there = replace(observed(""), recorded=("0.9-z", ("PYTHON3",)))
    found = reasons(plan(desired(TEXT), there))
    assert all("ALLOWED_HOST" not in reason for reason in found.values())
