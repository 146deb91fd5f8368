from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tierwise import policies
from tierwise.domain.rules import Rule, RuleTest
from tierwise.policies import trials

Write = Callable[..., Path]


def test_the_tests_of_rules_and_maps_are_run(write: Write) -> None:
    results = policies.run_tests(policies.read(write()))
    assert [(result.subject, result.name) for result in results] == [
        ("rule rest", "second"),
        ("rule rest", "third"),
        ("rule rest", "first"),
        ("rule sales", "top"),
        ("rule sales", "next"),
        ("rule sales", "last"),
        ("rule spam", "spam"),
        ("rule spam", "business"),
        ("rule spam", "silent"),
        ("map hubspot", "a size"),
    ]
    assert all(result.passed for result in results)


def test_a_test_that_fails_says_what_came_instead(write: Write) -> None:
    directory = write(
        {
            "rules/all.rules.yaml": ("message: a casino, email_kind: business", "email_kind: free"),
            "rules/maps/hubspot.yaml": ("employee_count: 126", "employee_count: 51"),
        }
    )
    failed = [result.as_dict() for result in policies.run_tests(policies.read(directory)) if not result.passed]
    assert failed[0] == {
        "subject": "rule spam",
        "name": "business",
        "message": "expected no_match, got unknown (missing: lead.message)",
    }
    assert failed[1]["subject"] == "map hubspot"
    assert "126" in failed[1]["message"]
    assert len(failed) == 2


def rule(stage: str = "guardrail") -> Rule:
    return Rule.model_validate({"id": "r", "stage": stage, "when": "true", "reason": "R", "owner": "o", "why": "w"})


def test_a_tests_lead_arrives_as_a_real_one_does() -> None:
    test = RuleTest(
        name="t",
        lead={"monthly_volume": 3000, "submitted_at": "2026-01-01T01:00:00+01:00", "phone": None},
        result={"confidence": 1, "fit": 70},
        expect="match",
    )
    facts = trials.facts_of(rule(), test)
    assert facts == {
        "lead": {"monthly_volume": 3000.0, "submitted_at": "2026-01-01T00:00:00Z"},
        "result": {"confidence": 1.0, "fit": 70},
    }
    assert type(facts["lead"]["monthly_volume"]) is float
    assert type(facts["result"]["confidence"]) is float


@pytest.mark.parametrize(
    ("stage", "lead", "result", "message"),
    [
        ("gate", {"compny": "x"}, {}, "no field lead.compny"),
        ("gate", {"employee_count": "many"}, {}, "lead.employee_count"),
        ("gate", {"employee_count": -3}, {}, "lead.employee_count: -3 is below 0, which no lead has"),
        ("gate", {}, {"fit": 1}, "result.fit is not known at stage gate"),
        ("route", {}, {"outcome": "review"}, "result.outcome is not known at stage route"),
        ("route", {}, {"fit": 70.5}, "result.fit must be a whole number"),
        ("route", {}, {"confidence": "high"}, "result.confidence must be a number"),
        ("route", {}, {"tier": True}, "result.tier must be text"),
    ],
)
def test_a_test_that_gives_what_cannot_be_is_told(
    stage: str, lead: dict[str, object], result: dict[str, object], message: str
) -> None:
    test = RuleTest(name="t", lead=lead, result=result, expect="match")
    with pytest.raises(ValueError, match=message):
        trials.facts_of(rule(stage), test)
