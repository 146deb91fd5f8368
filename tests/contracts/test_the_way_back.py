"""What reps do in the CRM comes back: reviews asked for, verdicts, values of their own; over the real connector."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tierwise_fixtures import policies

from tierwise import sdk
from tierwise.domain.review import KINDS
from tierwise.pipeline import queue, review
from tierwise.sdk import RetryLater

ASK, SAY = "tierwise_request_review", "tierwise_feedback"


@pytest.fixture
def lead(portal_line: Any) -> str:
    """A lead that was decided, and whose advice was read back."""
    (record_id,) = portal_line.create("ada@acme.example")
    portal_line.wait(1)
    portal_line.round()
    portal_line.wait(60)
    portal_line.round()
    return record_id


def _answer(line: Any, item: Any) -> None:
    shown = {**line.story(item.record_id).own, "tierwise_tier": "B"}
    shown = {name: value for name, value in shown.items() if name not in (ASK, SAY)}
    assert line.store.reviews.answer(item.id, by="eva", answer={"agree": False}, advice=shown, now=line.now())


def test_a_review_that_a_rep_asks_for_is_on_top_once_and_taken_back_with_the_answer(
    portal_line: Any, lead: str
) -> None:
    line = portal_line
    line.edit(lead, **{ASK: "true"})
    line.wait(5)
    assert line.round().requested == 1
    line.edit(lead, message="and more")
    for _ in range(3):
        line.wait(60)
        assert line.round().requested == 0, "one item for one request"
    (item,) = line.store.reviews.list()
    newest = line.story(lead).decisions[-1]
    assert (item.kind, item.decision_id, item.tier) == ("fast_track", newest.id, "A")
    assert item.priority >= 100_000
    assert line.shown(lead)[ASK] == "true", "nothing is taken back before the answer"

    _answer(line, item)
    line.edit(lead, message="a new decision comes in between")
    line.wait(1)
    line.round()
    assert line.shown(lead)[ASK] == "false"
    for _ in range(3):
        line.wait(60)
        assert line.round().requested == 0
    assert [one.state for one in line.story(lead).reviews] == ["answered"]

    line.edit(lead, **{ASK: "true"})
    line.wait(5)
    assert line.round().requested == 1, "a second request is another one"


def test_a_request_is_first_within_one_poll_and_its_answer_shown_two_ticks_after_it_stands(
    portal_line: Any, lead: str
) -> None:
    line = portal_line
    line.create("other@firm.example")
    line.wait(60)
    line.round()
    line.edit(lead, **{ASK: "true"})
    line.wait(5)
    line.poll()
    rubric = policies.rubric()
    house = queue.House(rubric, dict.fromkeys(KINDS, timedelta(hours=8)), {})
    taken = queue.take(line.store, house, by="eva", clock=line.now)
    assert (taken.item.record_id, taken.item.kind) == (lead, "fast_track")
    story = line.story(lead)
    review.answer(
        line.store, taken.item, rubric=rubric, desired=story.own, by="eva", agree=False, tier="B", outcome=None,
        reason=None, note=None, clock=line.now,
    )  # fmt: skip
    line.wait(review.UNDO.seconds - 1)
    line.write()
    assert (line.shown(lead)["tierwise_tier"], line.shown(lead)[ASK]) == ("A", "true")
    line.wait(1 + 2 * 2)
    line.write()
    assert (line.shown(lead)["tierwise_tier"], line.shown(lead)[ASK]) == ("B", "false")
    (label,) = line.store.labels.list(source="review")
    assert (label.value, label.by, label.sampling) == ("B", "eva", None)


def test_a_request_right_after_the_answer_is_a_new_one(portal_line: Any, lead: str) -> None:
    line = portal_line
    line.edit(lead, **{ASK: "true"})
    line.wait(5)
    line.round()
    (item,) = line.store.reviews.list()
    _answer(line, item)
    line.wait(1)
    line.write()
    line.wait(1)
    line.edit(lead, **{ASK: "true"})
    line.wait(5)
    assert line.poll().requested == 1


def test_a_request_that_is_withdrawn_needs_no_answer(portal_line: Any, lead: str) -> None:
    line = portal_line
    line.edit(lead, **{ASK: "true"})
    line.wait(5)
    line.round()
    line.edit(lead, **{ASK: "false"})
    line.wait(5)
    line.round()
    assert line.store.reviews.list() == []


def test_a_reps_verdict_is_a_label_on_the_decision_that_was_shown(portal_line: Any, lead: str) -> None:
    line = portal_line
    first = line.story(lead).decisions[-1]
    line.edit(lead, **{SAY: "too_high", "message": "and changed at once"})
    line.wait(5)
    assert line.round().labelled == 1
    for _ in range(3):
        line.wait(60)
        assert line.round().labelled == 0, "once for each value"
    (label,) = line.store.labels.list(source="rep_feedback")
    assert (label.record_id, label.value, label.previous, label.sampling) == (lead, "too_high", None, None)
    assert label.decision_id == first.id, "not the one that came after it"
    line.edit(lead, **{SAY: "right"})
    line.wait(5)
    line.round()
    assert [(one.value, one.previous) for one in line.story(lead).labels] == [
        ("too_high", None),
        ("right", "too_high"),
    ]
    assert line.shown(lead)[SAY] == "right", "it stays the rep's"


def test_a_persons_value_is_kept_with_the_time_it_was_seen_and_ours_is_repaired(portal_line: Any, lead: str) -> None:
    line = portal_line
    assert line.story(lead).delivered_at is not None
    line.edit(lead, tierwise_tier="C", tierwise_score="")
    line.wait(5)
    seen = line.now()
    report = line.round()
    assert (report.kept, report.repaired) == (1, 1)
    line.wait(60)
    line.round()
    story = line.story(lead)
    assert (line.shown(lead)["tierwise_tier"], line.shown(lead)["tierwise_score"]) == ("C", "80")
    assert (story.kept, dict(story.kept_since)) == (("tierwise_tier",), {"tierwise_tier": seen})
    line.edit(lead, tierwise_tier="A")
    line.wait(5)
    line.round()
    assert line.story(lead).kept_since == {}


def test_delivered_is_what_was_read_back(portal_line: Any) -> None:
    line = portal_line
    (record_id,) = line.create("bo@acme.example")
    line.wait(1)
    line.round()
    assert line.shown(record_id)["tierwise_tier"] == "A"
    assert line.story(record_id).delivered_at is None, "that the CRM took it is not yet that it shows it"
    line.wait(60)
    line.round()
    assert line.story(record_id).delivered_at is not None


def test_the_crms_clock_costs_one_call_a_poll_and_none_for_the_writes(portal_line: Any) -> None:
    line = portal_line
    line.create(*(f"n{number}@firm.example" for number in range(150)))
    line.calls.clear()
    line.wait(1)
    line.round()
    assert line.calls["contacts/batch/update"] == 2
    assert line.calls["details"] == 1


def test_merged_records_are_adopted(portal_line: Any) -> None:
    line = portal_line
    first, second = line.create("a@acme.example", "b@firm.example")
    line.wait(1)
    line.round()
    line.wait(60)
    line.round()
    merged = str(line.portal.store.merge(first, second).id)
    line.wait(5)
    line.round()
    story = line.story(merged)
    assert [link.decision.record_id for link in story.decisions] == [first], "its history goes with it"
    assert line.store.leads.counts(line.name)["leads"] == 1
    line.edit(merged, message="goes on")
    line.wait(5)
    line.round()
    assert line.shown(merged)["tierwise_fingerprint"] == line.fingerprint(merged)


def test_stages_and_statuses_become_labels_when_they_change(portal_line: Any, lead: str) -> None:
    line = portal_line
    (stranger,) = line.create("late@firm.example")
    line.edit(stranger, lifecyclestage="customer")
    line.edit(lead, lifecyclestage="lead")
    line.wait(7200)
    told = line.outcomes()
    assert told.labels == 1, "of leads that we know"
    line.edit(lead, lifecyclestage="opportunity", hs_lead_status="OPEN_DEAL")
    when = line.shown(lead)["lastmodifieddate"]
    line.wait(7200)
    assert line.outcomes().labels == 2
    line.edit(lead, message="nothing of interest")
    line.wait(7200)
    assert line.outcomes().labels == 0
    labels = {(one.subject, one.value): one for one in line.store.labels.list(source="crm_outcome")}
    won = labels["stage", "opportunity"]
    assert (won.previous, won.title, won.sampling) == ("lead", "Opportunity", None)
    assert won.said_at.isoformat(timespec="milliseconds").replace("+00:00", "Z") == when
    assert labels["status", "OPEN_DEAL"].decision_id == line.story(lead).decisions[-1].id
    assert line.store.labels.counts() == {
        (line.name, "crm_outcome", "stage"): 2,
        (line.name, "crm_outcome", "status"): 1,
    }


def test_the_second_pass_costs_little(portal_line: Any) -> None:
    line = portal_line
    line.connector._client.settings.__dict__["page_size"] = 200  # as in production
    line.create(*(f"n{number}@acme.example" for number in range(1000)))
    line.wait(1)
    line.round()
    line.wait(60)
    line.round()
    line.calls.clear()
    line.wait(3700)
    report = line.reconcile()
    assert report.records >= 1000
    assert line.calls.total() <= 11


def test_work_ends_where_the_reserve_begins_and_people_are_still_answered(portal_line: Any, lead: str) -> None:
    line = portal_line
    line.portal.limits.set({"daily": 1000})
    line.portal.limits.used_today = 799
    line.wait(60)
    line.connector.now()
    with pytest.raises(RetryLater, match="20 % are kept for people") as caught:
        line.round()
    assert caught.value.after is not None
    quota = line.connector.quota()
    assert isinstance(line.connector, sdk.TellsQuota)
    assert (quota.limit, quota.reserve, quota.left <= 200) == (1000, 200, True)
    assert {bucket.rpartition(":")[2] for bucket, _ in line.limiter.blocked} == {"search", "calls"}
    (state,) = line.store.connections.list()
    assert "kept for people" in state.error
    assert state.next_poll_at >= line.now() + timedelta(seconds=min(caught.value.after, 86_400)) - timedelta(seconds=1)
    line.store.connections.note_quota(line.name, quota)
    assert line.store.connections.list()[0].quota == quota
    checks = {one.name: one for one in line.connector.check(properties=["email"], fields=sdk.FIELDS)}
    assert not checks["daily quota"].ok
    assert "kept for people" in checks["daily quota"].detail
    line.portal.limits.used_today = 0
    line.connector.now()
    assert line.round() is not None
