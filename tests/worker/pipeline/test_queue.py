"""The queue as people take it: urgent first, one holder each, blind where it must be."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tierwise.domain import review as domain
from tierwise.errors import Misconfigured, RejectRecord
from tierwise.pipeline import queue, review


def house(line: Any, **more: Any) -> queue.House:
    sla = dict.fromkeys(domain.KINDS, timedelta(hours=8))
    return queue.House(line.runnable.policy.rubric, sla, {"low_confidence": "sales-ops"}, **more)


@pytest.fixture
def filled(line: Any) -> Any:
    """Three leads that nothing is known of, one by one."""
    for record_id in ("1", "2", "3"):
        line.put(record_id, employees=None)
        line.poll()
        line.pump()
        line.write_back()
        line.clock.wait(60)
    return line


def test_the_oldest_of_equals_is_first_and_told_with_owner_and_due_time(filled: Any) -> None:
    found = queue.queue(filled.store, house(filled), now=filled.clock.now)
    assert [one.item.record_id for one in found] == ["1", "2", "3"]
    first = found[0]
    assert first.due_at == first.item.created_at + timedelta(hours=8)
    assert (first.overdue, first.owner) == (False, "sales-ops" if first.item.kind == "low_confidence" else None)
    assert queue.queue(filled.store, house(filled), now=first.due_at + timedelta(seconds=1))[0].overdue


def test_who_takes_holds_and_gets_the_same_again(filled: Any) -> None:
    at = house(filled)
    mine = queue.take(filled.store, at, by="ann", clock=filled.clock)
    assert mine is not None
    assert queue.take(filled.store, at, by="ann", clock=filled.clock).item.id == mine.item.id
    theirs = queue.take(filled.store, at, by="bo", clock=filled.clock)
    assert theirs is not None
    assert theirs.item.id != mine.item.id
    verdict = {"rubric": at.rubric, "desired": {}, "agree": False, "tier": "A", "outcome": None, "reason": None}
    with pytest.raises(RejectRecord, match="ann holds"):
        review.answer(filled.store, mine.item, by="bo", note=None, clock=filled.clock, **verdict)
    filled.clock.wait(601)
    review.answer(filled.store, mine.item, by="bo", note=None, clock=filled.clock, **verdict)


def test_what_sleeps_is_not_taken_and_comes_back(filled: Any) -> None:
    at = house(filled)
    first = queue.queue(filled.store, at, now=filled.clock.now)[0].item
    until = filled.clock.now + timedelta(hours=1)
    with pytest.raises(Misconfigured, match="is over"):
        queue.snooze(filled.store, first.id, until=filled.clock.now, by="ann", clock=filled.clock)
    queue.snooze(filled.store, first.id, until=until, by="ann", clock=filled.clock)
    assert first.id not in [one.item.id for one in queue.queue(filled.store, at, now=filled.clock.now)]
    assert first.id in [one.item.id for one in queue.queue(filled.store, at, now=filled.clock.now, snoozed=True)]
    assert queue.queue(filled.store, at, now=until)[0].item.id == first.id


def test_what_is_handed_over_is_theirs(filled: Any) -> None:
    at = house(filled)
    mine = queue.take(filled.store, at, by="ann", clock=filled.clock)
    assert mine is not None
    with pytest.raises(RejectRecord, match="ann holds"):
        queue.hand_over(filled.store, at, mine.item.id, to="cy", by="bo", clock=filled.clock)
    queue.hand_over(filled.store, at, mine.item.id, to="bo", by="ann", clock=filled.clock)
    assert queue.take(filled.store, at, by="bo", clock=filled.clock).item.id == mine.item.id


def test_alike_items_are_agreed_with_in_one_go(filled: Any) -> None:
    at = house(filled)
    item = queue.queue(filled.store, at, now=filled.clock.now)[0].item
    held = queue.take(filled.store, at, by="bo", clock=filled.clock)
    assert held is not None
    found = queue.alike(filled.store, kind=item.kind, reason=item.reason, by="ann", now=filled.clock.now)
    assert [one.record_id for one in found] == sorted({"1", "2", "3"} - {held.item.record_id})
    assert queue.alike(filled.store, kind=item.kind, reason="another", by="ann", now=filled.clock.now) == []

    def answer(one: Any) -> object:
        if one.id == found[0].id:
            queue.take(filled.store, at, by="cy", clock=filled.clock)
        return review.answer(
            filled.store, one, rubric=at.rubric, desired={}, by="ann", agree=True, tier=None, outcome=None,
            reason=None, note=None, clock=filled.clock,
        )  # fmt: skip

    done, lost = queue.answer_each(found, answer=answer)
    assert (done, lost) == ([found[1].id], [found[0].id])
    assert [label.by for label in filled.store.labels.list(source="review")] == ["ann"]
