"""Answers that are there are given; nobody is asked for others."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pytest
from tierwise_fixtures import policies as make

from tierwise.domain.lead import Lead
from tierwise.domain.rubric import Assessment, Verdict
from tierwise.llm import recorded

LEAD = Lead(message="We need it now.", company="Acme")


class Shelf:
    """A cache that gives the same answer to every question of the models it knows."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Assessment | None = None

    def __call__(self, hashes: Collection[str]) -> Mapping[str, Assessment]:
        self.asked += hashes
        return dict.fromkeys(hashes, self.answer) if self.answer is not None else {}


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def judge(shelf: Shelf) -> Iterator[recorded.Recorded]:
    made = recorded.Recorded(shelf, primary=None, secondary=None)
    yield made
    made.close()


def runnable(**models: Any) -> Any:
    return make.runnable(make.policy(make.rubric(models=models)))


def test_an_answer_that_is_there_is_given(shelf: Shelf, judge: recorded.Recorded) -> None:
    verdict = Verdict(criterion="intent", level="clear", probability=0.99, decided_by="openai/x", quote="We need it")
    shelf.answer = Assessment(model="openai/x", verdicts=(verdict,), content_hash="x" * 64, cost_usd=0.1)
    judged = judge.judge(runnable(primary="openai/x"), LEAD)
    assert judged is not None
    assert (judged.verdicts, judged.used, judged.fallback) == ((verdict,), "openai/x", False)
    assert all(item.cached for item in judged.assessments)


def test_where_a_model_would_be_asked_there_is_none(shelf: Shelf, judge: recorded.Recorded) -> None:
    assert judge.judge(runnable(primary="openai/x"), LEAD) is None
    assert shelf.asked
    # A second opinion is a question, too.
    verdict = Verdict(criterion="intent", level="clear", probability=0.3, decided_by="openai/x", quote="We need it")
    shelf.answer = Assessment(model="openai/x", verdicts=(verdict,), content_hash="x" * 64, cost_usd=0.1)
    assert judge.judge(runnable(primary="openai/x", secondary="openai/x"), LEAD) is not None
    only_first = recorded.Recorded(
        lambda hashes: shelf(hashes) if len(shelf.asked) < 3 else {}, primary=None, secondary=None
    )
    assert only_first.judge(runnable(primary="openai/x", secondary="other/y"), LEAD) is None
    only_first.close()


def test_one_lead_without_an_answer_does_not_spoil_the_next(shelf: Shelf, judge: recorded.Recorded) -> None:
    asking = runnable(primary="openai/x")
    for _ in range(12):
        assert judge.judge(asking, LEAD) is None
    verdict = Verdict(criterion="intent", level="clear", probability=0.99, decided_by="openai/x", quote="We need it")
    shelf.answer = Assessment(model="openai/x", verdicts=(verdict,), content_hash="x" * 64, cost_usd=0.1)
    assert judge.judge(asking, LEAD) is not None


def test_the_lexicon_answers_for_itself(judge: recorded.Recorded) -> None:
    levels = [{"id": "clear", "points": 1, "cues": ["need it now"]}, {"id": "none", "points": 0}]
    rubric = make.rubric(make.criterion(), make.asked(levels=levels))
    judged = judge.judge(make.runnable(make.policy(rubric)), LEAD)
    assert judged is not None
    assert (judged.used, judged.verdicts[0].level, judged.fallback) == ("offline/rules", "clear", False)


def test_nothing_to_ask_is_nothing_missing(judge: recorded.Recorded) -> None:
    judged = judge.judge(runnable(primary="openai/x"), Lead(company="Acme"))
    assert judged is not None
    assert judged.verdicts == ()


def test_what_a_decision_model_or_a_further_sample_said_is_another_answer(shelf: Shelf) -> None:
    asked: dict[str, list[str]] = {}
    verdict = Verdict(criterion="intent", level="clear", probability=0.4, decided_by="openai/x", quote="We need it")
    for name, more in {"chat": {}, "decisions": {"decisions": {"openai/x"}}, "samples": {"samples": 1}}.items():
        made = recorded.Recorded(shelf, primary=None, secondary=None, **more)  # type: ignore[arg-type]
        shelf.answer = Assessment(model="openai/x", verdicts=(verdict,), content_hash="x" * 64, cost_usd=0.1)
        shelf.asked = []
        assert made.judge(runnable(primary="openai/x"), LEAD) is not None
        asked[name] = shelf.asked
        made.close()
    assert len(asked["chat"]) == len(asked["decisions"]) == 1
    assert asked["chat"] != asked["decisions"]
    assert asked["samples"][:1] == asked["chat"]
    assert len(asked["samples"]) == 2
