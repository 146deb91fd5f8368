"""What the pump tells of its work: log lines and counters."""

from __future__ import annotations

import logging

from tierwise import ports, telemetry
from tierwise.domain.decision import Decision

log = telemetry.log(__name__)


def about(claim: ports.Claim) -> dict[str, object]:
    """What a log line names a claim by; the lead appears as a hash only."""
    return {
        "connection": claim.connection,
        "lead": telemetry.lead_ref(claim.connection, claim.record_id),
        "policy": claim.policy[:12],
        "attempt": claim.attempt,
    }


def decided(claim: ports.Claim, made: Decision) -> None:
    """The facts of one decision as a log line and counters."""
    if log.isEnabledFor(logging.INFO):  # what it says costs more to gather than to leave out
        log.info(
            "lead decided",
            trace=made.trace_id,
            connection=claim.connection,
            lead=telemetry.lead_ref(claim.connection, claim.record_id),
            policy=made.policy[:12],
            status=made.status,
            tier=made.tier,
            score=made.score,
            confidence=made.confidence,
            outcome=made.outcome,
            route=made.route,
            reasons=made.reason_codes,
            model=made.used,
            cost_usd=made.cost_usd,
        )
    telemetry.count(
        "tierwise_leads_decided_total", connection=claim.connection, tier=made.tier or "none", outcome=made.outcome
    )
    for asked in made.assessments:
        result = "cached" if asked.cached else "repaired" if asked.repaired else "answered"
        telemetry.count("tierwise_model_calls_total", model=asked.model, result=result)
        if not asked.cached:
            telemetry.observe("tierwise_model_seconds", asked.latency_ms / 1000, model=asked.model)
