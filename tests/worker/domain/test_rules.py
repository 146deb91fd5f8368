"""Rules: who is asked, in which order, what decides, and the sentences they leave."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tierwise_fixtures import policies as make

from tierwise.domain import rules
from tierwise.domain.rules import Answer, Rule


def rule(id_: str = "small", **changes: Any) -> Rule:
    return Rule.model_validate(
        {
            "id": id_,
            "stage": "gate",
            "when": "true",
            "reason": "SMALL",
            "owner": "ops",
            "why": "It is small.",
            **changes,
        }
    )


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["gate", "route"]), st.integers(0, 3), st.sampled_from(["match", "no_match", "unknown"])
        ),
        max_size=8,
    )
)
def test_all_rules_of_the_stage_are_asked_by_priority_then_id(drawn: list[tuple[str, int, Any]]) -> None:
    every = [rule(f"r{place}", stage=stage, priority=priority) for place, (stage, priority, _) in enumerate(drawn)]
    predicates = {f"r{place}": make.says(truth) for place, (_, _, truth) in enumerate(drawn)}
    hits = rules.evaluate(every, "gate", predicates=predicates, facts={"lead": {}})
    mine = sorted((one.priority, one.id) for one in every if one.stage == "gate")
    assert [hit.rule for hit in hits] == [id_ for _, id_ in mine]
    assert hits == rules.evaluate(reversed(every), "gate", predicates=predicates, facts={"lead": {}})
    matching = [hit.rule for hit in hits if hit.truth == "match"]
    decided = rules.first(hits)
    assert (decided.rule if decided else None) == (matching[0] if matching else None)


def test_predicates_see_the_facts() -> None:
    def predicate(facts: rules.Facts) -> Answer:
        return Answer("match" if facts["lead"]["employee_count"] < 10 else "no_match")

    def asked(count: int) -> str:
        facts = {"lead": {"employee_count": count}}
        return rules.evaluate([rule()], "gate", predicates={"small": predicate}, facts=facts)[0].truth

    assert [asked(9), asked(10)] == ["match", "no_match"]


def test_unknown_decides_only_where_the_rule_asks_for_review() -> None:
    every = [
        rule("skipped", priority=1, outcome="review"),
        rule("reviewed", priority=2, outcome="reject", on_unknown="review"),
    ]
    predicates = {one.id: make.says("unknown", "lead.employee_count") for one in every}
    hits = rules.evaluate(every, "gate", predicates=predicates, facts={"lead": {}})
    decided = rules.first(hits)
    assert decided is not None
    assert (decided.rule, decided.outcome, decided.decides) == ("reviewed", "review", False)
    assert decided.missing == ("lead.employee_count",)
    assert rules.first(hits[:1]) is None


def test_a_match_keeps_its_own_outcome_whatever_on_unknown_says() -> None:
    predicates = {"small": make.says("match")}
    hits = rules.evaluate(
        [rule(outcome="reject", on_unknown="review", route="none")], "gate", predicates=predicates, facts={"lead": {}}
    )
    assert (hits[0].outcome, hits[0].route, hits[0].decides) == ("reject", "none", True)


def test_only_a_match_gives_its_sentence() -> None:
    facts = {"lead": {"employee_count": 3}}
    one = rule(why="Only {lead.employee_count} people.")
    matched = rules.evaluate([one], "gate", predicates={"small": make.says("match")}, facts=facts)
    missed = rules.evaluate([one], "gate", predicates={"small": make.says("no_match")}, facts=facts)
    assert (matched[0].why, missed[0].why) == ("Only 3 people.", "")


def test_a_rule_without_a_predicate_is_a_mistake_that_shows() -> None:
    with pytest.raises(KeyError):
        rules.evaluate([rule()], "gate", predicates={}, facts={"lead": {}})


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{lead.employee_count} people", "51 people"),
        ("{lead.monthly_volume} a month", "3000 a month"),  # no ".0"
        ("{lead.annual_revenue} a year", "12,500,000 a year"),  # no 1.25e+07
        ("{result.confidence} sure", "0.87 sure"),
        ("{lead.industry}?", "not stated?"),  # absent
        ("{result.tier} and {lead.company}", "B and Acme {lead.email}"),  # a value is not a template
        ("{lead.Company} {other.x} {}", "{lead.Company} {other.x} {}"),  # not a place
    ],
)
def test_sentence(template: str, sentence: str) -> None:
    facts = {
        "lead": {
            "employee_count": 51, "monthly_volume": 3000.0, "annual_revenue": 12_500_000.0,
            "company": "Acme {lead.email}", "email": "secret",
        },
        "result": {"tier": "B", "confidence": 0.87},
    }  # fmt: skip
    assert rules.sentence(template, facts) == sentence


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_sentence_takes_any_text(template: str, lead: dict[str, str]) -> None:
    assert isinstance(rules.sentence(template, {"lead": lead}), str)


@pytest.mark.parametrize(
    "change",
    [
        {"id": "Bad Id"},
        {"stage": "later"},
        {"outcome": "maybe"},
        {"confidence": 1.5},
        {"on_unknown": "match"},
        {"colour": "red"},
        {"tests": [{"name": "t", "expect": "perhaps"}]},
    ],
)
def test_a_malformed_rule_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(change))):
        rule(**change)
