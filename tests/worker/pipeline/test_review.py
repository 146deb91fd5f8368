"""A person's verdict is kept with the item and shown in the CRM, and says no more than the person said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tierwise import ports
from tierwise.domain import advice
from tierwise.errors import Misconfigured, RejectRecord
from tierwise.pipeline import review

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
    given = {"agree": False, "tier": None, "outcome": None, "reason": None, "note": None, **verdict}
    return review.answer(
        line.store,
        item,
        rubric=line.runnable.policy.rubric,
        desired=line.crm.own[item.record_id] if desired is None else desired,
        by="ada",
        clock=line.clock,
        wait=timedelta(),
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
