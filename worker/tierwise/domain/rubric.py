"""Criteria and weights, and the card that a lead gets by them. The arithmetic is `scoring`'s."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from tierwise.domain import consistency
from tierwise.domain.complaints import tell
from tierwise.domain.example import Example
from tierwise.domain.lead import CATALOGUE
from tierwise.domain.leeway import Bounds
from tierwise.domain.verdict import UNKNOWN, Assessment, Flag, Frozen, Verdict

__all__ = [
    "UNKNOWN", "Assessment", "Contribution", "Criterion", "Dimension", "Flag", "Frozen", "Knockout", "Level",
    "Models", "Rubric", "Scorecard", "Targets", "Thresholds", "Verdict",
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
    # A policy that tells neither keeps the digest it was published under.
    owner: str | None = Field(default=None, exclude_if=lambda value: value is None)
    """Role that answers for them; none: the policy's owner."""
    agreed_on: date | None = Field(default=None, exclude_if=lambda value: value is None)
    """When they were last agreed on."""


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
