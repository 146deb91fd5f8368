"""Leaves an account in peace for a while when every call to it fails, instead of hammering it.

One breaker for each account and process: `of`. It knows no HTTP; who calls says what was a failure.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from tierwise import errors


class Breaker:
    """Opens after `failures` in a row, for `rest` seconds; then one call at a time is let through to try."""

    def __init__(self, *, failures: int = 5, rest: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures = failures
        self._rest = rest
        self._clock = clock
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls are refused now."""
        with self._lock:
            return self._in_a_row >= self._failures and self._clock() < self._open_until

    @property
    def rest_left(self) -> float:
        """Seconds until a call is let through; 0 where calls are."""
        with self._lock:
            return max(0.0, self._open_until - self._clock()) if self._in_a_row >= self._failures else 0.0

    def admit(self, *, place: str) -> None:
        """Go ahead, or RetryLater with the seconds that are left. Whoever comes first after the rest is the trial."""
        with self._lock:
            if self._in_a_row < self._failures:
                return
            left = self._open_until - self._clock()
            if left <= 0:
                # The next one waits a rest again, so a trial that never reports back blocks nobody for ever.
                self._open_until = self._clock() + self._rest
                return
        told = errors.RetryLater(f"left in peace after {self._failures} failures in a row", after=left, place=place)
        told.fault = "resting"
        raise told

    def succeeded(self) -> None:
        """It answers."""
        with self._lock:
            self._in_a_row = 0

    def failed(self) -> None:
        """It did not answer, or with a fault of its own."""
        with self._lock:
            self._in_a_row += 1
            if self._in_a_row >= self._failures:
                self._open_until = self._clock() + self._rest


_breakers: dict[str, Breaker] = {}
_guard = threading.Lock()


def of(account: str) -> Breaker:
    """The process's breaker for `account`, so that it outlives the sessions that come and go with each task."""
    with _guard:
        return _breakers.setdefault(account, Breaker())


def rest_left(account: str) -> float:
    """Seconds for which this process leaves `account` in peace, whichever of its hosts it is; 0 where it does not."""
    with _guard:
        held = [one for name, one in _breakers.items() if name.partition(" ")[0] == account]
    return max((one.rest_left for one in held), default=0.0)


def forget(account: str) -> None:
    """Its failures count no more: somebody has seen to it."""
    with _guard:
        for name in [name for name in _breakers if name.partition(" ")[0] == account]:
            del _breakers[name]
