"""Decisions and what was said of them -> labelled leads that a calibration is learnt from. Asks no model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tierwise.domain import calibration as calibrations
from tierwise.domain import decision as decisions
from tierwise.domain import fitting, recall, rules
from tierwise.domain.belief import informative
from tierwise.domain.calibration import Answered, Calibration, Figures
from tierwise.domain.decision import Decision
from tierwise.domain.fitting import Labelled
from tierwise.domain.policy import Policy
from tierwise.domain.rubric import Rubric
from tierwise.pipeline.evaluate import Result
from tierwise.pipeline.preview import Previewed
from tierwise.ports import Told


def answered(decision: Decision) -> Answered | None:
    """What rules and models said; None where nothing was scored, and where only the lexicon stood in."""
    card = decision.scorecard
    if card is None or decision.fallback:
        return None
    rules = tuple(item.verdict for item in card.contributions if item.verdict.decided_by == "rule")
    answers = calibrations.answers_of(decision.assessments)
    doubted = any(reason.code == "CLAIM_MISMATCH" for reason in decision.reasons)
    return Answered(rules, answers or _alone(decision), doubted)


def labelled(
    decision: Decision, rubric: Rubric, *, tier: str | None = None, positive: bool | None = None
) -> Labelled | None:
    """One labelled lead; None where its decision teaches nothing."""
    found = answered(decision)
    raw = decision.confidence if decision.confidence_raw is None else decision.confidence_raw
    if found is None or decision.tier is None or raw is None:
        return None
    unasked = _nothing_else_asks(decision)
    return Labelled(
        id=f"{decision.connection}:{decision.record_id}:{decision.fingerprint}",
        answered=found,
        tier=tier,
        positive=positive if tier is None else None,
        before=raw,
        before_tier=decision.tier,
        reviewed=decision.review not in (None, "low_confidence") and not unasked,
        disagreed=unasked and _disagree(decision, rubric, found),
        stated=stated(found),
    )


def stated(found: Answered) -> float | None:
    """Mean of what the last answer says of itself; None where it says nothing."""
    own = [verdict.probability for verdict in (found.answers or ((),))[-1] if informative(verdict)]
    return sum(own) / len(own) if own else None


def from_results(made: Sequence[Previewed], results: Sequence[Result], rubric: Rubric) -> list[Labelled]:
    """Of a file's leads, decided just now. Labels that are tiers count as tiers, others as positive or not."""
    by_name = {tier.casefold(): tier for tier in rubric.tiers}
    all_tiers = all(item.label.casefold() in by_name for item in results)
    found = []
    for item, result in zip(made, results, strict=True):
        if item.decision is None:
            continue
        tier = by_name[result.label.casefold()] if all_tiers else None
        one = labelled(item.decision, rubric, tier=tier, positive=result.positive)
        if one is not None:
            found.append(one._replace(id=result.id))
    return found


def from_store(told: Iterable[Told], policy: Policy, *, models: Sequence[str]) -> list[Labelled]:
    """Of stored decisions under this rubric by this chain, and what reps, reviewers and sales said of them.

    A label counts by the probability with which its decision was drawn. Where enough have one, those that nobody drew
    (what a rep remarked, what sales made of a lead) are left out: nobody knows for how many leads they speak.
    """
    tiers = list(policy.rubric.tiers)
    found, undrawn = [], []
    for item in told:
        made = item.decision
        if made.tier not in tiers or (made.used is not None and made.used not in models):
            continue
        if made.scorecard is None or not _same_rubric(made, policy):
            continue
        tier = _said_tier(item.value, made.tier, tiers)
        if tier is None and item.won is None:
            continue
        one = labelled(made, policy.rubric, tier=tier, positive=item.won)
        if one is not None and item.sampling:
            found.append(one._replace(probability=item.sampling))
        elif one is not None:
            undrawn.append(one)
    return found if fitting.effective(found) >= fitting.FEWEST else [*found, *undrawn]


def measured(made: Calibration) -> dict[str, Any]:
    """Before and after for people and scripts."""
    return {
        "labels": made.labels,
        "effective_labels": made.effective if made.effective is not None else made.labels,
        "disputes": made.disputes,
        "method": made.curve.method,
        "before": shown(made.before),
        "after": shown(made.after),
        "stated_auroc": made.stated_auroc,
        "escalate_below": made.escalate.model_dump() if made.escalate else None,
        "review_below": made.review.model_dump() if made.review else None,
    }


def shown(figures: Figures) -> dict[str, Any]:
    """Figures with their reliability diagram as named values."""
    names = ("low", "high", "n", "confidence", "right")
    bins: list[Mapping[str, float]] = [dict(zip(names, item, strict=True)) for item in figures.bins]
    return {**figures.model_dump(exclude={"bins"}), "reliability": bins}


def _alone(decision: Decision) -> tuple[tuple[Any, ...], ...]:
    """Verdicts of models that stand on the card though their assessment is not kept with it."""
    card = decision.scorecard
    assert card is not None
    said = tuple(item.verdict for item in card.contributions if item.verdict.decided_by not in ("rule", "model"))
    return (said,) if said else ()


def _nothing_else_asks(decision: Decision) -> bool:
    """Neither a rule nor the lead's own words ask for a person: none but models that contradict each other may."""
    stopped = [hit for hit in decision.hits if hit.stage in {"contradiction", "guardrail"} and rules.first((hit,))]
    routed = rules.first(hit for hit in decision.hits if hit.stage == "route")
    goes = routed is not None and routed.outcome not in {None, "review"}
    asks = decision.review == "guardrail" or "CLAIM_MISMATCH" in decision.reason_codes
    return goes and not stopped and not asks


def _disagree(decision: Decision, rubric: Rubric, found: Answered) -> bool:
    """Models contradict each other by what they said, though the calibration of that time may have settled it."""
    two = recall.pair(found.answers)
    if two is None:
        return recall.DISAGREE in decision.reason_codes
    return decisions.contradicts(rubric, found.rules, *two)


def _said_tier(value: str, tier: str, tiers: Sequence[str]) -> str | None:
    """A tier that was named; for "too high" the next one down, which at least is another than ours."""
    place = tiers.index(tier)
    if value == "right":
        return tier
    if value == "too_high":
        return tiers[min(place + 1, len(tiers) - 1)] if place + 1 < len(tiers) else None
    if value == "too_low":
        return tiers[place - 1] if place else None
    return next((known for known in tiers if known.casefold() == value.casefold()), None)


def _same_rubric(made: Decision, policy: Policy) -> bool:
    """The card has the criteria and weights of this rubric."""
    card = made.scorecard
    assert card is not None
    return [(item.criterion, item.weight) for item in card.contributions] == [
        (criterion.id, criterion.weight) for criterion in policy.rubric.criteria
    ]
