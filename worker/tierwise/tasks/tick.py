"""The tick: looks in the database for what is due and wakes it up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import celery

from tierwise import ports, wiring
from tierwise.tasks import application, running, work

WATCH_EVERY = 60.0
"""Seconds between two looks at whether automation has to end."""
GATHER_EVERY = 10.0
"""Seconds between two looks at leads that may go in a batch."""
INQUIRE_EVERY = 60.0
"""And at what backtests wait for; each may keep a hand for as long."""
BATCH_EVERY = 5.0
"""Seconds between two wake-ups for one batch that is due."""
SHADOW_EVERY = 5.0
"""Seconds between two looks at what a shadow has to be held against."""


@application.app.task(name="tierwise.tick")  # type: ignore[untyped-decorator]
def tick() -> None:
    """Look in the database for what is due and wake it up. Once per slot, however many beats there are."""
    running.run("tick", None, look)


def look(current: wiring.Wiring) -> None:
    """Every wake-up that is due now."""
    settings, store, now = current.settings, current.store, current.clock()
    if not slot(current, "tick", "", every=settings.tick_seconds, now=now):
        return
    states = {state.name: state for state in store.connections.list()}
    active = {name for name, state in states.items() if state.enabled and state.paused is None}
    for name in sorted(active & settings.connections.keys()):
        due = states[name].next_poll_at
        every = min(10.0, current.connection(name).poll_seconds or settings.poll_seconds)
        if (due is None or due <= now) and slot(current, "poll", name, every=every, now=now):
            running.send(work.poll, name, queue="poll")
        passes: tuple[tuple[bool, ports.CursorKind, celery.Task], ...] = (
            (settings.trail.reconcile, "reconcile", work.reconcile),
            (settings.trail.outcomes, "outcomes", work.outcomes),
        )
        for wanted, kind, task in passes:
            wake = wanted and slot(current, kind, name, every=settings.trail.every_seconds, now=now)
            if wake and current.trails(name, kind):
                running.send(task, name, queue="poll")
    if store.works.due(now=now):
        running.send(work.qualify, queue="score")
    _batches(current, now=now)
    for name in sorted(store.outbox.due(now=now).keys() & active & settings.connections.keys()):
        running.send(work.write_back, name, queue="writeback")
    _automation(current, sorted(active & settings.connections.keys()), now=now)
    if settings.notifiers and store.notifications.due(now=now):
        running.send(work.notify, queue="maint")
    if store.shadows.current() is not None and slot(current, "shadow", "", every=SHADOW_EVERY, now=now):
        running.send(work.shadow, queue="maint")
    if slot(current, "prune", "", every=3600, now=now):
        store.slots.prune(before=now - timedelta(seconds=max(7200.0, 2 * settings.trail.every_seconds)))


def _batches(current: wiring.Wiring, *, now: datetime) -> None:
    store = current.store
    if slot(current, "gather", "", every=GATHER_EVERY, now=now) and (
        store.batches.gathering(now=now).leads or store.batches.untidy(now=now)
    ):
        running.send(work.gather, queue="maint")
    if slot(current, "inquire", "", every=INQUIRE_EVERY, now=now) and store.backtests.due(now=now):
        running.send(work.inquire, queue="maint")
    for number in store.batches.due(now=now):
        if slot(current, "batch", str(number), every=BATCH_EVERY, now=now):
            running.send(work.batch, str(number), queue="maint")


def _automation(current: wiring.Wiring, names: Sequence[str], *, now: datetime) -> None:
    given = current.settings.flags
    for name in names:
        if current.tier_field(name) is None:
            continue
        if slot(current, "automate", name, every=given.every_seconds, now=now):
            running.send(work.automate, name, queue="writeback")
        if slot(current, "overrides", name, every=given.look_seconds, now=now):
            running.send(work.overrides, name, queue="maint")
    # What was written stays to be judged, whether or not its connection is active.
    automates = any(current.tier_field(name) is not None for name in current.settings.connections)
    if automates and slot(current, "watch", "", every=WATCH_EVERY, now=now):
        running.send(work.watch, queue="maint")


def slot(current: wiring.Wiring, kind: str, scope: str, *, every: float, now: datetime) -> bool:
    """Whether this process is the one that acts in the slot of `every` seconds in which `now` lies."""
    seconds = now.timestamp()
    start = now - timedelta(seconds=seconds % every)
    return current.store.slots.claim(kind, scope, start, by=current.owner, now=now)
