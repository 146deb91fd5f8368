"""How long a pass over a CRM keeps its hand of the worker.

A pass that has much to read mostly sleeps until the CRM allows the next call. While all hands of a worker sleep like
that, nobody decides leads, and not even a tick runs.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from tierwise import ports

LEAST = 2.0
"""Seconds that a pass has in any case: where nobody decides leads at all, it must still get somewhere."""
PATIENCE = 1.0
"""Seconds that leads may be due before a pass makes room for them."""


class Turn:
    """One pass's time. Not reusable, not shared between threads."""

    def __init__(self, works: ports.Works, *, clock: ports.Clock, monotonic: Callable[[], float]) -> None:
        self._works, self._clock, self._monotonic = works, clock, monotonic
        self._least = monotonic() + LEAST
        self.gave_way = False
        """The pass ended for the sake of leads: it is to go on after them."""

    def over(self) -> bool:
        """Whether to end between two pages: leads are due and nobody decides any."""
        if not self.gave_way and self._monotonic() >= self._least:
            now = self._clock()
            self.gave_way = self._works.neglected(since=now - timedelta(seconds=PATIENCE), now=now)
        return self.gave_way
