"""The next question of a lead is the cascade's own, and an answer from a batch is read by its rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from tierwise_fixtures.batches import PRICES, PRIMARY, SECONDARY

from tierwise import errors
from tierwise.domain.lead import Lead
from tierwise.domain.policy import Runnable
from tierwise.domain.rubric import Assessment
from tierwise.llm import batching, cost, prompt
from tierwise.llm.asking import Question
from tierwise.llm.batching import Asked, Seeker
from tierwise.llm.client import Completion
from tierwise.ports.money import Entry

PRICED = cost.Prices(PRICES)
LEAD = Asked(Lead(email="a@b.example", message="We need it asap, I decide.", employee_count=90), "crm")
BLANK = Entry("crm", PRIMARY, "primary", SECONDARY)


@pytest.fixture
def cache() -> dict[str, Assessment]:
    return {}


@pytest.fixture
def seeker(cache: dict[str, Assessment]) -> Iterator[Seeker]:
    def look(keys: Any) -> Mapping[str, Assessment]:
        return {key: cache[key] for key in keys if key in cache}

    made = Seeker(look, primary=PRIMARY, secondary=SECONDARY)
    yield made
    made.close()


def text(answered: Callable[..., str], probability: float = 0.95) -> str:
    return answered(
        purchase_timing=("now", probability, "asap", "message"),
        buying_role=("decides", probability, "I decide", "message"),
        legitimate=("real", probability, "We need it", "message"),
    )


def completion(content: str, **more: Any) -> Completion:
    given = {"text": content, "model": PRIMARY, "tokens_in": 1000, "tokens_out": 100, "cost_usd": 0.001}
    return Completion(**{**given, "latency_ms": 0, **more})


def first(seeker: Seeker, runnable: Runnable) -> Question:
    (question,) = seeker.next(runnable, [LEAD])
    assert question is not None
    return question


def test_the_first_model_is_asked_first_and_a_doubtful_answer_takes_the_lead_on(
    seeker: Seeker, cache: dict[str, Assessment], runnable: Runnable, answered: Callable[..., str]
) -> None:
    question = first(seeker, runnable)
    assert (question.model, question.stage) == (PRIMARY, "primary")
    made = batching.result(question, completion(text(answered, 0.4)), BLANK, prices=PRICED)
    assert made.assessment is not None
    cache[question.key] = made.assessment
    second = first(seeker, runnable)
    assert (second.model, second.stage) == (SECONDARY, "secondary")
    sure = batching.result(question, completion(text(answered, 0.99)), BLANK, prices=PRICED)
    assert sure.assessment is not None
    cache[question.key] = sure.assessment
    assert seeker.next(runnable, [LEAD]) == [None]


def test_many_leads_are_looked_up_together(seeker: Seeker, runnable: Runnable) -> None:
    leads = [Asked(Lead(email=f"{n}@b.example", message=f"Number {n} asap"), "crm") for n in range(30)]
    found = seeker.next(runnable, leads)
    assert len({question.key for question in found if question is not None}) == 30


def test_a_lead_of_which_nothing_is_shown_waits_for_nothing(seeker: Seeker, runnable: Runnable) -> None:
    bare = Asked(Lead(email="a@b.example", employee_count=3), "crm")
    assert seeker.next(runnable, [bare]) == [None]
    assert seeker.question(runnable, bare, model=PRIMARY, stage="primary") is None


def test_a_moment_without_the_store_is_no_word_on_what_to_ask(runnable: Runnable) -> None:
    def look(_: Any) -> Mapping[str, Assessment]:
        raise errors.RetryLater("the database is away")

    seeker = Seeker(look, primary=PRIMARY, secondary=SECONDARY)
    try:
        with pytest.raises(errors.RetryLater):
            seeker.next(runnable, [LEAD, Asked(Lead(email="c@b.example", message="Soon, please"), "crm")])
    finally:
        seeker.close()


def test_the_lexicon_is_no_question_for_a_batch(runnable: Runnable) -> None:
    seeker = Seeker(lambda _: {}, primary="offline/rules", secondary=None)
    try:
        assert seeker.next(runnable, [LEAD]) == [None]
    finally:
        seeker.close()


def test_a_prompt_that_cannot_be_rendered_is_told_where_the_lead_is_decided(
    seeker: Seeker, make_runnable: Callable[..., Runnable]
) -> None:
    assert seeker.next(make_runnable(body="{{ 1 / 0 }}"), [LEAD]) == [None]


def test_the_same_question_is_made_again_from_the_same_lead(seeker: Seeker, runnable: Runnable) -> None:
    again = seeker.question(runnable, LEAD, model=PRIMARY, stage="primary")
    assert again is not None
    assert again.key == first(seeker, runnable).key
    other = Asked(LEAD.lead.model_copy(update={"message": "Something else"}), "crm")
    changed = seeker.question(runnable, other, model=PRIMARY, stage="primary")
    assert changed is not None
    assert changed.key != again.key


def test_quotes_are_looked_for_and_datamarks_taken_out(
    seeker: Seeker, runnable: Runnable, answered: Callable[..., str]
) -> None:
    question = first(seeker, runnable)
    mark = prompt.mark_of(question.fields)
    content = answered(
        purchase_timing=("now", 0.9, "asap", "message"),
        buying_role=("decides", 0.9, f"I{mark}decide", "message"),
        legitimate=("real", 0.9, "nobody wrote that", "message"),
    )
    made = batching.result(question, completion(content), BLANK, prices=PRICED)
    assert made.assessment is not None
    verdicts = {item.criterion: item for item in made.assessment.verdicts}
    assert verdicts["buying_role"].quote == "I decide"
    assert verdicts["legitimate"].flags == ("EVIDENCE_MISSING",)
    assert made.assessment.content_hash == question.key


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (completion("no json"), "malformed"),
        (completion(""), "empty"),
        (completion('{"purchase_timing": ', finish="length"), "truncated"),
        (completion("{}"), "wrong_schema"),
        (completion("Sorry.", finish="refusal"), "refusal"),
    ],
    ids=lambda item: item if isinstance(item, str) else "",
)
def test_what_cannot_be_used_is_paid_all_the_same(
    seeker: Seeker, runnable: Runnable, found: Completion, fault: str
) -> None:
    made = batching.result(first(seeker, runnable), found, BLANK, prices=PRICED)
    assert (made.assessment, made.fault) == (None, fault)
    assert made.entry.nano_usd == 1_000_000


def test_an_answer_about_another_lead_is_paid_and_of_no_use() -> None:
    made = batching.result(None, completion("{}"), BLANK, prices=PRICED)
    assert (made.assessment, made.fault, made.entry.nano_usd) == (None, "stale", 1_000_000)


def test_the_bill_says_what_was_saved(seeker: Seeker, runnable: Runnable, answered: Callable[..., str]) -> None:
    question = first(seeker, runnable)
    made = batching.result(question, completion(text(answered)), BLANK, prices=PRICED)
    live = PRICES[PRIMARY].of(tokens_in=1000, tokens_out=100)
    assert made.entry.nano_saved == round((live - 0.001) * 1e9)
    assert (made.entry.batched, made.entry.questions, made.entry.unpriced) == (1, 1, 0)
    assert made.entry.characters > made.entry.repeated > 0
    unknown = batching.result(question, completion("{}", cost_usd=None), BLANK, prices=cost.Prices())
    assert (unknown.entry.nano_usd, unknown.entry.nano_saved, unknown.entry.unpriced) == (0, 0, 1)


def test_an_estimate_is_half_of_a_live_one(seeker: Seeker, runnable: Runnable) -> None:
    question = first(seeker, runnable)
    usd = batching.estimate(question, PRICED)
    assert usd is not None
    assert 0 < usd < 0.01
    assert batching.estimate(question, cost.Prices()) is None
    assert batching.estimate(question, cost.Prices(PRICES, shares={PRIMARY: 1.0})) == pytest.approx(2 * usd)
