"""Who mended the account need not find each record that the CRM refused."""

from __future__ import annotations

from typing import Any


def test_what_was_refused_goes_out_again_once_a_person_has_seen_to_it(desk: Any) -> None:
    desk.decide(desk.arrival("1"), desk.arrival("2"), desk.arrival("3"))
    desk.send(outcome="refused", error="read-only property")
    desk.decide(desk.arrival("3", company="B"))
    desk.send()
    assert desk.store.leads.counts("crm")["refused"] == 2
    desk.wait(3600)
    desk.store.connections.pause("crm", "no scope", now=desk.now)
    assert desk.outgoing() == []
    desk.store.connections.resume("crm", now=desk.now)
    assert desk.store.reviews.list(kind="write_failed") == []
    assert desk.store.leads.counts("crm")["refused"] == 0
    assert desk.store.outbox.waiting_since("crm", now=desk.now) == desk.now
    assert desk.send() == 2
    assert {record_id: shown["tierwise_tier"] for record_id, shown in desk.crm.items()} == dict.fromkeys("123", "A")
    assert [attempt.outcome for attempt in desk.store.leads.story("crm", "1")[0].attempts] == ["refused", "sent"]


def test_what_was_refused_has_all_its_tries_again(desk: Any) -> None:
    desk.decide(desk.arrival("1"))
    for _ in range(4):
        desk.send(outcome="retry", error="locked")
    desk.send(outcome="refused", error="gave up")
    desk.store.connections.resume("crm", now=desk.now)
    (row,) = desk.outgoing()
    assert row.attempt == 1


def test_resuming_one_connection_leaves_the_others_alone(desk: Any) -> None:
    desk.enable("other")
    desk.decide(desk.arrival("1"))
    desk.send(outcome="refused", error="no such option")
    desk.store.connections.resume("other", now=desk.now)
    assert desk.store.leads.counts("crm")["refused"] == desk.store.leads.counts()["refused"] == 1
    assert desk.store.leads.counts("other")["refused"] == 0
    assert len(desk.store.reviews.list(kind="write_failed")) == 1
    assert desk.outgoing() == []


def test_resuming_leaves_what_people_are_asked_otherwise(desk: Any) -> None:
    """Only the failed write is answered by trying again."""
    desk.decide(desk.arrival("1"), desk.arrival("2"))
    desk.poll(desk.misfit("1"), desk.misfit("3"))
    desk.send(outcome="refused", error="no such option")
    kinds = sorted(item.kind for item in desk.store.reviews.list())
    desk.store.connections.resume("crm", now=desk.now)
    left = sorted(item.kind for item in desk.store.reviews.list())
    assert left == [kind for kind in kinds if kind != "write_failed"] == ["schema", "schema"]
