"""Exact one-sided bounds of a proportion: what a count of labels proves, and no more.

`lower` and `upper` hold at a number of labels that was fixed beforehand (Clopper and Pearson, 1934); `anytime_lower`
and `anytime_upper` hold however often somebody looks (Robbins, 1970: a mixture of likelihood ratios).
Intervals for display are in `measures`. Probabilities are 0-1, `alpha` is the error that is allowed.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

TINY = 1e-300
STEPS = 60
"""Halvings of [0, 1]: more digits than a float holds."""


def tail(successes: int, n: int, *, p: float) -> float:
    """P(X >= successes) of a binomial X; exact to about 1e-12."""
    _check(min(max(successes, 0), n), n)
    if successes <= 0:
        return 1.0
    if successes > n:
        return 0.0
    return beta_cdf(p, successes, n - successes + 1)


@functools.lru_cache(maxsize=65536)
def lower(successes: int, n: int, *, alpha: float) -> float:
    """The largest p that so many successes disprove: P(true p < lower) <= alpha; 0 without any success."""
    _check(successes, n)
    if successes == 0:
        return 0.0
    return _solve(lambda p: beta_cdf(p, successes, n - successes + 1) < alpha)


def upper(successes: int, n: int, *, alpha: float) -> float:
    """The mirror of `lower`: P(true p > upper) <= alpha; 1 where everything was a success, or nothing is known."""
    return 1.0 - lower(n - successes, n, alpha=alpha)


@functools.lru_cache(maxsize=65536)
def anytime_lower(successes: int, n: int, *, alpha: float) -> float:
    """Like `lower`, and true at every n at once: whoever looks after each label is wrong with at most alpha, ever."""
    _check(successes, n)
    if successes == 0:
        return 0.0
    wanted = -math.log(alpha)
    return _solve(lambda p: evidence(successes, n, against=p) >= wanted, highest=successes / n)


def anytime_upper(successes: int, n: int, *, alpha: float) -> float:
    """The mirror of `anytime_lower`."""
    return 1.0 - anytime_lower(n - successes, n, alpha=alpha)


def evidence(successes: int, n: int, *, against: float) -> float:
    """Logarithm of the wealth of who bets that p > `against`: by chance it ever reaches log(1/a) with at most a.

    The bet is spread evenly over all p above `against` (a beta(1, 1) prior, cut off below).
    """
    _check(successes, n)
    if against <= 0:
        return math.inf if successes else 0.0
    if against >= 1:
        return -math.inf if successes < n else 0.0
    a, b = successes + 1, n - successes + 1
    above = max(beta_cdf(1 - against, b, a), TINY)  # the mass above, without cancellation
    mixed = _log_beta(a, b) + math.log(above) - math.log1p(-against)
    return mixed - successes * math.log(against) - (n - successes) * math.log1p(-against)


def needed(n: int, *, target: float, alpha: float) -> int:
    """Smallest number of successes of n whose `lower` reaches the target; n + 1 where even n would not."""
    low, high = 0, n + 1
    while low < high:
        middle = (low + high) // 2
        if tail(middle, n, p=target) <= alpha:
            high = middle
        else:
            low = middle + 1
    return low


def labels_for(target: float, *, truth: float, alpha: float, power: float = 0.8, most: int = 20_000) -> int | None:
    """How many labels prove `target` with that power where the truth is `truth`; None where `most` would not do.

    The first number from which a verdict is that likely; the saw-tooth of exact tests may dip below it once more.
    """
    if truth <= target:
        return None
    n = 1
    while n <= most:
        if tail(needed(n, target=target, alpha=alpha), n, p=truth) >= power:
            return n
        n += max(1, n // 100)
    return None


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), by its continued fraction (modified Lentz's method)."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    front = math.exp(a * math.log(x) + b * math.log1p(-x) - _log_beta(a, b))
    # Each side of the mean has the form that converges in about sqrt(max(a, b)) steps.
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1.0 / _away(1.0 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1.0 / _away(1.0 + even * d)
        c = _away(1.0 + even / c)
        value *= c * d
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1.0 / _away(1.0 + odd * d)
        c = _away(1.0 + odd / c)
        step = c * d
        value *= step
        if abs(step - 1.0) < 1e-15:
            break
    return value


def _away(value: float) -> float:
    """From zero, which the fraction must not be divided by."""
    return value if abs(value) > TINY else TINY


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _solve(holds: Callable[[float], bool], *, highest: float = 1.0) -> float:
    """The end of the stretch from 0 on which `holds` is true, from below: never more than is proved."""
    low, high = 0.0, highest
    for _ in range(STEPS):
        middle = (low + high) / 2
        if holds(middle):
            low = middle
        else:
            high = middle
    return low


def _check(successes: int, n: int) -> None:
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}")
