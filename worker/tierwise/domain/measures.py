"""How right decisions were: counts, ranks, calibration and intervals over plain numbers.

For display. The gate that permits automation needs exact bounds and sampling probabilities and takes none of these.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

BINS = 10
_Z95 = 1.959963984540054


class Interval(NamedTuple):
    """Two-sided, 95 % unless told otherwise; of a share within 0-1."""

    low: float
    high: float


class Share(NamedTuple):
    """`hits` out of `n`; the value is None where n is 0."""

    hits: int
    n: int

    @property
    def value(self) -> float | None:
        return self.hits / self.n if self.n else None

    @property
    def interval(self) -> Interval | None:
        return wilson(self.hits, self.n) if self.n else None


class Bin(NamedTuple):
    """One column of the reliability diagram."""

    low: float
    high: float
    n: int
    confidence: float
    """Mean of what was stated."""
    right: float
    """Share that was right."""
    weight: float
    """Leads that those in it stand for; their number where each stands for itself."""


def wilson(hits: int, n: int, *, z: float = _Z95) -> Interval:
    """Wilson's score interval of a share. ValueError where n is not positive or hits are not within 0..n."""
    if n <= 0 or not 0 <= hits <= n:
        raise ValueError(f"{hits} of {n} is no share")
    share, square = hits / n, z * z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    # At the ends the formula is exact, and rounding must not leave 0-1.
    low = 0.0 if hits == 0 else max(0.0, middle - half)
    high = 1.0 if hits == n else min(1.0, middle + half)
    return Interval(low, high)


def difference(first: Share, second: Share, *, z: float = _Z95) -> tuple[float, Interval] | None:
    """`first` less `second` with Newcombe's hybrid score interval (1998, method 10), within -1 to 1; None where one of
    them is of nothing."""
    if not first.n or not second.n:
        return None
    one, other = first.hits / first.n, second.hits / second.n
    mine, theirs = wilson(first.hits, first.n, z=z), wilson(second.hits, second.n, z=z)
    low = one - other - math.hypot(one - mine.low, theirs.high - other)
    high = one - other + math.hypot(mine.high - one, other - theirs.low)
    return one - other, Interval(max(-1.0, low), min(1.0, high))


def f1(precision: float | None, recall: float | None) -> float | None:
    """Harmonic mean; None where one of the two is, 0 where both are."""
    if precision is None or recall is None:
        return None
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def f1_interval(hits: int, predicted: int, positives: int, *, z: float = _Z95) -> Interval | None:
    """Of `f1`; None where nothing is predicted and nothing positive.

    F1 rises with the share of hits among the leads that are either, which has Wilson's interval.
    """
    either = predicted + positives - hits
    if either <= 0:
        return None
    return Interval(*(2 * share / (1 + share) for share in wilson(hits, either, z=z)))


def curve(scores: Sequence[float], positives: Sequence[bool]) -> list[tuple[float, float, float]]:
    """Recall and precision at every score from which on leads may be taken: (score, recall, precision), best first."""
    ranked = sorted(zip(scores, positives, strict=True), key=lambda pair: -pair[0])
    total, hits, found = sum(positives), 0, []
    for place, (score, positive) in enumerate(ranked, start=1):
        hits += positive
        if total and (place == len(ranked) or ranked[place][0] != score):
            found.append((score, hits / total, hits / place))
    return found


def auc(scores: Sequence[float], positives: Sequence[bool], *, weights: Sequence[float] | None = None) -> float | None:
    """Probability that a positive ranks above a negative, ties counting half; None where one kind is missing."""
    ranked = sorted(zip(scores, positives, _counted(weights, scores), strict=True), key=lambda item: item[0])
    wins, above, below, place = 0.0, 0.0, 0.0, 0
    while place < len(ranked):
        end = place
        while end < len(ranked) and ranked[end][0] == ranked[place][0]:
            end += 1
        tied = math.fsum(weight for _, positive, weight in ranked[place:end] if positive)
        others = math.fsum(weight for _, positive, weight in ranked[place:end] if not positive)
        wins += tied * (below + others / 2)
        above, below, place = above + tied, below + others, end
    return wins / (above * below) if above and below else None


