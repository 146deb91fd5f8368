"""An answer is one transaction: item, labels and what the CRM is to show; and for a moment it can be undone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tierwise import ports
from tierwise.domain.advice import REQUEST
from tierwise.ports import AuditDraw, ReviewRequest, SaidLabel

DOUBT = ReviewRequest("low_confidence", 1000, "Not sure.")
AUDIT = ReviewRequest("audit_sample", 0, "Drawn (BIG)")
SAID = {"tierwise_tier": "B", "tierwise_status": "scored", "tierwise_score": 80}
WAIT = timedelta(seconds=10)


def decided(desk: Any, record_id: str = "1", *, review: Any = DOUBT, audit: Any = None, **fields: Any) -> Any:
    """A decided lead whose advice the CRM shows, and its open item."""
    desk.poll(desk.arrival(record_id, company=f"Firm {record_id}"))
    done = [desk.finished(claim, review=review, **fields)._replace(audit=audit) for claim in desk.claim()]
    desk.store.decisions.commit(done, now=desk.now)
    desk.send()
    return next(item for item in desk.store.reviews.list() if item.record_id == record_id)


def answer(
    desk: Any, item: Any, *, by: str = "ann", tier: str = "B", wait: timedelta = timedelta(), **more: Any
) -> bool:
    said = [SaidLabel("tier", tier)]
    given = {"answer": {"tier": tier}, "advice": {**SAID, "tierwise_tier": tier}, "labels": said, **more}
    return bool(desk.store.reviews.answer(item.id, by=by, about=item.decision_id, now=desk.now, wait=wait, **given))


def labels(desk: Any) -> list[ports.Label]:
    return list(reversed(desk.store.labels.list(source="review")))


@pytest.mark.parametrize(
    ("status", "audit", "sampling"),
    [
        ("in_review", None, 1.0),
        ("scored", AuditDraw(0.05, 0.01, False), 0.05),
        # Drawn or not, it would have come to a person.
        ("in_review", AuditDraw(0.05, 0.01, False), 1.0),
        ("scored", None, None),
    ],
)
def test_a_label_knows_how_likely_it_was(desk: Any, status: str, audit: Any, sampling: float | None) -> None:
    item = decided(desk, status=status, audit=audit)
    desk.wait(5)
    assert answer(desk, item, labels=[SaidLabel("tier", "B"), SaidLabel("outcome", "nurture")])
    tier, outcome = labels(desk)
    assert (tier.subject, tier.value, tier.by, tier.said_at) == ("tier", "B", "ann", desk.now)
    assert (tier.decision_id, tier.sampling) == (item.decision_id, sampling)
    assert (outcome.subject, outcome.value, outcome.sampling) == ("outcome", "nurture", sampling)


def test_a_refused_answer_leaves_no_label(desk: Any) -> None:
    item = decided(desk)
    assert answer(desk, item)
    assert not answer(desk, item, tier="C")
    assert [label.value for label in labels(desk)] == ["B"]


def test_two_people_label_what_is_drawn_twice(desk: Any) -> None:
    first = decided(desk, review=AUDIT, audit=AuditDraw(0.5, 0.1, True))
    assert first.blind
    assert answer(desk, first, by="ann", tier="B")
    (second,) = desk.store.reviews.list()
    assert (second.kind, second.decision_id, second.not_for) == ("audit_sample", first.decision_id, "ann")
    assert desk.store.reviews.get(first.id).blind, "ann's colleague is not to see it either"
    assert not answer(desk, second, by="ann", tier="C")
    assert answer(desk, second, by="bo", tier="C")
    assert desk.store.reviews.list() == []
    assert [(label.by, label.value, label.sampling) for label in labels(desk)] == [("ann", "B", 0.5), ("bo", "C", 0.5)]
    assert not desk.store.reviews.get(first.id).blind


@pytest.mark.parametrize("twice", [False, True])
def test_a_reps_request_about_a_drawn_decision_is_its_audit_too(desk: Any, twice: bool) -> None:
    decided(desk, review=AUDIT, audit=AuditDraw(0.5, 0.1, twice))
    desk.wait(5)
    desk.crm["1"][REQUEST] = True
    desk.poll(desk.arrival("1", company="Firm 1"))
    asked, audit = desk.store.reviews.list()
    assert (asked.kind, asked.blind, audit.kind) == ("fast_track", True, "audit_sample")
    answer(desk, asked, by="ann")
    left = desk.store.reviews.list()
    assert [(item.id, item.not_for) for item in left] == ([(audit.id, "ann")] if twice else [])


def test_nothing_is_written_before_the_time_to_undo_is_over(desk: Any) -> None:
    item = decided(desk)
    answer(desk, item, wait=WAIT)
    desk.wait(9)
    assert desk.outgoing() == []
    desk.wait(1)
    assert desk.send() == 1
    assert desk.crm["1"]["tierwise_tier"] == "B"


def test_an_undone_answer_leaves_nothing(desk: Any) -> None:
    item = decided(desk, review=AUDIT, audit=AuditDraw(0.5, 0.1, True))
    answer(desk, item, wait=WAIT)
    desk.wait(9)
    assert desk.store.reviews.undo(item.id, by="bo", now=desk.now).why_not == "ann answered it"
    assert desk.store.reviews.undo(item.id, by="ann", now=desk.now).done
    (again,) = desk.store.reviews.list()
    assert (again.id, again.state, again.answer, again.answered_by) == (item.id, "open", None, None)
    assert labels(desk) == []
    desk.wait(5)
    desk.send()
    assert desk.crm["1"]["tierwise_tier"] == "A"
    assert answer(desk, item, tier="C")
    assert [label.value for label in labels(desk)] == ["C"]
    desk.send()
    assert desk.crm["1"]["tierwise_tier"] == "C"


def test_after_its_time_an_answer_stands(desk: Any) -> None:
    item = decided(desk)
    assert not desk.store.reviews.undo(item.id, by="ann", now=desk.now).done
    answer(desk, item, wait=WAIT)
    desk.wait(10)
    assert "time" in desk.store.reviews.undo(item.id, by="ann", now=desk.now).why_not
    assert len(labels(desk)) == 1


def test_a_request_that_was_answered_by_mistake_is_asked_again(desk: Any) -> None:
    desk.decide(desk.arrival("1"))
    desk.send()
    desk.wait(5)
    desk.crm["1"][REQUEST] = True
    desk.poll(desk.arrival("1"))
    (item,) = desk.store.reviews.list()
    answer(desk, item, wait=WAIT)
    assert desk.outgoing() == [], "the tick stays as long as the answer can be undone"
    assert desk.store.reviews.undo(item.id, by="ann", now=desk.wait(5)).done
    desk.wait(20)
    desk.send()
    assert (desk.crm["1"][REQUEST], desk.crm["1"]["tierwise_tier"]) == (True, "A")
    assert desk.poll(desk.arrival("1")).requested == 0, "it is in the queue still"
    answer(desk, item)
    desk.send()
    assert (desk.crm["1"][REQUEST], desk.crm["1"]["tierwise_tier"]) == (False, "B")


@pytest.mark.parametrize("meant", [False, True], ids=["before the intent", "during the call"])
def test_who_was_writing_when_the_answer_came_does_not_send_it_early(desk: Any, meant: bool) -> None:
    """A writer holds the row with older advice; it settles within the time to undo."""
    desk.decide(desk.arrival("1"), review=DOUBT)
    (row,) = desk.outgoing()
    (item,) = desk.store.reviews.list()
    values = desk.changes(row)
    if meant:
        assert desk.store.outbox.intend([(row, values)], batch="b", now=desk.now)
    answer(desk, item, wait=WAIT)
    if meant:
        desk.apply("1", values)
        desk.store.outbox.settle([desk.sent(row, values)], batch="b", now=desk.wait(2))
    else:
        assert not desk.store.outbox.intend([(row, values)], batch="b", now=desk.wait(2))
    assert desk.outgoing() == []
    assert desk.store.reviews.undo(item.id, by="ann", now=desk.now).done
    desk.wait(20)
    desk.send()
    assert desk.crm["1"]["tierwise_tier"] == "A"


def test_an_answer_that_newer_input_overtook_is_still_undone(desk: Any) -> None:
    item = decided(desk)
    answer(desk, item, wait=WAIT)
    desk.decide(desk.arrival("1", company="B"), tier="D")
    assert desk.store.reviews.undo(item.id, by="ann", now=desk.wait(2)).done
    assert labels(desk) == []
    assert desk.store.reviews.get(item.id).state == "superseded", "nobody asks about that input any more"
    desk.send()
    assert desk.crm["1"]["tierwise_tier"] == "D"
