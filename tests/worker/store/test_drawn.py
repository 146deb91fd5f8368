"""A drawn decision is asked about until somebody answers, whatever becomes of its lead meanwhile."""

from __future__ import annotations

import threading
from concurrent import futures
from typing import Any

import pytest
import sqlalchemy as sa
from tierwise_fixtures import policies

from tierwise import errors
from tierwise.domain.validation import Registration
from tierwise.pipeline import review, validate
from tierwise.ports import AuditDraw, ReviewItem, ReviewRequest, SaidLabel
from tierwise.store import merges, schema

CHAIN = "c" * 64
POLICY = policies.policy()
OTHER = POLICY.model_copy(update={"version": "8"})
AUDIT = ReviewRequest("audit_sample", 0, "Drawn (BIG)")
DOUBT = ReviewRequest("low_confidence", 1000, "Not sure.")
DRAW = AuditDraw(0.5, 0.1, False)
SHOWN = {"tierwise_tier": "B", "tierwise_status": "scored", "tierwise_score": 80}


@pytest.fixture
def audited(desk: Any) -> Any:
    for policy in (POLICY, OTHER):
        desk.store.policies.publish(policy, by="ada", note="", now=desk.now)
    return desk


def decide(
    desk: Any, record: str = "1", *, audit: Any = DRAW, request: Any = AUDIT, policy: Any = POLICY, message: str = "",
    again: bool = False, **fields: Any,
) -> None:  # fmt: skip
    desk.wait(60)
    if again:
        desk.store.works.requeue(policy.digest(), since=desk.now.replace(year=2000), now=desk.now)
    else:
        arrival = desk.arrival(record, email=f"a{record}@acme.example", message=message)
        desk.poll(arrival, policy=policy.digest())
    values = {"chain": CHAIN, "policy": policy.digest(), **fields}
    done = [desk.finished(claim, review=request, **values)._replace(audit=audit) for claim in desk.claim()]
    desk.store.decisions.commit(done, now=desk.now)
    desk.send()


def opened(desk: Any) -> list[ReviewItem]:
    found: list[ReviewItem] = sorted(desk.store.reviews.list(), key=lambda item: item.id)
    return found


def answer(desk: Any, item: ReviewItem, tier: str | None = "B", *, by: str = "ann", **more: Any) -> bool:
    said = [SaidLabel("tier", tier)] if tier is not None else [SaidLabel("outcome", "accept")]
    given = {"answer": {"tier": tier}, "advice": {**SHOWN, "tierwise_tier": tier}, "labels": said, **more}
    done: bool = desk.store.reviews.answer(item.id, by=by, about=item.decision_id, now=desk.now, **given)
    return done


def registered(desk: Any, policy: Any = POLICY, looks: tuple[int, ...] = (1, 2)) -> str:
    registration = Registration(
        policy=policy.digest(), chain=CHAIN, positive_tiers=("A",), precision=0.8, recall=0.6, cut_offs=(0.5,),
        looks=looks, registered_at=desk.now, by="ada",
    )  # fmt: skip
    key: str = desk.store.gates.register(registration)
    return key


def truths(desk: Any, key: str, look: int = 1) -> list[bool | None]:
    return [item.drawn.truth for item in desk.store.gates.sample(key, look=look)[0]]


@pytest.mark.parametrize("request_", [AUDIT, DOUBT], ids=["audit", "doubt"])
def test_a_lead_that_changes_leaves_its_drawn_decision_to_be_answered(audited: Any, request_: ReviewRequest) -> None:
    desk, key = audited, registered(audited)
    decide(desk, request=request_, message="first")
    decide(desk, audit=None, request=None, message="second", tier="C", score=40)
    (item,) = opened(desk)
    assert (item.kind, item.blind, item.reason) == (
        "audit_sample",
        True,
        "Drawn for the audit sample" if request_ is DOUBT else "Drawn (BIG)",
    )
    about = review.about(desk.store, item)
    assert (about.lead["message"], about.gone) == ("first", False)
    assert about.as_of is not None
    assert answer(desk, item, "A")
    assert truths(desk, key) == [True]
    assert desk.outgoing() == [], "the CRM shows what was decided since"
    assert desk.crm["1"]["tierwise_tier"] == "C"


def test_the_lead_as_it_is_where_the_decision_is_of_it(audited: Any) -> None:
    decide(audited, message="first")
    (item,) = opened(audited)
    about = review.about(audited.store, item)
    assert (about.lead["email"], about.as_of) == ("a1@acme.example", None)


def test_what_was_not_drawn_is_overtaken_as_before(audited: Any) -> None:
    decide(audited, audit=None, request=DOUBT, message="first")
    decide(audited, audit=None, request=None, message="second")
    assert opened(audited) == []


