"""Criteria and weights: verdicts in, score, tier, reasons and raw confidence out.

Models never emit a score. They pick a level per criterion; everything numeric is computed here, exactly, in
hundredths of a point.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from tierwise.domain import consistency, stability
from tierwise.domain.complaints import tell
from tierwise.domain.example import Example
from tierwise.domain.lead import CATALOGUE
from tierwise.domain.leeway import Bounds
from tierwise.domain.verdict import UNKNOWN, Assessment, Flag, Frozen, Verdict

__all__ = [
    "UNKNOWN", "Assessment", "Contribution", "Criterion", "Dimension", "Flag", "Frozen", "Knockout", "Level",
    "Models", "Rubric", "Scorecard", "Targets", "Thresholds", "Verdict", "level_probabilities", "score", "tier_of",
    "tier_probabilities",
]  # fmt: skip

Dimension = Literal["fit", "intent"]

_HUNDRED = 100


class Level(Frozen):
    """One possible verdict of a criterion."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    points: float = Field(ge=0, le=1)
    """Share of the criterion's weight that this level earns, 0 to 1, two decimals at most."""
    description: str = ""
    reason: str | None = None
    """Code of the reasons catalogue, None where the level says nothing worth telling."""
    when: str | None = None
    """CEL expression, for `decide: rule` only; levels are tried in order, the first that holds wins."""
    cues: tuple[str, ...] = ()
    """Phrases that the offline model takes for this level; other models do not see them."""

    @field_validator("points")
    @classmethod
    def _two_decimals(cls, value: float) -> float:
        if round(value * _HUNDRED) != value * _HUNDRED and abs(round(value, 2) - value) > 1e-9:
            raise ValueError("points have two decimals at most")
        return round(value, 2)


class Criterion(Frozen):
    """One question of the rubric."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    dimension: Dimension
    question: str
    weight: int = Field(gt=0, le=100)
    decide: Literal["rule", "model"]
    fields: tuple[str, ...] = ()
    """Lead fields that are shown to the model for this criterion; nothing else leaves the house."""
    levels: tuple[Level, ...] = Field(min_length=2)
    unknown_points: float = Field(default=0, ge=0, le=1)

    @model_validator(mode="after")
    def _consistent(self, info: ValidationInfo) -> Self:
        tell(self, consistency.of_criterion(self), info)
        return self

    @property
    def self_reported(self) -> bool:
        """True where the verdict rests on what the lead wrote: its weight counts against the cap."""
        return self.decide == "model" and any(CATALOGUE[name].free_text for name in self.fields)

    def level(self, level_id: str) -> Level | None:
        """The level of that id, None for `unknown` and for ids that are not of this criterion."""
        return next((level for level in self.levels if level.id == level_id), None)

    @property
    def lowest(self) -> Level:
        """The level with the fewest points (the last one where several are equal)."""
        return min(reversed(self.levels), key=lambda level: level.points)


class Knockout(Frozen):
    """A verdict that decides the tier alone: the lead falls to the lowest tier."""

    criterion: str
    level: str


class Thresholds(Frozen):
    """Confidence (0-1) below which the secondary model is asked, and below which a person is."""

    escalate_below: float = Field(default=0.7, ge=0, le=1)
    review_below: float = Field(default=0.55, ge=0, le=1)


class Models(Frozen):
    """LiteLLM names of the chain; the secondary is of another provider and may be absent."""

    primary: str = "offline/rules"
    secondary: str | None = None


class Targets(Frozen):
    """What validation must show before automation (part of the policy, with owner)."""

    positive_tiers: tuple[str, ...] = ("A",)
    precision: float = Field(default=0.8, gt=0, lt=1)
    recall: float = Field(default=0.6, gt=0, lt=1)


class Rubric(Frozen):
    """Front matter of the prompt file."""

    name: str
    version: str
    owner: str
    criteria: tuple[Criterion, ...] = Field(min_length=1)
    knockouts: tuple[Knockout, ...] = ()
    tiers: Mapping[str, int]
    """Lowest score of each tier: {A: 75, B: 55, C: 30, D: 0}. Best first, however it was stored."""
    thresholds: Thresholds = Thresholds()
    models: Models = Models()
    targets: Targets = Targets()
    bounds: Bounds = Bounds()
    free_text_cap: int = Field(default=40, ge=0, le=100)
    """The most points that self-reported free text can earn in all."""
    free_text_needs_facts: bool = False
    """The cap shrinks as structured criteria are unknown, to nothing where half of their weight is."""
    examples: tuple[Example, ...] = ()

    @field_validator("tiers")
    @classmethod
    def _best_first(cls, value: Mapping[str, int]) -> Mapping[str, int]:
        # Canonical JSON sorts keys and databases keep no order; the cut-offs say it.
        return dict(sorted(value.items(), key=lambda item: -item[1]))

    @model_validator(mode="after")
    def _consistent(self, info: ValidationInfo) -> Self:
        tell(self, consistency.of_rubric(self), info)
        return self

    def find(self, criterion_id: str) -> Criterion | None:
        """The criterion of that id."""
        return next((criterion for criterion in self.criteria if criterion.id == criterion_id), None)

    @functools.cached_property
    def worth(self) -> tuple[Mapping[str, stability.World], ...]:
        """What the levels of each criterion add up to; looked up thousands of times for every lead."""
        return tuple(_worth(self, criterion) for criterion in self.criteria)

    @property
    def asked(self) -> tuple[Criterion, ...]:
        """The criteria that a model decides."""
        return tuple(criterion for criterion in self.criteria if criterion.decide == "model")


class Contribution(Frozen):
    """What one criterion added to the score."""

    criterion: str
    dimension: Dimension
    weight: int
    level: str
    points: float
    reason: str | None
    verdict: Verdict


class Scorecard(Frozen):
    """Score of one lead under one rubric, with everything it was made of."""

    score: int
    fit: int
    intent: int
    tier: str
    confidence: float
    """Raw probability (0-1) that the tier would not change, if criteria err independently."""
    contributions: tuple[Contribution, ...]
    capped: bool = False
    """Free text would have earned more than its cap."""
    corroborated: bool = True
    """A structured criterion supports the top tier; False holds the lead one tier lower."""
    doubted: bool = False
    """What the lead wrote earned nothing, since it instructs or contradicts the lead's own fields."""
    knockout: str | None = None
    """`criterion/level` that decided the tier."""
    flags: tuple[Flag, ...] = ()


