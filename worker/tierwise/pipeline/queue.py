"""The review queue as people see and take it: who is to do what until when, and what is first.

Urgency is computed when the queue is read, so that age counts. Of what is drawn for the audit neither our score nor our
tier has a part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tierwise import ports
from tierwise.domain import review as reviews
from tierwise.domain.rubric import Rubric
from tierwise.errors import Misconfigured, RejectRecord
from tierwise.pipeline import review

MOST = 100_000


class House(NamedTuple):
    """What the installation agreed on."""

    rubric: Rubric
    sla: Mapping[reviews.ReviewKind, timedelta]
    owners: Mapping[reviews.ReviewKind, str]
    """Who answers for the items of a kind; kinds without are nobody's."""
    reserve: timedelta = timedelta(minutes=10)
    hand_over: timedelta = timedelta(hours=4)


class Waiting(NamedTuple):
    """One item as people may see it."""

    item: ports.ReviewItem
    due_at: datetime
    owner: str | None
    urgency: float
    overdue: bool


def queue(
    store: ports.Store, house: House, *, now: datetime, kind: str | None = None, snoozed: bool = False
) -> list[Waiting]:
    """Open items, the most urgent first; those that sleep only where they are asked for."""
    found = store.reviews.list(kind=kind, limit=MOST)
    awake = [item for item in found if snoozed or item.snoozed_until is None or item.snoozed_until <= now]
    ranked = sorted(awake, key=lambda item: (*_urgency(item, house, now), -item.id), reverse=True)
    return [seen(item, house, now=now) for item in ranked]


def seen(item: ports.ReviewItem, house: House, *, now: datetime) -> Waiting:
    """One item with its owner and the time by which it is to be answered."""
    due = item.created_at + house.sla[item.kind]
    points = round(_urgency(item, house, now)[1], 1)
    return Waiting(review.masked(item), due, house.owners.get(item.kind), points, overdue=now > due)


def take(store: ports.Store, house: House, *, by: str, clock: ports.Clock, kind: str | None = None) -> Waiting | None:
    """The most urgent item that is free, reserved for `by`; what they hold already comes first. None: nothing is."""
    now = clock()
    waiting = queue(store, house, now=now, kind=kind)
    mine = [one for one in waiting if one.item.reserved_by == by and _held(one.item, now)]
    for one in [*mine, *waiting]:
        if store.reviews.reserve(one.item.id, by=by, until=now + house.reserve, now=now):
            held = store.reviews.get(one.item.id)
            return seen(held, house, now=now) if held is not None else None
    return None


def snooze(store: ports.Store, item_id: int, *, until: datetime, by: str, clock: ports.Clock) -> None:
    """Out of sight until then, and free for anybody from then on."""
    now = clock()
    if until <= now:
        raise Misconfigured(f"{until:%Y-%m-%d %H:%M} is over", place="--until", remedy="a moment to come")
    if not store.reviews.snooze(item_id, by=by, until=until, now=now):
        raise review.closed(store.reviews.get(item_id), item_id, by=by, now=now)


def hand_over(store: ports.Store, house: House, item_id: int, *, to: str, by: str, clock: ports.Clock) -> None:
    """Reserved for somebody else from now on."""
    now = clock()
    people = [person.name for person in store.people.list() if person.disabled_at is None]
    if people and to not in people:
        raise Misconfigured(f"there is no {to}", place="--to", remedy="tierwise users list")
    item = store.reviews.get(item_id)
    if item is not None and item.not_for == to:
        raise RejectRecord(f"{to} labelled the decision of review item {item_id} already", remedy="somebody else")
    if not store.reviews.hand_over(item_id, by=by, to=to, until=now + house.hand_over, now=now):
        raise review.closed(item, item_id, by=by, now=now)


def alike(store: ports.Store, *, kind: str, reason: str, by: str, now: datetime) -> list[ports.ReviewItem]:
    """Open items of that kind and reason that `by` may answer in one go; never one that is blind."""
    return [
        item
        for item in store.reviews.list(kind=kind, limit=MOST)
        if item.reason == reason and not item.blind and item.not_for != by
        and (item.reserved_by in (None, by) or not _held(item, now))
    ]  # fmt: skip


def answer_each(
    items: Sequence[ports.ReviewItem], *, answer: Callable[[ports.ReviewItem], object]
) -> tuple[list[int], list[int]]:
    """Answer each; ids of those that were answered, and of those that somebody else was quicker with."""
    done, lost = [], []
    for item in items:
        try:
            answer(item)
        except RejectRecord:
            lost.append(item.id)
        else:
            done.append(item.id)
    return done, lost


def _held(item: ports.ReviewItem, now: datetime) -> bool:
    return item.reserved_until is not None and item.reserved_until > now


def _urgency(item: ports.ReviewItem, house: House, now: datetime) -> tuple[int, float]:
    tiers = list(house.rubric.tiers)
    rank = distance = None
    if not item.blind and item.tier in tiers:
        rank = 1 - tiers.index(item.tier) / max(1, len(tiers) - 1)
    if not item.blind and item.score is not None:
        cuts = [cut for cut in house.rubric.tiers.values() if cut > 0]
        distance = min((abs(item.score - cut) for cut in cuts), default=None)
    age, sla = (now - item.created_at).total_seconds(), house.sla[item.kind].total_seconds()
    return reviews.urgency(reviews.Stakes(item.kind, age, sla, rank, item.volume, distance))
