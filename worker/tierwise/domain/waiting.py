"""How long something takes where not all of it has happened yet: what still waits is neither left out nor counted as
done.

The product-limit estimate (Kaplan and Meier, 1958) with its interval by log-log (Kalbfleisch and Prentice, 1980).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from tierwise.domain.measures import Interval

_Z95 = 1.959963984540054


class Wait(NamedTuple):
    """One thing that was waited for."""

    seconds: float
    """Until it happened, or for as long as it was watched."""
    ended: bool
    """It happened."""


class Step(NamedTuple):
    """From `seconds` on, that share has happened."""

    seconds: float
    share: float
    low: float
    high: float


class Curve(NamedTuple):
    """How the share of what has happened grows with time."""

    n: int
    ended: int
    steps: tuple[Step, ...]
    """Ascending; empty where nothing has happened."""
    last: float
    """The longest wait that was watched, ended or not; 0 without any."""

    def quantile(self, share: float) -> float | None:
        """Seconds after which that share has happened; None where it was not reached as long as it was watched."""
        return next((step.seconds for step in self.steps if step.share >= share - 1e-12), None)

    def quantile_interval(self, share: float) -> tuple[float | None, float | None] | None:
        """95 %: seconds between which `quantile` lies, an end that was not reached is None; None without any wait."""
        if not self.n:
            return None
        low = next((step.seconds for step in self.steps if step.high >= share - 1e-12), None)
        high = next((step.seconds for step in self.steps if step.low >= share - 1e-12), None)
        return low, high

    def within(self, seconds: float) -> float | None:
        """The share that happens within so many seconds; None where nothing was watched for as long."""
        reached = [step.share for step in self.steps if step.seconds <= seconds]
        share = reached[-1] if reached else 0.0
        return share if share >= 1 - 1e-12 or self.last >= seconds else None


def curve(waits: Iterable[Wait]) -> Curve:
    """The estimate. Raises ValueError for a wait of less than no time."""
    found = sorted(waits)
    if any(wait.seconds < 0 for wait in found):
        raise ValueError("a wait takes 0 seconds or more")
    ended = Counter(wait.seconds for wait in found if wait.ended)
    left = Counter(wait.seconds for wait in found)
    watched, waiting, spread = len(found), 1.0, 0.0
    steps: list[Step] = []
    for seconds in sorted(left):
        happened = ended[seconds]
        if happened:
            waiting *= 1 - happened / watched
            spread = math.inf if happened == watched else spread + happened / (watched * (watched - happened))
            interval = _interval(waiting, spread)
            steps.append(Step(seconds, 1 - waiting, 1 - interval.high, 1 - interval.low))
        watched -= left[seconds]
    return Curve(len(found), sum(ended.values()), tuple(steps), found[-1].seconds if found else 0.0)


def _interval(waiting: float, spread: float) -> Interval:
    """Of the share that still waits; `spread` is Greenwood's sum."""
    if waiting <= 0 or math.isinf(spread):
        # The last one happened: the formula ends where nobody is left to watch.
        return Interval(0.0, 1.0)
    if waiting >= 1:
        return Interval(1.0, 1.0)
    half = _Z95 * math.sqrt(spread) / abs(math.log(waiting))
    return Interval(waiting ** math.exp(half), waiting ** math.exp(-half))