def auc_interval(value: float, positives: int, negatives: int, *, z: float = _Z95) -> Interval:
    """Hanley and McNeil's interval of an area, for display; ValueError where one kind is missing."""
    if positives < 1 or negatives < 1:
        raise ValueError("an area needs positives and negatives")
    two_positives, two_negatives = value / (2 - value), 2 * value * value / (1 + value)
    square = value * value
    variance = (
        value * (1 - value) + (positives - 1) * (two_positives - square) + (negatives - 1) * (two_negatives - square)
    ) / (positives * negatives)
    half = z * math.sqrt(max(0.0, variance))
    return Interval(max(0.0, value - half), min(1.0, value + half))


def reliability(
    confidences: Sequence[float],
    right: Sequence[bool],
    *,
    weights: Sequence[float] | None = None,
    bins: int = BINS,
) -> list[Bin]:
    """Bins of equal width over 0-1 that hold something; 1.0 belongs to the last."""
    members: dict[int, list[tuple[float, bool, float]]] = {}
    for confidence, hit, weight in zip(confidences, right, _counted(weights, right), strict=True):
        members.setdefault(min(bins - 1, int(confidence * bins)), []).append((confidence, hit, weight))
    return [_bin(number, bins, found) for number, found in sorted(members.items())]


def _bin(number: int, bins: int, found: Sequence[tuple[float, bool, float]]) -> Bin:
    weight = math.fsum(item[2] for item in found)
    return Bin(
        low=number / bins,
        high=(number + 1) / bins,
        n=len(found),
        confidence=math.fsum(confidence * each for confidence, _, each in found) / weight,
        right=math.fsum(each for _, hit, each in found if hit) / weight,
        weight=weight,
    )


def ece(bins: Iterable[Bin]) -> float | None:
    """Expected calibration error: mean distance of stated and observed, weighted by bin; None without any."""
    found = list(bins)
    total = math.fsum(item.weight for item in found)
    return math.fsum(item.weight * abs(item.confidence - item.right) for item in found) / total if total else None


def brier(
    confidences: Sequence[float], right: Sequence[bool], *, weights: Sequence[float] | None = None
) -> float | None:
    """Mean squared distance of the stated probability from what came true; None without any."""
    found = list(zip(confidences, right, _counted(weights, right), strict=True))
    total = math.fsum(weight for _, _, weight in found)
    return math.fsum(weight * (stated - hit) ** 2 for stated, hit, weight in found) / total if total else None


def _counted(weights: Sequence[float] | None, like: Sequence[object]) -> Sequence[float]:
    return weights if weights is not None else [1.0] * len(like)


def kappa(first: Sequence[str], second: Sequence[str]) -> float | None:
    """Cohen's kappa of two raters; None without items, or where chance alone agrees on everything."""
    n = len(first)
    agreed = sum(a == b for a, b in zip(first, second, strict=True))
    mine, theirs = Counter(first), Counter(second)
    expected = sum(mine[value] * theirs[value] for value in mine)
    return (n * agreed - expected) / (n * n - expected) if n and expected != n * n else None


def weighted_kappa(first: Sequence[str], second: Sequence[str], *, order: Sequence[str]) -> float | None:
    """Cohen's kappa with squared distances for ordered values (tiers); None where it is not defined."""
    place = {value: index for index, value in enumerate(order)}
    a, b = [place[value] for value in first], [place[value] for value in second]
    observed = sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) * len(a)
    expected = sum((x - y) ** 2 for x in a for y in b)
    return 1 - observed / expected if expected else None


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p of two raters being equally often right, from the cases that only one of them had right."""
    n = only_first + only_second
    tail = sum(math.comb(n, k) for k in range(min(only_first, only_second) + 1))
    return min(1.0, float(2 * tail / 2**n))
