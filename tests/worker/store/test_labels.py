"""What people and sales say later: once, about the decision it was said of, and of no known probability."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tierwise import errors
from tierwise.domain.advice import FEEDBACK
from tierwise.sdk import Outcome


def outcome(desk: Any, value: str, *, record_id: str = "1", subject: str = "stage", **more: Any) -> Outcome:
    return Outcome(record_id, subject, value, desk.now, **more)


def keep(desk: Any, *outcomes: Outcome, ahead: timedelta = timedelta()) -> int:
    claim = desk.store.cursors.claim("crm", owner="o", lease=60, now=desk.now, kind="outcomes")
    kept = desk.store.labels.keep_outcomes(
        claim, outcomes, position=None, watermark=desk.now, now=desk.now, ahead=ahead
    )
    desk.store.cursors.release(claim, next_poll_at=desk.now, error="", now=desk.now)
    return int(kept)


def test_feedback_is_a_label_once_for_each_value(desk: Any) -> None:
    desk.decide(desk.arrival("1"))
    said = []
    for value in ("too_high", "too_high", "right", None, "right", "nonsense"):
        desk.wait(5)
        own = {**desk.crm.get("1", {}), **({FEEDBACK: value} if value else {})}
        said.append(desk.poll(desk.arrival("1", own=own)).labelled)
    assert said == [1, 0, 1, 0, 0, 0], "what was said of a decision once is not said anew"
    labels = desk.store.labels.list(source="rep_feedback")
    assert [label.value for label in labels] == ["right", "too_high"]
    assert {label.sampling for label in labels} == {None}
    assert {label.decision_id for label in labels} == {desk.store.leads.story("crm", "1")[0].decisions[0].id}


def test_a_verdict_on_a_lead_of_a_lost_database_is_kept_without_its_decision(desk: Any) -> None:
    assert desk.poll(desk.arrival("1", own={FEEDBACK: "too_low"})).labelled == 1
    (label,) = desk.store.labels.list()
    assert label.decision_id is None


def test_outcomes_are_kept_where_they_differ_and_of_leads_that_are_known(desk: Any) -> None:
    desk.decide(desk.arrival("1"))
    assert keep(desk, outcome(desk, "lead"), outcome(desk, "lead", record_id="stranger")) == 1
    desk.wait(60)
    assert keep(desk, outcome(desk, "lead")) == 0
    desk.wait(60)
    deal = outcome(desk, "closedwon", subject="deal:7", amount=900.0, currency="EUR", won=True, title="Closed won")
    assert keep(desk, outcome(desk, "customer"), deal) == 2
    desk.wait(60)
    assert keep(desk, outcome(desk, "lead"), outcome(desk, "customer")) == 0, "of one page the last word counts"
    desk.wait(60)
    assert keep(desk, outcome(desk, "lead")) == 1, "back to what it was is a change too"
    stages = [label for label in desk.store.leads.story("crm", "1")[0].labels if label.subject == "stage"]
    assert [(label.previous, label.value) for label in stages][:2] == [(None, "lead"), ("lead", "customer")]
    (won,) = [label for label in desk.store.labels.list(connection="crm") if label.subject == "deal:7"]
    assert (won.amount, won.currency, won.won, won.title) == (900.0, "EUR", True, "Closed won")
    assert desk.store.labels.counts()["crm", "crm_outcome", "deal"] == 1


def touch(desk: Any, seconds: float, kind: str = "call", *, record_id: str = "1") -> Outcome:
    return Outcome(record_id, "touch", kind, desk.now + timedelta(seconds=seconds))


def test_of_touches_the_first_one_after_hand_off_is_kept(desk: Any) -> None:
    desk.wait(100)
    desk.decide(desk.arrival("1"))
    assert keep(desk, touch(desk, -50, "email")) == 0, "before it was decided nobody followed our advice"
    desk.wait(500)
    assert keep(desk, touch(desk, -100, "meeting"), touch(desk, -200), touch(desk, -90), touch(desk, -2000)) == 1
    (found,) = desk.store.labels.list()
    assert (found.subject, found.value, found.said_at) == ("touch", "call", desk.now - timedelta(seconds=200))
    assert found.decision_id == desk.store.leads.story("crm", "1")[0].decisions[0].id
    assert keep(desk, touch(desk, -10), touch(desk, -200), touch(desk, 0, record_id="stranger")) == 0
    # Logged late, of a time before: that one was the first.
    assert keep(desk, touch(desk, -300, "email")) == 1
    newest = desk.store.labels.list()[0]
    assert (newest.value, newest.previous) == ("email", "call")


def test_a_touch_is_about_the_decision_that_stood_then(desk: Any) -> None:
    desk.decide(desk.arrival("1"))
    desk.wait(600)
    desk.decide(desk.arrival("1", employee_count=7))
    assert keep(desk, touch(desk, -300)) == 1
    first, second = desk.store.leads.story("crm", "1")[0].decisions
    assert desk.store.labels.list()[0].decision_id == first.id != second.id


def test_a_touch_bears_the_time_of_the_crm_and_a_decision_ours(desk: Any) -> None:
    desk.decide(desk.arrival("1"))
    desk.wait(60)
    behind = timedelta(seconds=-600)
    assert keep(desk, touch(desk, -600 - 90), ahead=behind) == 0, "it came before the decision, by either clock"
    assert keep(desk, touch(desk, -600 - 30), ahead=behind) == 1
    assert desk.store.labels.list()[0].decision_id is not None
    desk.decide(desk.arrival("2"))
    desk.wait(60)
    ahead = timedelta(seconds=600)
    assert keep(desk, touch(desk, 600 - 90, record_id="2"), ahead=ahead) == 0
    assert keep(desk, touch(desk, 600 - 30, record_id="2"), ahead=ahead) == 1


def test_who_lost_the_lease_keeps_nothing(desk: Any) -> None:
    desk.decide(desk.arrival("1"))
    slow = desk.store.cursors.claim("crm", owner="slow", lease=60, now=desk.now, kind="outcomes")
    desk.wait(61)
    assert desk.store.cursors.claim("crm", owner="quick", lease=60, now=desk.now, kind="outcomes") is not None
    with pytest.raises(errors.LeaseLost):
        desk.store.labels.keep_outcomes(slow, [outcome(desk, "lead")], position=None, watermark=None, now=desk.now)
    assert desk.store.labels.list() == []


def test_each_pass_has_a_cursor_of_its_own(desk: Any) -> None:
    kinds = ("changes", "reconcile", "outcomes")
    claims = [desk.store.cursors.claim("crm", owner=kind, lease=60, now=desk.now, kind=kind) for kind in kinds]
    assert [claim.kind for claim in claims] == list(kinds)
    assert desk.store.cursors.claim("crm", owner="x", lease=60, now=desk.now, kind="reconcile") is None
    before = desk.store.cursors.watermark("crm", "reconcile")
    desk.store.cursors.rewind("crm", watermark=desk.now - timedelta(days=9), now=desk.now)
    assert desk.store.cursors.watermark("crm", "reconcile") == before, "a backfill is the poll's"
    desk.store.connections.disable("crm", now=desk.now)
    with pytest.raises(errors.LeaseLost):
        desk.store.cursors.open_window(claims[1], until=desk.now, now=desk.now)


def test_a_page_that_another_pass_overtook_changes_nothing(desk: Any) -> None:
    """Two passes read: what the slower one read earlier comes to the store later."""
    desk.decide(desk.arrival("1"))
    slow = desk.cursor()
    older = desk.arrival("1", company="older", modified_at=desk.now + timedelta(seconds=1))
    desk.wait(2)
    quick = desk.store.cursors.claim("crm", owner="q", lease=60, now=desk.now, kind="reconcile")
    page = {"policy": "p" * 64, "position": None, "watermark": None}
    newer = desk.arrival("1", company="newer", modified_at=desk.now)
    assert desk.store.leads.ingest(quick, [newer], now=desk.now, **page).changed == 1
    desk.wait(1)
    done = desk.store.leads.ingest(slow, [older], now=desk.now, **page)
    assert (done.changed, done.unchanged) == (0, 1)
    assert desk.store.leads.story("crm", "1")[0].lead.company == "newer"
