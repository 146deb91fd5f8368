"""A circuit breaker for one model, so that a provider that is down costs one call in a while instead of every lead.

Not thread-safe: it belongs to the event loop that makes the calls.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Literal

State = Literal["closed", "open", "half_open"]


class Breaker:
    """Opens after failures in a row, or when too many of the last calls failed; then one probe decides."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        failures: int = 5,
        ratio: float = 0.5,
        window: int = 20,
        rest_seconds: float = 30.0,
    ) -> None:
        """`clock` is monotonic seconds. `ratio` counts only over a full `window` of calls."""
        self._clock = clock
        self._failures = failures
        self._ratio = ratio
        self._rest = rest_seconds
        self._recent: deque[bool] = deque(maxlen=window)
        self._in_a_row = 0
        self._open_until: float | None = None
        self._probing = False
        self._generation = 0

    @property
    def state(self) -> State:
        """`half_open`: the rest is over, and the next call, or the one under way, is the probe."""
        if self._open_until is None:
            return "closed"
        return "open" if self._clock() < self._open_until else "half_open"

    def enter(self) -> int | None:
        """A ticket for one call, to be given back with its outcome; None while no call may start."""
        state = self.state
        if state == "open" or (state == "half_open" and self._probing):
            return None
        self._probing = state == "half_open"
        return self._generation

    def succeeded(self, ticket: int) -> None:
        """The call came back well."""
        if ticket != self._generation:
            # It started before the breaker last changed: a straggler proves nothing about now.
            return
        if self._open_until is not None:
            self._change(open_until=None)
        self._in_a_row = 0
        self._recent.append(True)

    def failed(self, ticket: int) -> None:
        """The call failed in a way that others would share."""
        if ticket != self._generation:
            return
        self._recent.append(False)
        self._in_a_row += 1
        full = len(self._recent) == self._recent.maxlen
        mostly = full and self._recent.count(False) >= self._ratio * len(self._recent)
        if self._probing or mostly or self._in_a_row >= self._failures:
            self.trip()

    def abandoned(self, ticket: int) -> None:
        """The call ended without telling anything: cancelled, or refused for its own content."""
        if ticket == self._generation:
            self._probing = False

    def trip(self) -> None:
        """Open at once: every call would meet the same failure."""
        self._change(open_until=self._clock() + self._rest)

    def _change(self, *, open_until: float | None) -> None:
        self._open_until = open_until
        self._generation += 1
        self._probing = False
        self._in_a_row = 0
        self._recent.clear()
