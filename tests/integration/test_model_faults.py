"""Every way in which a model can fail, through a real socket: what the lead gets, what is told, what is counted."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tierwise import errors, policies, store
from tierwise.domain.decision import Judged
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.llm import client, cost, offline
from tierwise.llm.cascade import Cascade
from tierwise.llm.ledger import Ledger
from tierwise.llm.loop import LoopThread
from tierwise.ports import NANO, Budget, Budgets
from tierwise.ports.money import UNANSWERED

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
"""Of the one day on which money is spent here: a budget is one of a day."""
PRIMARY, SECONDARY = "openai/gpt-6-luna", "anthropic/claude-haiku-4-5"
LEAD = Lead(
    job_title="Head of Logistics",
    employee_count=240,
    message="We ship about 9000 orders per month by hand, printing labels one by one. The budget has been approved.",
)


@pytest.fixture(scope="module")
def runnable() -> Runnable:
    return policies.compile(policies.read(Path(__file__).parents[2]))


@pytest.fixture
def box(sandbox: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    started = sandbox()
    monkeypatch.setenv("OPENAI_API_BASE", f"{started.model_url}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
    monkeypatch.setenv("ANTHROPIC_API_BASE", started.model_url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test-0123456789")
    return started


class Told:
    """What came of one lead, and the faults that were told on the way."""

    def __init__(self, judged: Judged, faults: list[str]) -> None:
        self.judged, self.faults = judged, faults


@pytest.fixture
def judge(runnable: Runnable) -> Any:
    def one(lead: Lead = LEAD, *, connection: str = "", **options: Any) -> Told:
        faults: list[str] = []

        async def soon(_: float) -> None:
            await asyncio.sleep(0)

        async def main() -> Judged:
            given = {"primary": PRIMARY, "secondary": SECONDARY, "sleep": soon, **options}
            cascade = Cascade(told=lambda error: faults.append(error.fault), **given)
            try:
                return await cascade.judge(runnable, lead, connection=connection)
            finally:
                await cascade.close()

        loop = LoopThread()
        try:
            return Told(loop.submit(main()).result(60), faults)
        finally:
            loop.stop()

    return one


# What the primary does at first, the faults that are told, and whether it answers in the end.
CASES: dict[str, tuple[list[dict[str, Any]], list[str], bool]] = {
    "crashes": ([{"status": 500}] * 3, ["unavailable"] * 3, False),
    "crashes once": ([{"status": 503}], ["unavailable"], True),
    "asks for patience": ([{"status": 429}], ["rate_limited"], True),
    "hangs up": ([{"reset": True}], ["unreachable"], True),
    "refuses the key": ([{"status": 401}], ["unauthorised"], False),
    "does not know the model": ([{"status": 404}], ["unknown_model"], False),
    "refuses to answer": ([{"ending": "refusal"}], ["refusal"], False),
    "says nothing": ([{"ending": "empty"}], ["empty"], True),
    "breaks off": ([{"ending": "truncated"}], ["truncated"], True),
    "writes no JSON": ([{"ending": "malformed"}], ["malformed"], True),
    "answers another question": ([{"answer": {"colour": "blue"}}], ["wrong_schema"], True),
    "never answers as asked": ([{"ending": "malformed"}, {"answer": {}}], ["malformed", "wrong_schema"], False),
    "finds it too long": ([{"ending": "context_overflow"}], ["context_overflow"], False),
}


@pytest.mark.parametrize("case", CASES)
def test_a_fault_of_the_primary(box: Any, judge: Any, case: str) -> None:
    script, faults, recovers = CASES[case]
    box.faults({"models": {"gpt-6-luna": {"script": script}}})
    told = judge()
    assert told.faults == faults
    judged = told.judged
    assert not judged.fallback, "the other provider, or the repair, saved it"
    if recovers:
        assert judged.errors == ()
        assert judged.assessments[0].model == PRIMARY
        assert judged.assessments[0].troubles == tuple(faults), "it is in the lead's story"
    else:
        assert judged.used == SECONDARY
        (error,) = judged.errors
        assert error.startswith(PRIMARY)
    assert judged.verdicts


def test_a_model_that_does_not_answer_in_time(box: Any, judge: Any) -> None:
    judge(primary=SECONDARY, secondary=None)  # a process's first call to a provider takes much longer than any other
    box.faults({"models": {"gpt-6-luna": {"latency_ms": 30_000}}})
    started = time.monotonic()
    told = judge(timeout_seconds=0.5, attempts=2)
    assert time.monotonic() - started < 10
    assert told.faults == ["timeout", "timeout"]
    assert (told.judged.used, told.judged.errors) == (SECONDARY, (f"{PRIMARY}: no answer within 0.5 s",))


def test_with_both_providers_down_rules_decide_and_a_person_looks(box: Any, judge: Any) -> None:
    box.faults({"models": {"*": {"script": [{"status": 500}] * 9}}})
    told = judge()
    assert told.faults == ["unavailable"] * 6
    assert (told.judged.used, told.judged.fallback) == (offline.MODEL, True)


def test_a_decision_model_gives_probabilities_and_no_proof(box: Any, judge: Any, runnable: Runnable) -> None:
    told = judge(decisions=[PRIMARY], secondary=None)
    judged = told.judged
    assert (told.faults, judged.errors, judged.used) == ([], (), PRIMARY)
    assert {verdict.criterion for verdict in judged.verdicts} == {item.id for item in runnable.policy.rubric.asked}
    stated = [verdict for verdict in judged.verdicts if verdict.level != "unknown"]
    assert stated
    for verdict in stated:
        assert verdict.quote is None
        assert verdict.field in ("message", "job_title")
        assert verdict.spread is not None
        assert sum(verdict.spread.values()) == pytest.approx(1, abs=0.01)
    assert judged.assessments[0].tokens_in > 0
    chat = judge(secondary=None).judged
    assert chat.assessments[0].content_hash != judged.assessments[0].content_hash


def test_a_decision_model_that_leaves_questions_out_is_followed_by_the_secondary(box: Any, judge: Any) -> None:
    box.faults({"models": {"gpt-6-luna": {"script": [{"ending": "truncated"}]}}})
    told = judge(decisions=[PRIMARY])
    assert told.faults == ["wrong_schema"]
    assert told.judged.used == SECONDARY
    assert told.judged.errors == (f"{PRIMARY}: not every question was answered",)


@pytest.fixture
def till(tmp_path: Path) -> Any:
    """`till(usd)`: a ledger with so much money a day, over a real database."""
    url = f"sqlite:///{tmp_path / 'money.db'}"
    store.upgrade(url)
    opened = store.open_store(url)
    numbers = iter(range(100))

    def make(usd: float) -> Ledger:
        return Ledger(
            opened.money,
            owner=f"p{next(numbers)}",
            budgets=Budgets(total=Budget(day=round(usd * NANO))),
            prices=cost.Prices(listed=client.price_list),
            clock=lambda: NOON,
        )

    make.opened = opened  # type: ignore[attr-defined]
    yield make
    opened.close()


def test_a_budget_is_kept_on_the_wire(box: Any, judge: Any, till: Any) -> None:
    def pay(number: int) -> Judged:
        lead = LEAD.model_copy(update={"message": f"{LEAD.message} Order {number}."})
        judged: Judged = judge(lead, connection="crm", ledger=till(0.002), secondary=None).judged
        return judged

    paid: list[Judged] = []

    def spend() -> None:
        for number in range(30):
            paid.append(pay(number))

    with pytest.raises(errors.Held, match=r"daily budget over all connections \(0.002 USD\)"):
        spend()
    spent = len(paid)
    assert all(judged.assessments[0].kept for judged in paid)
    assert 1 < spent < 30
    assert box.stats()["model_calls"] == spent, "not one call more"
    (entry,) = till.opened.money.entries(since=NOON.date())
    assert (entry.calls, entry.unpriced) == (spent, 0)
    assert 0 < entry.nano_usd <= 0.002 * NANO
    assert entry.repeated / entry.characters > 0.8, "most of a prompt is the same for every lead"
    # What was paid is kept: the same lead needs no money.
    known = judge(LEAD.model_copy(update={"message": f"{LEAD.message} Order 0."}), connection="crm", ledger=till(0.002),
                  secondary=None, cache=till.opened.assessments.get).judged  # fmt: skip
    assert known.assessments[0].cached


def test_calls_that_time_out_count_against_the_budget_as_the_provider_may_bill_them(
    box: Any, judge: Any, till: Any
) -> None:
    box.faults({"models": {"gpt-6-luna": {"latency_ms": 30_000}}})
    told = judge(connection="crm", ledger=till(5), secondary=None, timeout_seconds=0.3, attempts=2)
    assert told.faults == ["timeout", "timeout"]
    (entry,) = till.opened.money.entries(since=NOON.date())
    assert (entry.model, entry.stage, entry.questions, entry.calls) == (PRIMARY, UNANSWERED, 0, 2)
    budgets = Budgets(total=Budget(day=5 * NANO))
    (level,) = till.opened.money.levels(budgets, now=NOON)
    assert (level.spent, level.reserved) == (entry.nano_usd, 0)
    assert entry.nano_usd > 0
    # A budget that has room for one such call is spent by it: the second is not made.
    with pytest.raises(errors.Held):
        judge(
            LEAD.model_copy(update={"message": f"{LEAD.message} Soon."}), connection="crm",
            ledger=till(entry.nano_usd * 1.8 / NANO), secondary=None, timeout_seconds=0.3, attempts=2,
        )  # fmt: skip


def test_a_model_without_a_price_is_not_asked_where_a_budget_is_set(box: Any, judge: Any, till: Any) -> None:
    with pytest.raises(errors.Held, match=r'\[prices."openai/our-own"\]'):
        judge(connection="crm", ledger=till(5), primary="openai/our-own", secondary=None)
    told = judge(connection="crm", ledger=till(5), primary="openai/our-own", when_spent="offline")
    assert told.judged.used == SECONDARY
    assert told.faults == ["unpriced"]
    assert box.stats()["model_calls"] == 1


def test_the_secondary_does_not_see_the_first_answer(box: Any, judge: Any, runnable: Runnable) -> None:
    """On the wire: what the second provider is sent holds nothing of what the first one said."""
    seen: list[str] = []
    real = client.Client()

    async def listening(model: str, messages: Any, **options: Any) -> Any:
        if model == SECONDARY:
            seen.append(json.dumps(messages))
        return await real.complete(model, messages, **options)

    thresholds = runnable.policy.rubric.thresholds.model_copy(update={"escalate_below": 1.0})
    rubric = runnable.policy.rubric.model_copy(update={"thresholds": thresholds})
    policy = runnable.policy.model_copy(update={"rubric": rubric})
    strict = runnable._replace(policy=policy, digest=policy.digest())

    async def main() -> Judged:
        cascade = Cascade(listening, primary=PRIMARY, secondary=SECONDARY)
        try:
            return await cascade.judge(strict, LEAD)
        finally:
            await cascade.close()
            await real.close()

    loop = LoopThread()
    try:
        judged = loop.submit(main()).result(60)
    finally:
        loop.stop()
    assert len(judged.assessments) == 2
    (sent,) = seen
    assert '"assistant"' not in sent
    for verdict in judged.assessments[0].verdicts:
        assert f'level\\": \\"{verdict.level}' not in sent
