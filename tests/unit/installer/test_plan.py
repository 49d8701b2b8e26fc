"""Plans: every action has a reason, and after an apply there is none left."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exatrust.errors import SettingsError
from exatrust.plan import ALTERED, FOREIGN, Action, DatabaseObject, Desired, Observed, plan


def objects(*names: str) -> tuple[DatabaseObject, ...]:
    return tuple(DatabaseObject(name, f"digest of {name}", f"CREATE {name}") for name in names)


def table(name: str) -> DatabaseObject:
    columns = {column: f"ALTER {name} ADD {column}" for column in ("C1", "C2")}
    return replace(objects(name)[0], columns=columns)


DESIRED = Desired(
    release="1.0-abc",
    schema="EXATRUST",
    aliases=("PYTHON3",),
    files={"r/a.pyz": "11", "r/b.pem": "22", "r/manifest.json": "33"},
    tables=(table("T1"), table("T2")),
    scripts=objects("S1", "S2"),
    views=objects("V1"),
    create_schema="CREATE SCHEMA",
    drop=lambda kind, name: f"DROP {kind} {name}",
)
EMPTY = Observed({}, False, {}, {}, {}, None, "there is none")


def apply(observed: Observed, action: Action) -> Observed:
    """What an action makes of the world."""
    by_name = {item.name: item for item in (*DESIRED.tables, *DESIRED.scripts, *DESIRED.views)}
    match action.kind:
        case "file":
            name = action.name
            return replace(observed, files={**observed.files, name: DESIRED.files[name]})
        case "schema":
            return replace(observed, schema=True)
        case "release":
            return replace(observed, recorded=(DESIRED.release, DESIRED.aliases))
        case "column":
            table, _, column = action.name.partition(".")
            there = observed.columns.get(table, frozenset()) | {column}
            return replace(observed, columns={**observed.columns, table: there})
        case "baseline":
            return replace(observed, baseline_gap=None)
    if action.kind == "table":
        columns = {name: there for name, there in observed.columns.items() if name != action.name}
        observed = replace(observed, columns=columns)
    attribute = {"table": "tables", "script": "scripts", "view": "views"}[action.kind]
    there = dict(getattr(observed, attribute))
    if action.verb == "drop":
        del there[action.name]
    else:
        there[action.name] = by_name[action.name].digest
    return replace(observed, **{attribute: there})


def applied(observed: Observed) -> Observed:
    for action in plan(DESIRED, observed):
        observed = apply(observed, action)
    return observed


digests = st.sampled_from(["digest of S1", "digest of V1", "old", ALTERED, FOREIGN])
names = st.sampled_from(["S1", "S2", "V1", "T1", "T2", "OTHER", "S1_PYTHON312"])
states = st.builds(
    Observed,
    files=st.dictionaries(st.sampled_from([*DESIRED.files]), st.sampled_from(["11", "22", "xx"])),
    schema=st.booleans(),
    tables=st.dictionaries(names, digests),
    scripts=st.dictionaries(names, digests),
    views=st.dictionaries(names, digests),
    recorded=st.sampled_from(
        [None, ("1.0-abc", ("PYTHON3",)), ("0.9-x", ("PYTHON3",)), ("1.0-abc", ("A", "B"))]
    ),
    baseline_gap=st.sampled_from([None, "PYTHON3: Python changed"]),
    columns=st.dictionaries(
        st.sampled_from(["T1", "T2"]), st.frozensets(st.sampled_from(["C1", "C2", "MINE"]))
    ),
)


@given(states)
def test_the_plan_after_an_apply_is_empty_whatever_the_state_before(before: Observed) -> None:
    try:
        after = applied(before)
    except SettingsError as error:
        taken = " stands where " in str(error)
        foreign = FOREIGN in {*before.tables.values(), *before.scripts.values(),
                              *before.views.values()}  # fmt: skip
        assert taken or (before.recorded is None and foreign)
    else:
        assert plan(DESIRED, after) == ()


def planned(observed: Observed) -> tuple[Action, ...]:
    try:
        return plan(DESIRED, observed)
    except SettingsError:
        assume(False)
        raise


@given(states)
def test_what_has_no_marker_of_ours_and_no_name_of_ours_is_never_touched(before: Observed) -> None:
    before = replace(before, recorded=("0.9-x", ("PYTHON3",)))
    for action in planned(before):
        if action.kind in ("script", "view") and action.name in ("OTHER", "S1_PYTHON312"):
            there = before.scripts if action.kind == "script" else before.views
            assert there[action.name] != FOREIGN


@given(states)
def test_every_action_has_a_reason(before: Observed) -> None:
    before = replace(before, recorded=("0.9-x", ("PYTHON3",)))
    assert all(action.reason for action in planned(before))


def test_a_first_install_does_everything_files_first_and_the_baseline_last() -> None:
    kinds = [action.kind for action in plan(DESIRED, EMPTY)]
    assert kinds == [
        "file", "file", "file", "schema", "table", "table", "script", "script", "view",
        "release", "baseline",
    ]  # fmt: skip


def test_a_column_that_a_table_lost_is_added_again_and_others_stay() -> None:
    now = replace(applied(EMPTY), columns={"T1": frozenset({"C1", "MINE"})})
    (added, _) = plan(DESIRED, now)
    assert str(added) == "add column T1.C2: the table lacks it"
    assert added.sql == "ALTER T1 ADD C2"


def test_a_name_that_another_kind_of_object_has_is_said_before_anything_is_done() -> None:
    now = replace(applied(EMPTY), tables={**applied(EMPTY).tables, "V1": FOREIGN})
    with pytest.raises(SettingsError, match="table V1 stands where view V1 shall be"):
        plan(DESIRED, now)


def test_a_script_changed_by_hand_is_replaced_and_said() -> None:
    now = applied(EMPTY)
    altered = replace(now, scripts={**now.scripts, "S1": ALTERED})
    assert [str(action) for action in plan(DESIRED, altered)] == [
        "replace script S1: somebody changed it by hand",
        "record baseline of all nodes: the installation changes",
    ]


def test_scripts_of_an_alias_that_is_gone_are_dropped_after_their_views() -> None:
    now = applied(EMPTY)
    more = replace(now, scripts={**now.scripts, "S1_OLD": "d"}, views={**now.views, "V_OLD": "d"})
    drops = [action for action in plan(DESIRED, more) if action.verb == "drop"]
    assert [action.sql for action in drops] == ["DROP view V_OLD", "DROP script S1_OLD"]


def test_only_a_changed_container_leads_to_a_new_baseline_and_nothing_else() -> None:
    changed = replace(applied(EMPTY), baseline_gap="PYTHON3: Python changed from 3.10 to 3.12")
    assert [(a.kind, a.reason) for a in plan(DESIRED, changed)] == [
        ("baseline", "PYTHON3: Python changed from 3.10 to 3.12")
    ]


def test_a_schema_with_somebody_elses_table_of_that_name_is_refused() -> None:
    with pytest.raises(SettingsError, match="did not make: table T1") as refused:
        plan(DESIRED, replace(EMPTY, schema=True, tables={"T1": FOREIGN, "X": FOREIGN}))
    assert "database.schema" in refused.value.action