def test_both_decisions_are_asked_about_where_both_are_drawn(audited: Any) -> None:
    desk, key = audited, registered(audited)
    decide(desk, message="first")
    decide(desk, message="second", request=DOUBT, status="in_review")
    first, second = opened(desk)
    assert (first.kind, second.kind) == ("audit_sample", "low_confidence")
    assert [review.about(desk.store, item).lead["message"] for item in (first, second)] == ["first", "second"]
    assert answer(desk, first, "A")
    assert answer(desk, second, "D")
    assert truths(desk, key, look=2) == [True, False]
    assert desk.outgoing()[0].desired["tierwise_tier"] == "D", "of the one that applies the CRM shows the answer"


def test_a_lead_that_goes_back_is_asked_about_once(audited: Any) -> None:
    desk = audited
    decide(desk, message="first")
    decide(desk, message="second", audit=None, request=None)
    decide(desk, message="first")
    (item,) = opened(desk)
    assert answer(desk, item, "A")
    decide(desk, message="second", audit=None, request=None)
    decide(desk, message="first")
    assert opened(desk) == [], "and is not, where it was answered"


def test_decided_again_under_another_policy_it_is_one_question_with_one_answer_for_both(audited: Any) -> None:
    desk, key = audited, registered(audited)
    decide(desk, message="first")
    new = registered(desk, OTHER)
    decide(desk, policy=OTHER, again=True)
    (item,) = opened(desk)
    assert answer(desk, item, "A")
    assert truths(desk, key) == [True]
    assert truths(desk, new) == [True]


def test_what_was_said_before_a_policy_does_not_count_for_it(audited: Any) -> None:
    """It may have been written with that in mind."""
    desk = audited
    decide(desk, message="first")
    (item,) = opened(desk)
    assert answer(desk, item, "A")
    key = registered(desk, OTHER)
    decide(desk, policy=OTHER, again=True)
    assert truths(desk, key) == [None]
    assert len(opened(desk)) == 1


def test_who_says_only_what_is_to_become_of_it_leaves_the_audit_open(audited: Any) -> None:
    desk, key = audited, registered(audited)
    decide(desk)
    (item,) = opened(desk)
    assert answer(desk, item, None, wait=review.UNDO)
    (left,) = opened(desk)
    assert (left.kind, left.decision_id, left.not_for, left.blind) == ("audit_sample", item.decision_id, None, True)
    assert truths(desk, key) == [None]
    assert desk.store.reviews.undo(item.id, by="ann", now=desk.now).done
    assert [one.id for one in opened(desk)] == [item.id]
    assert answer(desk, item, None)
    (left,) = opened(desk)
    assert answer(desk, left, "A")
    assert opened(desk) == []
    assert truths(desk, key) == [True]


def test_an_answer_that_is_taken_back_after_a_newer_decision_is_asked_for_again(audited: Any) -> None:
    desk, key = audited, registered(audited)
    decide(desk, message="first")
    (item,) = opened(desk)
    assert answer(desk, item, "A", wait=review.UNDO)
    arrival = desk.arrival("1", email="a1@acme.example", message="second")
    desk.poll(arrival, policy=POLICY.digest())
    desk.commit(desk.claim(), chain=CHAIN, policy=POLICY.digest())
    assert desk.store.reviews.undo(item.id, by="ann", now=desk.now).done
    (left,) = opened(desk)
    assert (left.id, left.kind) == (item.id, "audit_sample")
    assert truths(desk, key) == [None]


def test_a_merged_lead_is_asked_about_under_its_heir_as_it_was(audited: Any) -> None:
    desk, key = audited, registered(audited)
    decide(desk, "1", message="of one", request=DOUBT)
    decide(desk, "2", message="of two", audit=None, request=None, tier="C")
    desk.store._database.write(lambda connection: merges.follow(connection, "crm", "1", "2"))
    (item,) = opened(desk)
    assert (item.record_id, item.kind) == ("2", "audit_sample")
    assert review.about(desk.store, item).lead["message"] == "of one"
    assert answer(desk, item, "A")
    assert truths(desk, key) == [True]
    assert desk.outgoing() == []


def test_what_is_erased_is_no_more_to_be_asked_and_blocks_no_look(audited: Any) -> None:
    desk = audited
    registered(desk, looks=(2,))
    decide(desk, "1")
    decide(desk, "2")
    desk.store.persons.erase([("crm", "1")], needles=[], by="local:me", reason="", now=desk.now)
    (item,) = opened(desk)
    assert answer(desk, item, "A")
    found = validate.validate(desk.store, policy=POLICY.digest(), chain=CHAIN, now=desk.now, by="ada")
    assert (found.verdict is not None and found.verdict.look, opened(desk)) == (2, [])
    assert found.notes == ("1 of 2 audit items were erased unanswered and are left out",)


