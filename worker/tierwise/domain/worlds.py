"""Sums over what might be true: points and facts of one combination of levels as one number, and their distribution.

Knows nothing of criteria; `rubric` says what a world means.
"""

from __future__ import annotations

from collections.abc import Mapping

World = int
"""What some levels, if they were the true ones, add up to: hundredths of points, shifted left by two, and two facts
in the lowest bits. A plain number, since thousands of them are added up for every lead."""

Likely = dict[World, float]
"""Worlds with their probabilities."""

CORROBORATED, KNOCKED, _FACTS = 1, 2, 3
NO_CAP = 10_000


def world(hundredths: int) -> World:
    """A world of so many hundredths of a point and no fact."""
    return hundredths << 2


def points(of: World) -> int:
    """Its hundredths of a point."""
    return of >> 2


def combine(left: Mapping[World, float], right: Mapping[World, float], *, cap: int = NO_CAP) -> Likely:
    """The distribution of the sum of two independent ones, points at most `cap`, facts of either."""
    total: Likely = {}
    for a, p in left.items():
        for b, q in right.items():
            added = (a >> 2) + (b >> 2)
            sum_ = (added if added < cap else cap) << 2 | (a | b) & _FACTS
            total[sum_] = total.get(sum_, 0.0) + p * q
    return total
