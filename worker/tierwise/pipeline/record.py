"""A decision becomes one thing to commit: the decision, its advice and, where a person is needed, a review item."""

from __future__ import annotations

from tierwise import ports
from tierwise.domain import advice, review
from tierwise.domain.decision import Decision
from tierwise.domain.policy import Policy

_REASONS: dict[review.ReviewKind, str] = {
    "low_confidence": "The tier is not certain enough",
    "contradiction": "The facts or the models contradict each other",
    "schema": "The record does not conform",
    "fast_track": "A rep asked for a review",
    "audit_sample": "Drawn for the audit sample",
    "guardrail": "A rule or guardrail asks for a person",
    "write_failed": "The CRM refused the advice",
}


def finished(claim: ports.Claim, decision: Decision, policy: Policy) -> ports.Finished:
    """All that `Decisions.commit` stores for one lead."""
    return ports.Finished(
        claim=claim, decision=decision, advice=advice.advise(decision, policy), review=_request(decision)
    )


def _request(decision: Decision) -> ports.ReviewRequest | None:
    if decision.review is None:
        return None
    kind = decision.review
    codes = ", ".join(decision.reason_codes[-3:])
    return ports.ReviewRequest(
        kind=kind,
        priority=review.priority(kind, score=decision.score, confidence=decision.confidence),
        reason=f"{_REASONS[kind]} ({codes})" if codes else _REASONS[kind],
    )
