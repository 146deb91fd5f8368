"""One thing to commit: the decision, its advice, and a review item exactly where a person is needed."""

from __future__ import annotations

from typing import Any

import pytest
from tierwise_fixtures import fakes, policies

from tierwise import ports
from tierwise.domain import advice, review
from tierwise.domain.decision import Decision, ReasonGiven
from tierwise.domain.lead import Lead
from tierwise.pipeline import record

LEAD = Lead(email="ada@acme.example", company="Acme")
CLAIM = ports.Claim(7, "crm", "1", LEAD.fingerprint(), "digest", revision=3, attempt=1, token=9, lead=LEAD)
POLICY = policies.policy()


def _decision(*codes: str, **fields: Any) -> Decision:
    reasons = tuple(ReasonGiven(code=code, sentence=f"{code} of ada@acme.example", source="rule:x") for code in codes)
    return Decision(
        **{
            "connection": "crm", "record_id": "1", "fingerprint": LEAD.fingerprint(), "policy": "digest",
            "policy_version": "7", "status": "scored", "outcome": "accept", "route": "emea", "score": 80, "tier": "A",
            "confidence": 0.6, "reasons": reasons, "decided_at": fakes.START, **fields,
        }
    )  # fmt: skip


def test_the_claim_and_the_decision_go_together_with_their_advice() -> None:
    made = _decision("BIG")
    finished = record.finished(CLAIM, made, POLICY)
    assert (finished.claim, finished.decision, finished.review) == (CLAIM, made, None)
    assert finished.advice == advice.advise(made, POLICY)
    assert set(finished.advice) == set(advice.WRITTEN), "a field that is not named would keep an old value"


@pytest.mark.parametrize("kind", review.KINDS)
def test_every_kind_of_review_is_asked_for_in_its_words(kind: review.ReviewKind) -> None:
    request = record.finished(CLAIM, _decision("BIG", review=kind, status="in_review"), POLICY).review
    assert request is not None
    assert (request.kind, request.priority) == (kind, review.priority(kind, score=80, confidence=0.6))
    assert request.reason.endswith(" (BIG)")
    others = {
        record.finished(CLAIM, _decision(review=other), POLICY).review.reason  # type: ignore[union-attr]
        for other in review.KINDS
        if other != kind
    }
    assert request.reason.removesuffix(" (BIG)") not in others


def test_the_last_reasons_are_named_by_code_and_nothing_personal() -> None:
    made = _decision("ONE", "TWO", "THREE", "FOUR", review="low_confidence")
    request = record.finished(CLAIM, made, POLICY).review
    assert request is not None
    assert request.reason.endswith("(TWO, THREE, FOUR)")
    assert "ada" not in request.reason


def test_without_reasons_there_are_no_empty_brackets() -> None:
    request = record.finished(CLAIM, _decision(review="schema", score=None, confidence=None), POLICY).review
    assert request is not None
    assert "(" not in request.reason
