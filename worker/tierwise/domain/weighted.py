"""Precision, recall and F1 of all decisions from the few that people labelled, each with its own chance of being seen.

A queue that holds only doubtful leads shows the worst of what was decided. Each label stands for 1/probability
decisions (Horvitz and Thompson, 1952); a share is a ratio of two such sums, its error by linearisation. For display:
the gate uses the exact bounds of `validation`, since weighted counts are not binomial.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Seen(NamedTuple):
    """One labelled decision."""

    predicted: bool
    """Decided to be in a positive tier, and not sent to review."""
    truth: bool
    """Found to be in one."""
    probability: float
    """With which it was to be labelled, 0-1: 1 where every such decision goes to a person."""


class Estimate(NamedTuple):
    """A share (0-1) with its standard error and the interval of two of them."""

    value: float
    error: float
    low: float
    high: float
    labels: int
    """Labels that the share is of: with few, even the interval is a guess."""


class Figures(NamedTuple):
    """What all decisions are worth; None where no label says anything of it."""

    precision: Estimate | None
    recall: Estimate | None
    f1: Estimate | None
    labels: int
    decisions: float
    """How many decisions the labels stand for."""


def figures(seen: Iterable[Seen]) -> Figures:
    """Weighted precision, recall and F1. Raises ValueError for a probability that is not in (0, 1]."""
    items = list(seen)
    for item in items:
        if not 0 < item.probability <= 1:
            raise ValueError(f"a label's probability must be above 0 and at most 1, not {item.probability}")
    hit = [item.predicted and item.truth for item in items]
    predicted = [item.predicted for item in items]
    positive = [item.truth for item in items]
    weights = [1 / item.probability for item in items]
    # F1 = 2 hits / (predicted + positive) is a ratio like the other two.
    both = [predicted[i] + positive[i] for i in range(len(items))]
    return Figures(
        precision=_ratio(weights, hit, predicted),
        recall=_ratio(weights, hit, positive),
        f1=_ratio(weights, [2 * one for one in hit], both),
        labels=len(items),
        decisions=math.fsum(weights),
    )


def _ratio(weights: Sequence[float], part: Sequence[int], whole: Sequence[int]) -> Estimate | None:
    total = math.fsum(weight * of for weight, of in zip(weights, whole, strict=True))
    if total <= 0:
        return None
    value = math.fsum(weight * of for weight, of in zip(weights, part, strict=True)) / total
    # Taylor linearisation: each label's own contribution to the ratio, squared. No finite-population correction, so
    # that it speaks of the leads to come as well.
    spread = math.fsum(
        (weight * (a - value * b)) ** 2 for weight, a, b in zip(weights, part, whole, strict=True) if a or b
    )
    of = [weight for weight, b in zip(weights, whole, strict=True) if b]
    # As if one label more had been a hit and one more a miss (Agresti and Coull, 1998): else few labels that happen to
    # agree would leave no doubt at all.
    usual = math.fsum(of) / len(of)
    spread += usual**2 * ((1 - value) ** 2 + value**2)
    error = math.sqrt(spread) / total
    return Estimate(value, error, max(0.0, value - 2 * error), min(1.0, value + 2 * error), len(of))
