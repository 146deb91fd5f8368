"""Hits and assessments in, one decision out: outcome, route, reasons, status and the need for review."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from tierwise.domain import calibration as calibrations
from tierwise.domain import rubric as rubrics
from tierwise.domain import rules, stated
from tierwise.domain.lead import Lead
from tierwise.domain.policy import BUILT_IN_REASONS, Policy, Runnable
from tierwise.domain.review import ReviewKind
from tierwise.domain.rubric import Assessment, Frozen, Scorecard, Verdict

Status = Literal["scored", "in_review", "rejected", "not_scorable"]


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
        return tuple(dict.fromkeys(reason.code for reason in self.reasons))


class Judged(Frozen):
    """What the cascade brought back for one lead."""

    assessments: tuple[Assessment, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    """Those of the assessment that counts."""
    used: str | None = None
    contradiction: bool = False
    """Two models were tiers too far apart, or opposite on a knockout."""
    fallback: bool = False
    errors: tuple[str, ...] = ()
    weighed: tuple[tuple[Verdict, ...], ...] = ()
    """The answers that count, in the order of asking; empty = all assessments."""


def gate(runnable: Runnable, lead: Lead) -> tuple[rules.Hit, ...]:
    """Gate rules over the lead, before any model is asked."""
    return rules.evaluate(runnable.policy.rules, "gate", predicates=runnable.rules, facts={"lead": lead.signals()})


def rule_verdicts(runnable: Runnable, lead: Lead) -> tuple[Verdict, ...]:
    """Verdicts of the criteria that expressions decide; the first level that holds wins."""
    facts = {"lead": lead.signals()}
    return tuple(
        _rule_verdict(runnable, criterion, facts)
        for criterion in runnable.policy.rubric.criteria
        if criterion.decide == "rule"
    )


def _rule_verdict(runnable: Runnable, criterion: rubrics.Criterion, facts: rules.Facts) -> Verdict:
    for level in criterion.levels:
        answer = runnable.levels[criterion.id, level.id](facts)
        if answer.truth == "match":
            return Verdict(criterion=criterion.id, level=level.id, probability=1.0, decided_by="rule")
        if answer.truth == "unknown":
            # A better level might hold if the field were there, so a worse one must not be claimed.
            break
    return Verdict(criterion=criterion.id, level=rubrics.UNKNOWN, probability=0, decided_by="rule")


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
    common: dict[str, Any] = {
        "connection": connection,
        "record_id": record_id,
        "fingerprint": lead.fingerprint(),
        "policy": runnable.digest,
        "policy_version": policy.version,
        "fields": lead.signals(),
        "decided_at": now,
        "trace_id": trace_id,
        "chain": chain,
    }
    stopped = rules.first(gates)
    if judged is None:
        if stopped is None:
            raise ValueError("a lead that no gate stopped must be judged")
        return _gated(policy, lead, gates=gates, hit=stopped, common=common)
    return _scored(runnable, lead, gates=gates, judged=judged, common=common)


def _gated(
    policy: Policy, lead: Lead, *, gates: Sequence[rules.Hit], hit: rules.Hit, common: dict[str, Any]
) -> Decision:
    outcome = hit.outcome or "review"
    facts: rules.Facts = {"lead": lead.signals()}
    return Decision(
        **common,
        status=_status(outcome),
        outcome=outcome,
        route=hit.route,
        reasons=(_from_hit(policy, hit, facts),),
        hits=tuple(gates),
        review="guardrail" if outcome == "review" else None,
    )


def _scored(
    runnable: Runnable, lead: Lead, *, gates: Sequence[rules.Hit], judged: Judged, common: dict[str, Any]
) -> Decision:
    policy, predicates = runnable.policy, runnable.rules
    facts: dict[str, Mapping[str, Any]] = {"lead": lead.signals()}
    contradictions = rules.evaluate(policy.rules, "contradiction", predicates=predicates, facts=facts)
    mismatches = stated.mismatches(lead)
    said = rule_verdicts(runnable, lead)
    card = rubrics.score(policy.rubric, (*said, *judged.verdicts), doubted=bool(mismatches))
    confidence, by = _confidence(runnable, judged, card, rules_said=said, doubted=bool(mismatches))
    result: dict[str, Any] = {
        "score": card.score,
        "fit": card.fit,
        "intent": card.intent,
        "tier": card.tier,
        "confidence": confidence,
    }
    facts["result"] = result
    routes = rules.evaluate(policy.rules, "route", predicates=predicates, facts=facts)
    routed = rules.first(routes)
    outcome: rules.Outcome = (routed.outcome if routed else None) or "review"
    result["outcome"] = outcome
    if routed and routed.route:
        result["route"] = routed.route
    guardrails = rules.evaluate(policy.rules, "guardrail", predicates=predicates, facts=facts)
    stopped = rules.first(guardrails)
    disputed = [hit for hit in contradictions if rules.first((hit,))]
    doubtful = confidence < review_below(runnable)
    disputes = bool(disputed or mismatches)
    kind = _review_kind(card, judged=judged, disputed=disputes, guarded=stopped, outcome=outcome, doubtful=doubtful)
    reasons = [
        *_from_contributions(policy, card, facts),
        *(_from_hit(policy, hit, facts) for hit in disputed),
        *([_from_hit(policy, routed, facts)] if routed else [_built_in(policy, "NO_ROUTE", facts)]),
        *([_from_hit(policy, stopped, facts)] if stopped else []),
        *([_built_in(policy, "CLAIM_MISMATCH", facts)] if mismatches else []),
        *(_built_in(policy, code, facts) for code in _own_codes(card, judged, kind=kind)),
    ]
    # A guardrail speaks last: it may reject or nurture as well as ask for review.
    final: rules.Outcome = "review" if kind else (stopped.outcome if stopped else None) or outcome
    return Decision(
        **common,
        status=_status(final),
        outcome=final,
        route=(stopped.route if stopped and stopped.route else None) or (routed.route if routed else None),
        score=card.score,
        fit=card.fit,
        intent=card.intent,
        tier=card.tier,
        confidence=confidence,
        confidence_raw=card.confidence,
        calibrated=by is not None,
        calibration=by,
        reasons=_unique(reasons),
        hits=(*gates, *contradictions, *routes, *guardrails),
        scorecard=card,
        assessments=judged.assessments,
        used=judged.used,
        fallback=judged.fallback,
        errors=judged.errors,
        cost_usd=total_cost(judged.assessments),
        review=kind,
    )


def escalate_below(runnable: Runnable) -> float:
    """Confidence under which the second model is asked: the calibration's own, else the rubric's."""
    found = runnable.calibration.escalate if runnable.calibration else None
    return runnable.policy.rubric.thresholds.escalate_below if found is None or found.value is None else found.value


def review_below(runnable: Runnable) -> float:
    """Confidence under which a person is asked: the calibration's own, else the rubric's."""
    found = runnable.calibration.review if runnable.calibration else None
    return runnable.policy.rubric.thresholds.review_below if found is None or found.value is None else found.value


def weighed(runnable: Runnable, lead: Lead, answer: Sequence[Verdict]) -> Scorecard:
    """The card of one model's answer, its confidence calibrated where there is a calibration."""
    said = rule_verdicts(runnable, lead)
    card = rubrics.score(runnable.policy.rubric, (*said, *answer))
    judged = Judged(verdicts=tuple(answer), weighed=(tuple(answer),))
    confidence, _ = _confidence(runnable, judged, card, rules_said=said)
    return card.model_copy(update={"confidence": confidence})


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


