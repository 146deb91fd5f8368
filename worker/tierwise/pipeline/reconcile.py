"""A second reading that follows the poll by the index lag and finds what the CRM's search showed too late.

Nothing that is known already is decided again: what both passes read is told by its fingerprint.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from tierwise import ports
from tierwise.domain.mapping import FieldMap
from tierwise.pipeline import poll
from tierwise.pipeline.map import Enrich
from tierwise.sdk import Connector


class Trail(NamedTuple):
    """How a pass follows the poll; seconds."""

    lag: float = 3600.0
    """How far it stays behind the CRM's clock."""
    window: float = 3600.0
    """The most that is read at once, where it is not far behind."""

    def due(self, watermark: datetime | None, *, now: datetime) -> bool:
        """Whether there is anything to read yet, by our own clock."""
        return watermark is not None and watermark + timedelta(seconds=self.lag) < now

    def end(self, watermark: datetime, *, now: datetime) -> datetime:
        """Of the window that begins at the watermark; `now` is the CRM's.

        Far behind it is a tenth of what is left: a month of quiet hours, one by one, would take the poll's calls.
        """
        upto = now - timedelta(seconds=self.lag)
        return min(upto, watermark + max(timedelta(seconds=self.window), (upto - watermark) / 10))


def reconcile(
    store: ports.Store,
    connector: Connector,
    *,
    connection: str,
    field_map: FieldMap,
    properties: tuple[str, ...],
    policy: str,
    owner: str,
    clock: ports.Clock,
    monotonic: Callable[[], float],
    pace: poll.Pace,
    trail: Trail,
    stop: Callable[[], bool] = lambda: False,
    enrich: Enrich | None = None,
) -> poll.Polled | None:
    """Read window after window up to the lag, until time is up or `stop` says so between two pages.

    None where somebody else does, or it is off.
    """
    give_up = monotonic() + pace.longest
    now = connector.now()
    total: poll.Polled | None = None
    while monotonic() < give_up:
        report = poll.poll(
            store, connector, connection=connection, field_map=field_map, properties=properties, policy=policy,
            owner=owner, clock=clock, monotonic=monotonic, kind="reconcile", stop=stop, enrich=enrich,
            # The lag is far behind what the poll's overlap is for.
            pace=pace._replace(overlap=0.0, longest=max(0.0, give_up - monotonic())),
            until=lambda watermark: trail.end(watermark, now=now),
        )  # fmt: skip
        if report is None:
            return total
        total = _sum(total, report)
        if not report.complete or report.pages == 0 or stop():
            break
    return total


def _sum(total: poll.Polled | None, report: poll.Polled) -> poll.Polled:
    if total is None:
        return report
    sums = {name: getattr(total, name) + getattr(report, name) for name in poll.Polled._fields if name != "complete"}
    return report._replace(**sums)
