"""Hits and assessments in, one decision out: outcome, route, reasons, status and the need for review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from tierwise.domain import calibration as calibrations
from tierwise.domain import finding as findings
from tierwise.domain import rules, scoring, stated
from tierwise.domain.finding import Ground
from tierwise.domain.lead import Lead, fingerprint_of
from tierwise.domain.policy import BUILT_IN, Policy, Runnable
from tierwise.domain.review import ReviewKind
from tierwise.domain.rubric import Assessment, Frozen, Rubric, Scorecard, Verdict
from tierwise.domain.scoring import Weighed
from tierwise.domain.verdict import Judged

__all__ = [
    "Decision", "Judged", "ReasonGiven", "Status", "contradicts", "decide", "disputed", "escalate_below", "gate",
    "meant", "merged", "review_below", "rule_verdicts", "settled", "total_cost", "weighed",
]  # fmt: skip

Status = Literal["scored", "in_review", "rejected", "not_scorable"]
TOO_FAR = 2  # tiers between two models that make a contradiction


class ReasonGiven(Frozen):
    """One reason code with the sentence and evidence it stands on."""

    code: str
    sentence: str
    source: str
    """`criterion:<id>`, `rule:<id>` or `tierwise`."""
    quote: str | None = None
    field: str | None = None


class Decision(Frozen):
    """Everything decided about one lead at one fingerprint under one policy. Append-only."""

    connection: str
    record_id: str
    fingerprint: str
    policy: str
    """Digest of the policy."""
    policy_version: str
    status: Status
    outcome: rules.Outcome
    route: str | None
    score: int | None = None
    fit: int | None = None
    intent: int | None = None
    tier: str | None = None
    confidence: float | None = None
    """0-1; None where nothing was scored."""
    confidence_raw: float | None = None
    """Before any calibration: the probability that the tier would not change, if criteria err independently."""
    calibrated: bool = False
    calibration: str | None = None
    """Digest of the calibration that `confidence` is by."""
    chain: str | None = None
    """Hash of the models, their parameters and the calibration under which it was decided."""
    reasons: tuple[ReasonGiven, ...] = ()
    hits: tuple[rules.Hit, ...] = ()
    scorecard: Scorecard | None = None
    assessments: tuple[Assessment, ...] = ()
    """The cascade, in the order of asking; the last one was used unless `used` says otherwise."""
    used: str | None = None
    """Model whose verdicts made the score; None where rules alone decided."""
    fallback: bool = False
    """`offline/rules` decided because no configured model could."""
    errors: tuple[str, ...] = ()
    """What failed on the way, scrubbed; one sentence each."""
    cost_usd: float | None = 0.0
    """Sum over the cascade; None as soon as one price is unknown."""
    review: ReviewKind | None = None
    fields: Mapping[str, Any] = {}
    """Signals that were decided on."""
    decided_at: datetime
    trace_id: str | None = None

    @property
    def reason_codes(self) -> tuple[str, ...]:
        """Codes in order, each once."""
        return tuple(dict.fromkeys([reason.code for reason in self.reasons]))


def gate(runnable: Runnable, lead: Lead) -> tuple[rules.Hit, ...]:
    """Gate rules over the lead, before any model is asked."""
    return findings.evaluated(runnable, "gate", {"lead": lead.signals()})


def rule_verdicts(runnable: Runnable, lead: Lead) -> tuple[Verdict, ...]:
    """Verdicts of the criteria that expressions decide; the first level that holds wins."""
    return findings.rule_verdicts(runnable, {"lead": lead.signals()})


def decide(
    runnable: Runnable,
    lead: Lead,
    *,
    connection: str,
    record_id: str,
    gates: Sequence[rules.Hit],
    judged: Judged | None,
    now: datetime,
    trace_id: str | None = None,
    chain: str | None = None,
) -> Decision:
    """The decision on one lead. `judged` is None exactly where a gate decided before models were asked."""
    policy = runnable.policy
    signals = lead.signals()
    found = findings.find(runnable, lead, signals, gates=gates, judged=judged)
    made: dict[str, Any] = {
        "connection": connection,
        "record_id": record_id,
        "fingerprint": fingerprint_of(signals),
        "policy": runnable.digest,
        "policy_version": policy.version,
        "fields": signals,
        "decided_at": now,
        "trace_id": trace_id,
        "chain": chain,
        "status": _status(found.outcome),
        "outcome": found.outcome,
        "route": found.route,
        "reasons": [_reason(policy, ground, found.facts) for ground in found.grounds],
        "hits": found.hits,
        "review": found.review,
    }
    if judged is not None and found.weighed is not None:
        card = found.weighed
        made |= {
            "score": card.score,
            "fit": card.fit,
            "intent": card.intent,
            "tier": card.tier,
            "confidence": found.confidence,
            "confidence_raw": card.confidence,
            "calibrated": found.calibration is not None,
            "calibration": found.calibration,
            "scorecard": card.plain(),
            "assessments": judged.assessments,
            "used": judged.used,
            "fallback": judged.fallback,
            "errors": judged.errors,
            "cost_usd": total_cost(judged.assessments),
        }
    # All of it checked in one call, which takes half as long as one for every part.
    return Decision.model_validate(made)


def escalate_below(runnable: Runnable) -> float:
    """Confidence under which the second model is asked: the calibration's own, else the rubric's."""
    found = runnable.calibration.escalate if runnable.calibration else None
    return runnable.policy.rubric.thresholds.escalate_below if found is None or found.value is None else found.value


def review_below(runnable: Runnable) -> float:
    """Confidence under which a person is asked: the calibration's own, else the rubric's."""
    return findings.review_below(runnable)


def weighed(runnable: Runnable, lead: Lead, answer: Sequence[Verdict]) -> Weighed:
    """One model's answer, scored; its confidence calibrated where there is a calibration."""
    said = rule_verdicts(runnable, lead)
    card = scoring.weigh(runnable.policy.rubric, (*said, *answer))
    judged = Judged(verdicts=tuple(answer), weighed=(tuple(answer),))
    confidence, _ = findings.confidence(runnable, judged, card.confidence, rules_said=said)
    return card._replace(confidence=confidence)


