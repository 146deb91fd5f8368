"""A rep's tick is one item on top of the queue, on both engines."""

from __future__ import annotations

from typing import Any

from tierwise.domain.advice import REQUEST
from tierwise.ports import ReviewRequest

ASKED = {REQUEST: True}


def asked(desk: Any, record_id: str = "1", **own: Any) -> Any:
    desk.wait(5)
    return desk.poll(desk.arrival(record_id, own={**desk.crm.get(record_id, {}), **ASKED, **own}))


def test_a_tick_on_a_lead_that_nobody_decided_yet_follows_its_decision(desk: Any) -> None:
    assert asked(desk).requested == 1
    (item,) = desk.store.reviews.list()
    assert (item.kind, item.decision_id) == ("fast_track", None)
    desk.commit(desk.claim())
    (item,) = desk.store.reviews.list()
    assert (item.tier, item.score) == ("A", 80)


def test_it_comes_before_everything_else(desk: Any) -> None:
    desk.decide(desk.arrival("2"), review=ReviewRequest("contradiction", 2_400, "Two facts differ."))
    desk.decide(desk.arrival("1"))
    assert asked(desk).requested == 1
    assert [item.kind for item in desk.store.reviews.list()] == ["fast_track", "contradiction"]


def test_one_tick_is_one_item_however_often_it_is_read(desk: Any) -> None:
    desk.decide(desk.arrival("1"))
    assert [asked(desk).requested for _ in range(3)] == [1, 0, 0]


def test_the_answer_takes_it_back_whatever_is_desired_by_then(desk: Any) -> None:
    desk.decide(desk.arrival("1"))
    desk.send()
    asked(desk)
    (item,) = desk.store.reviews.list()
    assert desk.store.reviews.answer(item.id, by="eva", answer={}, advice={"tierwise_tier": "B"}, now=desk.now)
    desk.wait(1)
    desk.decide(desk.arrival("1", company="B", own={**desk.crm["1"], **ASKED}))
    (row,) = desk.outgoing()
    assert row.desired[REQUEST] is False
    assert desk.changes(row)[REQUEST] is False


def test_an_answer_to_something_else_takes_nothing_back(desk: Any) -> None:
    desk.decide(desk.arrival("1"), review=ReviewRequest("low_confidence", 10, "Not sure."))
    asked(desk)
    doubt = next(item for item in desk.store.reviews.list() if item.kind == "low_confidence")
    desk.store.reviews.answer(doubt.id, by="eva", answer={}, advice={"tierwise_tier": "B"}, now=desk.now)
    assert [row for row in desk.outgoing() if REQUEST in row.desired] == []
    assert [item.kind for item in desk.store.reviews.list()] == ["fast_track"]
