"""Everything on one lead, in one place."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tierwise.ports import ReviewRequest


def test_the_whole_story_of_a_lead(desk: Any) -> None:
    submitted = desk.now
    desk.poll(desk.arrival("1", company="A", submitted_at=submitted))
    desk.wait(5)
    desk.commit(desk.claim(), review=ReviewRequest("low_confidence", 10, "Not sure."))
    desk.send()
    desk.wait(5)
    desk.poll(desk.arrival("1", company="A", submitted_at=submitted))
    desk.wait(5)
    desk.decide(desk.arrival("1", company="B"))
    (story,) = desk.store.leads.story("crm", "1")
    assert (story.connection, story.record_id, story.revision) == ("crm", "1", 2)
    assert story.lead.company == "B"
    assert [(row["state"], row["attempt"]) for row in story.work] == [("done", 1), ("done", 1)]
    assert [(link.sequence, link.decision.fields["company"]) for link in story.decisions] == [(1, "A"), (2, "B")]
    assert [(attempt.outcome, attempt.values["tierwise_tier"]) for attempt in story.attempts] == [("sent", "A")]
    assert [(item.kind, item.state) for item in story.reviews] == [("low_confidence", "superseded")]
    assert story.provenance["email"]["raw"] == "ada@acme.example"
    assert story.submitted_at is None
    assert story.first_seen_at < story.delivered_at < story.decided_at
    assert story.own["tierwise_tier"] == "A"


def test_a_lead_that_waits_for_a_batch_says_so(desk: Any) -> None:
    now = desk.now
    desk.store.batches.backfill("crm", since=now - timedelta(days=9), until=now - timedelta(days=2), now=now)
    desk.poll(desk.arrival("1", modified_at=now - timedelta(days=5)), desk.arrival("2"))
    (story,), (live,) = desk.store.leads.story("crm", "1"), desk.store.leads.story("crm", "2")
    assert [(row["state"], row["batch_since"], row["batch"]) for row in story.work] == [("ready", now, None)]
    assert story.work[0]["run_after"] > now
    assert [(row["batch_since"], row["batch"]) for row in live.work] == [(None, None)]


def test_an_id_may_be_known_to_several_connections(desk: Any) -> None:
    desk.enable("other")
    desk.poll(desk.arrival("1", company="A"))
    desk.poll(desk.arrival("1", company="B"), connection="other")
    assert [(story.connection, story.lead.company) for story in desk.store.leads.story(None, "1")] == [
        ("crm", "A"),
        ("other", "B"),
    ]
    assert [story.lead.company for story in desk.store.leads.story("other", "1")] == ["B"]
    assert desk.store.leads.story(None, "2") == []


def test_a_process_that_died_between_intent_and_answer_is_seen(desk: Any) -> None:
    desk.decide(desk.arrival("1"))
    (row,) = desk.outgoing()
    desk.store.outbox.intend([(row, desk.changes(row))], batch="b", now=desk.now)
    (attempt,) = desk.store.leads.story("crm", "1")[0].attempts
    assert (attempt.outcome, attempt.batch, attempt.at, attempt.values["tierwise_score"]) == (None, "b", desk.now, 80)
