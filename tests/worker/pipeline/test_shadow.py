"""A shadow decides live leads, too, and nothing of it leaves."""

from __future__ import annotations

import dataclasses
from concurrent.futures import Future
from typing import Any

import pytest
from tierwise_fixtures import fakes

from tierwise import errors, ports
from tierwise.domain.decision import Judged
from tierwise.domain.lead import digest
from tierwise.domain.rubric import Assessment
from tierwise.domain.rules import Answer
from tierwise.pipeline import backtest, shadow


@dataclasses.dataclass
class Beside:
    """A line with a shadow on it."""

    line: Any
    after: Any
    same: bool = True

    def __post_init__(self) -> None:
        policies = self.line.store.policies
        self.digest = policies.publish(self.after.policy, by="me", note="", now=self.line.clock.now)
        self.after = self.after._replace(digest=self.digest)
        self.on: ports.Shadow = self.line.store.shadows.start(self.digest, by="me", now=self.line.clock.now)
        self.asked: list[tuple[str | None, str]] = []
        self.answer: Judged | BaseException | None = fakes.judged("new", level="none")

    def follow(self) -> int:
        asks = (lambda _: "") if self.same else (lambda digest: digest)
        tools = backtest.Tools(self.line.runnable, self.after, asks=asks, judge=lambda *_: None)
        return shadow.follow(
            self.on, tools, store=self.line.store, ask=self._ask, keys=lambda _, lead: [digest(f"asked {lead.email}")],
            clock=self.line.clock,
        )  # fmt: skip

    def rows(self) -> list[ports.ShadowDecision]:
        return list(self.line.store.shadows.decisions(self.digest))

    def report(self) -> dict[str, Any]:
        names, limits = {"digest": "", "version": ""}, backtest.Limits(1, 1, 1)
        return backtest.report(shadow.replayed(self.rows()), before=names, after=names, limits=limits)

    def _ask(self, runnable: Any, lead: Any, connection: str) -> Future[Judged]:
        self.asked.append((lead.email, connection))
        future: Future[Judged] = Future()
        if isinstance(self.answer, BaseException):
            future.set_exception(self.answer)
        elif self.answer is not None:
            future.set_result(self.answer)
        return future


@pytest.fixture
def beside(line: Any) -> Beside:
    nobody = {("size", "high"): lambda _: Answer("no_match"), ("size", "low"): lambda _: Answer("match")}
    return Beside(line, line.other_policy("2")._replace(levels=nobody))


def arrive(line: Any, *record_ids: str) -> None:
    for record_id in record_ids:
        line.put(record_id)
    line.poll()
    line.pump()


def test_it_only_records(beside: Beside) -> None:
    line = beside.line
    arrive(line, "1", "2")
    line.write_back()
    shown, queue = dict(line.crm.own), line.store.outbox.due(now=line.clock.now)
    assert beside.follow() == 2
    assert beside.follow() == 0
    assert (dict(line.crm.own), line.store.outbox.due(now=line.clock.now)) == (shown, queue)
    assert all(len(links) == 1 for links in line.decided().values())
    assert beside.asked == [], "what models said is known"
    for row in beside.rows():
        assert (row.live["score"], row.shadow["score"], row.differs, row.cost_usd) == (90, 40, True, 0.0)
        assert (row.policy, row.live_policy) == (beside.digest, line.runnable.digest)
    assert beside.report()["flips"] == 2


def test_new_questions_are_asked_on_the_budget_of_the_connection(beside: Beside) -> None:
    beside.same = False
    arrive(beside.line, "1")
    assert beside.follow() == 1
    assert beside.asked == [("1@acme.example", "crm")]
    (row,) = beside.rows()
    assert (row.shadow["score"], row.cost_usd) == (0, 0.001)
    kept = fakes.judged("new", level="none").assessments[0].content_hash
    assert beside.line.store.assessments.get([kept]), "an activation later asks nothing again"


def test_what_cannot_be_asked_is_told_and_what_is_late_is_looked_at_again(
    beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside.same = False
    beside.answer = errors.RetryLater("the budget is spent")
    arrive(beside.line, "1")
    assert beside.follow() == 1
    assert beside.rows()[0].shadow == {"error": "the budget is spent"}
    assert beside.report()["failed"] == 1
    monkeypatch.setattr(shadow, "PATIENCE", 0.01)
    beside.answer = None
    arrive(beside.line, "2")
    assert beside.follow() == 0
    beside.answer = fakes.judged("late")
    assert beside.follow() == 1


def test_what_it_was_answered_before_it_failed_is_found_by_an_erasure(beside: Beside) -> None:
    """The first model answered, and for the second there was no money."""
    line = beside.line
    arrive(line, "1")
    beside.same = False
    beside.answer = errors.Held("the budget is spent")
    key = digest("asked 1@acme.example")
    line.store.assessments.keep(
        [Assessment(model="m", verdicts=(), content_hash=key, cost_usd=0.5)], now=line.clock.now
    )
    assert beside.follow() == 1
    assert beside.asked
    line.store.persons.erase([(line.name, "1")], needles=[], by="local:me", reason="", now=line.clock.now)
    assert line.store.assessments.get([key]) == {}
