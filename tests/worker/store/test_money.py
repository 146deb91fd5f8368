"""Budgets hold whoever spends, one process pays for an answer, and what was spent adds up."""

from __future__ import annotations

from concurrent import futures
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tierwise import store
from tierwise.domain.lead import digest
from tierwise.domain.rubric import Assessment, Verdict
from tierwise.ports import ALL, NANO, Ask, Bill, Budget, Budgets, Entry

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
TEN = Budgets(total=Budget(day=10 * NANO))
NONE = Budgets()


def key(name: str) -> str:
    return digest(name)


def answer(name: str, level: str = "high") -> Assessment:
    verdict = Verdict(criterion="size", level=level, probability=0.9, decided_by="m", quote="we")
    return Assessment(model="m", verdicts=(verdict,), content_hash=key(name), cost_usd=0.5)


def entry(**more: Any) -> Entry:
    return Entry("crm", "m", "primary", **{"nano_usd": NANO, "tokens_in": 100, "tokens_out": 10, **more})


class Till:
    """One process's side."""

    def __init__(self, opened: store.SqlStore, owner: str = "one", budgets: Budgets = NONE) -> None:
        self.money, self.owner, self.budgets, self.now = opened.money, owner, budgets, START

    def ask(self, *names: str, usd: float = 1, connection: str = "crm") -> list[str]:
        asks = [Ask(key(name), connection, round(usd * NANO)) for name in names]
        permits = self.money.open(asks, owner=self.owner, lease=30, budgets=self.budgets, now=self.now)
        return [permit.state for permit in permits]

    def pay(
        self, name: str, *, usd: float = 1, reserved: float = 1, connection: str = "crm", level: str = "high"
    ) -> Any:
        cost = Entry(connection, "m", "primary", nano_usd=round(usd * NANO))
        bill = Bill(key(name), connection, round(reserved * NANO), (cost,), answer(name, level))
        return self.money.settle([bill], owner=self.owner, now=self.now)


def test_who_claims_first_pays_and_the_others_find_the_answer(opened: store.SqlStore) -> None:
    one, two = Till(opened), Till(opened, "two")
    assert one.ask("a", "b", "a") == ["pay", "pay", "taken"]
    assert two.ask("a", "c") == ["taken", "pay"]
    one.pay("a")
    assert two.ask("a") == ["answered"]
    assert one.ask("a") == ["answered"]
    assert opened.assessments.get([key("a")]) == {key("a"): answer("a")}


def test_what_a_dead_process_claimed_is_free_after_its_lease_and_not_before(opened: store.SqlStore) -> None:
    dead, heir = Till(opened), Till(opened, "heir")
    assert dead.ask("a") == ["pay"]
    heir.now += timedelta(seconds=29)
    assert heir.ask("a") == ["taken"]
    heir.now += timedelta(seconds=1)
    assert heir.ask("a") == ["pay"]
    heir.pay("a")
    # The dead one was only slow: its answer is dropped for the one that stands.
    assert dead.pay("a", level="low") == {key("a"): answer("a")}
    assert opened.assessments.get([key("a")]) == {key("a"): answer("a")}


def test_a_renewed_claim_stands(opened: store.SqlStore) -> None:
    slow, other = Till(opened), Till(opened, "other")
    assert slow.ask("a") == ["pay"]
    for _ in range(3):
        slow.now += timedelta(seconds=20)
        other.now = slow.now
        opened.money.renew("one", lease=30, now=slow.now)
        assert other.ask("a") == ["taken"]


def test_a_claim_that_brought_nothing_is_free_at_once(opened: store.SqlStore) -> None:
    one, two = Till(opened), Till(opened, "two")
    one.ask("a")
    opened.money.settle([Bill(key("a"), "crm", 0)], owner="one", now=START)
    assert two.ask("a") == ["pay"]


def test_a_budget_has_room_for_what_is_reserved_once(opened: store.SqlStore) -> None:
    one, two = Till(opened, budgets=TEN), Till(opened, "two", budgets=TEN)
    assert one.ask("a", "b", usd=4) == ["pay", "pay"]
    assert two.ask("c", "d", usd=2) == ["pay", "spent"]
    # What only waits for money is claimed by nobody.
    assert one.ask("d", usd=0) == ["pay"]
    one.pay("a", usd=1, reserved=4)
    assert two.ask("e", usd=3) == ["pay"]
    (level,) = opened.money.levels(TEN, now=START)
    assert (level.scope, level.period, level.spent, level.reserved) == (ALL, "day", NANO, 9 * NANO)
    assert not level.exhausted


