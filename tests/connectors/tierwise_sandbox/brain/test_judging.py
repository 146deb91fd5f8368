from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tierwise_sandbox.brain import judging
from tierwise_sandbox.brain.judging import judge, sentences
from tierwise_sandbox.brain.reading import Criterion, Field

BUDGET = Criterion(
    id="budget",
    question="Has money been set aside?",
    levels=("confirmed", "vague", "none"),
    descriptions=("confirmed: an amount is stated", "vague: money without an amount", "none: no budget"),
    fields=("message",),
    has_unknown=True,
    keys=("level", "probability", "quote", "field"),
)
UP = Criterion(**{**BUDGET.__dict__, "levels": BUDGET.levels[::-1], "descriptions": BUDGET.descriptions[::-1]})
STRONG = "hello. we have a budget of $40,000. bye."
MODELS = [f"model-{n}" for n in range(40)]


def field(text: str, name: str = "message", mark: str = "~") -> Field:
    return Field(name, text.replace(" ", mark), text.lower())


def levels(criterion: Criterion, text: str) -> list[str]:
    read = sentences([field(text)])
    return [judge(criterion, read, model=model, seed=text)["level"] for model in MODELS]


def test_evidence_gives_the_best_level_with_a_quote_whichever_way_the_levels_are_listed() -> None:
    answer = judge(BUDGET, sentences([field(STRONG)]), model="m", seed="s")
    assert (answer["quote"], answer["field"]) == ("we~have~a~budget~of~$40,000.", "message")
    for criterion in (BUDGET, UP):
        told = levels(criterion, STRONG)
        assert told.count("confirmed") > len(told) * 0.75
        assert len(set(told)) > 1  # now and then a model is wrong: a cascade needs something to do


def test_no_evidence_is_unknown_or_the_lowest_level() -> None:
    assert set(levels(BUDGET, "hello there")) == {"unknown"}
    closed = Criterion(**{**BUDGET.__dict__, "has_unknown": False})
    assert set(levels(closed, "hello there")) == {"none"}
    assert judge(closed, [], model="m", seed="")["quote"] == ""


def test_doubt_gives_the_lowest_level() -> None:
    told = levels(BUDGET, "we have no budget for this yet, no money")
    assert told.count("none") > len(told) * 0.75


def test_a_level_of_its_own_is_found_by_what_only_it_asks_for() -> None:
    purpose = Criterion(
        id="purpose",
        question="For whom does the writer speak?",
        levels=("own_use", "outsider", "no_sign"),
        descriptions=(
            "own_use: a company that would use the product itself",
            "outsider: a student, job applicant, competitor or seller",
            "no_sign: nothing tells",
        ),
        fields=("message",),
        has_unknown=True,
        keys=("level", "quote"),
    )
    for text, level in (
        ("we ship furniture from our warehouse", "own_use"),
        ("i am writing my master's thesis", "outsider"),
        ("seo packages and backlinks", "outsider"),
        ("good morning", "unknown"),
    ):
        told = levels(purpose, text)
        assert told.count(level) > len(told) * 0.75, text


def test_only_the_fields_of_the_criterion_are_read() -> None:
    answer = judge(BUDGET, sentences([field(STRONG, "job_title")]), model="m", seed="s")
    assert answer["level"] == "unknown"


@given(text=st.text(max_size=300), model=st.text(max_size=8))
def test_every_answer_fits_and_quotes_word_for_word(text: str, model: str) -> None:
    plain = text if len(text.lower()) != len(text) else text.lower()
    read = sentences([Field("message", text, plain)])
    answer = judge(BUDGET, read, model=model, seed=text)
    assert answer["level"] in {*BUDGET.levels, "unknown"}
    assert 0 <= answer["probability"] <= 1
    assert answer["quote"] in text
    assert answer["field"] == "message"
    assert answer == judge(BUDGET, read, model=model, seed=text)


def test_what_is_true_has_no_slips_of_any_model() -> None:
    texts = [f"we have a budget of ${number},000." for number in range(40, 140)]
    true = {judging.level(BUDGET, sentences([field(text)])) for text in texts}
    said = {judge(BUDGET, sentences([field(text)]), model="m", seed=text)["level"] for text in texts}
    assert true == {"confirmed"}
    assert len(said) > 1
