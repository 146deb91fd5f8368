"""What came of a write, also when it came too late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tierwise import ports
from tierwise.store import columns, settle


def settled(row: Any, outcome: str, **values: Any) -> ports.Settled:
    return ports.Settled(row, outcome, **values)


def test_sent_is_not_delivered_yet(desk: Any) -> None:
    desk.decide(desk.arrival("1"))
    assert desk.send() == 1
    assert desk.outgoing() == []
    story = desk.store.leads.story("crm", "1")[0]
    assert [(attempt.outcome, attempt.error) for attempt in story.attempts] == [("sent", "")]
    assert story.delivered_at is None


def test_nothing_to_write_is_delivered(desk: Any) -> None:
    """The CRM shows all of it already; no write means no echo that could tell."""
    desk.poll(desk.arrival("1"))
    (claim,) = desk.claim()
    finished = desk.finished(claim)
    desk.poll(desk.arrival("1", own=finished.advice))
    desk.store.decisions.commit([finished], now=desk.now)
    assert desk.send() == 0
    assert desk.outgoing() == []
    story = desk.store.leads.story("crm", "1")[0]
    assert (story.delivered_at, story.attempts) == (desk.now, [])
    assert desk.store.leads.counts()["undelivered"] == 0


def test_what_the_crm_refuses_is_put_before_a_person(desk: Any) -> None:
    desk.decide(desk.arrival("1"), desk.arrival("2"))
    desk.send(outcome="refused", error="read-only property")
    assert desk.outgoing() == []
    assert [(item.kind, item.record_id) for item in desk.store.reviews.list()] == [
        ("write_failed", "1"),
        ("write_failed", "2"),
    ]
    assert "read-only property" in desk.store.reviews.list()[0].reason
    assert desk.store.leads.counts()["undelivered"] == 0  # a person has it
    desk.decide(desk.arrival("1", company="B"))
    desk.send(outcome="refused", error="again")
    assert len([item for item in desk.store.reviews.list() if item.record_id == "1"]) == 1


def test_a_late_writer_makes_the_row_go_out_again(desk: Any) -> None:
    """It stops before its call for longer than its lease; another one sends newer advice; then its call goes out."""
    desk.decide(desk.arrival("1", company="A"))
    (slow,) = desk.outgoing(owner="slow", lease=60)
    late = desk.changes(slow)
    desk.store.outbox.intend([(slow, late)], batch="slow", now=desk.now)
    desk.wait(61)
    desk.decide(desk.arrival("1", company="B"), score=20, tier="D")
    desk.send()
    desk.apply("1", late)
    assert desk.crm["1"]["tierwise_tier"] == "A"  # stale
    desk.store.outbox.settle([settled(slow, "sent", sent=late)], batch="slow", now=desk.now)
    assert desk.send() == 1
    assert (desk.crm["1"]["tierwise_tier"], desk.crm["1"]["tierwise_score"]) == ("D", 20)


def test_a_late_writer_while_another_one_is_sending(desk: Any) -> None:
    desk.decide(desk.arrival("1", company="A"))
    (slow,) = desk.outgoing(owner="slow", lease=60)
    late = desk.changes(slow)
    desk.store.outbox.intend([(slow, late)], batch="slow", now=desk.now)
    desk.wait(61)
    desk.decide(desk.arrival("1", company="B"), score=20, tier="D")
    (quick,) = desk.outgoing(owner="quick")
    values = desk.changes(quick)
    desk.store.outbox.intend([(quick, values)], batch="quick", now=desk.now)
    desk.apply("1", values)
    desk.apply("1", late)
    desk.store.outbox.settle([settled(slow, "sent", sent=late)], batch="slow", now=desk.now)
    assert desk.outgoing(owner="third") == []  # quick still holds it
    desk.store.outbox.settle([settled(quick, "sent", sent=values)], batch="quick", now=desk.now)
    # The order of the two in the CRM is not known, so all of it goes out once more.
    assert desk.send() == 1
    assert (desk.crm["1"]["tierwise_tier"], desk.crm["1"]["tierwise_score"]) == ("D", 20)


def test_advice_that_changed_during_the_call_goes_out_next(desk: Any) -> None:
    desk.decide(desk.arrival("1", company="A"))
    (row,) = desk.outgoing()
    values = desk.changes(row)
    desk.store.outbox.intend([(row, values)], batch="b", now=desk.now)
    desk.decide(desk.arrival("1", company="B"), score=20, tier="D")
    desk.apply("1", values)
    desk.store.outbox.settle([settled(row, "sent", sent=values)], batch="b", now=desk.now)
    (again,) = desk.outgoing()
    assert (again.version, again.known["tierwise_tier"], again.attempt) == (2, columns.UNSURE, 1)
    assert desk.send() == 0
    desk.wait(61)
    assert desk.send() == 1
    assert desk.crm["1"]["tierwise_tier"] == "D"


def test_settling_twice_changes_nothing_the_second_time(desk: Any) -> None:
    desk.decide(desk.arrival("1"))
    (row,) = desk.outgoing()
    desk.poll(desk.arrival("1", own=dict(row.desired)))  # the CRM shows all of it already
    desk.store.outbox.settle([settled(row, "unchanged")], batch="b", now=desk.now)
    desk.store.outbox.settle([settled(row, "unchanged")], batch="b", now=desk.wait(9))
    desk.store.outbox.settle([], batch="b", now=desk.now)
    assert desk.outgoing() == []
    assert desk.store.leads.story("crm", "1")[0].delivered_at == desk.now - timedelta(seconds=9)


NOW = datetime(2026, 11, 2, tzinfo=UTC)
OUT = ports.Outgoing(1, "crm", "1", {}, {}, (), version=2, generation=5, attempt=1, token=7)
ROW: dict[str, Any] = {
    "state": "leased", "token": 7, "version": 2, "generation": 5, "known": {"a": columns.UNSURE, "b": 1},
    "begun_at": None, "delivered_at": None, "run_after": datetime(2026, 11, 1, tzinfo=UTC),
}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "outcome", "expected"),
    [
        ({}, "sent", {"state": "sent", "known": {"a": "x", "b": 1}}),
        ({}, "unchanged", {"state": "sent", "delivered_at": True}),
        ({}, "refused", {"state": "refused"}),
        ({}, "retry", {"state": "ready"}),
        # Other fields are desired by now.
        ({"version": 3}, "sent", {"state": "ready"}),
        ({"generation": 6}, "unchanged", {"state": "ready"}),
        ({"version": 3}, "refused", {"state": "ready"}),
        # Somebody else holds the row.
        ({"token": 8}, "sent", {"state": "leased", "generation": 6, "known": {"a": columns.UNSURE, "b": 1}}),
        ({"token": 8}, "refused", {"state": "leased"}),
        ({"token": 8}, "unchanged", {"state": "leased"}),
        # Somebody else had it, and is done.
        ({"token": 8, "state": "sent", "known": {"a": "y"}}, "sent",
         {"state": "ready", "generation": 6, "known": {"a": columns.UNSURE}}),
        ({"token": 8, "state": "sent", "known": {"a": "y"}}, "retry",
         {"state": "ready", "generation": 6, "known": {"a": columns.UNSURE}}),
        ({"token": 8, "state": "sent"}, "unchanged", {"state": "sent"}),
        ({"token": 8, "state": "refused"}, "sent", {"state": "ready", "generation": 6}),
    ],
)  # fmt: skip
def test_what_an_outcome_changes(row: dict[str, Any], outcome: str, expected: dict[str, Any]) -> None:
    change = settle.after({**ROW, **row}, settled(OUT, outcome, sent={"a": "x"}), now=NOW, read=True)
    assert ("known" in change) == ("known" in expected or "generation" in expected)
    for name, value in expected.items():
        assert (bool(change[name]) if value is True else change[name]) == value, name
    assert ("generation" in change) == ("generation" in expected)


def test_what_was_taken_but_never_shown_is_not_delivered_when_nothing_is_left_to_write(desk: Any) -> None:
    """Advice that changed and changed back before it was read: the echo of the first write is still to come."""
    desk.decide(desk.arrival("1"), tier="A")
    (row,) = desk.outgoing()
    values = desk.changes(row)
    desk.store.outbox.intend([(row, values)], batch="b", now=desk.now)
    desk.apply("1", values)
    desk.store.outbox.settle([settled(row, "sent", sent=values)], batch="b", now=desk.now)
    change = settle.after({**ROW}, settled(OUT, "unchanged"), now=NOW, read=False)
    assert (change["state"], change["delivered_at"]) == ("sent", None)
    (story,) = desk.store.leads.story("crm", "1")
    assert story.delivered_at is None
    desk.poll(desk.arrival("1"))
    (story,) = desk.store.leads.story("crm", "1")
    assert story.delivered_at is not None
