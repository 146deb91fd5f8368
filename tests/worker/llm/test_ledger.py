from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tierwise import errors
from tierwise.domain.rubric import Assessment
from tierwise.llm import cost
from tierwise.llm.ledger import Ledger, Unpriced
from tierwise.ports import ALL, NANO, Ask, Bill, Budget, Budgets, Permit, Spent

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
DOLLAR = Budgets(total=Budget(day=NANO))
PRICES = cost.Prices({"test/one": cost.Price(3, 15)})
ANSWER = Assessment(model="m", verdicts=(), content_hash="a", cost_usd=1)


class Book:
    """Gives permits as a test says, and remembers what it was told."""

    def __init__(self, *states: Permit) -> None:
        self.states = list(states)
        self.asked: list[list[Ask]] = []
        self.bills: list[list[Bill]] = []
        self.renewed = 0
        self.stands: dict[str, Assessment] = {}

    def open(self, asks: Sequence[Ask], **_: Any) -> list[Permit]:
        self.asked.append(list(asks))
        return [self.states.pop(0) if self.states else Permit("pay") for _ in asks]

    def settle(self, bills: Sequence[Bill], **_: Any) -> Mapping[str, Assessment]:
        self.bills.append(list(bills))
        return self.stands

    def renew(self, owner: str, **_: Any) -> None:
        self.renewed += 1


def run(book: Any, work: Callable[[Ledger], Coroutine[Any, Any, None]], **options: Any) -> list[float]:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    async def main() -> None:
        settings: dict[str, Any] = {"owner": "me", "budgets": DOLLAR, "prices": PRICES, "linger": 0, **options}
        ledger = Ledger(book, clock=lambda: NOW, sleep=sleep, **settings)
        try:
            await work(ledger)
        finally:
            await ledger.close()

    asyncio.run(main())
    return slept


def test_questions_of_a_moment_are_asked_together() -> None:
    book = Book()

    async def work(ledger: Ledger) -> None:
        await asyncio.gather(*(ledger.buy(key, connection="crm", nano=1) for key in "abc"))
        await asyncio.gather(*(ledger.settle(Bill(key, "crm", 1)) for key in "abc"))

    run(book, work)
    assert [len(asks) for asks in book.asked] == [3]
    assert [len(bills) for bills in book.bills] == [3]


def test_while_another_process_pays_it_is_waited_for() -> None:
    book = Book(Permit("taken"), Permit("taken"), Permit("answered", answer=ANSWER))

    async def work(ledger: Ledger) -> None:
        assert await ledger.buy("a", connection="crm", nano=1) == ANSWER

    assert run(book, work) == [0.1, 0.2]


@pytest.mark.parametrize(
    ("spent", "said", "after"),
    [
        (Spent(ALL, "day", 5 * NANO, 5 * NANO, NOW + timedelta(hours=15)), "the daily budget over all", 600),
        (Spent("crm", "month", NANO // 2, 1, NOW + timedelta(seconds=30)), "the monthly budget of crm (0.5 USD)", 30),
    ],
)
def test_a_spent_budget_holds_and_says_until_when(spent: Spent, said: str, after: float) -> None:
    async def work(ledger: Ledger) -> None:
        for attempt in (ledger.buy("a", connection="crm", nano=1), ledger.more(connection="crm", nano=1)):
            with pytest.raises(errors.Held) as held:
                await attempt
            assert said in str(held.value)
            assert f"{spent.resumes_at:%H:%M}" in str(held.value)
            assert held.value.after == after

    run(Book(Permit("spent", spent=spent), Permit("spent", spent=spent)), work)


def test_an_estimate_needs_a_price_only_where_a_budget_counts_it() -> None:
    async def work(ledger: Ledger) -> None:
        usd = ledger.estimate("test/one", connection="crm", text_bytes=3000, tokens_out=100) / NANO
        assert usd == pytest.approx(1000 * 3e-6 + 100 * 15e-6)
        assert ledger.estimate("offline/rules", connection="crm", text_bytes=3000, tokens_out=1) == 0
        with pytest.raises(Unpriced, match=r'\[prices."test/two"\]'):
            ledger.estimate("test/two", connection="crm", text_bytes=1, tokens_out=1)

    run(Book(), work)

    async def unlimited(ledger: Ledger) -> None:
        assert ledger.estimate("test/two", connection="crm", text_bytes=1, tokens_out=1) == 0

    run(Book(), unlimited, budgets=Budgets(connections={"other": Budget(day=1)}))


def test_claims_are_renewed_while_something_is_under_way() -> None:
    book = Book()

    async def work(ledger: Ledger) -> None:
        await ledger.buy("a", connection="crm", nano=1)
        while book.renewed < 2:
            await asyncio.sleep(0.005)
        await ledger.settle(Bill("a", "crm", 1))
        done = book.renewed
        await asyncio.sleep(0.1)
        assert book.renewed <= done + 1

    run(book, work, lease=0.06)


def test_the_answer_that_stands_comes_back() -> None:
    book = Book()
    book.stands = {"a": ANSWER}

    async def work(ledger: Ledger) -> None:
        await ledger.buy("a", connection="crm", nano=1)
        assert await ledger.settle(Bill("a", "crm", 1)) == ANSWER
        await ledger.buy("b", connection="crm", nano=1)
        assert await ledger.settle(Bill("b", "crm", 1)) is None

    run(book, work)
