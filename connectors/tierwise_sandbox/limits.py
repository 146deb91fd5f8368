"""HubSpot's rate limits: off unless set, and then with the bodies and headers that the real ones have.

Search has its own limit per second and does not draw on the ten-second window.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from tierwise_sandbox.refusals import Refusal, rate_limited

WINDOW_SECONDS = 10.0
DAY_SECONDS = 86_400.0


@dataclass
class Limits:
    """None = no limit. Counts are of one rolling window (search: 1 s, others: 10 s) and of one day."""

    search_per_second: int | None = None
    burst: int | None = None
    daily: int | None = None
    now: Callable[[], float] = time.monotonic
    used_today: int = 0
    refused: int = 0
    _searches: deque[float] = field(default_factory=deque)
    _others: deque[float] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._day_began = self.now()

    def set(self, given: Mapping[str, Any]) -> None:
        """Set limits by name, and `used_today`: what the day has cost so far.

        ValueError for a name or value that means nothing.
        """
        known = {entry.name for entry in fields(self)[:3]}
        for name, value in given.items():
            if name == "used_today" and isinstance(value, int) and value >= 0:
                self.used_today = value
                continue
            if name not in known or not (value is None or (isinstance(value, int) and value > 0)):
                raise ValueError(f"rate_limits: {name}: {value!r}; known: {sorted(known)}, positive or null")
            setattr(self, name, value)

    def take(self, *, search: bool) -> None:
        """Count one call, or refuse it with 429."""
        with self._lock:
            if self.now() - self._day_began >= DAY_SECONDS:
                self._new_day()
            if self.daily is not None and self.used_today >= self.daily:
                self._refuse("DAILY")
            window, allowed, seconds = (
                (self._searches, self.search_per_second, 1.0) if search else (self._others, self.burst, WINDOW_SECONDS)
            )
            now = self.now()
            while window and window[0] <= now - seconds:
                window.popleft()
            if allowed is not None and len(window) >= allowed:
                self._refuse("SECONDLY" if search else "TEN_SECONDLY_ROLLING")
            window.append(now)
            self.used_today += 1

    def headers(self) -> dict[str, str]:
        """What answers to GET carry; search and the batch endpoints carry none."""
        with self._lock:
            burst, daily = self.burst or 100, self.daily or 250_000
            return {
                "X-HubSpot-RateLimit-Max": str(burst),
                "X-HubSpot-RateLimit-Remaining": str(max(0, burst - len(self._others))),
                "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(WINDOW_SECONDS * 1000)),
                "X-HubSpot-RateLimit-Daily": str(daily),
                "X-HubSpot-RateLimit-Daily-Remaining": str(max(0, daily - self.used_today)),
                "X-HubSpot-RateLimit-Secondly": str(burst // 10),
            }

    def _new_day(self) -> None:
        self.used_today = 0
        self._day_began = self.now()

    def _refuse(self, policy: str) -> None:
        self.refused += 1
        refusal: Refusal = rate_limited(policy, group="publicapi:private-apps:api-calls")
        raise refusal
