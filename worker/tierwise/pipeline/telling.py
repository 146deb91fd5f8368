"""What the pump tells of its work: log lines and counters."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable

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


def decided(made: Iterable[Decision]) -> None:
    """The facts of decisions that were stored together as log lines and counters."""
    leads: Counter[tuple[str, str, str]] = Counter()
    calls: Counter[tuple[str, str]] = Counter()
    read = log.isEnabledFor(logging.INFO)
    for one in made:
        if read:  # what a line says costs more to gather than to leave out
            _line(one)
        leads[one.connection, one.tier or "none", one.outcome] += 1
        for asked in one.assessments:
            calls[asked.model, "cached" if asked.cached else "repaired" if asked.repaired else "answered"] += 1
            if not asked.cached:
                telemetry.observe("tierwise_model_seconds", asked.latency_ms / 1000, model=asked.model)
    for (connection, tier, outcome), number in leads.items():
        telemetry.count("tierwise_leads_decided_total", number, connection=connection, tier=tier, outcome=outcome)
    for (model, result), number in calls.items():
        telemetry.count("tierwise_model_calls_total", number, model=model, result=result)


def _line(made: Decision) -> None:
    log.info(
        "lead decided",
        trace=made.trace_id,
        connection=made.connection,
        lead=telemetry.lead_ref(made.connection, made.record_id),
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
