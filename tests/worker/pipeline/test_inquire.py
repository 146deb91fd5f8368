"""What only a backtest wants to know is asked in batches, else live; nothing of it is decided or paid twice."""

from __future__ import annotations

from concurrent.futures import Future
from datetime import timedelta
from typing import Any

import pytest
from tierwise_fixtures.batches import PRIMARY, SECONDARY, Office

from tierwise.domain.decision import Judged
from tierwise.domain.policy import Policy, Runnable
from tierwise.domain.rubric import Rubric
from tierwise.errors import Misconfigured, RejectRecord
from tierwise.llm import cost, recorded
from tierwise.pipeline import backtest, inquire
from tierwise.ports.money import NANO, Budget, Budgets


def reworded(policy: Policy) -> Policy:
    """The policy with one question in other words: nobody answered that yet."""
    whole = policy.rubric.model_dump(mode="json")
    asked = next(item for item in whole["criteria"] if item["decide"] == "model")
    asked["question"] += " Answer for this year only."
    return policy.model_copy(update={"rubric": Rubric.model_validate(whole), "version": "next"})


@pytest.fixture
def digest(office: Office) -> str:
    """Two dozen decisions, and a published policy that asks something new."""
    office.arrive(*range(24), old=False)
    office.decide()
    office.live_calls = 0
    return office.publish(reworded(office.runnable.policy))


def replayed(office: Office, digest: str) -> list[backtest.Replayed]:
    """The backtest, which asks nobody."""
    said = recorded.Recorded(office.store.assessments.get, primary=PRIMARY, secondary=SECONDARY)
    tools = backtest.Tools(office.runnable, office.under(digest), asks=lambda one: one, judge=said.judge)
    try:
        found = list(backtest.replay(office.store.decisions.recent(limit=1000), tools))
    finally:
        said.close()
    return [item for item in found if item is not None]


def needing(office: Office, digest: str) -> list[int]:
    return [item.decision_id for item in replayed(office, digest) if item.needs_model]


def ask(office: Office, digest: str, *, live: bool = False) -> int:
    wanted = needing(office, digest)
    office.store.backtests.ask(digest, wanted, live=live, now=office.now)
    return len(wanted)


def left(office: Office) -> int:
    return sum(item.decisions for item in office.store.backtests.list())


def test_in_batches_both_models_are_asked_and_the_backtest_finds_all_answers(office: Office, digest: str) -> None:
    before = office.spent()
    number = ask(office, digest)
    assert 12 < number <= 24
    first = office.inquire()
    assert (first.questions, first.waiting) == (number, number)
    assert office.inquire() == inquire.Inquired(), "whoever waits for a batch is left alone"
    for _ in range(6):
        office.advance(1000)
        office.inquire()
    assert left(office) == 0
    assert office.live_calls == 0
    assert {(item.model, item.outcome) for item in office.batches()} == {
        (PRIMARY, "completed"), (SECONDARY, "completed")
    }  # fmt: skip
    assert needing(office, digest) == []
    questions, batched, spent, saved = (now - then for now, then in zip(office.spent(), before, strict=True))
    assert questions == batched > number, "the doubtful ones went on to the second model"
    assert spent == saved > 0
    assert all(item.policy == digest for item in office.batches())
    counts = office.store.works.counts()
    assert (counts["done"], counts["ready"], counts["leased"]) == (24, 0, 0), "nothing is decided anew"


def test_live_the_answers_are_there_at_once(office: Office, digest: str) -> None:
    number = ask(office, digest, live=True)
    report = office.inquire(live=7)
    assert (report.answered, report.later, report.questions) == (number, 0, 0)
    assert office.live_calls >= number
    assert needing(office, digest) == []
    assert office.batches() == []
    asked = office.live_calls
    office.store.backtests.ask(
        digest, [item.decision_id for item in replayed(office, digest)], live=True, now=office.now
    )
    office.inquire()
    assert office.live_calls == asked, "what is answered is paid no more"


