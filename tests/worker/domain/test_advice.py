"""Advice: every field has a value or is emptied, a status is always there, and only the policy's options appear."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tierwise_fixtures import policies as make

from tierwise.domain import advice
from tierwise.domain.decision import Decision, ReasonGiven
from tierwise.domain.policy import BUILT_IN_REASONS

NOW = datetime(2026, 3, 1, 9, 30, 5, 123456, tzinfo=UTC)
POLICY = make.policy()


def decision(**changes: Any) -> Decision:
    return Decision.model_validate(
        {
            "connection": "c", "record_id": "1", "fingerprint": "f" * 64, "policy": "abcdef0123456789",
            "policy_version": "7", "status": "scored", "outcome": "accept", "route": "sales", "score": 82, "fit": 90,
            "intent": 70, "tier": "A", "confidence": 0.874, "calibrated": True, "decided_at": NOW,
            "fields": {"employee_count": 120}, "reasons": [reason("SIZE_HIGH", "It is large.")], **changes,
        }
    )  # fmt: skip


def reason(code: str, text: str, **more: Any) -> ReasonGiven:
    return ReasonGiven(code=code, sentence=text, source="rule:x", **more)


DECISIONS = st.builds(
    decision,
    status=st.sampled_from(["scored", "in_review", "rejected", "not_scorable"]),
    outcome=st.sampled_from(["accept", "nurture", "reject", "review"]),
    route=st.none() | st.text(max_size=10),
    score=st.none() | st.integers(0, 100),
    tier=st.none() | st.sampled_from("ABCD"),
    confidence=st.none() | st.floats(0, 1),
    calibrated=st.booleans(),
    reasons=st.lists(
        st.builds(
            reason, st.sampled_from(["SIZE_HIGH", "INTENT_CLEAR", "NO_ROUTE"]), st.text(max_size=3_000),
            quote=st.none() | st.text(max_size=50),
        ),
        max_size=4,
    ),
)  # fmt: skip


@given(DECISIONS)
def test_every_written_field_is_there_and_fits_its_kind(decided: Decision) -> None:
    values = advice.advise(decided, POLICY)
    assert tuple(values) == advice.WRITTEN
    assert values["tierwise_status"] in dict(_options("tierwise_status"))
    assert values["tierwise_outcome"] in dict(_options("tierwise_outcome"))
    assert isinstance(values["tierwise_policy"], str)
    assert isinstance(values["tierwise_scored_at"], str)
    for field in advice.fields_for(POLICY):
        value = values.get(field.name)
        if value is None:
            continue
        if field.kind == "number":
            assert isinstance(value, int)
            assert 0 <= value <= 100
        elif field.kind == "multi_choice":
            assert isinstance(value, tuple)
            assert set(value) <= set(dict(field.options))
        else:
            assert isinstance(value, str)
            assert 0 < len(value) <= advice.TEXT_LIMIT or field.kind == "text"


@given(st.text(max_size=6_000))
def test_not_scorable_still_has_a_status_and_empties_the_rest(why: str) -> None:
    values = advice.not_scorable("f" * 64, why=why)
    assert set(values) == set(advice.WRITTEN)
    assert (values["tierwise_status"], values["tierwise_outcome"]) == ("not_scorable", "review")
    assert values["tierwise_score"] is None
    assert values["tierwise_tier"] is None
    assert values["tierwise_reason_codes"] == ("NOT_SCORABLE",)
    assert len(str(values["tierwise_reasons"])) <= advice.TEXT_LIMIT


def test_a_decision_as_the_rep_reads_it() -> None:
    decided = decision(
        reasons=[
            reason("INTENT_CLEAR", "Wants a demo.", quote="book a demo"),
            reason("SIZE_HIGH", "It says “120 people”.", quote="120 people"),
        ]
    )
    values = advice.advise(decided, POLICY)
    assert values["tierwise_reasons"] == "Wants a demo. “book a demo”\nIt says “120 people”."
    assert values["tierwise_confidence"] == 87
    assert values["tierwise_reason_codes"] == ("INTENT_CLEAR", "SIZE_HIGH")
    assert values["tierwise_policy"] == "7 (abcdef012345)"
    assert values["tierwise_scored_at"] == "2026-03-01T09:30:05.000Z"


def test_an_uncalibrated_confidence_says_so() -> None:
    said = "Confidence is uncalibrated"
    assert said in str(advice.advise(decision(calibrated=False), POLICY)["tierwise_reasons"])
    assert said not in str(advice.advise(decision(calibrated=True), POLICY)["tierwise_reasons"])
    assert said not in str(advice.advise(decision(calibrated=False, confidence=None), POLICY)["tierwise_reasons"])


def test_a_time_is_written_in_utc_with_a_z() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=-5)))
    assert advice.advise(decision(decided_at=there), POLICY) == advice.advise(decision(), POLICY)


def test_talking_points_come_from_reasons_then_fragments() -> None:
    policy = make.policy(
        reasons=[
            {"code": code, "label": "x", "template": "x", "owner": "ops", "talking_point": point}
            for code, point in (("SIZE_HIGH", "Ask about {lead.employee_count}."), ("OTHER", "Never."))
        ],
        fragments=[
            {"id": "all", "text": "For everybody."},
            {"id": "sales", "text": "For sales.", "routes": ["sales"]},
            {"id": "emea", "text": "For EMEA.", "routes": ["emea"]},
            {"id": "size", "text": "For the large.", "reasons": ["SIZE_HIGH", "OTHER"]},
            {"id": "none", "text": "For nobody.", "reasons": ["OTHER"]},
            {"id": "twice", "text": "For everybody."},
        ],
    )  # fmt: skip
    assert advice.talking_points(decision(), policy) == [
        "Ask about 120.", "For everybody.", "For sales.", "For the large.",
    ]  # fmt: skip


def test_options_are_those_that_the_policy_can_produce() -> None:
    options = dict(_options("tierwise_reason_codes"))
    assert list(dict(_options("tierwise_tier"))) == ["A", "B", "C", "D"]
    assert set(options) == {"SIZE_HIGH", "INTENT_CLEAR", *(one.code for one in BUILT_IN_REASONS)}
    renamed = make.policy(reasons=[{"code": "NO_ROUTE", "label": "Nobody's", "template": "x", "owner": "ops"}])
    assert dict(_options("tierwise_reason_codes", renamed))["NO_ROUTE"] == "Nobody's"


def test_fields_of_a_rep_are_never_written() -> None:
    assert {field.name for field in advice.FIELDS if field.by_rep} == {"tierwise_request_review", "tierwise_feedback"}
    assert not {field.name for field in advice.FIELDS if field.by_rep} & set(advice.WRITTEN)
    assert all(field.name.startswith("tierwise_") for field in advice.FIELDS)


@pytest.mark.parametrize(("confidence", "percent"), [(0.0, 0), (0.874, 87), (0.999, 100), (1.0, 100)])
def test_confidence_is_written_in_percent(confidence: float, percent: int) -> None:
    assert advice.advise(decision(confidence=confidence), POLICY)["tierwise_confidence"] == percent


def _options(name: str, policy: Any = POLICY) -> tuple[tuple[str, str], ...]:
    return next(field.options for field in advice.fields_for(policy) if field.name == name)
