"""A person's verdict is kept with the item and shown in the CRM, and says no more than the person said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tierwise import ports
from tierwise.domain import advice, sampling
from tierwise.domain import review as domain
from tierwise.errors import Misconfigured, RejectRecord
from tierwise.pipeline import record, review

LEAD = "1"


def _asked(line: Any) -> ports.ReviewItem:
    """A lead that models could not decide is in the queue; the CRM shows so."""
    line.put(LEAD, employees=None)
    line.poll()
    line.pump()
    line.write_back()
    item: ports.ReviewItem
    (item,) = line.store.reviews.list()
    return item


def _answer(line: Any, item: ports.ReviewItem, *, desired: Any = None, **verdict: Any) -> Any:
    given = {
        "agree": False,
        "tier": None,
        "outcome": None,
        "reason": None,
        "note": None,
        "by": "ada",
        "wait": timedelta(),
        **verdict,
    }
    return review.answer(
        line.store,
        item,
        rubric=line.runnable.policy.rubric,
        desired=line.crm.own[item.record_id] if desired is None else desired,
        clock=line.clock,
        **given,
    )


def test_agreeing_closes_the_item_and_the_crm_shows_it(line: Any) -> None:
    item = _asked(line)
    assert (item.tier, line.crm.own[LEAD]["tierwise_status"]) == ("C", "in_review")
    verdict = _answer(line, item, agree=True, note="I called them.")
    assert verdict == {"agree": True, "tier": "C", "outcome": "nurture", "reason": None, "note": "I called them."}
    stored = line.store.reviews.get(item.id)
    assert (stored.state, stored.answered_by, stored.answered_at) == ("answered", "ada", line.clock.now)
    assert stored.answer == verdict
    line.write_back()
    shown = line.crm.own[LEAD]
    assert (shown["tierwise_tier"], shown["tierwise_outcome"], shown["tierwise_status"]) == ("C", "nurture", "scored")
    assert shown["tierwise_reason_codes"], "the reasons that were shown stay"


@pytest.mark.parametrize(
    ("verdict", "tier", "outcome", "status"),
    [
        # What is not said follows from the tier: upper half accept, lowest reject, nurture between.
        ({"tier": "A"}, "A", "accept", "scored"),
        ({"tier": "B"}, "B", "accept", "scored"),
        ({"tier": "C"}, "C", "nurture", "scored"),
        ({"tier": "D"}, "D", "reject", "rejected"),
        ({"tier": "A", "outcome": "nurture"}, "A", "nurture", "scored"),
        ({"outcome": "reject"}, "C", "reject", "rejected"),
        ({"agree": True, "outcome": "accept"}, "C", "accept", "scored"),
        ({"agree": True, "tier": "C"}, "C", "nurture", "scored"),
    ],
)
def test_what_a_verdict_means(line: Any, verdict: Any, tier: str, outcome: str, status: str) -> None:
    stored = _answer(line, _asked(line), reason="WRONG_SIZE", **verdict)
    assert (stored["tier"], stored["outcome"], stored["reason"]) == (tier, outcome, "WRONG_SIZE")
    line.write_back()
    shown = line.crm.own[LEAD]
    assert (shown["tierwise_tier"], shown["tierwise_outcome"], shown["tierwise_status"]) == (tier, outcome, status)


@pytest.mark.parametrize(
    ("verdict", "message", "remedy"),
    [
        ({"tier": "E"}, "'E' is not a tier", "one of A, B, C, D"),
        ({"outcome": "review"}, "'review' is not an outcome", "one of accept, nurture, reject"),
        ({}, "an answer needs", ""),
        ({"note": "hm"}, "an answer needs", ""),
        ({"agree": True, "tier": "A"}, "either", "--tier"),  # a label that says both would spoil the gate
    ],
)
def test_a_verdict_that_makes_no_sense_leaves_the_item_open(line: Any, verdict: Any, message: str, remedy: str) -> None:
    item = _asked(line)
    with pytest.raises(Misconfigured, match=message) as caught:
        _answer(line, item, **verdict)
    assert remedy in caught.value.remedy
    assert line.store.reviews.get(item.id) == item


def test_an_item_is_answered_once(line: Any) -> None:
    item = _asked(line)
    _answer(line, item, tier="A")
    with pytest.raises(RejectRecord, match=f"review item {item.id} is not open") as caught:
        _answer(line, item, tier="D")
    assert caught.value.remedy == "tierwise review list"
    line.write_back()
    assert line.crm.own[LEAD]["tierwise_tier"] == "A"


def test_a_record_that_does_not_conform_has_no_tier_to_agree_with(line: Any) -> None:
    line.put(LEAD, email="")
    line.poll()
    line.write_back()
    (item,) = line.store.reviews.list()
    verdict = _answer(line, item, agree=True)
    assert (verdict["tier"], verdict["outcome"]) == (None, "reject")
    line.write_back()
    assert "tierwise_tier" not in line.crm.own[LEAD]
    assert line.crm.own[LEAD]["tierwise_status"] == "rejected"


def test_what_reps_write_stays_theirs(line: Any) -> None:
    """`desired` may be all that the CRM shows of our fields; those that reps tick are not ours to write back."""
    item = _asked(line)
    line.crm.edit(LEAD, tierwise_request_review=True, tierwise_feedback="too_low")
    _answer(line, item, tier="A")
    line.crm.own[LEAD]["tierwise_request_review"] = False
    line.write_back()
    assert set(line.crm.journal[-1].values) <= set(advice.WRITTEN)
    assert line.crm.own[LEAD]["tierwise_request_review"] is False


def test_newer_input_overtakes_the_verdict(line: Any) -> None:
    _answer(line, _asked(line), tier="D")
    line.write_back()
    line.put(LEAD, employees=500)
    line.poll()
    line.pump()
    line.write_back()
    assert line.crm.own[LEAD]["tierwise_tier"] == "A"


def test_what_was_said_is_a_label_and_nothing_that_follows_from_it(line: Any) -> None:
    item = _asked(line)
    _answer(line, item, agree=True)
    (label,) = line.store.labels.list(source="review")
    assert (label.subject, label.value, label.by) == ("tier", "C", "ada")
    # The lead was in review: every such lead gets a label.
    assert (label.decision_id, label.sampling) == (item.decision_id, 1.0)


def test_an_outcome_alone_says_nothing_of_the_tier(line: Any) -> None:
    _answer(line, _asked(line), outcome="reject")
    assert [(label.subject, label.value) for label in line.store.labels.list()] == [("outcome", "reject")]


def _drawn(line: Any, *, twice: bool = False) -> ports.ReviewItem:
    """A lead that nobody doubts, drawn for the audit."""
    rates = sampling.Rates(top=1, others=1, double=1 if twice else 0)
    line.put(LEAD, employees=500)
    line.poll()
    line.pump(tools=line.tools(audit=lambda made, policy: record.drawn(made, policy, rates=rates, counted=False)))
    line.write_back()
    item: ports.ReviewItem
    (item,) = line.store.reviews.list()
    return item


def test_nobody_sees_what_we_think_of_an_audited_lead_before_the_answer(line: Any) -> None:
    item = _drawn(line)
    assert (item.kind, item.tier, item.blind) == ("audit_sample", "A", True)
    assert "(" in item.reason, "our reasons stand there"
    shown = review.masked(item)
    assert (shown.score, shown.tier, shown.confidence, shown.priority) == (None, None, None, 0)
    assert shown.reason == "Drawn for the audit sample"
    for verdict in ({"agree": True}, {"outcome": "accept"}):
        with pytest.raises(Misconfigured, match="say the tier"):
            _answer(line, item, **verdict)
    _answer(line, item, tier="B")
    (label,) = line.store.labels.list()
    assert (label.value, label.sampling) == ("B", 1.0)
    answered = line.store.reviews.get(item.id)
    assert review.masked(answered) == answered
    assert answered.tier == "A"


def test_a_second_opinion_is_another_persons(line: Any) -> None:
    _answer(line, _drawn(line, twice=True), tier="A")
    (second,) = line.store.reviews.list()
    assert review.masked(second).tier is None
    assert [label.value for label in review.labels(line.store, source=None, limit=9)] == [""], "nor what the first said"
    assert review.given(line.store, source=None, limit=9) == ([], 1), "nor in an export"
    with pytest.raises(RejectRecord, match="you gave the first"):
        _answer(line, second, tier="B")
    _answer(line, second, tier="B", by="bo")
    assert [label.value for label in review.labels(line.store, source="review", limit=9)] == ["B", "A"]
    exported, kept_back = review.given(line.store, source=None, limit=9)
    assert ([label.value for label in exported], kept_back) == (["A", "B"], 0)
    assert review.agreement(line.store) == [domain.Agreement("ada", "bo", 1, 0, 0.0)]
    line.write_back()
    assert line.crm.own[LEAD]["tierwise_tier"] == "B", "of two equals the later one counts"


def test_an_answer_can_be_undone_before_it_is_written(line: Any) -> None:
    item = _asked(line)
    _answer(line, item, tier="A", wait=review.UNDO)
    line.write_back()
    assert line.crm.own[LEAD]["tierwise_tier"] == "C"
    review.undo(line.store, item.id, by="ada", clock=line.clock)
    assert line.store.labels.list() == []
    with pytest.raises(RejectRecord, match="no answer that could be taken back"):
        review.undo(line.store, item.id, by="ada", clock=line.clock)
    _answer(line, item, tier="B", wait=review.UNDO)
    line.clock.wait(11)
    line.write_back()
    assert line.crm.own[LEAD]["tierwise_tier"] == "B"