def _confidence(
    runnable: Runnable,
    judged: Judged,
    card: Scorecard,
    *,
    rules_said: tuple[Verdict, ...],
    doubted: bool = False,
) -> tuple[float, str | None]:
    """Confidence, and the digest of the calibration it is by: none for who is outside its chain of models."""
    made = runnable.calibration
    if made is None or judged.fallback or (judged.used is not None and judged.used not in made.models):
        return card.confidence, None
    rubric = runnable.policy.rubric
    answers = judged.weighed or calibrations.answers_of(judged.assessments)
    believed = calibrations.beliefs_of(rubric, calibrations.Answered(rules_said, answers), made.beliefs)
    raw = rubrics.score(rubric, (*rules_said, *judged.verdicts), doubted=doubted, beliefs=believed).confidence
    return made.confidence(raw), made.digest()


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


def _review_kind(
    card: Scorecard,
    *,
    judged: Judged,
    disputed: bool,
    guarded: rules.Hit | None,
    outcome: rules.Outcome,
    doubtful: bool,
) -> ReviewKind | None:
    if "INJECTION_SUSPECT" in card.flags:
        return "guardrail"
    if disputed or judged.contradiction:
        return "contradiction"
    if guarded is not None and (guarded.outcome or "review") == "review":
        return "guardrail"
    if judged.fallback or doubtful:
        return "low_confidence"
    return "guardrail" if outcome == "review" else None


def _own_codes(card: Scorecard, judged: Judged, *, kind: ReviewKind | None) -> list[str]:
    codes: list[str] = list(card.flags)
    if not card.corroborated:
        codes.append("NO_CORROBORATION")
    if judged.contradiction:
        codes.append("MODELS_DISAGREE")
    if judged.fallback:
        codes.append("MODEL_UNAVAILABLE")
    elif kind == "low_confidence":
        codes.append("LOW_CONFIDENCE")
    return codes


def _status(outcome: rules.Outcome) -> Status:
    statuses: dict[str, Status] = {"review": "in_review", "reject": "rejected"}
    return statuses.get(outcome, "scored")


def _from_contributions(policy: Policy, card: Scorecard, facts: rules.Facts) -> list[ReasonGiven]:
    """Reasons of the levels reached, the weightiest first."""
    given = []
    reported = {criterion.id for criterion in policy.rubric.criteria if criterion.self_reported}
    for item in sorted(card.contributions, key=lambda item: (-item.points, item.criterion)):
        free = card.doubted and item.criterion in reported
        if item.reason is None or (free and card.knockout != f"{item.criterion}/{item.level}"):
            # Doubted words gave no reason for anything, but for a knockout.
            continue
        given.append(
            _reason(
                policy,
                item.reason,
                facts=facts,
                source=f"criterion:{item.criterion}",
                quote=item.verdict.quote,
                field=item.verdict.field,
            )
        )
    return given


def _from_hit(policy: Policy, hit: rules.Hit, facts: rules.Facts) -> ReasonGiven:
    reason = _reason(policy, hit.reason, facts=facts, source=f"rule:{hit.rule}")
    return reason.model_copy(update={"sentence": hit.why}) if hit.why else reason


def _built_in(policy: Policy, code: str, facts: rules.Facts) -> ReasonGiven:
    return _reason(policy, code, facts=facts, source="tierwise")


def _reason(
    policy: Policy,
    code: str,
    *,
    facts: rules.Facts,
    source: str,
    quote: str | None = None,
    field: str | None = None,
) -> ReasonGiven:
    entry = policy.reason(code) or next((item for item in BUILT_IN_REASONS if item.code == code), None)
    text = rules.sentence(entry.template, facts) if entry else code
    return ReasonGiven(
        code=code, sentence=text.replace("{quote}", quote or ""), source=source, quote=quote, field=field
    )


def _unique(reasons: Sequence[ReasonGiven]) -> tuple[ReasonGiven, ...]:
    return tuple({(reason.code, reason.source): reason for reason in reasons}.values())
