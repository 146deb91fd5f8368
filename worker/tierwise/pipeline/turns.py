"""How long a pass over a CRM keeps its hand of the worker.

A pass that has much to read mostly sleeps until the CRM allows the next call. While all hands of a worker sleep like
that, nobody decides leads, and not even a tick runs.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from tierwise import ports, telemetry

log = telemetry.log(__name__)
LEAST = 2.0
"""Seconds that a pass has in any case from its first page on: where nobody decides leads at all, it must still get
somewhere. Each time that it made room and no decision came of it, it has twice as many the next time."""
MOST_DOUBLED = 6
"""Then a pass reads for as long as it may anyway."""
PATIENCE = 1.0
"""Seconds that leads may be due before somebody is woken for them, and as many until that would have helped."""


class Turn:
    """One pass's time. Not reusable, not shared between threads."""

    def __init__(
        self,
        store: ports.Store,
        kind: str,
        connection: str,
        *,
        owner: str,
        clock: ports.Clock,
        monotonic: Callable[[], float],
        wake: Callable[[], None],
    ) -> None:
        """`wake` calls somebody to decide leads; with a free hand in the worker that is all it takes."""
        # Noted in the database: the pass may go on in another process.
        self._store, self._slots, self._owner = store, (f"room {kind}", connection), owner
        self._clock, self._monotonic, self._wake = clock, monotonic, wake
        self._look_at: float | None = None
        self._woken = False
        self.gave_way = False
        """The pass ended for the sake of leads: it is to go on after them."""

    def over(self) -> bool:
        """Whether to end between two pages: leads are due, and nobody decides any although somebody was called."""
        now = self._monotonic()
        if self._look_at is None:
            # The first page is on its way or read: what came before it, such as the CRM's clock, may have taken long.
            self._look_at = now + LEAST * 2 ** min(self._in_vain(), MOST_DOUBLED)
        if self.gave_way or now < self._look_at:
            return self.gave_way
        if not self._neglected():
            self._woken = False
        elif self._woken:
            self._give_way()
        else:
            self._wake()
            self._woken, self._look_at = True, now + PATIENCE
        return self.gave_way

    def _neglected(self) -> bool:
        now = self._clock()
        return self._store.works.neglected(since=now - timedelta(seconds=PATIENCE), now=now)

    def _in_vain(self) -> int:
        """How often it made room since somebody last decided a lead."""
        return self._store.slots.claimed(*self._slots, since=self._store.decisions.latest())

    def _give_way(self) -> None:
        now = self._clock()
        self._store.slots.claim(*self._slots, now, by=self._owner, now=now)
        self.gave_way = True
        log.info("a pass makes room for leads that nobody decides", of=self._slots[0].removeprefix("room "))
