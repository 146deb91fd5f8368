"""Stated probability -> calibrated probability, by a curve that is as simple as the number of labels demands.

Nothing below 50 labels, one number (temperature) from 50, two (Platt) from 200, any rising curve (isotonic) from 1,000.
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


def method_for(labels: int) -> Method:
    """What that many labels allow."""
    return next((method for least, method in FROM if labels >= least), "none")


def fit(stated: Sequence[float], right: Sequence[bool], *, method: Method | None = None) -> Curve:
    """The curve for these labels, by `method_for` unless told otherwise. Never falling: a slope below 0 becomes 0."""
    method = method or method_for(len(stated))
    if method == "none":
        return Curve()
    if method == "isotonic":
        return Curve(method=method, points=_isotonic(stated, right))
    odds = [log_odds(value) for value in stated]
    if method == "temperature":
        return Curve(method=method, slope=_one(odds, right))
    intercept, slope = _two(odds, right)
    return Curve(method=method, intercept=intercept, slope=slope)


def loss(odds: Sequence[float], right: Sequence[bool]) -> float:
    """Mean negative log-likelihood of what happened, given log-odds."""
    terms = (math.log1p(math.exp(-abs(value))) + max(-value if hit else value, 0.0)
             for value, hit in zip(odds, right, strict=True))  # fmt: skip
    return math.fsum(terms) / len(odds)


def _one(odds: Sequence[float], right: Sequence[bool]) -> float:
    """The slope of greatest likelihood: the loss is convex in it, so thirds of an interval close in on it."""
    low, high = 0.0, 8.0
    for _ in range(_ROUNDS):
        third = (high - low) / 3
        left, other = low + third, high - third
        if loss([left * x for x in odds], right) <= loss([other * x for x in odds], right):
            high = other
        else:
            low = left
    return (low + high) / 2


def _two(odds: Sequence[float], right: Sequence[bool]) -> tuple[float, float]:
    """Newton's method on Platt's smoothed targets, so that a perfect separation stays finite."""
    hits = sum(right)
    misses = len(right) - hits
    targets = [(hits + 1) / (hits + 2) if hit else 1 / (misses + 2) for hit in right]
    intercept, slope = 0.0, 1.0

    def cost(a: float, b: float) -> float:
        lines = (a + b * x for x in odds)
        return math.fsum(
            math.log1p(math.exp(-abs(z))) + max(z, 0.0) - y * z for z, y in zip(lines, targets, strict=True)
        )

    now = cost(intercept, slope)
    for _ in range(_ROUNDS):
        g0 = g1 = h00 = h01 = h11 = 0.0
        for x, y in zip(odds, targets, strict=True):
            p = logistic(intercept + slope * x)
            error, weight = p - y, p * (1 - p)
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
    share = math.fsum(targets) / len(targets)
    return log_odds(share), 0.0


def _isotonic(stated: Sequence[float], right: Sequence[bool]) -> tuple[tuple[float, float], ...]:
    """Pool adjacent violators. Blocks without any error or any hit are drawn in by one of each, or confidence would
    be certainty."""
    pairs: dict[float, list[int]] = {}
    for value, hit in zip(stated, right, strict=True):
        counted = pairs.setdefault(value, [0, 0])
        counted[0] += hit
        counted[1] += 1
    blocks: list[tuple[float, int, int]] = []
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
