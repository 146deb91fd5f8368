"""A decision becomes one thing to commit: the decision, its advice and, where a person is needed, a review item."""

from __future__ import annotations

from tierwise import ports
from tierwise.domain import advice, review, sampling
from tierwise.domain.decision import Decision
from tierwise.domain.policy import Policy

REASONS: dict[review.ReviewKind, str] = {
    "low_confidence": "The tier is not certain enough",
    "contradiction": "The facts or the models contradict each other",
    "schema": "The record does not conform",
    "fast_track": "A rep asked for a review",
    "audit_sample": "Drawn for the audit sample",
    "guardrail": "A rule or guardrail asks for a person",
    "write_failed": "The CRM refused the advice",
}


def finished(
    claim: ports.Claim, decision: Decision, policy: Policy, *, audit: ports.AuditDraw | None = None
) -> ports.Finished:
    """All that `Decisions.commit` stores for one lead. A lead that was drawn goes to a person whatever it is."""
    return ports.Finished(
        claim=claim,
        decision=decision,
        advice=advice.advise(decision, policy),
        review=_request(decision, decision.review or ("audit_sample" if audit is not None else None)),
        audit=audit,
    )


def drawn(decision: Decision, policy: Policy, *, rates: sampling.Rates, counted: bool) -> ports.AuditDraw | None:
    """Whether the audit sample takes this decision; `counted` where the gate has as many labels as it needs."""
    positive = policy.rubric.targets.positive_tiers
    rate = rates.of(decision.tier, positive=positive, counted=counted)
    key = decision.connection, decision.record_id, decision.fingerprint
    fell = sampling.draw(*key)
    return ports.AuditDraw(rate, fell, sampling.twice(*key, rates=rates)) if fell < rate else None


def _request(decision: Decision, kind: review.ReviewKind | None) -> ports.ReviewRequest | None:
    if kind is None:
        return None
    codes = ", ".join(decision.reason_codes[-3:])
    return ports.ReviewRequest(
        kind=kind,
        priority=review.priority(kind, score=decision.score, confidence=decision.confidence),
        reason=f"{REASONS[kind]} ({codes})" if codes else REASONS[kind],
    )
