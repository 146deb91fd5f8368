"""Notices carried to people by notifiers, each a stranger's code: one that hangs or breaks holds up no other.

A notice is delivered at least once. What cannot be delivered is given up after a while, with the reason kept.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import wait
from datetime import timedelta
from typing import NamedTuple

from tierwise import errors, ports, telemetry
from tierwise.pipeline import backoff
from tierwise.pipeline.crew import Crew
from tierwise.sdk import Notifier

log = telemetry.log(__name__)


class Pace(NamedTuple):
    """How notices go out; seconds."""

    limit: int = 20
    lease: float = 900.0
    longest: float = 30.0
    """The most that one notice takes."""
    attempts: int = 8


class Told(NamedTuple):
    """What one run did."""

    sent: int = 0
    retried: int = 0
    dead: int = 0


def deliver(
    notifications: ports.Notifications,
    open_: Callable[[str], Notifier],
    *,
    clock: ports.Clock,
    random: Callable[[], float],
    pace: Pace,
) -> Told:
    """Send what is due. `open_` gives the notifier of a name, or raises the families."""
    told = Told()
    for dispatch in notifications.claim(limit=pace.limit, lease=pace.lease, now=clock()):
        error = attempt(dispatch, open_, seconds=pace.longest)
        if error is None:
            notifications.sent(dispatch, now=clock())
            told = told._replace(sent=told.sent + 1)
        elif dispatch.attempt >= pace.attempts:
            notifications.give_up(dispatch, error=error)
            told = told._replace(dead=told.dead + 1)
            log.error("notice given up", notifier=dispatch.notifier, event_kind=dispatch.notice.event, error=error)
        else:
            wait_for = backoff.delay(dispatch.attempt, jitter=random(), first=10.0, most=3600.0)
            notifications.retry(dispatch, error=error, run_after=clock() + timedelta(seconds=wait_for))
            told = told._replace(retried=told.retried + 1)
        result = "sent" if error is None else "failed"
        telemetry.count("tierwise_notices_total", notifier=dispatch.notifier, result=result)
    return told


def attempt(dispatch: ports.Dispatch, open_: Callable[[str], Notifier], *, seconds: float) -> str | None:
    """One try on a thread of its own; None where it was delivered, else why not."""
    crew = Crew(f"notifier-{dispatch.notifier}", size=1)

    def tell() -> None:
        with contextlib.closing(open_(dispatch.notifier)) as notifier:
            notifier.notify(dispatch.notice)

    future = crew.submit(tell)
    wait([future], timeout=seconds)
    crew.close()
    if not future.done():
        return f"no answer within {seconds:g} s"
    error = future.exception()
    if error is None:
        return None
    return str(error) if isinstance(error, errors.TierwiseError) else f"it broke with {type(error).__name__}"
