from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tierwise_sandbox.salesforce import soql, spelling
from tierwise_sandbox.salesforce.fields import Field
from tierwise_sandbox.salesforce.matching import Matcher
from tierwise_sandbox.salesforce.org import ADMIN, REPS, Org
from tierwise_sandbox.salesforce.refusals import Refusal


@pytest.fixture
def matcher(org: Org) -> Matcher:
    codes = Field("Codes__c", "Codes", "multipicklist", length=200)
    org.schema.deploy("Lead", [codes], granted=["Codes__c"])
    for n, values in enumerate(
        (
            {"LastName": "Smith", "Title": "CEO", "NumberOfEmployees": 50, "OwnerId": REPS[0], "Codes__c": "a;b"},
            {"LastName": "smythe", "Title": None, "NumberOfEmployees": None, "OwnerId": REPS[1], "Codes__c": None},
            {"LastName": "O'Neil 100%", "Title": "ceo", "NumberOfEmployees": 7, "OwnerId": REPS[0], "Codes__c": "b"},
        )
    ):
        org.records.load("Lead", {"IsConverted": n == 1, "LeadSource": "t", **values}, by=ADMIN)
    return Matcher(org.schema, org.records)


def names(matcher: Matcher, where: str, *, deleted: bool = False) -> list[str]:
    plan = matcher.plan(soql.parse(f"SELECT LastName FROM Lead WHERE LeadSource = 't' AND ({where}) ORDER BY Id"))
    rows = [matcher.records.get(key) for key in matcher.run(plan, deleted=deleted)]
    return [row.values["LastName"] for row in rows if row is not None]


SMITH, SMYTHE, NEIL = "Smith", "smythe", "O'Neil 100%"


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("LastName = 'SMITH'", [SMITH]),
        ("LastName LIKE 'sm_th%'", [SMITH, SMYTHE]),
        ("LastName LIKE '%100\\%'", [NEIL]),
        ("LastName LIKE 'o\\'n%'", [NEIL]),
        ("Title = 'CEO'", [SMITH, NEIL]),
        ("Title != 'ceo'", [SMYTHE]),
        ("Title = null", [SMYTHE]),
        ("Title != null", [SMITH, NEIL]),
        ("Title = ''", [SMYTHE]),
        ("Title IN ('ceo', 'x')", [SMITH, NEIL]),
        ("Title NOT IN ('ceo')", [SMYTHE]),
        ("NumberOfEmployees > 7", [SMITH]),
        ("NumberOfEmployees >= 7.0 AND NumberOfEmployees < 50", [NEIL]),
        ("NumberOfEmployees < 100", [SMITH, NEIL]),
        ("NOT NumberOfEmployees < 100", [SMYTHE]),
        ("IsConverted = TRUE", [SMYTHE]),
        ("IsConverted != true OR Title = null", [SMITH, SMYTHE, NEIL]),
        ("Owner.Name = 'rep 1'", [SMITH, NEIL]),
        (f"OwnerId = '{REPS[1][:15]}'", [SMYTHE]),
        ("Codes__c INCLUDES ('a;b', 'z')", [SMITH]),
        ("Codes__c INCLUDES ('b')", [SMITH, NEIL]),
        ("Codes__c EXCLUDES ('b')", [SMYTHE]),
        ("Lead.Title = 'CEO'", [SMITH, NEIL]),
        ("CreatedDate > 2020-01-01T00:00:00Z AND ConvertedDate = null", [SMITH, SMYTHE, NEIL]),
        ("Age_Days__c = 0", [SMITH, SMYTHE, NEIL]),
    ],
)
def test_conditions_hold_as_in_soql(matcher: Matcher, where: str, found: list[str]) -> None:
    assert names(matcher, where) == found


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("SELECT Foo FROM Lead", "INVALID_FIELD", "No such column 'Foo' on entity 'Lead'"),
        ("SELECT Boss.Name FROM Lead", "INVALID_FIELD", "relationship 'Boss'"),
        ("SELECT Owner.Foo FROM Lead", "INVALID_FIELD", "entity 'User'"),
        ("SELECT Id FROM Leed", "INVALID_TYPE", "'Leed' is not supported"),
        ("SELECT Id FROM Lead WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Lead ORDER BY Description", "MALFORMED_QUERY", "can not be sorted"),
        ("SELECT Id FROM Lead WHERE SystemModstamp > '2026-11-21T08:00:00Z'", "INVALID_FIELD", "of type dateTime"),
        ("SELECT Id FROM Lead WHERE SystemModstamp > 2026-11-21", "INVALID_FIELD", "of type dateTime"),
        ("SELECT Id FROM Lead WHERE Name = 5", "INVALID_FIELD", "should be enclosed in quotes"),
        ("SELECT Id FROM Lead WHERE IsConverted > false", "INVALID_FIELD", "invalid operator"),
        ("SELECT Id FROM Lead WHERE OwnerId LIKE '005%'", "INVALID_FIELD", "invalid operator"),
        ("SELECT Id FROM Lead WHERE Name INCLUDES ('a')", "INVALID_FIELD", "invalid operator"),
        ("SELECT Id FROM Lead WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field"),
    ],
)
def test_what_salesforce_refuses_is_refused(matcher: Matcher, text: str, code: str, told: str) -> None:
    with pytest.raises(Refusal, match=told) as refused:
        matcher.plan(soql.parse(text))
    assert refused.value.code == code


