"""Who waits for answers that only a backtest needs: taken by one, freed by whoever ends, found by an erasure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tierwise_fixtures import policies as make

from tierwise import store
from tierwise.domain.lead import digest
from tierwise.domain.rubric import Assessment
from tierwise.ports import UNLIMITED, Budget, Budgets
from tierwise.ports.backtests import Asking
from tierwise.ports.batches import Ending, Plan, Wanted
from tierwise.store import money, schema


@pytest.fixture
def tried(desk: Any, opened: store.SqlStore) -> str:
    """A policy that is tried, and three decisions; its digest."""
    desk.poll(*(desk.arrival(record, email=f"{record}@acme.example") for record in "abc"))
    desk.commit(desk.claim())
    return opened.policies.publish(make.policy(), by="ops", note="", now=desk.now)


def ids(opened: store.SqlStore) -> list[int]:
    return sorted(past.id for past in opened.decisions.recent(limit=9))


def take(desk: Any, opened: store.SqlStore, **more: Any) -> list[Any]:
    return opened.backtests.take(**{"limit": 9, "lease": 60, "now": desk.now, **more})


def plan(desk: Any, opened: store.SqlStore, policy: str, taken: Any, *keys: str, budgets: Any = UNLIMITED) -> Any:
    wanted = tuple(Wanted(item.id, digest(key), item.connection, 7) for item, key in zip(taken, keys, strict=True))
    made = Plan("m", "primary", "", policy, wanted, "backtest")
    return opened.batches.plan(made, budgets=budgets, deadline=desk.now + timedelta(hours=2), now=desk.now)


def answers(*keys: str) -> tuple[Assessment, ...]:
    return tuple(Assessment(model="m", verdicts=(), content_hash=digest(key), cost_usd=0.5) for key in keys)


def end(desk: Any, opened: store.SqlStore, batch_id: int, ending: Ending) -> None:
    batch = opened.batches.claim(batch_id, lease=60, now=desk.now)
    assert batch is not None
    opened.batches.end(batch, ending, now=desk.now)


def test_whoever_takes_them_has_them_for_a_while(desk: Any, opened: store.SqlStore, tried: str) -> None:
    wanted = ids(opened)
    assert not opened.backtests.due(now=desk.now)
    opened.backtests.ask(tried, wanted, live=False, now=desk.now)
    opened.backtests.ask(tried, wanted, live=False, now=desk.now)
    assert opened.backtests.due(now=desk.now)
    taken = take(desk, opened)
    assert [(item.decision_id, item.tries, item.live) for item in taken] == [(key, 0, False) for key in wanted]
    assert [item.lead.email for item in taken] == ["a@acme.example", "b@acme.example", "c@acme.example"]
    assert (take(desk, opened), opened.backtests.due(now=desk.now)) == ([], False)
    desk.wait(60)
    assert opened.backtests.begin(taken[:1], lease=60, now=desk.now) == {taken[0].id}, "nobody else took it meanwhile"
    again = take(desk, opened)
    assert [(item.id, item.tries) for item in again] == [(item.id, 0) for item in taken[1:]], "its owner died"
    assert opened.backtests.begin(taken, lease=60, now=desk.now) == {taken[0].id}, "the others are another's now"
    assert opened.backtests.begin([], lease=60, now=desk.now) == set()
    desk.wait(60)
    assert sorted(item.tries for item in take(desk, opened)) == [0, 0, 2], "a try counts when it is begun"


def test_whoever_asks_again_takes_nothing_out_of_others_hands(desk: Any, opened: store.SqlStore, tried: str) -> None:
    opened.backtests.ask(tried, ids(opened), live=True, now=desk.now)
    taken = take(desk, opened)
    opened.backtests.ask(tried, ids(opened), live=False, now=desk.now)
    assert take(desk, opened) == [], "they are asked about just now: not in a batch as well"
    opened.backtests.again([item.id for item in taken], due=desk.now + timedelta(seconds=600))
    opened.backtests.ask(tried, ids(opened), live=False, now=desk.now)
    assert [(item.live, item.tries) for item in take(desk, opened)] == [(False, 0)] * 3, "nobody was at it: afresh"


def test_one_policy_at_a_time_and_that_which_is_wished_for(desk: Any, opened: store.SqlStore, tried: str) -> None:
    other = opened.policies.publish(make.policy(version="2"), by="ops", note="", now=desk.now)
    opened.backtests.ask(tried, ids(opened)[:1], live=False, now=desk.now)
    desk.wait(1)
    opened.backtests.ask(other, ids(opened), live=True, now=desk.now)
    assert [item.policy for item in take(desk, opened, policy=other, limit=1)] == [other]
    assert {item.policy for item in take(desk, opened)} == {tried}, "the longest waiting"
    assert {item.policy for item in take(desk, opened)} == {other}
    assert [(item.policy, item.decisions) for item in opened.backtests.list()] == [(tried, 1), (other, 3)]


def test_what_is_done_is_gone_and_its_answers_are_noted(desk: Any, opened: store.SqlStore, tried: str) -> None:
    opened.backtests.ask(tried, ids(opened), live=True, now=desk.now)
    first, second, _ = take(desk, opened)
    opened.assessments.keep(answers("one", "two"), now=desk.now)
    opened.backtests.note({first.decision_id: [digest("one"), digest("two")]})
    opened.backtests.done([first.id, second.id])
    opened.backtests.done([])
    (left,) = opened.backtests.list()
    assert (left.decisions, left.batched) == (1, 0)
    opened.persons.erase([("crm", "a")], needles=[], by="local:me", reason="", now=desk.now)
    assert opened.assessments.get([digest("one"), digest("two")]) == {}


def test_what_is_tried_again_waits_and_says_why(desk: Any, opened: store.SqlStore, tried: str) -> None:
    opened.backtests.ask(tried, ids(opened), live=True, now=desk.now)
    first, second, third = take(desk, opened)
    later = desk.now + timedelta(seconds=300)
    opened.backtests.begin([first, second], lease=60, now=desk.now)
    opened.backtests.again([first.id], due=later, error="the provider is down")
    opened.backtests.again([second.id], due=later, error="no budget", tried=False)
    opened.backtests.again([], due=later)
    opened.backtests.done([third.id])
    assert opened.backtests.list()[0].error in ("the provider is down", "no budget")
    desk.wait(299)
    assert take(desk, opened) == []
    desk.wait(1)
    assert [(item.id, item.tries) for item in take(desk, opened)] == [(first.id, 1), (second.id, 0)]


def test_in_a_batch_they_are_left_alone_until_it_ends(desk: Any, opened: store.SqlStore, tried: str) -> None:
    opened.backtests.ask(tried, ids(opened), live=False, now=desk.now)
    taken = take(desk, opened)
    made = plan(desk, opened, tried, taken, "x", "x", "y")
    assert (made.questions, made.leads, made.spent) == (2, 3, None)
    desk.wait(3600)
    assert not opened.backtests.due(now=desk.now)
    opened.backtests.ask(tried, ids(opened), live=True, now=desk.now)
    assert take(desk, opened) == [], "what is paid for is not asked live as well"
    assert opened.backtests.list() == [Asking(tried, 3, 3, desk.now - timedelta(seconds=3600), "")]
    (batch,) = opened.batches.list(ended_since=desk.now)
    assert {put.key: put.lead.email for put in opened.batches.asked(batch)} == {
        digest("x"): "a@acme.example", digest("y"): "c@acme.example"
    }  # fmt: skip
    end(desk, opened, made.batch, Ending("completed", (), answers("x"), unusable=1))
    found = take(desk, opened)
    assert [(item.lead.email[0], item.live, item.tries) for item in found] == [
        ("a", False, 0), ("b", False, 0), ("c", True, 0)
    ]  # fmt: skip
    opened.persons.erase([("crm", "b")], needles=[], by="local:me", reason="", now=desk.now)
    assert opened.assessments.get([digest("x")]) == {}, (
        "what was answered about it is found, though nothing stands on it"
    )


def test_what_a_batch_drops_is_asked_live(desk: Any, opened: store.SqlStore, tried: str) -> None:
    opened.backtests.ask(tried, ids(opened), live=False, now=desk.now)
    made = plan(desk, opened, tried, take(desk, opened), "x", "y", "z")
    batch = opened.batches.claim(made.batch, lease=60, now=desk.now)
    opened.batches.drop(batch, [digest("y")], now=desk.now)
    assert [(item.lead.email[0], item.live) for item in take(desk, opened)] == [("b", True)]
    assert {put.key for put in opened.batches.asked(batch)} == {digest("x"), digest("z")}


def test_without_money_they_wait_for_it(desk: Any, opened: store.SqlStore, tried: str) -> None:
    opened.backtests.ask(tried, ids(opened), live=False, now=desk.now)
    budgets = Budgets(total=Budget(day=14))
    made = plan(desk, opened, tried, take(desk, opened), "x", "y", "z", budgets=budgets)
    assert (made.questions, made.spent.scope) == (2, "*")
    (asking,) = opened.backtests.list()
    assert (asking.decisions, asking.batched) == (3, 2)
    assert "has no room" in asking.error
    assert take(desk, opened) == []
    desk.wait(money.SOON.total_seconds())
    (again,) = take(desk, opened)
    assert again.tries == 0, "nothing was tried"


def test_a_cancelled_one_asks_no_more_and_keeps_what_was_paid(desk: Any, opened: store.SqlStore, tried: str) -> None:
    opened.backtests.ask(tried, ids(opened), live=False, now=desk.now)
    made = plan(desk, opened, tried, take(desk, opened)[:2], "x", "y")
    assert opened.backtests.cancel(tried) == 3
    assert opened.backtests.cancel(tried) == 0
    assert [(item.decisions, item.batched) for item in opened.backtests.list()] == [(2, 2)]
    end(desk, opened, made.batch, Ending("completed", (), answers("x", "y")))
    assert opened.backtests.list() == []
    assert len(opened.assessments.get([digest("x"), digest("y")])) == 2
    opened.persons.erase([("crm", "a")], needles=[], by="local:me", reason="", now=desk.now)
    assert opened.assessments.get([digest("x")]) == {}


def test_a_batch_that_is_only_planned_does_not_ask_what_was_cancelled(
    desk: Any, opened: store.SqlStore, tried: str
) -> None:
    opened.backtests.ask(tried, ids(opened), live=False, now=desk.now)
    made = plan(desk, opened, tried, take(desk, opened), "x", "x", "y")
    opened.backtests.cancel(tried)
    batch = opened.batches.claim(made.batch, lease=60, now=desk.now)
    assert {put.key: put.lead for put in opened.batches.asked(batch, ready=True)} == {
        digest("x"): None, digest("y"): None
    }  # fmt: skip
    assert all(put.lead is not None for put in opened.batches.asked(batch)), "what was asked is read"
    opened.batches.drop(batch, [digest("x"), digest("y")], now=desk.now)
    assert (opened.backtests.list(), take(desk, opened)) == ([], [])


def test_whoever_asks_again_takes_the_cancel_back(desk: Any, opened: store.SqlStore, tried: str) -> None:
    opened.backtests.ask(tried, ids(opened), live=False, now=desk.now)
    made = plan(desk, opened, tried, take(desk, opened), "x", "y", "z")
    opened.backtests.cancel(tried)
    opened.backtests.ask(tried, ids(opened), live=False, now=desk.now)
    end(desk, opened, made.batch, Ending("failed"))
    assert [item.live for item in take(desk, opened)] == [True, True, True]


def test_what_was_erased_has_no_lead(desk: Any, opened: store.SqlStore, tried: str) -> None:
    opened.backtests.ask(tried, ids(opened), live=False, now=desk.now)
    made = plan(desk, opened, tried, take(desk, opened), "x", "x", "y")
    assert [lead.email for _, lead in opened.backtests.leads(ids(opened))] == [
        "a@acme.example", "b@acme.example", "c@acme.example"
    ]  # fmt: skip
    opened.persons.erase([("crm", "a"), ("crm", "c")], needles=[], by="local:me", reason="", now=desk.now)
    (batch,) = opened.batches.list(ended_since=desk.now)
    found = {put.key: put.lead for put in opened.batches.asked(batch)}
    assert found[digest("x")].email == "b@acme.example", "another's lead asks the same"
    assert found[digest("y")] is None
    assert len(list(opened.backtests.leads(ids(opened)))) == 1
    end(desk, opened, made.batch, Ending("cancelled"))
    assert [item.lead is None for item in take(desk, opened)] == [True, False, True]


def test_a_lead_of_the_queue_and_a_backtest_may_wait_for_one_question(
    desk: Any, opened: store.SqlStore, tried: str
) -> None:
    opened.backtests.ask(tried, ids(opened)[:1], live=False, now=desk.now)
    made = plan(desk, opened, tried, take(desk, opened), "x")
    now = desk.now
    opened.batches.backfill("crm", since=now - timedelta(days=9), until=now - timedelta(days=2), now=now)
    desk.poll(desk.arrival("d", modified_at=now - timedelta(days=5), email="d@acme.example"))
    (waiter,) = opened.batches.waiters(limit=9, now=now)
    wanted = (Wanted(waiter.work_id, digest("x"), "crm", 7),)
    joined = opened.batches.plan(
        Plan("m", "primary", "", "p" * 64, wanted), budgets=UNLIMITED, deadline=now + timedelta(hours=2), now=now
    )
    assert (joined.batch, joined.leads) == (None, 1)
    end(desk, opened, made.batch, Ending("completed", (), answers("x")))
    assert [item.live for item in take(desk, opened)] == [False]
    assert opened.batches.gathering(now=desk.now).leads == 1, "both are looked at again"
    with opened._database.read() as reader:
        assert reader.execute(sa.select(sa.func.count()).select_from(schema.batch_question)).scalar_one() == 0


def test_answers_of_a_shadow_are_found_as_well(desk: Any, opened: store.SqlStore, tried: str) -> None:
    opened.assessments.keep(answers("x"), now=desk.now)
    opened.backtests.note({ids(opened)[0]: [digest("x")]})
    opened.backtests.note({ids(opened)[0]: [digest("x")]})
    opened.backtests.note({})
    opened.persons.erase([("crm", "a")], needles=[], by="local:me", reason="", now=desk.now)
    assert opened.assessments.get([digest("x")]) == {}
