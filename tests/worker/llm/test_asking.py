"""One question to one model, with the money and the trouble that come with it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from tierwise import errors
from tierwise.domain.lead import Lead
from tierwise.domain.rubric import Assessment
from tierwise.llm import cost, failures, injection, prompt
from tierwise.llm.asking import Asker, ModelFailed, Question, Result
from tierwise.llm.call import Lines
from tierwise.llm.client import Completion
from tierwise.llm.ledger import Ledger, Unpriced
from tierwise.llm.once import Lookup
from tierwise.ports import NANO, Ask, Bill, Budget, Budgets, Permit, Spent
from tierwise.ports.money import UNANSWERED

NOW = datetime(2026, 11, 2, tzinfo=UTC)
LEAD = Lead(job_title="Head of IT", employee_count=200, message="We need it this month. The budget is there.")
SURE = {
    "purchase_timing": ("now", 0.99, "this month", "message"),
    "buying_role": ("decides", 0.99, "Head of IT", "job_title"),
    "legitimate": ("real", 0.99, "We need it", "message"),
}


class Book:
    """A ledger's database that grants everything but what is in `refused`, and shows what came in."""

    def __init__(self, *, stands: Mapping[str, Assessment] | None = None, refuse_repairs: bool = False) -> None:
        self.asks: list[Ask] = []
        self.bills: list[Bill] = []
        self.stands = dict(stands or {})
        self.refuse_repairs = refuse_repairs

    def open(self, asks: Sequence[Ask], **_: Any) -> list[Permit]:
        self.asks += asks
        spent = Permit("spent", spent=Spent("*", "day", NANO, NANO, NOW))
        return [spent if not ask.key and self.refuse_repairs else Permit("pay") for ask in asks]

    def settle(self, bills: Sequence[Bill], **_: Any) -> Mapping[str, Assessment]:
        self.bills += bills
        return {bill.key: self.stands["any"] for bill in bills} if "any" in self.stands else {}

    def renew(self, *_: Any, **__: Any) -> None: ...


@pytest.fixture
def ask(runnable: Any) -> Any:
    """`ask(complete, book)`: the result, and the kinds of trouble that were told."""

    def one(
        complete: Any, book: Any = None, *, connection: str = "crm", lookup: Any = None, prices: Any = None
    ) -> tuple[Result, list[str]]:
        told: list[str] = []

        async def main() -> Result:
            plan = prompt.plan(runnable.policy)
            fields = prompt.shown(LEAD, plan.criteria)
            rng = random.Random(3)

            async def soon(_: float) -> None:
                await asyncio.sleep(0)

            def tell(error: errors.TierwiseError) -> None:
                told.append(error.fault)

            known = cost.Prices({"test/one": cost.Price(1, 2)}) if prices is None else prices
            budgets = Budgets(total=Budget(day=NANO))
            ledger = book and Ledger(
                book, owner="me", budgets=budgets, prices=known, clock=lambda: NOW, linger=0, sleep=soon
            )
            asker = Asker(
                Lines(complete, rng=rng, sleep=soon, told=tell), rng=rng, lookup=lookup, ledger=ledger, told=tell
            )
            question = Question(plan, fields, injection.NO_TERMS, "test/one", "primary", connection, strong="test/two")
            try:
                return await asker.ask(question)
            finally:
                await asker.close()
                if ledger:
                    await ledger.close()

        return asyncio.run(main()), told

    return one


def test_a_call_is_reserved_by_estimate_and_billed_by_what_it_took(ask: Any, scripted: Any, answered: Any) -> None:
    book = Book()
    result, told = ask(scripted(one=[answered(**SURE)]), book)
    assert told == []
    assert result.assessment.kept
    (asked,), (bill,) = book.asks, book.bills
    assert asked.key == bill.key == result.assessment.content_hash
    assert 0 < asked.nano == bill.reserved
    (entry,) = bill.entries
    assert (entry.connection, entry.model, entry.stage, entry.strong) == ("crm", "test/one", "primary", "test/two")
    assert (entry.calls, entry.tokens_in, entry.tokens_out, entry.nano_usd, entry.unpriced) == (
        1,
        100,
        10,
        NANO // 2,
        0,
    )
    assert 0.5 < entry.repeated / entry.characters < 1, "the fixed part comes first and is most of it"
    assert bill.answer is not None
    assert bill.answer.verdicts == result.assessment.verdicts


