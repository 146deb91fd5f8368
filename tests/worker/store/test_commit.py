"""A finished batch: all that belongs to a decision is stored with it, for those who still hold the lease."""

from __future__ import annotations

import threading
from concurrent import futures
from typing import Any

from tierwise.ports import ReviewRequest

DOUBT = ReviewRequest("low_confidence", 1234, "The tier is not certain.")


def test_everything_of_a_decision_is_there_at_once(desk: Any) -> None:
    desk.poll(desk.arrival("1"), desk.arrival("2"))
    one, two = desk.claim()
    done = desk.store.decisions.commit([desk.finished(one, review=DOUBT), desk.finished(two)], now=desk.wait(3))
    assert done.done == {one.work_id, two.work_id}
    assert done.lost == frozenset()
    assert desk.store.works.counts()["done"] == 2
    story = desk.store.leads.story("crm", one.record_id)[0]
    assert story.decided_at == desk.now
    (item,) = desk.store.reviews.list()
    assert (item.record_id, item.kind, item.priority, item.reason) == (one.record_id, *DOUBT)
    assert (item.decision_id, item.score, item.tier, item.confidence) == (story.decisions[0].id, 80, "A", 0.9)
    assert [(row.record_id, row.version) for row in desk.outgoing()] == [("1", 1), ("2", 1)]
    assert desk.store.decisions.verify("crm").links == 2


def test_a_paused_worker_loses(desk: Any) -> None:
    """It stops at the model for longer than its lease, another one decides, then it comes back with its answer."""
    desk.poll(desk.arrival("1"), desk.arrival("2"))
    slow = desk.claim(owner="slow", lease=60)
    desk.wait(61)
    quick = desk.claim(limit=1, owner="quick")
    desk.commit(quick, score=20, tier="D")
    done = desk.commit(slow, score=99, tier="A", review=DOUBT)
    assert done.lost == {quick[0].work_id}
    assert done.done == {claim.work_id for claim in slow} - done.lost  # the other one nobody took
    first = desk.store.leads.story("crm", quick[0].record_id)[0]
    assert [link.decision.score for link in first.decisions] == [20]
    assert first.reviews == []
    assert {row.record_id: row.desired["tierwise_tier"] for row in desk.outgoing()}[first.record_id] == "D"


def test_the_loser_finds_out_whoever_is_first(desk: Any) -> None:
    desk.poll(desk.arrival("1"))
    slow = desk.claim(owner="slow", lease=60)
    desk.wait(61)
    quick = desk.claim(owner="quick")
    assert desk.commit(slow).lost == {slow[0].work_id}
    assert desk.commit(quick).done == {quick[0].work_id}
    assert desk.commit(quick).lost == {quick[0].work_id}  # the same answer twice is stored once
    assert desk.store.decisions.verify("crm").links == 1


def test_a_worker_that_got_its_row_again_comes_with_both_answers(desk: Any) -> None:
    desk.poll(desk.arrival("1"))
    (before,) = desk.claim(lease=60)
    desk.wait(61)
    (after,) = desk.claim()
    finished = [desk.finished(after, score=70), desk.finished(before, score=20)]
    assert desk.store.decisions.commit(finished, now=desk.now).done == {after.work_id}
    assert desk.store.leads.story("crm", "1")[0].decisions[0].decision.score == 70


def test_a_batch_may_hold_claims_of_several_leases(desk: Any) -> None:
    desk.poll(*(desk.arrival(str(number)) for number in range(6)))
    claims = [*desk.claim(limit=2), *desk.claim(limit=3), *desk.claim(limit=1)]
    assert len({claim.token for claim in claims}) == 3
    assert desk.commit(claims).done == {claim.work_id for claim in claims}
    assert desk.commit([]) == (frozenset(), frozenset())


def test_the_same_input_under_the_same_policy_has_one_decision(desk: Any) -> None:
    desk.decide(desk.arrival("1", company="A"))
    desk.decide(desk.arrival("1", company="B"))
    desk.decide(desk.arrival("1", company="A"), review=DOUBT)
    story = desk.store.leads.story("crm", "1")[0]
    assert [link.decision.fields["company"] for link in story.decisions] == ["A", "B"]
    (item,) = desk.store.reviews.list()
    assert item.decision_id == story.decisions[0].id