def test_few_questions_are_no_batch(office: Office, digest: str) -> None:
    office.worth = office.worth._replace(fewest=25)
    number = ask(office, digest)
    assert office.inquire().answered == number
    assert office.batches() == []


def test_a_model_without_batches_is_asked_live(office: Office, digest: str) -> None:
    office.offers = {PRIMARY}
    ask(office, digest)
    office.inquire()
    office.advance()
    office.advance(60)
    office.inquire()
    assert {item.model for item in office.batches()} == {PRIMARY}
    assert office.live_calls > 0
    assert needing(office, digest) == []


def test_what_a_batch_does_not_answer_is_asked_live_and_in_no_second_batch(office: Office, digest: str) -> None:
    office.offers = {PRIMARY}
    office.provider.habits(failing=0.3, missing=0.2)
    number = ask(office, digest)
    office.inquire()
    office.advance()
    (ended,) = office.advance(60)
    assert 0 < ended.unusable < number
    office.inquire()
    assert len(office.batches()) == 1
    assert office.live_calls >= ended.unusable
    assert (left(office), needing(office, digest)) == (0, [])


@pytest.mark.parametrize("ending", ["expired", "cancelled", "failed"])
def test_an_end_without_answers_leaves_them_to_live_calls(office: Office, digest: str, ending: str) -> None:
    office.provider.habits(ending=ending, done=0.5)
    ask(office, digest)
    office.inquire()
    for _ in range(8):
        office.advance(1000)
        office.inquire()
    assert (left(office), needing(office, digest)) == (0, [])


def test_a_model_that_fails_is_asked_again_later_and_not_for_ever(office: Office, digest: str) -> None:
    office.down = RejectRecord("the provider cannot answer", place=PRIMARY)
    number = ask(office, digest, live=True)
    assert office.inquire(tries=2).later == number
    (asking,) = office.store.backtests.list()
    assert "the provider cannot answer" in asking.error
    assert office.inquire(tries=2) == inquire.Inquired(), "not at once"
    office.wait(3600)
    assert office.inquire(tries=2).later == number
    office.wait(3600)
    assert office.inquire(tries=2).given_up == number
    assert left(office) == 0
    office.down = None
    assert ask(office, digest, live=True) == number, "whoever asks again starts afresh"
    assert office.inquire(tries=2).answered == number
    assert needing(office, digest) == []


def test_the_lexicon_stands_in_for_no_answer(office: Office, digest: str) -> None:
    """A fallback decides an inbound lead; a backtest would take it for what models think."""
    office.down = RejectRecord("down", place=PRIMARY)
    number = ask(office, digest, live=True)
    office.inquire()
    assert (left(office), len(needing(office, digest))) == (number, number)


