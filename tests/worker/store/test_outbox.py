"""Claim, intend, send, settle: one writer a record, and no write without its intent."""

from __future__ import annotations

import threading
from concurrent import futures
from datetime import timedelta
from typing import Any

from tierwise import ports
from tierwise.store import columns


def test_rows_come_by_record_id_and_within_the_batch(desk: Any) -> None:
    desk.decide(*(desk.arrival(name) for name in ("7", "3", "9", "1")))
    assert desk.store.outbox.due(now=desk.now) == {"crm": 4}
    first = desk.outgoing(limit=3)
    assert [row.record_id for row in first] == sorted(row.record_id for row in first)
    assert len(first) == 3
    assert len(desk.outgoing()) == 1
    assert desk.outgoing() == []
    assert desk.store.outbox.due(now=desk.now) == {}


def test_since_when_the_oldest_row_waits(desk: Any) -> None:
    assert desk.store.outbox.waiting_since("crm", now=desk.now) is None
    began = desk.now
    desk.decide(desk.arrival("1"))
    desk.now += timedelta(seconds=30)
    desk.decide(desk.arrival("2"))
    since = desk.store.outbox.waiting_since("crm", now=desk.now)
    assert since is not None
    assert began <= since < began + timedelta(seconds=30)
    desk.outgoing()
    assert desk.store.outbox.waiting_since("crm", now=desk.now) is None


def test_only_rows_of_the_connection(desk: Any) -> None:
    desk.enable("other")
    desk.poll(desk.arrival("1"))
    desk.poll(desk.arrival("2"), connection="other")
    desk.commit(desk.claim())
    assert [row.record_id for row in desk.outgoing()] == ["1"]
    assert desk.store.outbox.due(now=desk.now) == {"other": 1}


def test_an_outgoing_row_says_all_that_sending_needs(desk: Any) -> None:
    desk.decide(desk.arrival("1", own={"tierwise_feedback": "right"}))
    (row,) = desk.outgoing()
    assert (row.connection, row.record_id, row.version, row.generation, row.attempt) == ("crm", "1", 1, 1, 1)
    assert row.desired["tierwise_reason_codes"] == ("BIG",)
    assert (row.known, row.kept) == ({"tierwise_feedback": "right"}, ())


def test_the_intent_stands_before_the_call(desk: Any) -> None:
    desk.decide(desk.arrival("1"), desk.arrival("2"))
    rows = desk.outgoing()
    plan = [(row, desk.changes(row)) for row in rows]
    assert desk.store.outbox.intend(plan, batch="b", now=desk.now) == {row.outbox_id for row in rows}
    for row, values in plan:
        (attempt,) = desk.store.leads.story("crm", row.record_id)[0].attempts
        assert attempt == (desk.now, "b", 1, values, None, "")
    assert desk.store.outbox.intend([], batch="c", now=desk.now) == frozenset()


def test_a_writer_that_lost_its_lease_must_not_send(desk: Any) -> None:
    desk.decide(desk.arrival("1"), desk.arrival("2"))
    slow = desk.outgoing(owner="slow", lease=60)
    desk.wait(61)
    (quick,) = desk.outgoing(owner="quick", limit=1)
    standing = desk.store.outbox.intend([(row, desk.changes(row)) for row in slow], batch="b", now=desk.now)
    assert standing == {row.outbox_id for row in slow} - {quick.outbox_id}
    assert desk.store.leads.story("crm", quick.record_id)[0].attempts == []


def test_from_the_intent_on_nobody_knows_what_the_crm_holds(desk: Any) -> None:
    """The process died after the intent: the next one must send, even if the fields look as desired."""
    desk.decide(desk.arrival("1"))
    desk.send()
    desk.decide(desk.arrival("1", company="B"), score=20, tier="D")
    (row,) = desk.outgoing(lease=60)
    desk.store.outbox.intend([(row, desk.changes(row))], batch="b", now=desk.now)
    desk.wait(61)
    desk.decide(desk.arrival("1", company="A", own=desk.crm["1"], modified_at=desk.now - timedelta(hours=1)))
    (again,) = desk.outgoing(owner="next")
    assert again.known["tierwise_tier"] == columns.UNSURE
    # The desired tier is what the CRM showed before the write of unknown outcome; it is sent all the same.
    assert (again.desired["tierwise_tier"], desk.changes(again)["tierwise_tier"]) == ("A", "A")


def test_a_retry_waits_its_time(desk: Any) -> None:
    desk.decide(desk.arrival("1"))
    later = desk.now + timedelta(seconds=30)
    desk.send(outcome="retry", error="429", run_after=later)
    assert desk.outgoing() == []
    desk.wait(30)
    (row,) = desk.outgoing()
    assert (row.attempt, row.generation) == (2, 1)
    (attempt,) = desk.store.leads.story("crm", "1")[0].attempts
    assert (attempt.outcome, attempt.error) == ("retry", "429")


def test_no_row_goes_to_two_writers(desk: Any) -> None:
    desk.decide(*(desk.arrival(str(number)) for number in range(90)))
    while claims := desk.claim():
        desk.commit(claims)
    start = threading.Barrier(3)

    def drain(owner: int) -> list[ports.Outgoing]:
        start.wait(20)
        mine: list[ports.Outgoing] = []
        while rows := desk.outgoing(limit=7, owner=str(owner)):
            mine += rows
        return mine

    with futures.ThreadPoolExecutor(3) as pool:
        claimed = [row for mine in pool.map(drain, range(3)) for row in mine]
    assert len(claimed) == len({row.outbox_id for row in claimed}) == 90


def test_a_lease_is_renewed_as_long_as_nobody_else_has_claimed_the_row(desk: Any) -> None:
    desk.decide(desk.arrival("1"), desk.arrival("2"), desk.arrival("3"))
    rows = desk.outgoing(owner="slow", lease=60)
    desk.wait(59)
    assert desk.store.outbox.renew(rows, lease=60, now=desk.now) == {row.outbox_id for row in rows}
    desk.wait(59)
    assert desk.outgoing(owner="quick") == [], "the lease stands"
    desk.wait(2)
    (taken,) = desk.outgoing(owner="quick", limit=1, lease=600)
    left = {row.outbox_id for row in rows} - {taken.outbox_id}
    assert desk.store.outbox.renew(rows, lease=60, now=desk.now) == left, "what ran out unclaimed is still ours"
    assert desk.store.outbox.renew([], lease=60, now=desk.now) == frozenset()
    desk.wait(61)
    assert {row.outbox_id for row in desk.outgoing(owner="quick")} == left
