"""Beat's schedule: one entry, kept in memory, and beat's sign of life."""

from __future__ import annotations

from typing import Any

import celery.beat

from tierwise import telemetry
from tierwise.errors import TierwiseError
from tierwise.tasks import process

log = telemetry.log(__name__)


class TickScheduler(celery.beat.Scheduler):  # type: ignore[misc]
    """Beat's scheduler, in memory (one entry has no state worth a file), with a heartbeat after every round.

    The heartbeat is written where the schedule is worked off, so that a wedged beat cannot look alive.
    """

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """One round of the schedule; seconds until the next."""
        wait = super().tick(*args, **kwargs)
        try:
            process.current.heartbeat("beat")
        except TierwiseError as error:
            log.warning("heartbeat not written", error=str(error))
        return wait
