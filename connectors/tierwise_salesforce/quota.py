"""The org's API calls of the last 24 hours, as every answer tells them, and the part that is left for people.

One for each org and process. It knows no HTTP.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

LOOK_AGAIN = 900.0
"""Seconds until one call is spent to learn whether there are calls again: the allowance is over a rolling day."""
# `api-usage=18/5000`, or with `; per-app-api-usage=17/250(appName=x)` behind it.
_PART = re.compile(r"(?<![\w-])(per-app-api-usage|api-usage)=(\d{1,12})/(\d{1,12})")


class Usage(NamedTuple):
    """Calls used, of how many."""

    used: int
    allowed: int


def parse(header: str) -> tuple[Usage, ...]:
    """The allowances in a Sforce-Limit-Info header: the org's, and the app's own where it has one."""
    return tuple(Usage(int(used), int(allowed)) for _, used, allowed in _PART.findall(header))


class Quota:
    """What is known of one org's allowance. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tightest: Usage | None = None
        self._learned = 0.0

    def learn(self, header: str) -> None:
        """From an answer's Sforce-Limit-Info; of several allowances the one that is nearest to its end counts."""
        found = [usage for usage in parse(header) if usage.allowed > 0]
        if found:
            with self._lock:
                self._tightest = max(found, key=lambda usage: usage.used / usage.allowed)
                self._learned = self._clock()

    def last(self) -> Usage | None:
        """What was learned last; None before the first answer."""
        with self._lock:
            return self._tightest

    def wait(self, *, reserve_percent: float) -> float:
        """Seconds until the next call may be made; 0 for at once."""
        with self._lock:
            usage = self._tightest
            if usage is None or usage.used < usage.allowed * (100.0 - reserve_percent) / 100.0:
                return 0.0
            return max(0.0, LOOK_AGAIN - (self._clock() - self._learned))


_held: dict[str, Quota] = {}
_guard = threading.Lock()


def of(org: str) -> Quota:
    """The process's knowledge of an org, which outlives the connections that come and go with each task."""
    with _guard:
        return _held.setdefault(org, Quota())
