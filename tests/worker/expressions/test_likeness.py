"""Leads that are alike in what several expressions read have the same answers from all of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise import expressions
from tierwise.domain import rules
from tierwise.errors import RejectRecord

EXPRESSIONS = (
    "lead.employee_count >= 10 && lead.employee_count < 50",
    "lead.employee_count > 20 || lead.is_duplicate",
    "lead.email_kind == 'free' && lead.message.matches('(?i)casino')",
    "has(lead.message) && lead.message.matches('(?i)casino') && size(lead.message) < 9",
    "lead.company.size() > 3 || !has(lead.message)",
    "has(lead.region) && lead.region == 'emea' || lead.is_duplicate",
    "lead.annual_revenue > 5.0 * double(lead.employee_count)",
    "lead.phone.startsWith('+1')",
)
LEAD = st.fixed_dictionaries(
    {},
    optional={
        "employee_count": st.sampled_from([9, 10, 20, 21, 50, 2**53 + 1, 10.0, True]),
        "email_kind": st.sampled_from(["business", "free"]),
        "is_duplicate": st.booleans(),
        "message": st.sampled_from(["a casino", "a Casino!", "a casino here", "nothing", ""]),
        "company": st.sampled_from(["abc", "abcd", "äöüß", "日本語", "😀😀😀", "😀😀😀😀"]),
        "region": st.sampled_from(["emea", "na", 1, True]),
        "annual_revenue": st.sampled_from([4.0, 50.5, 1e6]),
        "phone": st.sampled_from(["+1202", "+4930"]),
    },
)


@given(st.lists(st.sampled_from(EXPRESSIONS), min_size=1, max_size=6), st.lists(LEAD, min_size=2, max_size=12))
def test_asked_together_they_answer_as_each_does_alone(chosen: list[str], leads: list[dict[str, Any]]) -> None:
    predicates = [expressions.compile(expression, "gate") for expression in chosen]
    together = rules.Asked(predicates, *expressions.alike(predicates))
    for lead in leads:
        assert _said(together, lead) == _said(rules.Asked(predicates, *rules.unlike(predicates)), lead)


def test_results_are_told_apart_too() -> None:
    predicates = [
        expressions.compile("result.tier == 'A' && lead.employee_count >= 10", "route"),
        expressions.compile("result.fit >= 70", "route"),
    ]
    together = rules.Asked(predicates, *expressions.alike(predicates))
    truths = [
        [answer.truth for answer in together({"lead": {"employee_count": 12}, "result": {"tier": tier, "fit": fit}})]
        for tier in "AB"
        for fit in (69, 70)
    ]
    assert truths == [["match", "no_match"], ["match", "match"], ["no_match", "no_match"], ["no_match", "match"]]


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ({"employee_count": 11}, {"employee_count": 49}, True),
        ({"employee_count": 9}, {"employee_count": 10}, False),
        ({"message": "12345678"}, {"message": "87654321 "}, False),
        ({"message": "1"}, {"message": "2 casinos"}, False),
        ({"message": "1"}, {"message": "a word"}, True),
        ({"message": "1"}, {}, False),
        ({"last_name": "A"}, {"last_name": "B"}, True),
    ],
)
def test_what_makes_leads_alike(first: dict[str, Any], second: dict[str, Any], alike: bool) -> None:
    told = expressions.alike([expressions.compile(EXPRESSIONS[place], "gate") for place in (0, 3)])
    assert (told.key({"lead": first}) == told.key({"lead": second})) is alike


def test_who_depends_on_more_than_a_few_values_is_asked_every_time() -> None:
    def strange(facts: rules.Facts) -> rules.Answer:
        return rules.Answer("match" if facts["lead"]["email"] == "a" else "no_match")

    known = expressions.compile(EXPRESSIONS[0], "gate")
    remembering = expressions.Remembering().of(known)
    predicates = [known, strange, expressions.compile(EXPRESSIONS[-1], "gate"), remembering]
    assert expressions.alike(predicates).untold == {1, 2, 3}
    together = rules.Asked(predicates, *expressions.alike(predicates))
    for email, truth in (("a", "match"), ("b", "no_match"), ("a", "match")):
        lead = {"email": email, "employee_count": 12, "phone": "+1" if email == "a" else "+2"}
        assert [answer.truth for answer in together({"lead": lead})] == ["match", truth, truth, "match"]


def _said(asked: rules.Asked, lead: dict[str, Any]) -> Any:
    try:
        return asked({"lead": lead})
    except RejectRecord as refused:
        return str(refused)
