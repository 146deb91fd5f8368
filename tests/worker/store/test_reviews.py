"""People answer once, and what they say is shown until the lead itself changes."""

from __future__ import annotations

from concurrent import futures
from datetime import timedelta
from typing import Any

import pytest

from tierwise.ports import ReviewRequest
from tierwise.store import reviews

DOUBT = ReviewRequest("low_confidence", 1000, "Not sure.")
ANSWER = {"agree": False, "tier": "B", "outcome": "accept", "reason": "WRONG_SIZE", "note": None}
SAID = {"tierwise_tier": "B", "tierwise_status": "scored", "tierwise_score": 80}


@pytest.fixture
def item(desk: Any) -> Any:
    """An open item on record 1."""
    desk.decide(desk.arrival("1", company="A"), review=DOUBT)
    desk.send()
    return desk.store.reviews.list()[0]


def test_the_urgent_come_first(desk: Any) -> None:
    for record_id, priority in (("1", 5), ("2", 500), ("3", 5)):
        desk.decide(desk.arrival(record_id), review=DOUBT._replace(priority=priority))
    desk.poll(desk.misfit("4"))
    reviews = desk.store.reviews
    assert [item.record_id for item in reviews.list()] == ["2", "4", "1", "3"]
    assert [item.record_id for item in reviews.list(limit=1)] == ["2"]
    assert [item.record_id for item in reviews.list(kind="schema")] == ["4"]
    assert reviews.list(state="answered") == []
    assert len(reviews.list(state=None)) == 4
    assert reviews.get(10_000) is None


def test_an_answer_is_kept_and_shown(desk: Any, item: Any) -> None:
    assert desk.store.reviews.answer(item.id, by="ann", answer=ANSWER, advice=SAID, now=desk.wait(9))
    answered = desk.store.reviews.get(item.id)
    assert (answered.state, answered.answered_by, answered.answered_at, answered.answer) == (
        "answered", "ann", desk.now, ANSWER,
    )  # fmt: skip
    assert desk.store.reviews.list() == []
    desk.send()
    assert desk.crm["1"]["tierwise_tier"] == "B"


def test_an_item_is_answered_once(desk: Any, item: Any) -> None:
    def answer(by: int) -> bool:
        return bool(desk.store.reviews.answer(item.id, by=str(by), answer=ANSWER, advice=SAID, now=desk.now))

    with futures.ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(answer, range(8))) == 1
    assert not desk.store.reviews.answer(10_000, by="ann", answer=ANSWER, advice=None, now=desk.now)


def test_an_overtaken_item_cannot_be_answered(desk: Any, item: Any) -> None:
    desk.decide(desk.arrival("1", company="B"), tier="C")
    assert not desk.store.reviews.answer(item.id, by="ann", answer=ANSWER, advice=SAID, now=desk.now)
    assert [row.desired["tierwise_tier"] for row in desk.outgoing()] == ["C"]


def test_only_records_with_an_open_item_wait_for_a_person(desk: Any, item: Any) -> None:
    desk.decide(desk.arrival("2"))

    def waiting(name: str) -> frozenset[str]:
        found: frozenset[str] = desk.store._database.write(
            lambda connection: reviews.waiting(connection, name, ["1", "2", "3"])
        )
        return found

    assert waiting(item.connection) == {"1"}
    assert waiting("another") == frozenset()
    assert desk.store.reviews.answer(item.id, by="ann", answer=ANSWER, advice=None, now=desk.now)
    assert waiting(item.connection) == frozenset()


def test_an_answer_without_advice_changes_nothing_in_the_crm(desk: Any, item: Any) -> None:
    assert desk.store.reviews.answer(item.id, by="ann", answer=ANSWER, advice=None, now=desk.now)
    assert desk.outgoing() == []


def test_an_answer_outlives_polls_of_the_same_lead(desk: Any, item: Any) -> None:
    desk.store.reviews.answer(item.id, by="ann", answer=ANSWER, advice=SAID, now=desk.now)
    desk.send()
    for _ in range(2):
        desk.wait(60)
        desk.poll(desk.arrival("1", company="A"))
        assert desk.claim() == []
        desk.send()
    assert desk.crm["1"]["tierwise_tier"] == "B"


def test_a_changed_lead_is_decided_anew(desk: Any, item: Any) -> None:
    desk.store.reviews.answer(item.id, by="ann", answer=ANSWER, advice=SAID, now=desk.now)
    desk.decide(desk.arrival("1", company="B"), tier="C")
    desk.send()
    assert desk.crm["1"]["tierwise_tier"] == "C"


@pytest.mark.parametrize("claimed", [False, True], ids=["waiting", "at the model"])
def test_an_answer_does_not_stop_the_decision_on_newer_input(desk: Any, item: Any, claimed: bool) -> None:
    """The lead changed, then a person answers the question about how it was before."""
    desk.poll(desk.arrival("1", company="B"))
    claims = desk.claim() if claimed else []
    assert desk.store.reviews.answer(item.id, by="ann", answer=ANSWER, advice=SAID, now=desk.now)
    desk.send()
    assert desk.crm["1"]["tierwise_tier"] == "B"
    claims = claims or desk.claim()
    assert [claim.lead.company for claim in claims] == ["B"]
    desk.commit(claims, tier="C")
    desk.send()
    assert desk.crm["1"]["tierwise_tier"] == "C"


def test_two_people_never_hold_one_item(desk: Any) -> None:
    for record_id in ("1", "2", "3"):
        desk.decide(desk.arrival(record_id), review=DOUBT)
    reviews, until = desk.store.reviews, desk.now + timedelta(minutes=10)
    ids = [item.id for item in reviews.list()]

    def grab(person: int) -> list[int]:
        return [key for key in ids if reviews.reserve(key, by=f"p{person}", until=until, now=desk.now)]

    with futures.ThreadPoolExecutor(4) as pool:
        held = [key for got in pool.map(grab, range(4)) for key in got]
    assert sorted(held) == ids
    holder = {item.id: item.reserved_by for item in reviews.list()}
    other = next(name for name in ("p0", "p1") if name != holder[ids[0]])
    assert not reviews.answer(ids[0], by=other, answer=ANSWER, advice=None, now=desk.now)
    assert not reviews.snooze(ids[0], by=other, until=until, now=desk.now)
    assert reviews.reserve(ids[0], by=other, until=until + timedelta(minutes=10), now=until), "its time is over"
    assert reviews.answer(ids[0], by=other, answer=ANSWER, advice=None, now=until)