def score(
    rubric: Rubric,
    verdicts: Sequence[Verdict],
    *,
    doubted: bool = False,
    beliefs: Mapping[str, Mapping[str, float]] | None = None,
) -> Scorecard:
    """Score, tier and raw confidence from one verdict per criterion; a missing verdict counts as unknown.

    Text that is `doubted`, or that some verdict calls suspect, earns nothing; a knockout found in it still holds.
    `beliefs` change the confidence alone: see `tier_probabilities`.
    """
    doubted = doubted or any("INJECTION_SUSPECT" in verdict.flags for verdict in verdicts)
    by_criterion = {verdict.criterion: verdict for verdict in verdicts}
    contributions = tuple(
        _contribution(item, by_criterion.get(item.id), worthless=doubted and item.self_reported)
        for item in rubric.criteria
    )
    free, structured = _split(rubric, contributions)
    cap = 0 if doubted else _cap(rubric, structured)
    value = _rounded(_points(structured) + min(_points(free), cap))
    knockout = _knockout(rubric, contributions)
    corroborated = any(
        _corroborates(criterion, criterion.level(item.level), item.verdict)
        for criterion, item in zip(rubric.criteria, contributions, strict=True)
    )
    tier = _settled(rubric, value, corroborated=corroborated, knocked=knockout is not None)
    held = knockout is None and tier != tier_of(rubric, value)
    confidence = tier_probabilities(rubric, contributions, cap=cap, beliefs=beliefs).get(tier, 0.0)
    return Scorecard(
        score=value,
        fit=_subscore(contributions, "fit"),
        intent=_subscore(contributions, "intent"),
        tier=tier,
        confidence=round(min(1.0, max(0.0, confidence)), 6),
        contributions=contributions,
        capped=_points(free) > cap,
        doubted=doubted,
        corroborated=not held,
        knockout=knockout,
        flags=tuple(sorted({flag for item in contributions for flag in item.verdict.flags})),
    )


def tier_of(rubric: Rubric, value: int) -> str:
    """The tier whose cut-off the score reaches first, best first."""
    return next(tier for tier, cut in rubric.tiers.items() if value >= cut)


def level_probabilities(criterion: Criterion, verdict: Verdict) -> dict[str, float]:
    """Probability of every level: the stated one, the rest spread evenly over the others.

    Who says `unknown` says that the lead tells nothing, as surely as stated; without a probability, as where an answer
    was withdrawn or a field is missing, every level is as likely.
    """
    ids = [level.id for level in criterion.levels]
    if verdict.level not in ids:
        spread = dict.fromkeys(ids, (1 - verdict.probability) / len(ids))
        return {**spread, UNKNOWN: verdict.probability} if verdict.probability else spread
    rest = (1 - verdict.probability) / (len(ids) - 1)
    even = {level: verdict.probability if level == verdict.level else rest for level in ids}
    return even if verdict.spread is None else {level: verdict.spread.get(level, 0.0) for level in ids}