def test_another_policy_is_another_decision(desk: Any) -> None:
    desk.decide(desk.arrival("1", company="A"))
    desk.poll(desk.arrival("1", company="B"))
    desk.commit(desk.claim())
    desk.poll(desk.arrival("1", company="A"), policy="2" * 64)
    (claim,) = desk.claim()
    assert claim.policy == "2" * 64
    desk.commit([claim])
    assert desk.store.decisions.verify("crm").links == 3


def test_a_newer_decision_overtakes_open_items_but_not_a_reps_request(desk: Any) -> None:
    desk.decide(desk.arrival("1", company="A"), review=DOUBT)
    desk.decide(desk.arrival("1", company="B"), review=DOUBT._replace(kind="fast_track"))
    desk.decide(desk.arrival("2"), review=DOUBT)
    desk.decide(desk.arrival("1", company="C"))
    assert [(item.record_id, item.kind) for item in desk.store.reviews.list()] == [
        ("1", "fast_track"),
        ("2", "low_confidence"),
    ]
    assert [item.kind for item in desk.store.reviews.list(state="superseded")] == ["low_confidence"]


def test_an_older_answer_does_not_replace_a_newer_one(desk: Any) -> None:
    desk.poll(desk.arrival("1", company="A"))
    (old,) = desk.claim()
    desk.poll(desk.arrival("1", company="B"))
    (new,) = desk.claim()
    desk.commit([new], tier="B")
    assert desk.commit([old], tier="D").done == {old.work_id}
    assert [row.desired["tierwise_tier"] for row in desk.outgoing()] == ["B"]
    assert desk.store.decisions.verify("crm").links == 2


def test_two_revisions_of_a_lead_in_one_batch(desk: Any) -> None:
    desk.poll(desk.arrival("1", company="A"))
    old = desk.claim()
    desk.poll(desk.arrival("1", company="B"))
    new = desk.claim()
    finished = [*(desk.finished(claim, tier="B") for claim in new), *(desk.finished(claim, tier="D") for claim in old)]
    assert len(desk.store.decisions.commit(finished, now=desk.now).done) == 2
    assert [row.desired["tierwise_tier"] for row in desk.outgoing()] == ["B"]


def test_each_connection_has_its_own_chain(desk: Any) -> None:
    desk.enable("other")
    desk.poll(desk.arrival("1"), desk.arrival("2"))
    desk.poll(desk.arrival("1"), connection="other")
    desk.commit(desk.claim())
    assert [desk.store.decisions.verify(name).links for name in ("crm", "other")] == [2, 1]


def test_workers_that_commit_together_make_one_chain(desk: Any) -> None:
    desk.enable("other")
    desk.poll(*(desk.arrival(str(number)) for number in range(60)))
    desk.poll(*(desk.arrival(str(number)) for number in range(60)), connection="other")
    start = threading.Barrier(4)

    def drain(owner: int) -> int:
        start.wait(20)
        done = 0
        while claims := desk.claim(limit=6, owner=str(owner)):
            done += len(desk.commit(claims).done)
        return done

    with futures.ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(drain, range(4))) == 120
    for name in ("crm", "other"):
        report = desk.store.decisions.verify(name)
        assert (report.links, report.broken_at) == (60, None)


def test_deciding_and_polling_the_same_leads_do_not_wait_in_a_circle(desk: Any) -> None:
    start = threading.Barrier(3)
    desk.poll(*(desk.arrival(str(number), company="0") for number in range(20)))

    def poll(_: int) -> int:
        start.wait(20)
        for round_ in range(1, 8):
            order = range(20) if round_ % 2 else range(19, -1, -1)
            desk.poll(*(desk.arrival(str(number), company=str(round_)) for number in order))
        return 0

    def decide(owner: int) -> int:
        start.wait(20)
        done = 0
        for _ in range(25):
            done += len(desk.commit(desk.claim(limit=9, owner=str(owner))).done)
        return done

    with futures.ThreadPoolExecutor(3) as pool:
        running = [pool.submit(poll, 0), pool.submit(decide, 1), pool.submit(decide, 2)]
        total = sum(future.result(60) for future in running)
    while claims := desk.claim():
        total += len(desk.commit(claims).done)
    report = desk.store.decisions.verify("crm")
    assert (report.links, report.broken_at) == (total, None)
    assert {row.desired["tierwise_fingerprint"] for row in desk.outgoing()} == {
        desk.arrival("1", company="7").fingerprint
    }
