from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tierwise.domain.rubric import Criterion
from tierwise.llm import lexicon, text


@pytest.fixture
def questions(criteria: tuple[Criterion, ...]) -> tuple[lexicon.Question, ...]:
    return lexicon.compiled(json.loads(json.dumps(lexicon.spell_out(criteria))))


def timing(questions: tuple[lexicon.Question, ...], message: str) -> lexicon.Finding:
    return lexicon.assess(questions, {"message": message})["purchase_timing"]


def test_a_cue_gives_its_level_with_the_sentence_as_quote(questions: tuple[lexicon.Question, ...]) -> None:
    found = timing(questions, "Hello. We need a demo THIS month, please. Thanks.")
    assert found == lexicon.Finding("now", 0.75, quote="We need a demo THIS month, please.", field="message")


def test_more_cues_make_it_surer_and_other_levels_less_sure(questions: tuple[lexicon.Question, ...]) -> None:
    one = timing(questions, "We start this month.").probability
    two = timing(questions, "We start this month, it is urgent.").probability
    mixed = timing(questions, "We start this month, or in Q4.")
    assert one < two <= 0.92
    assert mixed.level == "now"
    assert mixed.probability < one


def test_an_ending_is_open_only_where_the_cue_says_so(questions: tuple[lexicon.Question, ...]) -> None:
    assert timing(questions, "We need it urgently.").level == "now"
    assert timing(questions, "Sasapo is our product name in the market.").level == "none"


@pytest.mark.parametrize(
    "said",
    [
        "We do not need it this month.",
        "We don't want to start this month at all.",
        "Not this month.",
        "Wir starten nicht this month.",
        "Das wird this month nicht passieren.",
        "Ce n'est pas urgent.",
        "No es urgente.",
        "Non è urgente.",
        "Sem algo urgente.",
        "Het is niet urgent.",
    ],
)
def test_what_is_denied_gives_the_lowest_level(questions: tuple[lexicon.Question, ...], said: str) -> None:
    found = timing(questions, said)
    assert (found.level, found.quote) == ("none", said)


@pytest.mark.parametrize(
    "said",
    [
        "We have no contract yet, but we start this month.",
        "This is not a test: we start this month.",
        "It is not that we would not start this month.",
    ],
)
def test_a_denial_elsewhere_does_not_count(questions: tuple[lexicon.Question, ...], said: str) -> None:
    assert timing(questions, said).level == "now"


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ("We would like to know more about your product.", "none"),  # an English text that says nothing about it
        ("Wir sind ein kleiner Betrieb in der Nähe von Bremen und haben eine Frage zu dem Produkt.", "none"),
        ("Haluaisimme tietää lisää tuotteestanne ja keskustella asiasta pian.", "unknown"),  # no cue speaks it
        ("Demo please", "unknown"),  # too short to say anything by silence
        ("我们想了解更多关于你们产品的信息", "none"),
    ],
)
def test_silence(questions: tuple[lexicon.Question, ...], said: str, level: str) -> None:
    assert timing(questions, said) == lexicon.Finding(level, 0.6 if level == "none" else 0.0)


def test_an_absent_field_is_unknown_and_any_named_field_can_prove(questions: tuple[lexicon.Question, ...]) -> None:
    found = lexicon.assess(questions, {"job_title": "Head of IT"})
    assert found["purchase_timing"].level == "unknown"
    assert found["buying_role"] == lexicon.Finding("decides", 0.75, quote="Head of IT", field="job_title")


def test_the_lowest_level_may_have_cues_of_its_own(questions: tuple[lexicon.Question, ...]) -> None:
    found = lexicon.assess(questions, {"job_title": "Student"})["buying_role"]
    assert (found.level, found.quote) == ("neither", "Student")


def test_accents_case_and_underscores_do_not_matter() -> None:
    criterion = Criterion.model_validate({
        "id": "source",
        "dimension": "intent",
        "question": "Which?",
        "weight": 100,
        "decide": "model",
        "fields": ["source", "message"],
        "levels": [
            {"id": "demo", "points": 1, "cues": ["demo request", "DÉMO"]},
            {"id": "other", "points": 0},
        ],
    })  # fmt: skip
    questions = lexicon.compiled(lexicon.spell_out([criterion]))
    assert lexicon.assess(questions, {"source": "demo_request"})["source"].quote == "demo_request"
    assert lexicon.assess(questions, {"message": "une demo svp"})["source"].level == "demo"


def test_a_cue_of_a_script_without_spaces_is_found_within_its_sentence() -> None:
    cue = {
        "id": "x",
        "fields": ["message"],
        "lowest": "b",
        "levels": [{"id": "a", "cues": ["今月"]}, {"id": "b", "cues": []}],
    }
    found = lexicon.assess(
        lexicon.compiled([cue]), {"message": "お世話になります。今月中に導入したいです。よろしく。"}
    )["x"]
    assert (found.level, found.quote) == ("a", "今月中に導入したいです。")


@given(st.text())
def test_every_quote_stands_in_the_text(message: str) -> None:
    cue = {
        "id": "x",
        "fields": ["message"],
        "lowest": "b",
        "levels": [{"id": "a", "cues": ["a", "1*"]}, {"id": "b", "cues": []}],
    }
    shown = text.canonical(message + " a. 15!")
    found = lexicon.assess(lexicon.compiled([cue]), {"message": shown})["x"]
    assert found.quote in shown
    assert 0 <= found.probability <= 0.92


def test_a_long_lead_costs_less_than_a_millisecond_and_a_typical_one_a_tenth(
    questions: tuple[lexicon.Question, ...],
) -> None:
    def best(message: str) -> float:
        spent = []
        for _ in range(20):
            started = time.perf_counter()
            lexicon.assess(questions, {"message": message, "job_title": "Head of IT"})
            spent.append(time.perf_counter() - started)
        return min(spent)

    assert best("We need it this month for our team of 40 people. " * 6) < 0.001