def test_a_hidden_field_cannot_be_selected_filtered_or_sorted_by(matcher: Matcher) -> None:
    matcher.schema.secure(hidden=["Lead.Title"])
    for text in (
        "SELECT Title FROM Lead",
        "SELECT Id FROM Lead WHERE Title = 'x'",
        "SELECT Id FROM Lead ORDER BY Title",
    ):
        with pytest.raises(Refusal, match="No such column 'Title'"):
            matcher.plan(soql.parse(text))


def test_parents_are_shown_inside_and_missing_ones_as_null(matcher: Matcher) -> None:
    plan = matcher.plan(soql.parse("SELECT Owner.Name, Owner.IsActive, ConvertedOpportunity.Amount FROM Lead LIMIT 1"))
    row = matcher.records.get(matcher.run(plan)[0])
    assert row is not None
    shown = matcher.show(plan.shown, row, "/services/data/v59.0")
    assert shown["Owner"]["Name"] == "Admin"
    assert shown["Owner"]["IsActive"] is True
    assert shown["ConvertedOpportunity"] is None
    assert shown["attributes"] == {"type": "Lead", "url": f"/services/data/v59.0/sobjects/Lead/{row.id}"}


def test_rows_are_sorted_with_nulls_where_they_were_wanted(matcher: Matcher) -> None:
    def sorted_by(order: str) -> list[Any]:
        text = f"SELECT Id FROM Lead WHERE LeadSource = 't' ORDER BY {order}"
        rows = [matcher.records.get(key) for key in matcher.run(matcher.plan(soql.parse(text)))]
        return [row.values["NumberOfEmployees"] for row in rows if row is not None]

    assert sorted_by("NumberOfEmployees") == [None, 7, 50]
    assert sorted_by("NumberOfEmployees DESC") == [None, 50, 7]
    assert sorted_by("NumberOfEmployees NULLS LAST, Id") == [7, 50, None]
    assert sorted_by("SystemModstamp DESC, NumberOfEmployees DESC NULLS LAST") == [50, 7, None]


def test_a_formula_changes_with_time_and_without_a_stamp(matcher: Matcher, clock: Any) -> None:
    plan = matcher.plan(soql.parse("SELECT Age_Days__c, SystemModstamp FROM Lead ORDER BY Id LIMIT 1"))
    row = matcher.records.get(matcher.run(plan)[0])
    assert row is not None
    before = matcher.show(plan.shown, row, "")
    clock.seconds += 86_400 * 3
    after = matcher.show(plan.shown, row, "")
    assert after["Age_Days__c"] == before["Age_Days__c"] + 3
    assert after["SystemModstamp"] == before["SystemModstamp"]


_BOUND = st.tuples(st.sampled_from(["<", "<=", "=", ">=", ">"]), st.integers(-3, 14))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(groups=st.lists(st.lists(_BOUND, min_size=1, max_size=3), min_size=1, max_size=3), negated=st.booleans())
def test_cutting_to_the_window_of_change_never_changes_the_answer(
    org: Org, groups: list[list[tuple[str, int]]], negated: bool
) -> None:
    """Bounds are only a short cut: the same condition tried on every row finds the same rows."""
    rows = org.records.window("Lead", None, None)
    first = rows[0].stamp
    where = " OR ".join(
        "(" + " AND ".join(f"SystemModstamp {sign} {spelling.moment(first + at * 1000)}" for sign, at in group) + ")"
        for group in groups
    )
    where = f"NOT ({where})" if negated else where
    matcher = Matcher(org.schema, org.records)
    plan = matcher.plan(soql.parse(f"SELECT Id FROM Lead WHERE {where}"))
    assert set(matcher.run(plan)) == {row.id for row in rows if plan.test(row)}