def test_where_the_budget_is_spent_they_wait_for_it(office: Office, digest: str) -> None:
    spent = office.spent()[2]
    office.budgets = Budgets(total=Budget(spent + NANO // 50, None))
    number = ask(office, digest)
    report = office.inquire()
    assert 0 < report.questions < number
    assert report.waiting == number
    (asking,) = office.store.backtests.list()
    assert "has no room" in asking.error
    assert asking.batched == report.questions
    office.wait(3600)
    assert office.inquire().questions == 0, "not before the day is over"
    live = office.publish(reworded(reworded(office.runnable.policy)))
    office.budgets = Budgets(total=Budget(1, None))
    ask(office, live, live=True)
    assert office.inquire().answered == 0
    held = next(item for item in office.store.backtests.list() if item.policy == live)
    assert "budget" in held.error
    office.budgets = Budgets()
    office.wait(86_400)
    for _ in range(8):
        office.inquire()
        office.advance(1000)
    assert (left(office), needing(office, digest), needing(office, live)) == (0, [], [])


def test_who_was_erased_is_asked_about_no_more(office: Office, digest: str) -> None:
    ask(office, digest)
    office.inquire()
    records = [("crm", str(number)) for number in range(24)]
    office.store.persons.erase(records, needles=[], by="local:me", reason="", now=office.now)
    (ended,) = office.advance()
    assert (ended.outcome, ended.questions, ended.answered) == ("empty", 0, 0)
    assert office.provider.batches.count == 0
    report = office.inquire()
    assert (left(office), office.live_calls, report.later) == (0, 0, 0)


def test_what_was_asked_is_found_by_an_erasure(office: Office, digest: str) -> None:
    ask(office, digest)
    for _ in range(6):
        office.inquire()
        office.advance(1000)
    under = office.under(digest)
    keys = [
        office.seeker.question(under, asked, model=PRIMARY, stage="primary").key  # type: ignore[union-attr]
        for asked in [inquire.batching.Asked(office.lead(number), "crm") for number in range(24)]
    ]
    assert len(office.store.assessments.get(keys)) == 24
    office.store.persons.erase([("crm", "7")], needles=[], by="local:me", reason="", now=office.now)
    assert len(office.store.assessments.get(keys)) == 23


def test_an_erasure_finds_what_was_answered_before_the_rest_was_cancelled(office: Office, digest: str) -> None:
    """The first model answered, for the second there is no money, and nobody wants to know any more."""
    office.prices = cost.Prices({PRIMARY: cost.Price(1.0, 10.0), SECONDARY: cost.Price(1e5, 1e6)})
    office.budgets = Budgets(total=Budget(office.spent()[2] + NANO, None))
    ask(office, digest, live=True)
    office.inquire()
    held = left(office)
    assert held > 0
    assert "budget" in office.store.backtests.list()[0].error
    office.store.backtests.cancel(digest)
    keys = {key for number in range(24) for key in office.seeker.keys(office.under(digest), office.lead(number))}
    assert len(keys) == 48
    assert len(office.store.assessments.get(keys)) == 24, "of the first model"
    records = [("crm", str(number)) for number in range(24)]
    office.store.persons.erase(records, needles=[], by="local:me", reason="", now=office.now)
    assert office.store.assessments.get(keys) == {}


def test_one_question_of_a_replay_and_a_backtest_is_in_one_batch(office: Office, digest: str) -> None:
    """The replay's lead and the backtest's decision wait for the same answer, and both get it."""
    before = office.spent()
    number = ask(office, digest)
    office.inquire()
    office.runnable = office.under(digest)
    office.store.works.requeue(
        digest, since=office.now - timedelta(days=1), now=office.now, batch=True, open_only=False
    )
    gathered = office.gather()
    assert (gathered.batches, gathered.waiting) == (0, number)
    for _ in range(6):
        office.advance(1000)
        office.inquire()
        office.gather()
        office.decide()
    assert (left(office), office.undecided(), office.live_calls) == (0, 0, 0)
    questions, batched = (now - then for now, then in zip(office.spent()[:2], before[:2], strict=True))
    assert questions == batched == sum(item.questions for item in office.batches()), "each was paid once"


def test_an_answer_that_is_none_is_paid_once(office: Office, digest: str) -> None:
    """Asked again, such a model says the same, at the same price."""
    office.provider.replies.set({PRIMARY.partition("/")[2]: {"malformed": 1.0}})
    number = ask(office, digest, live=True)
    assert office.inquire().given_up == number
    assert left(office) == 0
    assert office.live_calls <= 3 * number, "the question, its repair, and the second model"


def test_a_policy_that_cannot_be_read_is_given_up(office: Office, digest: str) -> None:
    number = ask(office, digest, live=True)

    def under(_: str) -> Runnable:
        raise Misconfigured("the template cannot be read", place="policy")

    office.under = under  # type: ignore[method-assign]
    for turn in range(4):
        assert office.inquire().later == number, turn
        assert "the template cannot be read" in office.store.backtests.list()[0].error
        office.wait(3600)
    assert office.inquire().given_up == number
    assert left(office) == 0


def test_what_nobody_foresaw_is_not_met_for_ever(office: Office, digest: str) -> None:
    ask(office, digest, live=True)

    def ask_(*_: Any) -> Any:
        raise ZeroDivisionError

    office._ask = ask_  # type: ignore[method-assign]
    for _ in range(4):
        with pytest.raises(ZeroDivisionError):
            office.inquire()
        assert office.inquire() == inquire.Inquired(), "whoever has it next has it after the lease"
        office.wait(3600)
    assert office.inquire().given_up > 0
    assert left(office) == 0


def test_one_lead_without_money_tells_it_of_its_connection(office: Office, digest: str) -> None:
    number = ask(office, digest, live=True)
    office.budgets = Budgets(total=Budget(1, None))
    asked: list[Any] = []
    real = office._ask

    def ask_(*given: Any) -> Any:
        asked.append(given)
        return real(*given)

    office._ask = ask_  # type: ignore[method-assign]
    report = office.inquire(live=5)
    assert (len(asked), report.later, report.given_up) == (5, number, 0)
    office.wait(86_400)
    office.budgets = Budgets()
    assert office.inquire().answered == number, "no try was counted"


def test_nothing_more_is_asked_once_it_is_cancelled(office: Office, digest: str) -> None:
    number = ask(office, digest, live=True)
    real = office._ask

    def ask_(*given: Any) -> Any:
        office.store.backtests.cancel(digest)
        return real(*given)

    office._ask = ask_  # type: ignore[method-assign]
    office.inquire(live=5)
    assert 5 <= office.live_calls <= 10 < number
    assert left(office) == 0


def test_two_who_ask_pay_once(office: Office, digest: str) -> None:
    """A script repeats its command while a worker is at it."""
    wanted = needing(office, digest)
    office.store.backtests.ask(digest, wanted, live=True, now=office.now)
    real = office._ask

    def ask_(*given: Any) -> Any:
        office._ask = real  # type: ignore[method-assign]
        office.store.backtests.ask(digest, wanted, live=False, now=office.now)
        office.inquire()
        return real(*given)

    office._ask = ask_  # type: ignore[method-assign]
    office.inquire(live=5)
    for _ in range(4):
        office.advance(1000)
        office.inquire()
    assert (left(office), needing(office, digest), office.batches()) == (0, [], [])


def test_a_process_that_dies_leaves_all_to_the_next(office: Office, digest: str) -> None:
    number = ask(office, digest, live=True)
    taken = office.store.backtests.take(limit=100, lease=180, now=office.now)
    assert len(taken) == number
    assert office.inquire() == inquire.Inquired()
    office.wait(181)
    assert office.inquire().answered == number


def test_whoever_is_told_to_end_frees_what_it_did_not_ask(office: Office, digest: str) -> None:
    number = ask(office, digest, live=True)
    told: list[Any] = []

    def stop() -> bool:
        told.append(None)
        return len(told) > 2

    tools = inquire.Tools(office.gathering, office.under, office._ask, random=lambda: 0.5)
    report = inquire.inquire(tools, inquire.Pace(office.worth, live=5), stop=stop)
    assert 0 < report.answered < number
    assert office.inquire().answered == number - report.answered


def test_whoever_has_to_leave_before_an_answer_came_counts_no_try(office: Office, digest: str) -> None:
    number = ask(office, digest, live=True)
    waiting: list[Future[Judged]] = []

    def ask_(*_: Any) -> Future[Judged]:
        waiting.append(Future())
        return waiting[-1]

    tools = inquire.Tools(office.gathering, office.under, ask_, random=lambda: 0.5)
    pace = inquire.Pace(office.worth, live=5, lease=180)
    for _ in range(6):
        report = inquire.inquire(tools, pace, stop=lambda: bool(waiting))
        assert (report.later, report.given_up, len(waiting)) == (number, 0, 5)
        waiting.clear()
        office.wait(180)
    assert office.inquire().answered == number
