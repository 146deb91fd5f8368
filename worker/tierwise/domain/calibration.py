"""Raw confidence -> calibrated, for one chain of models under one rubric, learnt from labels. Pure arithmetic.

Two steps: what the models' statements are worth (`belief`), then a curve over what is left (`curves`). Another rubric
or another model is another calibration: one that does not fit is not applied at all.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import Field

from tierwise.domain import belief, lead, scoring
from tierwise.domain import rubric as rubrics
from tierwise.domain.belief import Beliefs
from tierwise.domain.curves import Curve
from tierwise.domain.cutoffs import Chosen
from tierwise.domain.rubric import Assessment, Criterion, Frozen, Rubric, Scorecard, Verdict

Disputes = Literal["said", "weighed"]
"""Whether two models contradict each other by what they say, or by what their answers, weighed by how far each model
can be trusted, make likeliest and both together leave open (`decision.settled`)."""


def _none(value: object) -> bool:
    return value is None


class Answered(NamedTuple):
    """What is known of one lead when its confidence is worked out."""

    rules: tuple[Verdict, ...]
    """Of criteria that expressions decide."""
    answers: tuple[tuple[Verdict, ...], ...]
    """One for every model that answered, in the order of asking."""
    doubted: bool = False
    """The text claims what the fields deny, so it earns nothing."""


class Figures(Frozen):
    """How far confidence can be trusted, on labels it was not learnt from."""

    n: int
    right: float | None
    """Share of tiers that were right."""
    ece: float | None
    brier: float | None
    auroc: float | None
    """Of confidence for "the tier is right"; None where all were right, or none."""
    bins: tuple[tuple[float, float, int, float, float], ...] = ()
    """Reliability diagram: low, high, n, mean confidence, share right."""


class Calibration(Frozen):
    """Immutable; its identity is the digest of all of it."""

    rubric: str
    """`rubric_digest` of the policy it was learnt under."""
    rubric_version: str
    models: tuple[str, ...]
    """The chain, in the order of asking."""
    labels: int
    data: str
    """Digest of the labels and answers it was learnt from."""
    source: str
    """Where the labels are from: `stored`, or a file's name."""
    beliefs: Beliefs
    curve: Curve
    before: Figures
    after: Figures
    """By cross-fitting: every label was judged by a calibration that had not seen it."""
    stated_auroc: float | None = None
    """What the last answer's own stated probabilities alone would tell."""
    escalate: Chosen | None = None
    review: Chosen | None = None
    # Left out where they say nothing: calibrations that were learnt before keep their digest.
    disputes: Disputes = Field(default="said", exclude_if=lambda value: value == "said")
    effective: float | None = Field(default=None, exclude_if=_none)
    """How many equal labels would tell as much, where labels stand for different numbers of leads."""

    @functools.cached_property
    def _identity(self) -> str:
        return lead.digest(self.model_dump(mode="json"))

    def digest(self) -> str:
        """SHA-256 of the canonical form, hex. Asked for with every decision."""
        return self._identity

    def why_not(self, rubric: str, models: Sequence[str]) -> str | None:
        """Why it does not apply to a rubric of that digest with this chain; None where it does."""
        if self.rubric != rubric:
            return f"it was learnt under another rubric (version {self.rubric_version})"
        if self.models != tuple(models):
            return f"it was learnt with {' + '.join(self.models)}, the chain is {' + '.join(models)}"
        return None

    def confidence(self, raw: float) -> float:
        """Calibrated confidence of a card that was scored with `beliefs_of`."""
        return round(min(1.0, max(0.0, self.curve.at(raw))), 6)


def rubric_digest(rubric: Rubric, prompt: str) -> str:
    """What verdicts and tiers depend on: criteria, cut-offs, knockouts and the prompt; not thresholds nor owner."""
    told = rubric.model_dump(mode="json", include={"criteria", "knockouts", "tiers", "free_text_cap"})
    return lead.digest({"rubric": told, "prompt": prompt})


