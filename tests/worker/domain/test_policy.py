"""The bundle: identity by content, and survival in storage."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError
from tierwise_fixtures import policies as make

from tierwise.domain.lead import canonical_json
from tierwise.domain.policy import BUILT_IN_REASONS, Policy, Reason
from tierwise.domain.rubric import Rubric

MAP = {
    "connector": "hubspot", "owner": "ops", "version": "1",
    "fields": {
        "email": "email",
        "employee_count": {"from": ["numemployees", "company_size"], "take": "low"},
        "annual_revenue": {"from": "annualrevenue", "rates": {"EUR": 1}},
        "lifecycle": {"from": "lifecyclestage", "values": {"zz": "lead", "aa": "customer"}},
    },
    "tests": [{"name": "t", "record": {"email": "a@b.co", "numemployees": 3}, "expect": {"employee_count": 3}}],
}  # fmt: skip
RULE = {
    "id": "spam", "stage": "gate", "when": "true", "reason": "SPAM", "owner": "ops", "why": "Spam.",
    "tests": [{"name": "t", "lead": {"monthly_volume": 1.0, "employee_count": 3, "is_duplicate": True},
               "expect": "match"}],
}  # fmt: skip


def stored(policy: Policy) -> Policy:
    return Policy.model_validate(json.loads(canonical_json(policy.model_dump(mode="json"))))


@given(make.rubrics())
def test_identity_survives_storage(rubric: Rubric) -> None:
    policy = make.policy(rubric, maps={"hubspot": MAP}, rules=[RULE], fragments=[{"id": "f", "text": "Hello."}])
    again = stored(policy)
    assert again.digest() == policy.digest()
    assert again == policy
    assert stored(again).digest() == policy.digest()


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "Judge well."},
        {"version": "8"},
        {"owner": "sales"},
        {"rules": [RULE]},
        {"rubric": make.rubric(tiers={"A": 76, "B": 55, "C": 30, "D": 0})},
        {"fragments": [{"id": "f", "text": "Hello."}]},
        {"maps": {"hubspot": MAP}},
        {"reasons": []},
    ],
)
def test_any_change_is_another_policy(change: dict[str, Any]) -> None:
    assert make.policy(**change).digest() != make.policy().digest()


def test_a_map_test_and_a_rule_order_are_part_of_the_identity() -> None:
    other = {**RULE, "id": "test"}
    assert make.policy(rules=[RULE, other]).digest() != make.policy(rules=[other, RULE]).digest()
    assert make.policy(maps={"hubspot": MAP}).digest() != make.policy(maps={"hubspot": {**MAP, "tests": []}}).digest()


def test_the_order_of_keys_is_not() -> None:
    turned = {**MAP, "fields": dict(reversed(MAP["fields"].items()))}
    assert make.policy(maps={"hubspot": turned}).digest() == make.policy(maps={"hubspot": MAP}).digest()


def test_reasons_are_found_by_code() -> None:
    policy = make.policy()
    found = policy.reason("SIZE_HIGH")
    assert found is not None
    assert found.label == "Size_High"
    assert policy.reason("NOTHING") is None


@pytest.mark.parametrize("code", ["lower", "1ST", "WITH SPACE", "A" * 61, ""])
def test_reason_codes_are_what_a_crm_takes_as_an_option(code: str) -> None:
    with pytest.raises(ValidationError, match="code"):
        Reason(code=code, label="x", template="x", owner="ops")


def test_every_code_that_tierwise_gives_itself_is_built_in() -> None:
    codes = [reason.code for reason in BUILT_IN_REASONS]
    assert len(set(codes)) == len(codes)
    assert {
        "EVIDENCE_MISSING", "INJECTION_SUSPECT", "NO_CORROBORATION", "MODELS_DISAGREE", "MODEL_UNAVAILABLE",
        "LOW_CONFIDENCE", "NO_ROUTE", "NOT_SCORABLE",
    } <= set(codes)  # fmt: skip