def _contribution(criterion: Criterion, verdict: Verdict | None, *, worthless: bool) -> Contribution:
    if verdict is None:
        verdict = Verdict(criterion=criterion.id, level=UNKNOWN, probability=0, decided_by=criterion.decide)
    level = criterion.level(verdict.level)
    return Contribution(
        criterion=criterion.id,
        dimension=criterion.dimension,
        weight=criterion.weight,
        level=level.id if level else UNKNOWN,
        points=0.0 if worthless else round(criterion.weight * (level.points if level else criterion.unknown_points), 4),
        reason=level.reason if level else None,
        verdict=verdict,
    )


def _split(rubric: Rubric, contributions: Sequence[Contribution]) -> tuple[list[Contribution], list[Contribution]]:
    reported = {criterion.id for criterion in rubric.criteria if criterion.self_reported}
    return (
        [item for item in contributions if item.criterion in reported],
        [item for item in contributions if item.criterion not in reported],
    )


def _cap(rubric: Rubric, structured: Sequence[Contribution]) -> int:
    """Hundredths of a point that free text can earn."""
    weight = sum(item.weight for item in structured)
    unknown = sum(item.weight for item in structured if item.level == UNKNOWN)
    whole = rubric.free_text_cap * _HUNDRED
    shrinks = rubric.free_text_needs_facts and weight
    return max(0, whole * (weight - 2 * unknown) // weight) if shrinks else whole


def _points(contributions: Sequence[Contribution]) -> int:
    return sum(round(item.points * _HUNDRED) for item in contributions)


def _rounded(hundredths: int) -> int:
    return (hundredths + _HUNDRED // 2) // _HUNDRED


def _subscore(contributions: Sequence[Contribution], dimension: Dimension) -> int:
    mine = [item for item in contributions if item.dimension == dimension]
    weight = sum(item.weight for item in mine)
    return _rounded(_points(mine) * _HUNDRED // weight) if weight else 0


def _corroborates(criterion: Criterion, level: Level | None, verdict: Verdict) -> bool:
    return _proven(verdict) and _tells(criterion, level)


def _proven(verdict: Verdict) -> bool:
    return verdict.quote is not None or verdict.field is None  # a decision model names a field and quotes nothing


def _tells(criterion: Criterion, level: Level | None) -> bool:
    return level is not None and not criterion.self_reported and level.points > criterion.lowest.points


def _settled(rubric: Rubric, value: int, *, corroborated: bool, knocked: bool) -> str:
    """The tier of a score after knockouts, and after the top tier's need of a corroborator."""
    top, *lower = rubric.tiers
    if knocked:
        return lower[-1] if lower else top
    tier = tier_of(rubric, value)
    return lower[0] if tier == top and lower and not corroborated else tier


def _knockout(rubric: Rubric, contributions: Sequence[Contribution]) -> str | None:
    levels = {item.criterion: item.level for item in contributions}
    for knockout in rubric.knockouts:
        if levels.get(knockout.criterion) == knockout.level:
            return f"{knockout.criterion}/{knockout.level}"
    return None


def tier_probabilities(
    rubric: Rubric,
    contributions: Sequence[Contribution],
    *,
    cap: int | None = None,
    beliefs: Mapping[str, Mapping[str, float]] | None = None,
) -> dict[str, float]:
    """How likely each tier is, if criteria err independently. `beliefs`: by criterion, how likely each level and
    `unknown` is; a criterion that is not in them is believed as it was stated. `cap`: hundredths of points that words
    can earn, by default what the facts allow."""
    if cap is None:
        cap = _cap(rubric, _split(rubric, contributions)[1])
    written: list[stability.Options] = []
    structured: list[stability.Options] = []
    for criterion, item, worth in zip(rubric.criteria, contributions, rubric.worth, strict=True):
        believed = (beliefs or {}).get(criterion.id) or level_probabilities(criterion, item.verdict)
        mask = -1 if _proven(item.verdict) else ~stability.CORROBORATED
        options = [(worth[level_id] & mask, probability) for level_id, probability in believed.items()]
        (written if criterion.self_reported else structured).append(options)

    def settle(hundredths: int, corroborated: bool, knocked: bool) -> str:
        return _settled(rubric, _rounded(hundredths), corroborated=corroborated, knocked=knocked)

    return stability.tiers(written, structured, cap=cap, settle=settle)


def _worth(rubric: Rubric, criterion: Criterion) -> Mapping[str, stability.World]:
    knockouts = {knockout.level for knockout in rubric.knockouts if knockout.criterion == criterion.id}
    found = {
        level.id: stability.world(
            round(criterion.weight * level.points * _HUNDRED),
            corroborates=_tells(criterion, level),
            knocks=level.id in knockouts,
        )
        for level in criterion.levels
    }
    found[UNKNOWN] = stability.world(round(criterion.weight * criterion.unknown_points * _HUNDRED))
    return found
