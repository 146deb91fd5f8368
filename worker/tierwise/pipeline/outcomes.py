"""What became of the leads: read from the CRM behind the poll, kept as labels where it differs from what was known.

Outcomes are what sales did, not what a drawn sample would say: their sampling probability is unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from tierwise import ports
from tierwise.errors import RetryLater, TierwiseError
from tierwise.pipeline import clocks, poll
from tierwise.pipeline.reconcile import Trail
from tierwise.sdk import Connector, TellsOutcomes


class Told(NamedTuple):
    """What one pass did."""

    windows: int = 0
    pages: int = 0
    outcomes: int = 0
    """As the CRM told them."""
    labels: int = 0
    """Those that were new, of leads that we know."""


def outcomes(
    store: ports.Store,
    connector: Connector,
    *,
    connection: str,
    owner: str,
    clock: ports.Clock,
    monotonic: Callable[[], float],
    pace: poll.Pace,
    trail: Trail,
    stop: Callable[[], bool] = lambda: False,
) -> Told | None:
    """Read window after window up to the lag, until time is up or `stop` says so between two pages.

    None where the connector has none to tell, somebody else reads them, or the connection is off.
    """
    if not isinstance(connector, TellsOutcomes):
        return None
    claim = store.cursors.claim(connection, owner=owner, lease=pace.lease, now=clock(), kind="outcomes")
    if claim is None:
        return None
    give_up = monotonic() + pace.longest
    report = Told()
    error, wait = "interrupted", 0.0
    try:
        theirs = clocks.ask(connector, clock)
        while monotonic() < give_up and not stop():
            until = claim.window_until
            if until is None:
                until = trail.end(claim.watermark, now=theirs.now)
                if until <= claim.watermark:
                    break
                claim = store.cursors.open_window(claim, until=until, now=clock())
            for page in connector.outcomes(claim.watermark, until, position=claim.position):
                last = page.position is None
                new = store.labels.keep_outcomes(
                    claim, page.outcomes, position=page.position, watermark=until if last else None, now=clock(),
                    ahead=theirs.ahead(),
                )  # fmt: skip
                report = report._replace(
                    pages=report.pages + 1, outcomes=report.outcomes + len(page.outcomes), labels=report.labels + new
                )
                if last:
                    report = report._replace(windows=report.windows + 1)
                    claim = claim._replace(watermark=until, window_until=None, position=None)
                elif monotonic() >= give_up or stop():
                    break
        error = ""
    except RetryLater as later:
        error, wait = str(later), min(later.after or 0.0, poll.LONGEST_WAIT)
        raise
    except TierwiseError as failed:
        error = str(failed)
        raise
    finally:
        next_at = clock() + timedelta(seconds=max(wait, pace.every))
        store.cursors.release(claim, next_poll_at=next_at, error=error, now=clock())
    return report