def test_a_repair_is_money_of_its_own(ask: Any, scripted: Any, answered: Any) -> None:
    book = Book()
    result, told = ask(scripted(one=["no", answered(**SURE)]), book)
    assert result.assessment.repaired
    assert result.assessment.troubles == ("malformed",)
    assert told == ["malformed"]
    assert [bool(item.key) for item in book.asks] == [True, False]
    assert book.asks[1].nano > book.asks[0].nano, "the second prompt is longer"
    (bill,) = book.bills
    assert bill.reserved == sum(item.nano for item in book.asks)
    assert (bill.entries[0].calls, bill.entries[0].nano_usd) == (2, NANO)


def test_without_money_for_the_repair_the_answer_is_none_but_was_paid(ask: Any, scripted: Any) -> None:
    book = Book(refuse_repairs=True)
    result, _ = ask(scripted(one=["no"]), book)
    assert "no money to repair it" in result.problem
    (bill,) = book.bills
    assert bill.answer is None
    assert bill.entries[0].calls == 1
    assert not result.assessment.kept


@pytest.mark.parametrize(
    ("said", "kind", "calls"),
    [
        ({"text": ""}, "empty", 2),
        ({"text": "I would say A."}, "malformed", 2),
        ({"text": '{"purchase_timing": {"level": "now"}}'}, "wrong_schema", 2),
        ({"text": '{"purchase_timing": {"lev', "finish": "length"}, "truncated", 2),
        ({"text": "", "finish": "refusal"}, "refusal", 1),
    ],
)
def test_each_unusable_answer_is_told_by_its_kind(ask: Any, said: Any, kind: str, calls: int) -> None:
    book = Book()
    seen: list[Sequence[Mapping[str, str]]] = []

    async def complete(model: str, messages: Sequence[Mapping[str, str]], **_: Any) -> Completion:
        seen.append(tuple(messages))
        assert all(message["content"].strip() for message in messages), "providers refuse empty messages"
        given = {"model": model, "tokens_in": 10, "tokens_out": 1, "cost_usd": 0.1, "latency_ms": 5, **said}
        return Completion(**given)

    if kind == "refusal":
        with pytest.raises(ModelFailed) as failed:
            ask(complete, book)
        assert "refuses to answer" in str(failed.value.__cause__)
    else:
        result, told = ask(complete, book)
        assert told == [kind] * 2
        assert result.problem
        assert result.assessment.troubles == (kind, kind)
        assert result.assessment.cost_usd == pytest.approx(0.2)
    assert len(seen) == calls
    (bill,) = book.bills
    assert (bill.answer, bill.entries[0].calls) == (None, calls), "what it cost is counted, whatever it was worth"


def test_a_failure_that_passed_is_remembered_with_the_answer(ask: Any, scripted: Any, answered: Any) -> None:
    busy = errors.RetryLater("busy", place="test/one")
    busy.fault = "rate_limited"
    result, told = ask(scripted(one=[busy, answered(**SURE)]))
    assert (result.assessment.troubles, told) == (("rate_limited",), ["rate_limited"])
    assert not result.assessment.repaired


def late() -> errors.Unreachable:
    return failures.timed_out("test/one", 30)


