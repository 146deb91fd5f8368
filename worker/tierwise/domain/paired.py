"""Two systems on the same leads: how far apart a share is, with the interval of the difference, and non-inferiority.

A share is a ratio of two counts that both systems have of every lead (of those predicted, how many are positive); the
difference of two such ratios is linearised, so that what both got right or wrong together does not widen it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple


class Counted(NamedTuple):
    """What one lead adds to a share: 1 or 0 to its part and to its whole."""

    part: int
    whole: int


class Difference(NamedTuple):
    """First less second, in shares (0-1)."""

    value: float
    low: float
    """One-sided bound: the truth lies above it with the confidence that was asked for."""
    high: float
    """The same from above."""

    def not_worse_by(self, margin: float) -> bool:
        """Non-inferior: as sure as was asked for, the first is worse by less than the margin."""
        return self.low > -margin


def difference(first: Sequence[Counted], second: Sequence[Counted], *, confidence: float = 0.95) -> Difference | None:
    """Of two shares over the same leads in the same order; None where one of the two is a share of nothing.

    As if one lead more had been right in the first alone and one more in the second alone (Bonett and Price, 2012):
    where they never differ there would be no doubt otherwise, however few the leads.
    """
    pairs = list(zip(first, second, strict=True))
    wholes = sum(item.whole for item in first), sum(item.whole for item in second)
    if not all(wholes):
        return None
    mine, theirs = (sum(item.part for item in side) / n for side, n in zip((first, second), wholes, strict=True))
    told = ((a.part - mine * a.whole) / wholes[0] - (b.part - theirs * b.whole) / wholes[1] for a, b in pairs)
    fewest = min(wholes)
    spread = math.fsum(one * one for one in told) + 2 / fewest**2
    half = NormalDist().inv_cdf(confidence) * math.sqrt(spread)
    return Difference(mine - theirs, mine - theirs - half, mine - theirs + half)
