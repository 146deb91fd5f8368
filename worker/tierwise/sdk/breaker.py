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
        raise errors.RetryLater(f"left in peace after {self._failures} failures in a row", after=left, place=place)

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
