"""A closed window of changes, read through the connector and stored page by page with the moved cursor.

The window's end is fixed before the first request, by the CRM's own clock. The cursor never passes a record that
is not stored: a page and its position are one transaction, the watermark moves with the last page only.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from tierwise import ports, telemetry
from tierwise.domain.mapping import FieldMap
from tierwise.errors import RetryLater, TierwiseError
from tierwise.pipeline import clocks
from tierwise.pipeline import map as mapping
from tierwise.sdk import Connector


class Pace(NamedTuple):
    """How a connection is polled; seconds."""

    every: float = 60.0
    overlap: float = 300.0
    """How far a window starts before the watermark: search indexes lag."""
    lease: float = 120.0
    longest: float = 45.0
    """A poll stops after this and goes on from its position in the next task."""


LONGEST_WAIT = 86_400.0
"""Seconds: no wish of a CRM (its day's calls are used up) keeps a connection silent for longer."""


class Polled(NamedTuple):
    """What one poll did."""

    pages: int = 0
    records: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    adopted: int = 0
    delivered: int = 0
    repaired: int = 0
    kept: int = 0
    requested: int = 0
    """Reviews that reps asked for."""
    labelled: int = 0
    """Verdicts that reps gave."""
    complete: bool = False
    """The window was read to its end."""

    def plus(self, page: ports.Ingested, *, records: int) -> Polled:
        """With one more page."""
        sums = {name: getattr(self, name) + value for name, value in page._asdict().items()}
        return self._replace(pages=self.pages + 1, records=self.records + records, **sums)


def poll(
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
    pace: Pace,
    servers: clocks.Clocks | None = None,
    stop: Callable[[], bool] = lambda: False,
    enrich: mapping.Enrich | None = None,
    kind: ports.CursorKind = "changes",
    until: Callable[[datetime], datetime] | None = None,
) -> Polled | None:
    """Poll one connection once. None where somebody else does, or it is switched off.

    `policy` is the digest under which new and changed leads are to be decided. `until` tells the end of a new window
    from its start; by default it is the CRM's own now, which `servers` remembers. After each page `stop` is asked
    whether to end there; the next poll goes on from it. Errors of the connector pass through after the cursor was
    released; the position is kept.
    """
    claim = store.cursors.claim(connection, owner=owner, lease=pace.lease, now=clock(), kind=kind)
    if claim is None:
        return None
    report = Polled(complete=True)
    error, wait = "interrupted", 0.0
    try:
        end = claim.window_until
        if end is None:
            now = servers.now(connector, connection, clock=clock) if servers and not until else None
            end = until(claim.watermark) if until else max(now or connector.now(), claim.watermark)
            if until and end <= claim.watermark:
                error, wait = "", pace.every
                return report
            claim = store.cursors.open_window(claim, until=end, now=clock())
        report = _read(
            store, connector, claim, field_map=field_map, properties=properties, policy=policy, clock=clock,
            give_up=monotonic() + pace.longest, monotonic=monotonic, overlap=pace.overlap, stop=stop, enrich=enrich,
        )  # fmt: skip
        error, wait = "", pace.every if report.complete else 0.0
    except RetryLater as later:
        error, wait = str(later), min(later.after or 0.0, LONGEST_WAIT)
        raise
    except TierwiseError as failed:
        error = str(failed)  # what `connections list` shows until a poll goes well
        raise
    finally:
        if error:
            wait = max(wait, pace.every)
        store.cursors.release(claim, next_poll_at=clock() + timedelta(seconds=wait), error=error, now=clock())
    return report


def _read(
    store: ports.Store,
    connector: Connector,
    claim: ports.CursorClaim,
    *,
    field_map: FieldMap,
    properties: tuple[str, ...],
    policy: str,
    clock: ports.Clock,
    give_up: float,
    monotonic: Callable[[], float],
    overlap: float,
    stop: Callable[[], bool],
    enrich: mapping.Enrich | None,
) -> Polled:
    until = claim.window_until
    assert until is not None
    since = claim.watermark - timedelta(seconds=overlap)
    report = Polled()
    pages = connector.changes(since, until, properties=properties, position=claim.position)
    for page in pages:
        arrived = mapping.arrivals(
            page.records, connection=claim.connection, field_map=field_map, leads=store.leads, enrich=enrich
        )
        last = page.position is None
        ingested = store.leads.ingest(
            claim, arrived, policy=policy, position=page.position, watermark=until if last else None, now=clock()
        )
        report = report.plus(ingested, records=len(page.records))
        for result, number in ingested._asdict().items():
            if number and claim.kind == "changes":
                telemetry.count("tierwise_poll_records_total", number, connection=claim.connection, result=result)
        if claim.kind == "reconcile" and ingested.new + ingested.changed:
            late = ingested.new + ingested.changed
            telemetry.count("tierwise_late_records_total", late, connection=claim.connection)
        if last:
            return report._replace(complete=True)
        if monotonic() >= give_up or stop():
            return report
    raise AssertionError("a connector's last page has no position")