def test_an_item_that_an_earlier_version_closed_is_opened_again(audited: Any) -> None:
    desk = audited
    registered(desk)
    decide(desk, "1", message="first")
    decide(desk, "2")
    closed = sa.update(schema.review_item).values(state="superseded")
    desk.store._database.write(lambda connection: connection.execute(closed))
    desk.store._database.write(lambda connection: merges.follow(connection, "crm", "1", "2"))
    found = validate.validate(desk.store, policy=POLICY.digest(), chain=CHAIN, now=desk.now, by="ada")
    assert "waits for" in found.reasons[0]
    assert [(item.record_id, item.kind) for item in opened(desk)] == [("2", "audit_sample")] * 2
    validate.validate(desk.store, policy=POLICY.digest(), chain=CHAIN, now=desk.now, by="ada")
    assert len(opened(desk)) == 2
    for item in opened(desk):
        assert answer(desk, item, "A")
    found = validate.validate(desk.store, policy=POLICY.digest(), chain=CHAIN, now=desk.now, by="ada")
    assert found.verdict is not None
    assert opened(desk) == []


def test_two_who_validate_at_once_ask_once(audited: Any) -> None:
    desk = audited
    key = registered(desk)
    for number in range(8):
        decide(desk, str(number))
    closed = sa.update(schema.review_item).values(state="superseded")
    desk.store._database.write(lambda connection: connection.execute(closed))
    together = threading.Barrier(4)

    def ask(_: int) -> int:
        together.wait()
        asked: int = desk.store.gates.ask_again(key, now=desk.now)
        return asked

    with futures.ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(ask, range(4))) == [0, 0, 0, 8]
    assert len(opened(desk)) == 8


def test_who_asked_to_see_our_verdict_answers_none_of_its_audit(audited: Any) -> None:
    desk = audited
    decide(desk)
    (item,) = opened(desk)
    review.unblind(desk.store, "crm", "1", by="ann", reason="curious", now=desk.now)
    with pytest.raises(errors.Refused, match="ann has asked to see"):
        answer(desk, item, "A")
    assert answer(desk, item, "A", by="eva")
    events = [event.action for event in desk.store.admin_events.list()]
    assert events[:2] == ["review.answer", "review.unblind"]


@pytest.mark.parametrize("known", [True, False], ids=["into_a_lead", "into_a_new_id"])
def test_who_looked_before_a_merge_answers_no_audit_of_what_was_decided_after_it(audited: Any, known: bool) -> None:
    desk = audited
    decide(desk, "1", audit=None, request=None)
    if known:
        decide(desk, "2", audit=None, request=None)
    review.unblind(desk.store, "crm", "1", by="ann", reason="curious", now=desk.now)
    desk.store._database.write(lambda connection: merges.follow(connection, "crm", "1", "2"))
    decide(desk, "2", message="more")
    (item,) = opened(desk)
    with pytest.raises(errors.Refused, match="ann has asked to see"):
        answer(desk, item, "A")
    assert answer(desk, item, "A", by="eva")


@pytest.mark.parametrize("known", [True, False], ids=["into_a_lead", "into_a_new_id"])
def test_who_looked_before_a_merge_has_seen_it(audited: Any, known: bool) -> None:
    desk = audited
    decide(desk, "1")
    if known:
        decide(desk, "2", audit=None, request=None)
    review.unblind(desk.store, "crm", "1", by="ann", reason="curious", now=desk.now)
    desk.store._database.write(lambda connection: merges.follow(connection, "crm", "1", "2"))
    desk.store._database.write(lambda connection: merges.follow(connection, "crm", "2", "3"))
    (item,) = opened(desk)
    assert item.record_id == "3"
    with pytest.raises(errors.Refused, match="ann has asked to see"):
        answer(desk, item, "A")
    assert answer(desk, item, "A", by="eva")


def test_once_people_are_listed_one_of_them_answers(audited: Any) -> None:
    desk = audited
    decide(desk, audit=None, request=DOUBT)
    (item,) = opened(desk)
    desk.store.people.add("ada", roles=["admin"], by="local:root", now=desk.now)
    desk.store.people.add("eva", roles=["sales"], by="ada", now=desk.now)
    later = desk.now.replace(hour=23)
    for change in (
        lambda: answer(desk, item, "A", by="local:root"),
        lambda: desk.store.reviews.reserve(item.id, by="local:root", until=later, now=desk.now),
        lambda: desk.store.reviews.snooze(item.id, by="local:root", until=later, now=desk.now),
        lambda: desk.store.reviews.hand_over(item.id, by="local:root", to="eva", until=later, now=desk.now),
    ):
        with pytest.raises(errors.Refused, match="local:root is not among the people"):
            change()
    desk.store.people.disable("eva", by="ada", now=desk.now)
    with pytest.raises(errors.Refused, match="eva was disabled"):
        answer(desk, item, "A", by="eva")
    assert opened(desk) == [item]
    assert answer(desk, item, "A", by="ada")