def test_a_call_that_timed_out_is_counted_at_its_estimate_beside_the_one_that_answered(
    ask: Any, scripted: Any, answered: Any
) -> None:
    book = Book()
    result, told = ask(scripted(one=[late(), answered(**SURE)]), book)
    assert told == ["timeout"]
    assert not result.problem
    first, again = book.asks
    assert (bool(first.key), bool(again.key)) == (True, False), "money for the second call is asked for beforehand"
    (bill,) = book.bills
    assert bill.reserved == first.nano + again.nano
    paid, lost = bill.entries
    assert (paid.stage, paid.calls, paid.nano_usd) == ("primary", 1, NANO // 2)
    assert (lost.stage, lost.model, lost.connection, lost.strong) == (UNANSWERED, "test/one", "crm", "test/two")
    assert (lost.questions, lost.calls, lost.nano_usd, lost.unpriced) == (0, 1, first.nano, 0)


def test_calls_that_all_timed_out_are_counted_and_a_refusal_to_serve_is_not(ask: Any, scripted: Any) -> None:
    book = Book()
    busy = errors.RetryLater("busy", place="test/one")
    with pytest.raises(ModelFailed):
        ask(scripted(one=[late(), busy, late()]), book)
    (bill,) = book.bills
    (lost,) = bill.entries
    assert (lost.stage, lost.calls, lost.nano_usd) == (UNANSWERED, 2, sum(item.nano for item in book.asks))
    assert bill.answer is None


def test_without_money_for_another_call_the_lead_waits_and_the_first_is_counted(ask: Any, scripted: Any) -> None:
    book = Book(refuse_repairs=True)
    with pytest.raises(errors.Held):
        ask(scripted(one=[late()]), book)
    (bill,) = book.bills
    assert [(entry.stage, entry.calls) for entry in bill.entries] == [(UNANSWERED, 1)]
    assert bill.reserved == bill.entries[0].nano_usd == book.asks[0].nano


def test_a_call_that_is_given_up_is_counted(ask: Any) -> None:
    book = Book()

    async def complete(*_: Any, **__: Any) -> Completion:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        ask(complete, book)
    (bill,) = book.bills
    assert [(entry.stage, entry.nano_usd) for entry in bill.entries] == [(UNANSWERED, book.asks[0].nano)]


def test_the_answer_that_stands_counts_where_two_were_paid_for(ask: Any, scripted: Any, answered: Any) -> None:
    other = Assessment(model="test/one", verdicts=(), content_hash="k", cost_usd=9)
    result, _ = ask(scripted(one=[answered(**SURE)]), Book(stands={"any": other}))
    assert result.assessment.verdicts == ()
    assert result.assessment.cost_usd == 0.5, "we did pay"


def test_of_a_lead_that_is_only_looked_at_nothing_is_kept(ask: Any, scripted: Any, answered: Any) -> None:
    book = Book()
    result, _ = ask(scripted(one=[answered(**SURE)]), book, connection="")
    assert not result.assessment.kept
    assert book.bills[0].answer is None
    assert book.bills[0].entries[0].nano_usd == NANO // 2, "the money is counted all the same"


def test_a_known_answer_is_neither_asked_nor_billed(ask: Any, scripted: Any, runnable: Any) -> None:
    async def query(keys: Any) -> dict[str, Assessment]:
        return {key: Assessment(model="test/one", verdicts=(), content_hash=key, cost_usd=1) for key in keys}

    complete = scripted(one=["never"])
    told: list[str] = []

    async def main() -> Result:
        plan = prompt.plan(runnable.policy)
        asker = Asker(
            Lines(complete),
            rng=random.Random(1),
            lookup=Lookup(query),
            ledger=None,
            told=lambda e: told.append(e.fault),
        )
        return await asker.ask(
            Question(plan, prompt.shown(LEAD, plan.criteria), injection.NO_TERMS, "test/one", "primary")
        )

    assert asyncio.run(main()).assessment.cached
    assert complete.calls == []


def test_where_answers_are_bought_the_ledger_alone_is_asked_whether_one_is_there(
    ask: Any, scripted: Any, answered: Any
) -> None:
    looked: list[str] = []

    async def query(keys: Any) -> dict[str, Assessment]:
        looked.extend(keys)
        return {}

    assert ask(scripted(one=[answered(**SURE)]), Book(), lookup=Lookup(query))[0].problem == ""
    assert looked == []
    ask(scripted(one=[answered(**SURE)]), lookup=Lookup(query))
    assert len(looked) == 1


def test_an_answer_that_was_paid_for_needs_no_price(ask: Any, scripted: Any) -> None:
    async def query(keys: Any) -> dict[str, Assessment]:
        return {key: Assessment(model="test/one", verdicts=(), content_hash=key, cost_usd=1) for key in keys}

    async def nothing(keys: Any) -> dict[str, Assessment]:
        return {}

    book = Book()
    result, _ = ask(scripted(one=["never"]), book, lookup=Lookup(query), prices=cost.Prices())
    assert result.assessment.cached
    with pytest.raises(Unpriced):
        ask(scripted(one=["never"]), book, lookup=Lookup(nothing), prices=cost.Prices())
    assert book.asks == []
