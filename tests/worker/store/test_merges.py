"""A record that was merged away goes on under the id it lives under now."""

from __future__ import annotations

from typing import Any

from tierwise.ports import ReviewRequest

DOUBT = ReviewRequest("low_confidence", 10, "Not sure.")


def merged(desk: Any, old: str, new: str) -> None:
    """Writing `old` is answered with `new`."""
    row = next(row for row in desk.outgoing() if row.record_id == old)
    values = desk.changes(row)
    batch = desk.batch()
    desk.store.outbox.intend([(row, values)], batch=batch, now=desk.now)
    desk.apply(new, values)
    done = desk.sent(row, values, new_id=new)
    desk.store.outbox.settle([done], batch=batch, now=desk.now)


def test_a_record_goes_on_under_its_new_id(desk: Any) -> None:
    desk.decide(desk.arrival("old"), review=DOUBT)
    merged(desk, "old", "new")
    assert desk.store.leads.story("crm", "old") == []
    story = desk.store.leads.story("crm", "new")[0]
    assert [link.decision.record_id for link in story.decisions] == ["old"]
    assert [attempt.outcome for attempt in story.attempts] == ["sent"]
    assert [item.record_id for item in desk.store.reviews.list()] == ["new"]
    assert desk.store.leads.counts()["leads"] == 1
    desk.wait(5)
    done = desk.poll(desk.arrival("new"))
    assert (done.unchanged, done.delivered) == (1, 1)
    desk.decide(desk.arrival("new", company="B"), tier="D")
    assert [(row.record_id, row.desired["tierwise_tier"]) for row in desk.outgoing()] == [("new", "D")]
    assert desk.store.decisions.verify("crm").broken_at is None


def test_a_decision_under_way_ends_at_the_new_id(desk: Any) -> None:
    desk.decide(desk.arrival("old"))
    desk.poll(desk.arrival("old", company="B"))
    claims = desk.claim()
    merged(desk, "old", "new")
    assert desk.commit(claims, tier="D").lost == frozenset()
    assert [(row.record_id, row.desired["tierwise_tier"]) for row in desk.outgoing()] == [("new", "D")]


def test_where_both_are_known_the_heir_has_its_own(desk: Any) -> None:
    desk.decide(desk.arrival("new", company="Heir"))
    desk.send()
    desk.decide(desk.arrival("old"), review=DOUBT)
    desk.poll(desk.arrival("old", company="B"))
    merged(desk, "old", "new")
    assert desk.claim() == []
    assert desk.outgoing() == []
    assert desk.store.reviews.list() == []
    assert desk.store.leads.counts() == {"leads": 1, "undecided": 0, "undelivered": 1, "rejected": 0, "refused": 0}
    assert desk.store.connections.list()[0].leads == 1
    assert desk.store.leads.story("crm", "new")[0].lead.company == "Heir"
    first = desk.store.leads.first_seen("crm", [desk.arrival("new").identity])
    assert list(first.values()) == ["new"]
    # What was written there by the old record's advice is the heir's to put right.
    desk.wait(5)
    assert desk.poll(desk.arrival("new", company="Heir")).repaired == 1


def test_an_id_that_was_never_seen_changes_nothing(desk: Any) -> None:
    desk.decide(desk.arrival("1"))
    merged(desk, "1", "2")
    merged_again = desk.store.leads.story("crm", "2")[0]
    assert merged_again.record_id == "2"
    desk.decide(desk.arrival("2", company="B"))
    merged(desk, "2", "3")
    story = desk.store.leads.story("crm", "3")[0]
    assert len(story.decisions) == 2
    assert len(story.attempts) == 2