def merged(runnable: Runnable, answers: Sequence[Sequence[Verdict]]) -> tuple[Verdict, ...] | None:
    """One verdict a criterion out of several models' answers; None without a calibration to weigh them by."""
    made = runnable.calibration
    return calibrations.merged(runnable.policy.rubric, answers, made.beliefs) if made is not None else None


def meant(runnable: Runnable, answer: Sequence[Verdict]) -> Sequence[Verdict]:
    """An answer as it is held against another one: as it was said, or weighed where the calibration says so."""
    made = runnable.calibration
    if made is None or made.disputes == "said":
        return answer
    return calibrations.meant(runnable.policy.rubric, answer, made.beliefs)


def contradicts(rubric: Rubric, said: Sequence[Verdict], first: Sequence[Verdict], second: Sequence[Verdict]) -> bool:
    """Whether two answers, each beside what rules said, are tiers too far apart or differ in a knockout."""
    one, other = (scoring.weigh(rubric, (*said, *answer)) for answer in (first, second))
    order = list(rubric.tiers)
    apart = abs(order.index(one.tier) - order.index(other.tier))
    return apart >= TOO_FAR or (one.knockout is None) != (other.knockout is None)


def disputed(runnable: Runnable, lead: Lead, judged: Judged) -> bool:
    """Whether the two answers that `judged` weighs contradict each other, and nothing settles it."""
    first, second = (meant(runnable, answer) for answer in judged.weighed)
    said = rule_verdicts(runnable, lead)
    return contradicts(runnable.policy.rubric, said, first, second) and not settled(runnable, lead, judged)


def settled(runnable: Runnable, lead: Lead, judged: Judged) -> bool:
    """Whether models that contradict each other need no person all the same: the calibration weighs disputes, and by
    what both said together the tier is as sure as the precision that was agreed on."""
    made = runnable.calibration
    if made is None or made.disputes == "said":
        return False
    rubric = runnable.policy.rubric
    said = rule_verdicts(runnable, lead)
    doubted = bool(stated.mismatches(lead))
    card = scoring.weigh(rubric, (*said, *judged.verdicts), doubted=doubted)
    sure, by = findings.confidence(runnable, judged, card.confidence, rules_said=said, doubted=doubted)
    return by is not None and sure >= rubric.targets.precision


def total_cost(assessments: Sequence[Assessment]) -> float | None:
    """Money spent on calls that were made (cached ones cost nothing); None where one price is unknown."""
    total = 0.0
    for assessment in assessments:
        if assessment.cached:
            continue
        if assessment.cost_usd is None:
            return None
        total += assessment.cost_usd
    return total


def _status(outcome: rules.Outcome) -> Status:
    statuses: dict[str, Status] = {"review": "in_review", "reject": "rejected"}
    return statuses.get(outcome, "scored")


def _reason(policy: Policy, ground: Ground, facts: rules.Facts) -> dict[str, Any]:
    """What a ReasonGiven is made of."""
    text = ground.why
    if not text:
        entry = policy.reason(ground.code) or BUILT_IN.get(ground.code)
        text = rules.sentence(entry.template, facts) if entry else ground.code
        text = text.replace("{quote}", ground.quote or "")
    return {
        "code": ground.code,
        "sentence": text,
        "source": ground.source,
        "quote": ground.quote,
        "field": ground.field,
    }
