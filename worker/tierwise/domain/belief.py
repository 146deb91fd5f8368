"""How likely each level of a criterion is, given what models said: by how often levels occur and how often a model
that states so much is right.

What a model says of itself is evidence like any other. A rare level said by a model that errs is often an error,
however sure the model was; two answers that agree make each other surer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from pydantic import Field

from tierwise.domain.rubric import UNKNOWN, Criterion, Frozen, Verdict

_SUREST = 0.9995
"""No statement counts for more: a single one must never make everything else impossible."""
_ROUNDS = 25
_SMOOTHING = 0.5  # leads added to every level, so that what was never seen stays possible
_UNHEARD = 0.8  # how often a model that nobody knows anything about is right


class Reliability(Frozen):
    """One model: log-odds of being right = intercept + slope x log-odds of what it states."""

    intercept: float = 0.0
    slope: float = Field(default=1.0, ge=0)

    def right(self, stated: float) -> float:
        """Probability of being right where it states so much."""
        return min(_SUREST, max(1 - _SUREST, logistic(self.intercept + self.slope * log_odds(stated))))


class Beliefs(Frozen):
    """What is known of a chain of models before the next lead."""

    base_rates: Mapping[str, Mapping[str, float]] = {}
    """By criterion, how often each level, and `unknown`, is the true one."""
    models: Mapping[str, Reliability] = {}
    gaps: float = Field(default=0.0, ge=0, le=1)
    """How far a missing field is taken for what it earns (1), and not for any value (0)."""


def log_odds(probability: float) -> float:
    """Of a probability, within the bounds that this module believes."""
    bounded = min(_SUREST, max(1 - _SUREST, probability))
    return math.log(bounded / (1 - bounded))


def logistic(value: float) -> float:
    """The inverse of `log_odds`."""
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def informative(verdict: Verdict) -> bool:
    """False for a withdrawn answer, and for `unknown` without a probability: they say nothing about the lead."""
    return not (verdict.level == UNKNOWN and (verdict.flags or not verdict.probability))


def posterior(criterion: Criterion, said: Iterable[Verdict], beliefs: Beliefs) -> dict[str, float]:
    """Probability of every level and of `unknown`, given all that was said about one criterion."""
    options = [*(level.id for level in criterion.levels), UNKNOWN]
    rates = beliefs.base_rates.get(criterion.id) or {}
    weights = {option: rates.get(option, 0.0) or 1e-6 for option in options} if rates else dict.fromkeys(options, 1.0)
    for verdict in said:
        if verdict.level not in weights or not informative(verdict):
            continue
        model = beliefs.models.get(verdict.decided_by)
        right = model.right(verdict.probability) if model else _UNHEARD
        wrong = (1 - right) / (len(options) - 1)
        for option in options:
            weights[option] *= right if option == verdict.level else wrong
    total = math.fsum(weights.values())
    return {option: weight / total for option, weight in weights.items()}


def of_rule(criterion: Criterion, verdict: Verdict, beliefs: Beliefs) -> dict[str, float]:
    """The same for a criterion that an expression decides: certain, but where its field is missing."""
    if criterion.level(verdict.level) is not None:
        return {verdict.level: 1.0}
    spread = dict.fromkeys((level.id for level in criterion.levels), (1 - beliefs.gaps) / len(criterion.levels))
    return {**spread, UNKNOWN: beliefs.gaps}


def combined(criterion: Criterion, said: Sequence[Verdict], beliefs: Beliefs) -> Verdict:
    """The likeliest of the verdicts that were given, the later one where two are alike."""
    likely = posterior(criterion, said, beliefs)
    return max(reversed(said), key=lambda verdict: likely.get(verdict.level, 0.0) if informative(verdict) else -1.0)


def base_rates(
    criteria: Sequence[Criterion],
    answers: Sequence[Mapping[str, Sequence[Verdict]]],
    beliefs: Beliefs,
    *,
    weights: Sequence[float] | None = None,
) -> dict[str, dict[str, float]]:
    """How often each level is true, from what models said of many leads and how often they are right: the rates that
    explain it best (expectation maximisation). `answers`: one mapping of criterion to verdicts a lead; `weights`: for
    how many leads each stands."""
    found = {}
    for criterion in criteria:
        heard = [
            (item[criterion.id], weight)
            for item, weight in zip(answers, weights or [1.0] * len(answers), strict=True)
            if any(map(informative, item.get(criterion.id, ())))
        ]
        told = [said for said, _ in heard]
        options = [*(level.id for level in criterion.levels), UNKNOWN]
        rates = dict.fromkeys(options, 1 / len(options))
        flat = Beliefs(models=beliefs.models)
        evidence = [posterior(criterion, said, flat) for said in told]
        for _ in range(_ROUNDS if told else 0):
            counts = dict.fromkeys(options, _SMOOTHING)
            for likely, (_, stands_for) in zip(evidence, heard, strict=True):
                posterior_ = {option: likely[option] * rates[option] for option in options}
                total = math.fsum(posterior_.values())
                for option in options:
                    counts[option] += stands_for * posterior_[option] / total
            whole = math.fsum(counts.values())
            rates = {option: counts[option] / whole for option in options}
        found[criterion.id] = rates
    return found