def chain(primary: str, secondary: str | None) -> tuple[str, ...]:
    """The models of a chain, each once."""
    return (primary,) if secondary in (None, primary) else (primary, str(secondary))


def by_criterion(answers: Sequence[Sequence[Verdict]]) -> dict[str, list[Verdict]]:
    """Every verdict under its criterion. Of a model that was asked several times its last answer counts."""
    last = {verdicts[0].decided_by: verdicts for verdicts in answers if verdicts}
    found: dict[str, list[Verdict]] = {}
    for verdicts in last.values():
        for verdict in verdicts:
            found.setdefault(verdict.criterion, []).append(verdict)
    return found


def answers_of(assessments: Sequence[Assessment]) -> tuple[tuple[Verdict, ...], ...]:
    """The usable answers among what was paid for."""
    return tuple(item.verdicts for item in assessments if item.verdicts)


def beliefs_of(rubric: Rubric, answered: Answered, beliefs: Beliefs) -> dict[str, dict[str, float]]:
    """By criterion, how likely every level is."""
    said = by_criterion(answered.answers)
    rules = {verdict.criterion: verdict for verdict in answered.rules}
    return {
        criterion.id: belief.posterior(criterion, said[criterion.id], beliefs)
        if criterion.decide == "model" and criterion.id in said
        else belief.of_rule(criterion, rules.get(criterion.id) or _nothing(criterion), beliefs)
        for criterion in rubric.criteria
    }


def merged(rubric: Rubric, answers: Sequence[Sequence[Verdict]], beliefs: Beliefs) -> tuple[Verdict, ...]:
    """One verdict a criterion out of several answers: the likeliest of those given."""
    said = by_criterion(answers)
    return tuple(
        belief.combined(criterion, said[criterion.id], beliefs) for criterion in rubric.asked if criterion.id in said
    )


def meant(rubric: Rubric, answer: Sequence[Verdict], beliefs: Beliefs) -> tuple[Verdict, ...]:
    """One model's answer as far as it can be trusted: for each criterion the level that it makes likeliest.

    Who errs one time in eight and says what is true of one lead in a hundred has most likely slipped.
    """
    return tuple(_meant(rubric.find(verdict.criterion), verdict, beliefs) for verdict in answer)


def _meant(criterion: Criterion | None, verdict: Verdict, beliefs: Beliefs) -> Verdict:
    if criterion is None or not belief.informative(verdict):
        return verdict
    likely = belief.posterior(criterion, [verdict], beliefs)
    best = max(likely, key=likely.__getitem__)
    if likely[best] <= likely.get(verdict.level, 0.0):
        return verdict
    # Its quote proves what was said, not this.
    changed = {"level": best, "probability": likely[best], "quote": None, "field": None, "spread": None}
    return verdict.model_copy(update=changed)


def card(rubric: Rubric, answered: Answered, beliefs: Beliefs) -> Scorecard:
    """The score of all that was answered, with the raw confidence that the curve takes."""
    verdicts = merged(rubric, answered.answers, beliefs)
    believed = beliefs_of(rubric, answered, beliefs)
    return scoring.score(rubric, (*answered.rules, *verdicts), doubted=answered.doubted, beliefs=believed)


def summary(made: Calibration) -> Mapping[str, Any]:
    """The figures in a line, for lists."""
    return {
        "labels": made.labels,
        "method": made.curve.method,
        "models": list(made.models),
        "rubric_version": made.rubric_version,
        "ece_before": made.before.ece,
        "ece_after": made.after.ece,
        "brier_before": made.before.brier,
        "brier_after": made.after.brier,
        "auroc": made.after.auroc,
    }


def _nothing(criterion: Criterion) -> Verdict:
    return Verdict(criterion=criterion.id, level=rubrics.UNKNOWN, probability=0, decided_by=criterion.decide)
