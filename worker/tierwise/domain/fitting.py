"""Learning a calibration from labelled leads: what each model's word is worth, the curve, the cut-offs, the figures.

Every figure and every cut-off rests on held-back labels: each was judged by a calibration learnt from the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tierwise.domain import belief, calibration, curves, cutoffs, lead, measures, scoring
from tierwise.domain.belief import Beliefs, Reliability
from tierwise.domain.calibration import Answered, Calibration, Disputes, Figures
from tierwise.domain.curves import Curve
from tierwise.domain.policy import Policy
from tierwise.domain.rubric import Contribution, Rubric

FEWEST = 50
FOLDS = 5
KEPT_RIGHT = 0.9
"""How often tiers that the first model settles alone must be right."""
_MOST = 400  # labelled leads that the beliefs are learnt from: more cost seconds and move nothing
_MOST_UNLABELLED = 1500
_NOISE = 0.02  # share of labels that are slips: one of them must not overrule a hundred
_STEPS = ((1.0, 0.5), (0.5, 0.25, 0.12))
_WIDE_INTERCEPT, _WIDE_SLOPE = 1.5, 0.5  # standard deviations of what is believed before any label


class Labelled(NamedTuple):
    """One lead with what was answered, and its label: a tier, or whether it is positive."""

    id: str
    answered: Answered
    tier: str | None
    positive: bool | None
    before: float
    """Confidence without any calibration."""
    before_tier: str
    reviewed: bool = False
    """A person is asked whatever the confidence: contradiction, injection, guardrail."""
    stated: float | None = None
    """Mean of what the last answer says of itself."""
    disagreed: bool = False
    """Nothing asks for a person but two models that contradict each other."""
    probability: float = 1.0
    """With which this lead was to be labelled, above 0: it stands for so many fewer or more of its like."""


class Wanted(NamedTuple):
    """What the cut-offs are to meet."""

    precision: float
    recall: float
    kept_right: float = KEPT_RIGHT
    """Of the first model's tiers, where no second model is asked."""
    escalate_share: float | None = None
    """In place of `kept_right`: how many leads the second model may see."""
    risk: float = cutoffs.RISK
    disputes: Disputes = "weighed"


_Told = tuple[Answered, float]
"""What was answered about a lead, and how many leads it stands for."""


class _Judged(NamedTuple):
    confidence: float
    tier: str
    first: float
    """Confidence after the first answer alone."""
    first_tier: str


def fit(
    policy: Policy,
    models: Sequence[str],
    labelled: Sequence[Labelled],
    *,
    source: str,
    wanted: Wanted | None = None,
    unlabelled: Sequence[Answered] = (),
) -> Calibration:
    """The calibration. ValueError below `FEWEST` labels. `unlabelled`, any plain sample, tell how often levels occur.

    A label that was drawn with probability p counts for 1/p leads, so that a queue of the doubtful does not make
    everything look doubtful; labels are then counted as so many equal ones as would tell as much. Cut-offs rest on
    exact tests, which need a plain random sample: one is drawn out of the labels.
    """
    if (size := effective(labelled)) < FEWEST:
        counted = "" if size == len(labelled) else f", which tell as much as {int(size)} drawn alike"
        raise ValueError(f"{len(labelled)} labels{counted}: at least {FEWEST} are needed")
    rubric, targets = policy.rubric, policy.rubric.targets
    wanted = wanted or Wanted(targets.precision, targets.recall)
    named = sorted(labelled, key=lambda item: item.id)
    data = lead.digest([_as_told(item) for item in named])
    # The same labels make the same folds, whatever order they came in.
    shuffled = sorted(labelled, key=lambda item: lead.digest([data, item.id]))
    method = curves.method_for(size)
    weights = [1 / item.probability for item in shuffled]
    answered = [*zip((item.answered for item in shuffled), weights, strict=True)]
    # Those without a label count as much as one with a label does on the whole.
    answered += [(item, math.fsum(weights) / len(weights)) for item in unlabelled]
    held = _held_back(rubric, shuffled, answered, method=method)
    beliefs, curve = _learn(rubric, shuffled, answered, method=method)
    positives = frozenset(targets.positive_tiers)
    right = [right_tier(item, made.tier, positives) for item, made in zip(shuffled, held, strict=True)]
    before_right = [right_tier(item, item.before_tier, positives) for item in shuffled]
    told = [place for place, item in enumerate(shuffled) if item.stated is not None]
    alike = [(item, made) for item, made in zip(shuffled, held, strict=True) if _in_plain_sample(item, shuffled)]
    return Calibration(
        rubric=calibration.rubric_digest(rubric, policy.prompt),
        rubric_version=policy.rubric.version,
        models=tuple(models),
        labels=len(shuffled),
        data=data,
        source=source,
        beliefs=beliefs,
        curve=curve,
        before=figures([item.before for item in shuffled], before_right, weights=weights),
        after=figures([made.confidence for made in held], right, weights=weights),
        stated_auroc=_rounded(
            measures.auc(
                [shuffled[place].stated or 0.0 for place in told],
                [right[place] for place in told],
                weights=[weights[place] for place in told],
            )
        ),
        escalate=_escalate(
            alike,
            positives,
            wanted=wanted,
            all_first=[
                (_judge(rubric, _first(item), beliefs, curve).confidence, weight)
                for item, weight in answered
                if item.answers
            ]
            if wanted.escalate_share is not None
            else [],
        )
        if len(models) > 1
        else None,
        review=cutoffs.review(
            [
                cutoffs.Final(
                    made.confidence,
                    predicted=made.tier in positives,
                    positive=item.tier in positives if item.tier is not None else bool(item.positive),
                    # As `decision.settled` will have it: by the confidence that both answers leave.
                    reviewed=item.reviewed
                    or (item.disagreed and (wanted.disputes == "said" or made.confidence < targets.precision)),
                )
                for item, made in alike
            ],
            precision=wanted.precision,
            recall=wanted.recall,
            risk=wanted.risk,
        ),
        disputes=wanted.disputes,
        effective=round(size, 1) if size != len(shuffled) else None,
    )


