"""The outbox, drained in the CRM's own batch size. Intents are committed before the call, outcomes after it.

It is apart from deciding because a write cannot be rolled back. Only fields that differ are sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import NamedTuple

from tierwise import ports, telemetry
from tierwise.domain import echo
from tierwise.domain.advice import Advice
from tierwise.errors import PauseConnection, RetryLater
from tierwise.pipeline import backoff
from tierwise.sdk import Connector, Update, Written


class Pace(NamedTuple):
    """How a connection's outbox is drained; seconds."""

    lease: float = 120.0
    longest: float = 45.0
    attempts: int = 8
    """Tries of one row before a person is asked."""


class WroteBack(NamedTuple):
    """What one drain did."""

    calls: int = 0
    sent: int = 0
    unchanged: int = 0
    retried: int = 0
    refused: int = 0


def write_back(
    store: ports.Store,
    connector: Connector,
    *,
    connection: str,
    owner: str,
    clock: ports.Clock,
    monotonic: Callable[[], float],
    random: Callable[[], float],
    new_id: Callable[[], str],
    pace: Pace,
    full_only: bool = False,
) -> WroteBack:
    """Send what is due, batch by batch, until nothing is or time is up.

    `full_only` stops where less than a full batch is left: more is coming. RetryLater and PauseConnection pass
    through after the rows of the batch were put back.
    """
    report = WroteBack()
    give_up = monotonic() + pace.longest
    while monotonic() < give_up:
        if full_only and store.outbox.due(now=clock()).get(connection, 0) < connector.batch_size:
            break
        claimed_at = monotonic()
        rows = store.outbox.claim(connection, limit=connector.batch_size, owner=owner, lease=pace.lease, now=clock())
        if not rows:
            break
        batch = new_id()
        plans = {row.outbox_id: echo.changes(desired=row.desired, known=row.known, kept=row.kept) for row in rows}
        idle = [row for row in rows if not plans[row.outbox_id]]
        busy = [(row, plans[row.outbox_id]) for row in rows if plans[row.outbox_id]]
        if idle:
            store.outbox.settle([ports.Settled(row, "unchanged") for row in idle], batch=batch, now=clock())
            report = report._replace(unchanged=report.unchanged + len(idle))
        if not busy:
            continue
        ours = store.outbox.intend(busy, batch=batch, now=clock())
        busy = [(row, values) for row, values in busy if row.outbox_id in ours]
        # A process that slept through half of its lease may be followed by another one already: let go unsent.
        if not busy or monotonic() - claimed_at > pace.lease / 2:
            continue
        settled = _send(store, connector, busy, batch=batch, clock=clock, random=random, attempts=pace.attempts)
        store.outbox.settle(settled, batch=batch, now=clock())
        report = _count(report, settled)
    return report


def _send(
    store: ports.Store,
    connector: Connector,
    busy: Sequence[tuple[ports.Outgoing, Advice]],
    *,
    batch: str,
    clock: ports.Clock,
    random: Callable[[], float],
    attempts: int,
) -> list[ports.Settled]:
    updates = [
        Update(record_id=row.record_id, values=values, trace_id=f"{batch}-{row.outbox_id}") for row, values in busy
    ]
    try:
        results = connector.write(updates)
    except (RetryLater, PauseConnection) as error:
        connection = busy[0][0].connection
        telemetry.count(
            "tierwise_crm_calls_total", connection=connection, operation="write", result=type(error).__name__
        )
        wish = error.after if isinstance(error, RetryLater) else 60.0
        back = [
            ports.Settled(
                row, "retry", error=str(error),
                run_after=clock() + timedelta(seconds=backoff.delay(row.attempt, jitter=random(), wish=wish)),
            )
            for row, _ in busy
        ]  # fmt: skip
        store.outbox.settle(back, batch=batch, now=clock())
        raise
    return [
        _settle(row, values, result, clock=clock, random=random, attempts=attempts)
        for (row, values), result in zip(busy, results, strict=True)
    ]


def _settle(
    row: ports.Outgoing,
    values: Advice,
    result: Written,
    *,
    clock: ports.Clock,
    random: Callable[[], float],
    attempts: int,
) -> ports.Settled:
    if result.outcome == "written":
        return ports.Settled(row, "sent", sent=values, new_id=result.new_id)
    if result.outcome == "refused":
        return ports.Settled(row, "refused", error=result.error)
    if row.attempt >= attempts:
        return ports.Settled(row, "refused", error=f"gave up after {row.attempt} tries: {result.error}")
    wait = backoff.delay(row.attempt, jitter=random())
    return ports.Settled(row, "retry", error=result.error, run_after=clock() + timedelta(seconds=wait))


def _count(report: WroteBack, settled: Sequence[ports.Settled]) -> WroteBack:
    outcomes = [item.outcome for item in settled]
    connection = settled[0].row.connection
    telemetry.count("tierwise_crm_calls_total", connection=connection, operation="write", result="ok")
    for outcome in set(outcomes):
        telemetry.count("tierwise_writes_total", outcomes.count(outcome), connection=connection, result=outcome)
    return report._replace(
        calls=report.calls + 1,
        sent=report.sent + outcomes.count("sent"),
        retried=report.retried + outcomes.count("retry"),
        refused=report.refused + outcomes.count("refused"),
    )
