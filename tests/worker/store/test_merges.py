"""A record that was merged away goes on under the id it lives under now."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tierwise import ports
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
    assert desk.store.reviews.list() == []
    assert desk.store.leads.counts() == {"leads": 1, "undecided": 0, "undelivered": 1, "rejected": 0, "refused": 0}
    assert desk.store.connections.list()[0].leads == 1
    assert desk.store.leads.story("crm", "new")[0].lead.company == "Heir"
    first = desk.store.leads.first_seen("crm", [desk.arrival("new").identity])
    assert list(first.values()) == ["new"]
    # What was written there by the old record's advice is put right at once.
    assert desk.crm["new"]["tierwise_fingerprint"] == desk.arrival("old").fingerprint
    desk.send()
    assert desk.crm["new"]["tierwise_fingerprint"] == desk.arrival("new", company="Heir").fingerprint
    desk.wait(5)
    assert desk.poll(desk.arrival("new", company="Heir")).delivered == 1


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_two_that_became_one_during_their_own_batch(desk: Any, order: tuple[str, str]) -> None:
    """Both advices land on the heir; the one that is the heir's is there in the end, whatever the CRM's clock says."""
    desk.decide(desk.arrival("a", company="A"), desk.arrival("b", company="B"), tier="B")
    rows = {row.record_id: row for row in desk.outgoing()}
    values = {key: desk.changes(row) for key, row in rows.items()}
    desk.store.outbox.intend([(rows[key], values[key]) for key in order], batch="1", now=desk.now)
    for key in order:
        desk.apply("c", values[key])
    behind = desk.now - timedelta(milliseconds=1)
    desk.store.outbox.settle([desk.sent(rows[k], values[k], new_id="c") for k in order], batch="1", now=desk.now)
    (again,) = desk.outgoing()
    assert again.record_id == "c"
    desk.store.outbox.settle([ports.Settled(again, "retry", run_after=desk.now)], batch="2", now=desk.now)
    desk.poll(desk.arrival("c", company=order[0].upper(), modified_at=behind))
    desk.send()
    heirs = desk.arrival("c", company=order[0].upper())
    assert desk.crm["c"]["tierwise_fingerprint"] == heirs.fingerprint
    desk.wait(5)
    assert desk.poll(desk.arrival("c", company=order[0].upper())).delivered == 1
    assert desk.outgoing() == []


def test_a_merge_that_a_poll_saw_before_the_writer_was_answered(desk: Any) -> None:
    desk.decide(desk.arrival("new", company="Heir"))
    desk.send()
    desk.decide(desk.arrival("old"))
    (row,) = desk.outgoing()
    values = desk.changes(row)
    desk.store.outbox.intend([(row, values)], batch="late", now=desk.now)
    desk.poll(desk.arrival("new", company="Heir")._replace(former_ids=("old",)))
    desk.apply("new", values)
    desk.store.outbox.settle([desk.sent(row, values, new_id="new")], batch="late", now=desk.now)
    desk.send()
    assert desk.crm["new"]["tierwise_fingerprint"] == desk.arrival("new", company="Heir").fingerprint


def test_an_heir_without_advice_waits_for_its_own(desk: Any) -> None:
    """Two advices of merged records land on one that is still to be decided: neither is written there again."""
    desk.decide(desk.arrival("a", company="A"), desk.arrival("b", company="B"))
    desk.poll(desk.arrival("c", company="C"))
    for row in desk.outgoing():
        values = desk.changes(row)
        desk.store.outbox.intend([(row, values)], batch=row.record_id, now=desk.now)
        desk.apply("c", values)
        desk.store.outbox.settle([desk.sent(row, values, new_id="c")], batch=row.record_id, now=desk.now)
    assert desk.outgoing() == []
    desk.commit(desk.claim())
    desk.send()
    assert desk.crm["c"]["tierwise_fingerprint"] == desk.arrival("c", company="C").fingerprint


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