def effective(labelled: Sequence[Labelled]) -> float:
    """How many labels drawn alike would tell as much."""
    weights = [1 / item.probability for item in labelled]
    return curves.effective(weights) if len(set(weights)) > 1 else float(len(weights))


def right_tier(item: Labelled, tier: str, positives: Iterable[str]) -> bool:
    """The tier is the label's, or, where the label is no tier, on the label's side."""
    return tier == item.tier if item.tier is not None else (tier in positives) == item.positive


def figures(confidences: Sequence[float], right: Sequence[bool], *, weights: Sequence[float] | None = None) -> Figures:
    """How far these confidences can be trusted."""
    bins = measures.reliability(confidences, right, weights=weights)
    total = math.fsum(item.weight for item in bins)
    return Figures(
        n=len(right),
        right=_rounded(math.fsum(item.weight * item.right for item in bins) / total) if right else None,
        ece=_rounded(measures.ece(bins)),
        brier=_rounded(measures.brier(confidences, right, weights=weights)),
        auroc=_rounded(measures.auc(confidences, right, weights=weights)),
        bins=tuple((item.low, item.high, item.n, round(item.confidence, 6), round(item.right, 6)) for item in bins),
    )


def _in_plain_sample(item: Labelled, labelled: Sequence[Labelled]) -> bool:
    """Whether it belongs to a sample in which every lead had the same chance: that of the rarest drawn."""
    rarest = min(other.probability for other in labelled)
    drawn = int(lead.digest([item.id, "plain"])[:12], 16) / 16**12
    return drawn < rarest / item.probability


def _escalate(
    alike: Sequence[tuple[Labelled, _Judged]],
    positives: frozenset[str],
    *,
    wanted: Wanted,
    all_first: Sequence[tuple[float, float]],
) -> cutoffs.Chosen:
    if wanted.escalate_share is not None:
        return cutoffs.for_share(all_first, share=wanted.escalate_share)
    kept = [
        cutoffs.Kept(made.first, right_tier(item, made.first_tier, positives))
        for item, made in alike
        if item.answered.answers
    ]
    return cutoffs.escalate(kept, target=wanted.kept_right, risk=wanted.risk)


def _held_back(
    rubric: Rubric, labelled: Sequence[Labelled], answered: Sequence[_Told], *, method: curves.Method
) -> list[_Judged]:
    found: dict[int, _Judged] = {}
    for fold in range(FOLDS):
        seen = [item for place, item in enumerate(labelled) if place % FOLDS != fold]
        beliefs, curve = _learn(rubric, seen, answered, method=method)
        for place in range(fold, len(labelled), FOLDS):
            found[place] = _judge(rubric, labelled[place].answered, beliefs, curve)
    return [found[place] for place in range(len(labelled))]


def _judge(rubric: Rubric, answered: Answered, beliefs: Beliefs, curve: Curve) -> _Judged:
    card = calibration.card(rubric, answered, beliefs)
    first = card
    if len(answered.answers) > 1:
        first = calibration.card(rubric, _first(answered), beliefs)
    return _Judged(curve.at(card.confidence), card.tier, curve.at(first.confidence), first.tier)


def _first(answered: Answered) -> Answered:
    return answered._replace(answers=answered.answers[:1])


def _learn(
    rubric: Rubric, labelled: Sequence[Labelled], answered: Sequence[_Told], *, method: curves.Method
) -> tuple[Beliefs, Curve]:
    beliefs = _beliefs(rubric, labelled, answered)
    cards = [calibration.card(rubric, item.answered, beliefs) for item in labelled]
    positives = rubric.targets.positive_tiers
    right = [right_tier(item, card.tier, positives) for item, card in zip(labelled, cards, strict=True)]
    weights = [1 / item.probability for item in labelled]
    return beliefs, curves.fit([card.confidence for card in cards], right, weights=weights, method=method)


