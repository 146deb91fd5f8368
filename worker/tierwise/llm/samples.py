"""A doubtful answer asked again in another order: what a model says twice in two layouts, it is surer of.

The orders are few and the same for every lead, so that each is a prompt that providers can cache.
"""

from __future__ import annotations

from collections.abc import Sequence

from tierwise.domain.rubric import UNKNOWN, Criterion, Verdict
from tierwise.domain.scoring import level_probabilities


def reordered(criteria: Sequence[Criterion], number: int) -> tuple[Criterion, ...]:
    """The criteria in order `number` (from 1): begun elsewhere, each odd time with the levels turned round."""
    start = number % len(criteria)
    turned = (*criteria[start:], *criteria[:start])
    if number % 2 == 0:
        return turned
    return tuple(item.model_copy(update={"levels": tuple(reversed(item.levels))}) for item in turned)


def averaged(criteria: Sequence[Criterion], answers: Sequence[Sequence[Verdict]]) -> tuple[Verdict, ...]:
    """One verdict a criterion: the level that is likeliest over all answers, with the mean of its probabilities.

    Its quote is of the answer that was surest of it. `unknown` where more than half of the answers are.
    """
    found = []
    for criterion in criteria:
        given = [verdict for verdicts in answers for verdict in verdicts if verdict.criterion == criterion.id]
        if given:
            found.append(_mean(criterion, given))
    return tuple(found)


def _mean(criterion: Criterion, given: Sequence[Verdict]) -> Verdict:
    suspects = [verdict for verdict in given if "INJECTION_SUSPECT" in verdict.flags]
    stated = [verdict for verdict in given if verdict.level != UNKNOWN]
    if suspects or 2 * len(stated) < len(given):
        unknown = suspects or [verdict for verdict in given if verdict.level == UNKNOWN]
        return unknown[0]
    spreads = [level_probabilities(criterion, verdict) for verdict in given]
    mean = {item.id: sum(spread[item.id] for spread in spreads) / len(spreads) for item in criterion.levels}
    level = max({verdict.level for verdict in stated}, key=lambda name: (mean[name], name))
    surest = max((verdict for verdict in stated if verdict.level == level), key=lambda verdict: verdict.probability)
    return surest.model_copy(update={"probability": round(min(1.0, mean[level]), 6), "spread": mean})
