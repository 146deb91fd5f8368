"""Stated probability -> calibrated probability, by a curve that is as simple as the number of labels demands.

Nothing below 50 labels, one number (temperature) from 50, two (Platt) from 200, any rising curve (isotonic) from 1,000.
A label weighs as many leads as it stands for; labels are counted as the number of equal ones that would tell as much.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from typing import Literal

from tierwise.domain.belief import log_odds, logistic
from tierwise.domain.rubric import Frozen

Method = Literal["none", "temperature", "platt", "isotonic"]
FROM: tuple[tuple[int, Method], ...] = ((1000, "isotonic"), (200, "platt"), (50, "temperature"))
"""Labels from which each method is used."""
_ROUNDS = 60


class Curve(Frozen):
    """A rising function of 0-1 onto 0-1."""

    method: Method = "none"
    intercept: float = 0.0
    slope: float = 1.0
    points: tuple[tuple[float, float], ...] = ()
    """Isotonic: from which stated probability on which calibrated one holds."""

    def at(self, stated: float) -> float:
        """The calibrated probability, within 0-1."""
        if self.method == "none":
            return stated
        if self.method == "isotonic":
            place = bisect_right(self.points, stated, key=lambda point: point[0])
            return self.points[max(0, place - 1)][1]
        return logistic(self.intercept + self.slope * log_odds(stated))


def method_for(labels: float) -> Method:
    """What that many labels allow."""
    return next((method for least, method in FROM if labels >= least), "none")


def effective(weights: Sequence[float]) -> float:
    """How many equal labels would tell as much (Kish): their number where all weigh the same."""
    squares = math.fsum(weight * weight for weight in weights)
    return math.fsum(weights) ** 2 / squares if squares else 0.0


def scaled(weights: Sequence[float]) -> list[float]:
    """The same weights, adding up to the number of equal labels that would tell as much."""
    total, size = math.fsum(weights), effective(weights)
    return [weight * size / total for weight in weights]


def fit(
    stated: Sequence[float],
    right: Sequence[bool],
    *,
    weights: Sequence[float] | None = None,
    method: Method | None = None,
) -> Curve:
    """The curve for these labels, by `method_for` unless told otherwise. Never falling: a slope below 0 becomes 0."""
    counted = scaled(weights) if weights is not None else [1.0] * len(stated)
    method = method or method_for(math.fsum(counted))
    if method == "none":
        return Curve()
    if method == "isotonic":
        return Curve(method=method, points=_isotonic(stated, right, counted))
    odds = [log_odds(value) for value in stated]
    if method == "temperature":
        return Curve(method=method, slope=_one(odds, right, counted))
    intercept, slope = _two(odds, right, counted)
    return Curve(method=method, intercept=intercept, slope=slope)


def loss(odds: Sequence[float], right: Sequence[bool], weights: Sequence[float] | None = None) -> float:
    """Mean negative log-likelihood of what happened, given log-odds."""
    counted = weights if weights is not None else [1.0] * len(odds)
    terms = (weight * (math.log1p(math.exp(-abs(value))) + max(-value if hit else value, 0.0))
             for value, hit, weight in zip(odds, right, counted, strict=True))  # fmt: skip
    return math.fsum(terms) / math.fsum(counted)


def _one(odds: Sequence[float], right: Sequence[bool], weights: Sequence[float]) -> float:
    """The slope of greatest likelihood: the loss is convex in it, so thirds of an interval close in on it."""
    low, high = 0.0, 8.0
    for _ in range(_ROUNDS):
        third = (high - low) / 3
        left, other = low + third, high - third
        if loss([left * x for x in odds], right, weights) <= loss([other * x for x in odds], right, weights):
            high = other
        else:
            low = left
    return (low + high) / 2


def _two(odds: Sequence[float], right: Sequence[bool], weights: Sequence[float]) -> tuple[float, float]:
    """Newton's method on Platt's smoothed targets, so that a perfect separation stays finite."""
    hits = math.fsum(weight for weight, hit in zip(weights, right, strict=True) if hit)
    misses = math.fsum(weights) - hits
    targets = [(hits + 1) / (hits + 2) if hit else 1 / (misses + 2) for hit in right]
    intercept, slope = 0.0, 1.0

    def cost(a: float, b: float) -> float:
        lines = (a + b * x for x in odds)
        return math.fsum(
            w * (math.log1p(math.exp(-abs(z))) + max(z, 0.0) - y * z)
            for z, y, w in zip(lines, targets, weights, strict=True)
        )

    now = cost(intercept, slope)
    for _ in range(_ROUNDS):
        g0 = g1 = h00 = h01 = h11 = 0.0
        for x, y, w in zip(odds, targets, weights, strict=True):
            p = logistic(intercept + slope * x)
            error, weight = w * (p - y), w * p * (1 - p)
            g0, g1 = g0 + error, g1 + error * x
            h00, h01, h11 = h00 + weight, h01 + weight * x, h11 + weight * x * x
        h00, h11 = h00 + 1e-9, h11 + 1e-9
        det = h00 * h11 - h01 * h01
        if det <= 1e-15:
            break
        step0, step1 = (h11 * g0 - h01 * g1) / det, (h00 * g1 - h01 * g0) / det
        size = 1.0
        while size > 1e-6 and (tried := cost(intercept - size * step0, slope - size * step1)) > now:
            size /= 2
        if size <= 1e-6:
            break
        intercept, slope = intercept - size * step0, slope - size * step1
        if now - tried < 1e-12:
            break
        now = tried
    if slope >= 0:
        return intercept, slope
    share = math.fsum(w * y for w, y in zip(weights, targets, strict=True)) / math.fsum(weights)
    return log_odds(share), 0.0


def _isotonic(
    stated: Sequence[float], right: Sequence[bool], weights: Sequence[float]
) -> tuple[tuple[float, float], ...]:
    """Pool adjacent violators. Blocks without any error or any hit are drawn in by one of each, or confidence would
    be certainty."""
    pairs: dict[float, list[float]] = {}
    for value, hit, weight in zip(stated, right, weights, strict=True):
        counted = pairs.setdefault(value, [0.0, 0.0])
        counted[0] += weight if hit else 0.0
        counted[1] += weight
    blocks: list[tuple[float, float, float]] = []
    for value in sorted(pairs):
        hits, n = pairs[value]
        start = value
        while blocks and blocks[-1][1] * n >= hits * blocks[-1][2]:
            before = blocks.pop()
            start, hits, n = before[0], hits + before[1], n + before[2]
        blocks.append((start, hits, n))
    points, floor = [], 0.0
    for start, hits, n in blocks:
        share = hits / n if 0 < hits < n else (hits + 1) / (n + 2)
        floor = max(floor, share)
        points.append((start, floor))
    return tuple(points)