def _beliefs(rubric: Rubric, labelled: Sequence[Labelled], answered: Sequence[_Told]) -> Beliefs:
    """By turns: how often levels occur, given how reliable the models are, and the reverse."""
    counted = answered[:_MOST_UNLABELLED]
    said = [calibration.by_criterion(item.answers) for item, _ in counted]
    mean = math.fsum(weight for _, weight in counted) / len(counted)
    shares = [weight / mean for _, weight in counted]
    models = sorted({verdict.decided_by for item in said for verdicts in item.values() for verdict in verdicts})
    beliefs = Beliefs(models={model: Reliability() for model in models})
    some = [_Weighed(rubric, item) for item in labelled[:_MOST]]
    for steps in _STEPS:
        rates = belief.base_rates(rubric.asked, said, beliefs, weights=shares)
        beliefs = _reliable(rubric, some, beliefs.model_copy(update={"base_rates": rates}), steps=steps)
    return Beliefs.model_validate(_tidy(beliefs.model_dump()))


class _Weighed:
    """A labelled lead, prepared for being looked at many times."""

    def __init__(self, rubric: Rubric, item: Labelled) -> None:
        self.answered = item.answered
        self.weight = 1 / item.probability
        self.contributions: tuple[Contribution, ...] = scoring.score(rubric, item.answered.rules).contributions
        self.cap = 0 if item.answered.doubted else None
        self.tiers = (
            {item.tier} if item.tier is not None
            else {tier for tier in rubric.tiers if (tier in rubric.targets.positive_tiers) == item.positive}
        )  # fmt: skip

    def likelihood(self, rubric: Rubric, beliefs: Beliefs) -> float:
        """Probability of the label."""
        believed = calibration.beliefs_of(rubric, self.answered, beliefs)
        likely = scoring.tier_probabilities(rubric, self.contributions, cap=self.cap, beliefs=believed)
        return math.fsum(likely.get(tier, 0.0) for tier in self.tiers)


def _reliable(rubric: Rubric, labelled: Sequence[_Weighed], beliefs: Beliefs, *, steps: Sequence[float]) -> Beliefs:
    """Intercept of every model, a slope for all of them from 200 labels on, and what a missing field is worth: those
    of the greatest posterior, found by trying steps that grow smaller."""
    names = list(beliefs.models)
    weights = curves.scaled([item.weight for item in labelled])
    sloped = math.fsum(weights) * FOLDS >= 200 * (FOLDS - 1)  # a fold less counts as the whole
    start = beliefs.models[names[0]].slope if names else 1.0
    place = [*(beliefs.models[name].intercept for name in names), math.log(start)]
    gaps = beliefs.gaps

    def made(at: Sequence[float], trust: float) -> Beliefs:
        models = {
            name: Reliability(intercept=value, slope=math.exp(at[-1])) for name, value in zip(names, at, strict=False)
        }
        return Beliefs(base_rates=beliefs.base_rates, models=models, gaps=trust)

    def cost(at: Sequence[float], trust: float) -> float:
        tried = made(at, trust)
        prior = math.fsum((value / _WIDE_INTERCEPT) ** 2 for value in at[:-1]) + (at[-1] / _WIDE_SLOPE) ** 2
        labels = (item.likelihood(rubric, tried) for item in labelled)
        told = (math.log((1 - _NOISE) * likely + _NOISE / 4) for likely in labels)
        return prior / 2 - math.fsum(weight * one for weight, one in zip(weights, told, strict=True))

    _, gaps = min((cost(place, trust), trust) for trust in (0.0, 0.5, 1.0))
    best = cost(place, gaps)
    moving = range(len(place) if sloped else len(place) - 1)
    for step in steps:
        for coordinate in moving:
            for way in (step, -step):
                tried = [*place]
                tried[coordinate] += way
                if (found := cost(tried, gaps)) < best:
                    best, place = found, tried
                    break
    return made(place, gaps)


def _as_told(item: Labelled) -> list[object]:
    told: list[object] = [item.id, item.tier, item.positive, _plain(item.answered)]
    return told if item.probability == 1 else [*told, item.probability]


def _plain(answered: Answered) -> list[list[list[object]]]:
    return [
        [[verdict.criterion, verdict.level, verdict.probability, verdict.decided_by] for verdict in verdicts]
        for verdicts in (answered.rules, *answered.answers)
    ]


def _tidy(found: Mapping[str, object]) -> dict[str, object]:
    """Six digits: more would only make the stored text longer."""

    def tidy(value: object) -> object:
        if isinstance(value, float):
            return round(value, 6)
        return {key: tidy(item) for key, item in value.items()} if isinstance(value, Mapping) else value

    return {key: tidy(value) for key, value in found.items()}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