def test_a_refusal_says_which_budget_and_when_it_resumes(opened: store.SqlStore) -> None:
    budgets = Budgets(total=Budget(month=100 * NANO), connections={"crm": Budget(day=5 * NANO)})
    till = Till(opened, budgets=budgets)
    assert till.ask("a", usd=3) == ["pay"]
    ask = Ask(key("b"), "crm", 3 * NANO)
    (permit,) = opened.money.open([ask], owner="one", lease=30, budgets=budgets, now=START)
    assert permit.spent is not None
    assert permit.spent.resumes_at == START + timedelta(seconds=30), "what is under way may yet leave room"
    till.pay("a", usd=4, reserved=3)
    (permit,) = opened.money.open([ask], owner="one", lease=30, budgets=budgets, now=START)
    assert permit.spent is not None
    assert (permit.spent.scope, permit.spent.period, permit.spent.spent) == ("crm", "day", 4 * NANO)
    assert permit.spent.resumes_at == datetime(2026, 11, 3, tzinfo=UTC)
    assert till.ask("c", usd=50, connection="other") == ["pay"], "another connection has its own limits"
    till.pay("c", usd=50, reserved=50, connection="other")
    (permit,) = opened.money.open(
        [Ask(key("d"), "other", 60 * NANO)], owner="one", lease=30, budgets=budgets, now=START
    )
    assert permit.spent is not None
    assert (permit.spent.scope, permit.spent.resumes_at) == (ALL, datetime(2026, 12, 1, tzinfo=UTC))


def test_the_next_day_has_its_own_money_and_the_month_goes_on(opened: store.SqlStore) -> None:
    budgets = Budgets(total=Budget(day=5 * NANO, month=8 * NANO))
    till = Till(opened, budgets=budgets)
    till.ask("a", usd=5)
    till.pay("a", usd=5, reserved=5)
    assert till.ask("b") == ["spent"]
    till.now = datetime(2026, 11, 3, 0, 0, 1, tzinfo=UTC)
    assert till.ask("b", "c", usd=3) == ["pay", "spent"]
    till.now = datetime(2026, 12, 31, tzinfo=UTC)
    assert till.ask("c") == ["pay"]


def test_what_a_dead_process_had_reserved_counts_as_spent(opened: store.SqlStore) -> None:
    dead, heir = Till(opened, budgets=TEN), Till(opened, "heir", budgets=TEN)
    dead.ask("a", usd=6)
    heir.now += timedelta(seconds=31)
    assert heir.ask("b", usd=6) == ["spent"]
    (level,) = opened.money.levels(TEN, now=heir.now)
    assert (level.spent, level.reserved) == (6 * NANO, 0)
    assert [(item.stage, item.nano_usd) for item in opened.money.entries(since=START.date())] == [("lost", 6 * NANO)]


def test_many_spenders_at_once_never_promise_more_than_there_is(opened: store.SqlStore) -> None:
    tills = [Till(opened, f"p{number}", TEN) for number in range(4)]

    def spend(number: int) -> int:
        granted = 0
        for turn in range(6):
            states = tills[number].ask(f"{number}/{turn}/1", f"{number}/{turn}/2", usd=0.7)
            granted += states.count("pay")
            for place, state in enumerate(states, start=1):
                if state == "pay" and turn % 2:
                    tills[number].pay(f"{number}/{turn}/{place}", usd=0.7, reserved=0.7)
        return granted

    with futures.ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(spend, range(4))) == 14, "10 USD hold fourteen calls of 0.70"
    (level,) = opened.money.levels(TEN, now=START)
    assert level.spent + level.reserved == round(9.8 * NANO)


def test_sums_by_day_connection_model_stage(opened: store.SqlStore) -> None:
    till = Till(opened)
    bills = [
        Bill("", "crm", 0, (entry(), entry(calls=2, unpriced=1, nano_usd=0))),
        Bill(
            "", "crm", 0, (entry(tokens_cached=50, characters=400, repeated=300), entry()._replace(stage="secondary"))
        ),
    ]
    opened.money.settle(bills, owner="one", now=START)
    opened.money.settle(bills[:1], owner="two", now=START + timedelta(days=1))
    found = {item.stage: item for item in opened.money.entries(since=START.date(), until=START.date())}
    first = found["primary"]
    assert (first.questions, first.calls, first.unpriced, first.nano_usd) == (3, 4, 1, 2 * NANO)
    assert (first.tokens_in, first.tokens_cached, first.characters, first.repeated) == (300, 50, 400, 300)
    assert found["secondary"].nano_usd == NANO
    assert sum(item.questions for item in opened.money.entries(since=START.date())) == 6
    assert opened.money.entries(since=date(2026, 11, 4)) == []
    assert till.ask("x") == ["pay"]


def test_scored_leads_are_counted_by_connection(desk: Any) -> None:
    desk.decide(desk.arrival("1"), desk.arrival("2", company="B"))
    today = desk.now.date()
    assert desk.store.money.scored(since=today) == {"crm": 2}
    assert desk.store.money.scored(since=today, until=today) == {"crm": 2}
    assert desk.store.money.scored(since=today + timedelta(days=1)) == {}
